"""The composition root: the only place that names concrete classes. `build(...)` gives an `App` with `start()` and `stop()`."""

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import structlog

from bot.audit import DailyAudit, load_checked
from bot.clock import SteadyClock, SystemClock
from bot.config.load import Loaded
from bot.config.policy import to_policy
from bot.core.facts import Fact
from bot.core.model import Sample, Verdict
from bot.core.state import World
from bot.delivery import Delivery, Surroundings
from bot.direct_posts import DirectPosts
from bot.doors import doors
from bot.engine import CommittingEngine
from bot.exports import render
from bot.feeds.fetch import FeedReader
from bot.flags.board import FlagBoard
from bot.flags.evaluate import revision_of, snapshot
from bot.housekeeping import BUDGETS, Housekeeping
from bot.kept import SETTING, Kept, keep, remember
from bot.ledger_notices import LedgerNotices
from bot.ledger_watch import LedgerWatch
from bot.membership import Membership
from bot.notify.out_of_band import AppriseNotifier
from bot.ops_channel import OpsChannel
from bot.outbox import Outbox
from bot.parts import Closes, Parts, StartRefused
from bot.plan import plan, slack_login
from bot.ports import Ticker
from bot.private import CONTROL_FILE, leave_control
from bot.probing import Probing
from bot.redaction import Redactor
from bot.scheduler import ApTicker
from bot.slack.gateway import SlackGateway
from bot.slack.scopes import expected_scopes
from bot.slack_link import SlackLink
from bot.storage import open_storage
from bot.troubles import AlertsByOtherWays
from bot.vantage.courier import Courier, Peer
from bot.version import understudy_version
from bot.views.about import About
from bot.watch.lag import LoopLag
from bot.watch.watch import Watch
from bot.watch.watchdog import Watchdog
from bot.web.app import WebServer, build_web
from bot.web.connections import limits_for
from bot.web.health import Health, Part
from bot.web.metrics import Metrics
from bot.web.services import Hooks, WebServices
from bot.web.unix_socket import socket_file
from commands.desk import Desk

log = structlog.get_logger(__name__)

BEAT_S = 0.5  # real seconds; each beat arms what falls due before the next one
FASTEST_BEAT_S = 0.05


C = TypeVar("C", bound=Closes)


def build(
    loaded: Loaded, *, data: Path | None = None, listen: tuple[str, int] | None = None, alone: bool = False,
    parts: Parts | None = None, remembers: bool = True,
) -> "App":  # fmt: skip
    """The whole bot, not started. `alone` serves one terminal verb: no Slack, no probes, no clockwork.

    `remembers` is False where variables were missing, so that no flag is put on record with a value that is not its own.
    """
    return App(loaded, data or loaded.config.data, listen, alone, parts or Parts(), remembers)


