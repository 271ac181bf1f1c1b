"""The way to people: the chat, the alerts channel, the link by which requests arrive, and the outbox.

Slack's libraries are loaded once flags are served, since that takes a quarter of a second; terminal commands never load them.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import structlog

from bot.core.effects import PageAddresses
from bot.delivery.chat import Delivery, MessageContext
from bot.delivery.direct_posts import DirectPosts, Note
from bot.delivery.home_tabs import HomeTabs
from bot.delivery.no_chat import NoChat, WithoutChat
from bot.delivery.ops_channel import OpsChannel
from bot.delivery.out_of_band import lost_alert
from bot.delivery.survey import Survey
from bot.engine.outbox import Outbox
from bot.ports import Chat, OnCall, Performers
from bot.slack.scopes import expected_scopes
from bot.system.loading import load_late
from bot.web.health import Part
from bot.wiring.cluster.identity import require_app
from bot.wiring.part import AppPart
from bot.wiring.parts import StartRefused
from bot.wiring.plan import slack_login
from bot.wiring.setup import Setup
from bot.wiring.store import Store

if TYPE_CHECKING:
    from bot.slack.gateway import SlackGateway
    from bot.slack.http_mode.request_url import RequestUrl
    from bot.wiring.membership import Membership
    from bot.wiring.slack_link import SlackLink
    from commands.desk import CommandContext

log = structlog.get_logger(__name__)


class Channels(AppPart):
    """For posting: `chat`, which is Slack unless one was given, and its alerts channel. Does not call Slack."""

    def __init__(self, setup: Setup, store: Store) -> None:
        super().__init__()
        self._setup = setup
        self._store = store
        self.gateway: SlackGateway | None = None
        self.ops: OpsChannel | None = None

    async def start(self) -> None:
        """Prepare for posting."""
        setup, slack, others = self._setup, self._setup.config.slack, self._store.others
        none = slack.mode == "none"
        self.chat: Chat = setup.given.chat or (NoChat() if none else await self._open_gateway())
        self.ops = OpsChannel(
            self.chat, setup.clock, slack.alerts_channel, slack.backup_channel, others.on_lost_channel, others.on_found_channel
        )
        self._direct = DirectPosts(self.ops)
        self._ends(self._direct.close)
        if setup.given.web and not none:
            self._direct.start()
        self._store.engine.listen(lambda facts, _: others.on_facts(facts), own=True)  # only one replica calls people

    def show(self, note: Note) -> None:
        """Show this note in the alerts channel, even while nothing can be committed."""
        self._direct.show(note)

    def health(self) -> Mapping[str, Part]:
        """Only the loss of the alerts channel, and alerts that Slack refused for good."""
        if self.ops and self.ops.trouble:
            return {"alerts": Part(False, "lost", self.ops.since, self.trouble())}
        untold = self.trouble()
        return {"alerts": Part(False, "refused", None, untold)} if untold else {}

    def trouble(self) -> str:
        """The same as `health`, for people."""
        speaks = self._setup.config.slack.mode != "none"
        lost = [one.name for one in self._store.engine.world.open_incidents() if speaks and lost_alert(one)[1]]
        then = "Once the alerts channel accepts posts again, run"
        refused = [f"Slack refused the alert of {name}. {then} `understudy incident repair {name}`." for name in lost]
        return " ".join(filter(None, [self.ops.trouble if self.ops else "", *refused]))

    async def _open_gateway(self) -> "SlackGateway":
        await load_late("bot.wiring.slack_link")
        from bot.slack.gateway import SlackGateway

        setup = self._setup
        self.gateway = SlackGateway(
            slack_login(setup.config.slack), private=setup.config.incidents.private, patience=setup.given.patience
        )
        self._ends(self.gateway.close)
        await self.gateway.start()
        return self.gateway


class Slack(AppPart):
    """The link, and our people in Slack; nothing if a chat was given. `wake` is called when Slack becomes usable."""

    def __init__(
        self, setup: Setup, store: Store, channels: Channels, *, desk: Callable[[], "CommandContext"], wake: Callable[[], None],
        trouble: Callable[[], str], left_behind: Callable[[], bool],
    ) -> None:  # fmt: skip
        super().__init__()
        self._setup = setup
        self._store = store
        self._channels = channels
        self._desk = desk
        self._left_behind = left_behind
        self._wake = wake
        self._trouble = trouble
        self._homes: HomeTabs | None = None
        self.link: SlackLink | None = None
        self.membership: Membership | None = None
        self.requests: RequestUrl | None = None  # receives Slack's requests in HTTP mode
        if setup.config.slack.mode == "http" and not setup.given.chat:
            self.requests = _request_url(setup)

    async def start(self) -> None:
        """Connect. Raises StartRefused if Slack refuses and nothing is open that people need the bot for."""
        if self._channels.gateway is None:
            return
        self.link = self._make_link(self._channels.gateway)
        found = await self.link.start(self._desk())
        if found.ok:
            return
        if found.unreachable and not found.refused:
            log.error("Slack is unreachable; running, watching and serving flags meanwhile", why=self.link.trouble())
            return
        world = self._store.engine.world
        if not world.open_incidents() and not any(f.engagement for f in world.flags.values()):
            raise StartRefused(self.link.trouble())
        title = "Understudy lacks rights in Slack" if found.usable else "Understudy cannot speak in Slack"
        log.error(f"{title}, but an incident or engagement is open: running on", why=self.link.trouble())
        self._store.others.tell(title, f"{self.link.trouble()} An incident or engagement is open, so it runs on.")

    def health(self) -> Mapping[str, Part]:
        """The link's state."""
        if self._setup.config.slack.mode == "none":
            return {"slack": Part(True, "none", self._setup.began_at, "No Slack by configuration.")}
        return {"slack": self.link.part()} if self.link else {}

    def trouble(self) -> str:
        """What is wrong with the link."""
        return self.link.trouble() if self.link else ""

    @property
    def usable(self) -> bool:
        """Whether Slack accepted us."""
        return self.link is not None and self.link.last is not None and self.link.last.usable

    @property
    def connected(self) -> bool | None:
        """Whether requests from people arrive; None if there is no link."""
        return self.link.connected if self.link else None

    async def has_left(self, user: str) -> bool:
        """Whether somebody's account is deactivated, as far as Slack says within seconds."""
        from bot.slack.standing import Standing

        return self.membership is not None and await self.membership.people.standing(user) is Standing.DEACTIVATED

    async def home_opened(self, user: str, hash: str) -> None:
        """Somebody opened their Home tab and sees the version with this hash."""
        if self._homes:
            await self._homes.opened(user, hash)

    async def attend(self) -> None:
        """Leave requests to newer replicas while only those understand the ledger and one is working."""
        if self.link:
            await self.link.attend(not self._left_behind())

    def after(self, beat: Callable[[], None]) -> Callable[[], None]:
        """A beat that also rereads our groups in Slack when due."""
        return self.membership.after(beat) if self.membership else beat

    def _make_link(self, gateway: "SlackGateway") -> "SlackLink":
        from bot.slack.gateway import GatewayTiming
        from bot.wiring.membership import Membership
        from bot.wiring.slack_link import SlackLink

        setup, store = self._setup, self._store
        us = Membership(
            setup.config.people, gateway, store.engine, store.ledger, setup.clock, setup.wire, store.denials, store.leads
        )
        self._ends(us.close)
        self.membership = us
        every_s = (setup.given.patience or GatewayTiming()).home_every_s
        homes = HomeTabs(
            gateway.publish_home,
            us.reception.asker,
            store.engine,
            store.ledger,
            setup.clock,
            every_s=every_s,
            trouble=self._trouble,
            member=store.member,
        )
        self._homes = homes
        self._ends(homes.close)
        store.engine.listen(lambda *_: homes.changed())
        link = SlackLink(
            slack_login(setup.config.slack), expected_scopes(private=setup.config.incidents.private), gateway, store.ledger,
            setup.wire, self._ready, us.reception, us.connected, self.requests,
        )  # fmt: skip
        self._ends(link.stop)
        return link

    async def _ready(self) -> None:
        """Slack accepted us: load who may do what, and send what waited. Raises StartRefused on another app's ledger."""
        gateway, ledger = self._channels.gateway, self._store.ledger
        if gateway and ledger.shared:
            us = await gateway.identity()
            await require_app(ledger, f"{us.team_id}/{us.bot_user_id}", f"{us.bot_user_id} in {us.team or us.team_id}")
        if self.membership:
            await self.membership.ready()
        if self._channels.ops:
            await self._channels.ops.look()
        if self._homes:
            await self._homes.start()
        self._wake()


