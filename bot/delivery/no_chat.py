"""When Slack is not configured: effects for it are settled at once; urgent messages go out by `notify`.

Nothing waits for a chat that may be configured later; it then gets whatever happens from that time on.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NoReturn

import structlog

from bot.core.effects import ALL, EFFECTS, EffectBody, OfPage, PageAddresses, PostAlert, PostLine, PostSummary, To
from bot.core.model import Phase
from bot.core.record.incident_facts import PhaseChanged
from bot.delivery.incident_channel import incident_of
from bot.ports import ChatError, Engine, Ledger, Message, Notifier, OutboxRow, Performed, Performer, Performers, Place, PostedAt
from bot.ports.chat import ChannelInfo, ChannelSetup, MessageState
from bot.views.incident.texts import out_of_band, out_of_band_line

log = structlog.get_logger(__name__)

NO_SLACK = "there is no Slack by configuration"


class NoChat:
    """A `Chat` that refuses every call."""

    me = ""

    async def post(self, place: Place, message: Message, key: str) -> PostedAt:
        """Refused."""
        _refuse()

    async def find_post(self, place: Place, key: str, since: datetime) -> PostedAt | None:
        """Refused."""
        _refuse()

    async def newest_key(self, place: Place, wanted: Callable[[str], bool], since: datetime) -> str | None:
        """Refused."""
        _refuse()

    async def edit(self, at: PostedAt, message: Message) -> None:
        """Refused."""
        _refuse()

    async def tell(self, user: str, message: Message, key: str) -> PostedAt:
        """Refused."""
        _refuse()

    async def find_channel(self, channel: str) -> str:
        """Refused."""
        _refuse()

    async def create_channel(self, name: str, private: bool) -> ChannelInfo:
        """Refused."""
        _refuse()

    async def own_channels(self) -> list[ChannelInfo]:
        """Refused."""
        _refuse()

    async def take_again(self, channel: str) -> ChannelInfo:
        """Refused."""
        _refuse()

    async def channel_setup(self, channel: str) -> ChannelSetup:
        """Refused."""
        _refuse()

    async def message_state(self, at: PostedAt, thread_ts: str = "") -> MessageState | None:
        """Refused."""
        _refuse()

    async def set_topic(self, channel: str, topic: str) -> None:
        """Refused."""
        _refuse()

    async def members_of(self, group: str) -> list[str]:
        """Refused."""
        _refuse()

    async def invite(self, channel: str, users: Sequence[str]) -> list[str]:
        """Refused."""
        _refuse()

    async def pin(self, at: PostedAt) -> None:
        """Refused."""
        _refuse()

    async def bookmark(self, channel: str, title: str, link: str) -> None:
        """Refused."""
        _refuse()

    async def start_upload(self, filename: str, content: bytes) -> str:
        """Refused."""
        _refuse()

    async def share_upload(self, file: str, title: str, place: Place, comment: str) -> None:
        """Refused."""
        _refuse()


def _refuse() -> NoReturn:
    raise ChatError(NO_SLACK, code="no_slack", permanent=True)


class WithoutChat:
    """Settles effects meant for Slack. `addresses` carries out paging steps that call addresses of `notify`."""

    def __init__(self, engine: Engine, ledger: Ledger, notifier: Notifier, addresses: Performer) -> None:
        self._engine = engine
        self._ledger = ledger
        self._notifier = notifier
        self._addresses = addresses

    def performers(self) -> Performers:
        """Performers for every kind of effect."""
        told = Performer(self._told, self._told)
        answered: dict[type[EffectBody], Performer] = dict.fromkeys(EFFECTS.values(), told)
        return answered | {PageAddresses: self._addresses}

    async def _told(self, body: Any, row: OutboxRow) -> Performed:
        """Done, since there is nothing to do; a declaration, a turn for the worse and the end are sent by `notify`."""
        said = await self._words(body, row)
        if said is not None:
            called = await self._notifier.call(*said, (ALL,))
            for problem in called.problems:
                log.error("an alert was not sent", why=problem)
        return Performed(problem=NO_SLACK if isinstance(body, OfPage | PostAlert) else "")

    async def _words(self, body: EffectBody, row: OutboxRow) -> tuple[str, str] | None:
        effect = row.effect
        pushed = isinstance(body, PostLine) and body.to is To.THREAD
        if effect.incident is None or not (pushed or isinstance(body, PostAlert | PostSummary)):
            return None
        incident, world = await incident_of(effect, self._engine), await self._engine.world_with([effect.incident])
        if not incident.calls_people:
            return None
        title, text = out_of_band(body, incident, world, "")
        if not pushed:
            return title, text
        facts = await self._ledger.read(lambda store: store.facts(effect.stream, effect.seq - 1))
        if isinstance(facts[0].body, PhaseChanged) and facts[0].body.phase is Phase.RESOLVED:
            return None  # the summary says it
        return title, out_of_band_line(facts[0], self._engine.policy)