class App:
    """Everything wired together. `start()` raises StartRefused, StoreError or WebError; `stop()` may be called after any."""

    def __init__(
        self, loaded: Loaded, data: Path, listen: tuple[str, int] | None, alone: bool, parts: Parts, remembers: bool
    ) -> None:
        self._loaded = loaded
        self._config = loaded.config
        self._data = data
        self._listen = listen or (loaded.config.server.host, loaded.config.server.port)
        self._alone = alone
        self._parts = parts
        self._remembers = remembers
        self.clock = parts.clock or SystemClock()
        self._wire = parts.wire_clock or SteadyClock(SystemClock())
        self.board = FlagBoard(self.clock)
        self.metrics = Metrics(understudy_version())
        self.local_token = secrets.token_urlsafe(32)
        self.url = ""
        self._began_at = self.clock.now()
        self._restored = False
        self._web: WebServer | None = None
        self._link: SlackLink | None = None
        self._outbox: Outbox | None = None
        self._ops: OpsChannel | None = None
        self._watch: Watch | None = None
        self._probing: Probing | None = None
        self._courier: Courier | None = None
        self._watchdog = Watchdog(
            self._wire, on_stall=lambda stall: self.metrics.observe_stall(stall.code, stall.seconds), on_gone=parts.on_gone
        )
        self._lag = LoopLag(self._watchdog.turn)
        self._ticker: Ticker | None = None
        self._housekeeping: Housekeeping | None = None
        self._gateway: SlackGateway | None = None
        self._membership: Membership | None = None
        self._closers: list[Closes] = []
        self.kept = Kept(to_policy(loaded.config), {}, ())
        self._plan = plan(loaded)
        self._redactor = Redactor({*loaded.config.secrets(), self.local_token})

    # --- start and stop

    async def start(self) -> None:
        """Restore the state, serve flags, then reach for Slack, then look around."""
        await self._open_store()
        await self._restore()
        if self._parts.web:
            await self._serve()
        if self._alone:
            return
        await self._reach_out()
        await self._look_around()

    async def stop(self) -> None:
        """Stop looking first, let what is under way finish, close the store last."""
        if self._ticker:
            await self._ticker.stop()
        self._lag.stop()
        self._watchdog.stop()
        if self._watch:
            await self._watch.stop()
        if self._link:
            await self._link.stop()
        if self._outbox:
            await self._outbox.stop()
        if self._housekeeping:
            await self._housekeeping.stop()
        if self._web:
            (self._data / CONTROL_FILE).unlink(missing_ok=True)
            await self._web.stop()
        for part in reversed(self._closers):
            await part.close()

    # --- the ledger

    async def _open_store(self) -> None:
        storage = self._closing(await open_storage(self._data, self._parts.ledger, self._parts.samples))
        self.ledger, self.samples, self._storage = storage.ledger, storage.samples, storage
        (self._data / CONTROL_FILE).unlink(missing_ok=True)  # a killed bot's; its port may be another's by now
        self.engine = CommittingEngine(self.ledger, self.clock, self.kept.policy, self._redactor)
        self._ledger_watch = self._closing(LedgerWatch(
            self.ledger, storage.file, self.engine, self.clock, beside=[storage.beside] if storage.beside else [],
            sees=self.sees, notices=self._ledger_notices(), on_change=self.metrics.set_ledger,
        ))  # fmt: skip
        self._audit = self._closing(DailyAudit(self.ledger, lambda title, text: self._others.tell(title, text)))
        if self._parts.prober is None and not self._alone:
            self._probing = self._closing(Probing(self._config, self.clock, redactor=self._redactor))

    def _closing(self, part: C) -> C:
        """Remember to close `part`, in the reverse order of opening."""
        self._closers.append(part)
        return part

    def _ledger_notices(self) -> LedgerNotices:
        return LedgerNotices(
            self.engine, tell=lambda title, text: self._others.tell(title, text), show=lambda note: self._direct.show(note)
        )

    async def _restore(self) -> None:
        world = await load_checked(self.engine, self.ledger)
        remembered = await self.ledger.read(lambda store: store.setting(SETTING))
        self.kept = keep(self.engine.policy, world, remembered)
        for sentence in self.left():
            log.warning("kept although it left the configuration", what=sentence)
        if self._remembers:
            setting = remember(to_policy(self._config), self.kept.flags)
            await self._ledger_watch.when_writable(lambda: self.ledger.write(lambda store: store.put_setting(SETTING, setting)))
        self.engine.policy = self.kept.policy
        self.engine.listen(self._on_commit)
        self.engine.time_commits(self.metrics.observe_commit)
        self._on_commit((), world)
        self._restored = True

    def _on_commit(self, facts: Sequence[Fact], world: World) -> None:
        """A flag's value is committed, then served; then everybody else hears of it."""
        if not facts or any(fact.stream.startswith("flag/") for fact in facts):
            self.board.swap(snapshot(world, self.engine.policy, revision_of(world), kept=self.kept.flags))
        for fact in facts:
            self.metrics.observe_fact(fact)
        if self._outbox:
            self._outbox.wake()
            self._others.on_facts(facts)

    # --- faces

    async def _serve(self) -> None:
        server = self._config.server
        services = WebServices(
            engine=self.engine, board=self.board, clock=self.clock, ledger=self.ledger, samples=self.samples,
            health=self.health, export=self._export, metrics=self.metrics, sees=self.sees,
            unwritten=self._ledger_watch.unwritten, ledger_trouble=self._ledger_watch.trouble,
            read_tokens=tuple(token.get_secret_value() for token in server.read_tokens),
            control_tokens=tuple(token.get_secret_value() for token in server.control_tokens),
            local_token=self.local_token, open_to_loopback=server.open_to_loopback, hooks=self._hooks(),
        )  # fmt: skip
        limits = self._parts.web_limits or limits_for(len(self._plan.checks))
        beside = None if self._alone else socket_file(server.socket, server.socket_access)
        self._web = WebServer(build_web(services), limits, beside)
        host, wanted = self._listen
        port = await self._web.start(host, wanted)
        name = "127.0.0.1" if host in ("0.0.0.0", "") else "[::1]" if host == "::" else host  # noqa: S104 # told apart, not bound
        self.url = f"http://{name}:{port}"
        if not self._alone:
            await self._ledger_watch.when_writable(self._leave_control)

    async def _leave_control(self) -> None:
        leave_control(self._data, self.url, self.local_token)

    def _hooks(self) -> Hooks:
        if self._probing is None:
            return Hooks()
        return doors(self._config, self._plan.checks, self._probing.heartbeats, self.ledger, self.clock, self._take)

    async def _take(self, samples: Sequence[Sample]) -> None:
        if self._watch:
            await self._watch.take([self._redactor.sample(sample) for sample in samples])

    async def _export(self, number: int, format: str) -> tuple[str, bytes]:
        facts = await self.ledger.read(lambda store: store.facts_about(number))
        incident = (await self.engine.world_with([number])).incidents[number]
        return render(format, incident, facts, self.engine.policy, self._redactor)

    async def _reach_out(self) -> None:
        slack = self._config.slack
        chat = self._parts.chat
        if chat is None:
            self._gateway = self._closing(
                SlackGateway(slack_login(slack), private=self._config.incidents.private, patience=self._parts.patience)
            )
            await self._gateway.start()
            chat = self._gateway
        around = Surroundings(self._board_url(), slack.invite, self.board.readers, self._redactor)
        notifier = self._parts.notifier or AppriseNotifier([url.get_secret_value() for url in self._config.notify])
        self._others = self._closing(AlertsByOtherWays(notifier, self.engine, self._wire))
        self._ops = OpsChannel(chat, self.clock, slack.alerts_channel, slack.backup_channel, self._others.on_lost_channel)
        self._direct = self._closing(DirectPosts(self._ops))
        if self._parts.web:
            self._direct.start()
            self._ledger_watch.start()
            self._audit.start()
        performers = Delivery(chat, self.engine, self.ledger, self.clock, around, self._ops).performers()
        self._outbox = Outbox(
            self.ledger, self.engine, performers, self._wire, pace=self._parts.pace, on_trouble=self._others.on_trouble
        )
        if self._gateway is not None:
            await self._link_slack(self._gateway)
        await self._outbox.start()

    async def _link_slack(self, gateway: SlackGateway) -> None:
        scopes = expected_scopes(private=self._config.incidents.private)
        login = slack_login(self._config.slack)
        us = Membership(self._config.people, gateway, self.engine, self.ledger, self.clock, self._wire)
        self._membership = self._closing(us)
        self._link = SlackLink(
            login, scopes, gateway, self.ledger, self._wire, self._slack_ready, us.reception, us.connected
        )  # fmt: skip
        found = await self._link.start(self.desk())
        if found.ok:
            return
        if found.unreachable and not found.refused:
            log.error("Slack is unreachable; running, watching and serving flags meanwhile", why=self._link.trouble())
            return
        if not self.engine.world.open_incidents() and not any(f.engagement for f in self.engine.world.flags.values()):
            raise StartRefused(self._link.trouble())
        title = "Understudy lacks rights in Slack" if found.usable else "Understudy cannot speak in Slack"
        log.error(f"{title}, but an incident or engagement is open: running on", why=self._link.trouble())
        self._others.tell(title, f"{self._link.trouble()} An incident or engagement is open, so it runs on.")

    async def _slack_ready(self) -> None:
        """Slack lets us in: learn who the commanders are, and send what waited."""
        if self._membership:
            await self._membership.ready()
        if self._ops:
            await self._ops.look()
        if self._outbox:
            self._outbox.wake()

    def _board_url(self) -> str:
        """The board's address for people, where they can reach it: a loopback address is no link for a channel."""
        return "" if self._listen[0] in ("127.0.0.1", "localhost", "::1", "0.0.0.0", "::", "") else self.url  # noqa: S104 # compared

    def desk(self) -> Desk:
        """What the commands work with."""
        return Desk(
            engine=self.engine, ledger=self.ledger, samples=self.samples, board=self.board, clock=self.clock,
            board_url=self._board_url(), trouble=self.trouble, about=self.about, unwritten=self._ledger_watch.unwritten,
        )  # fmt: skip

    # --- watching

    async def _look_around(self) -> None:
        looks = plan(self._loaded, self.engine.world.components)
        if self._probing:
            budgets = await self.ledger.read(lambda store: store.setting(BUDGETS))
            await self._probing.recall(self._plan.checks, self.samples, budgets)
        prober = self._parts.prober or self._probing_now().prober
        fetcher = self._parts.fetcher or self._closing(self._feed_reader())
        beat_s = max(FASTEST_BEAT_S, BEAT_S / self.clock.speed)
        by_hand = self._parts.ticker is not None  # then only that ticker knows what time passes next
        self._watch = Watch(
            looks, prober, fetcher, self.samples, self.engine, self.clock,
            ahead_s=0.0 if by_hand else beat_s * self.clock.speed, lag=self._lag, courier=await self._send_to_peers(),
            on_sample=self.metrics.observe_sample, on_start=self.metrics.observe_start, ledger=self.ledger,
        )  # fmt: skip
        await self._watch.start()
        if not by_hand:
            self._lag.start()
            self._watchdog.start()
        self._ticker = self._parts.ticker or ApTicker()
        beat = self._watch.beat
        self._ticker.start(self._membership.after(beat) if self._membership else beat, beat_s)
        if self._parts.web:
            self._housekeeping = self._housekeeper()
            self._housekeeping.start()

    def _feed_reader(self) -> FeedReader:
        return FeedReader(self.clock, self._probing_now().transport(), version=understudy_version())

    def _probing_now(self) -> Probing:
        if self._probing is None:
            raise RuntimeError("nothing probes: the store is opened first")
        return self._probing

    def _housekeeper(self) -> Housekeeping:
        return Housekeeping(
            self.ledger, self.samples, self.clock, self.metrics,
            keep=self._config.samples.keep, budget_bytes=self._config.samples.budget,
            connected=lambda: self._link.connected if self._link else None,
            spent=lambda: self._probing.spent_budgets() if self._probing else "",
        )  # fmt: skip

    async def _send_to_peers(self) -> Courier | None:
        peers = [Peer(p.vantage, p.url, p.secret.get_secret_value()) for p in self._config.peers if p.url]
        if peers:
            self._courier = self._closing(Courier(peers, self._config.vantage, self.clock))
            await self._courier.start()
        return self._courier

    async def looked(self) -> None:
        """Wait until everything that was begun by time has ended; for those who move time by hand."""
        if self._watch:
            await self._watch.idle()
        if self._membership:
            await self._membership.commanders.idle()

    # --- how it stands

    @property
    def linked(self) -> bool:
        """Whether Slack let us in."""
        return self._link is not None and self._link.last is not None and self._link.last.usable

    def health(self) -> Health:
        """Ready: the state is restored and changes can be committed. Slack's absence is said and does not make it unready."""
        loading = Part(False, "loading", self._began_at, "State is being restored.")
        parts = {"ledger": self._ledger_watch.part() if self._restored else loading}
        if self._link:
            parts["slack"] = self._link.part()
        if self._ops and self._ops.trouble:
            parts["alerts"] = Part(False, "lost", self._ops.since, self._ops.trouble)
        if broken := self._audit.broken:
            parts["facts"] = Part(False, "changed by hand", self._began_at, "; ".join(broken))
        if complaint := self._storage.complaint:
            parts["samples"] = Part(False, "begun anew", self._began_at, complaint)
        if left := self.left():
            parts["configuration"] = Part(False, "kept", self._began_at, "; ".join(left))
        return Health(ready=parts["ledger"].ok, live=True, parts=parts)

    def sees(self) -> Mapping[str, Verdict]:
        """What the checks come to at this moment, wherever that is not plainly well."""
        return self._watch.sees() if self._watch else {}

    def trouble(self) -> str:
        """What people should know of the bot itself; empty when all is well."""
        said = [
            self._ledger_watch.trouble(),
            self._link.trouble() if self._link else "",
            self._ops.trouble if self._ops else "",
            self._audit.trouble,
            *(self._courier.troubles() if self._courier else ()),
        ]
        return " ".join(sentence for sentence in (*said, *(f"{sentence}." for sentence in self.left())) if sentence)

    async def about(self) -> About:
        """What people may know of the bot itself."""
        return About(
            version=understudy_version(), vantage=self._config.vantage,
            peers=tuple(peer.vantage for peer in self._config.peers if peer.secret.get_secret_value()),
            checks=len(self._plan.checks), off=sum(len(names) for names in self._plan.off.values()),
            data_bytes=sum(file.stat().st_size for file in self._data.glob("*.db*")), since=self._began_at,
            troubles=tuple(filter(None, [self.trouble()])), controls=self._config.control_words(),
            silent_controls=self._watch.silent_controls() if self._watch else (),
        )  # fmt: skip

    def left(self) -> tuple[str, ...]:
        """What left the configuration and is kept because it is in use, one sentence each."""
        return self.kept.sentences(self.engine.world)