def _request_url(setup: Setup) -> "RequestUrl":
    from bot.slack.http_mode.request_url import RequestUrl

    return RequestUrl(setup.config.slack.signing_secret.get_secret_value(), setup.wall)


class Sending(AppPart):
    """The outbox: carries out each committed effect; `others` are performers for effects outside the chat."""

    def __init__(
        self,
        setup: Setup,
        store: Store,
        channels: Channels,
        others: Callable[[], Performers],
        *,
        on_call: OnCall,
        board_url: Callable[[], str],
    ) -> None:
        super().__init__()
        self._setup = setup
        self._store = store
        self._channels = channels
        self._others = others
        self._on_call = on_call
        self._board_url = board_url
        self._outbox: Outbox | None = None
        self.survey: Survey | None = None  # checks Slack for missing posts; None before the start, and without Slack

    async def start(self) -> None:
        """Take over what was left, then wait for more."""
        setup, store, channels = self._setup, self._store, self._channels
        if channels.ops is None:
            raise RuntimeError("the channels start first")
        around = MessageContext(
            self._board_url(), setup.config.slack.invite, setup.board.readers, setup.redactor, self._on_call, store.notifier
        )  # fmt: skip
        delivery = Delivery(channels.chat, store.engine, store.ledger, setup.clock, around, channels.ops)
        performers = delivery.performers()
        if setup.config.slack.mode != "none":
            self.survey = delivery.survey
        else:
            performers = WithoutChat(
                store.engine, store.ledger, store.notifier, performers[PageAddresses]
            ).performers()  # fmt: skip
        performers = {**performers, **self._others()}
        outbox = self._outbox = Outbox(
            store.ledger,
            store.engine,
            performers,
            setup.wire,
            pace=setup.given.pace,
            on_trouble=store.others.on_trouble,
            member=store.member,
        )
        store.engine.listen(lambda *_: outbox.wake())
        self._ends(outbox.stop)
        await outbox.start()

    def wake(self) -> None:
        """Check at once for effects to send."""
        if self._outbox:
            self._outbox.wake()
