"""The composition root: the bot's parts and their order. `build(...)` gives an `App` with `start()` and `stop()`."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from bot.config.load import Loaded
from bot.core.model import Verdict
from bot.delivery.sinks import Sinks
from bot.delivery.survey import Survey, SurveyingEngine
from bot.engine.engine import CommittingEngine
from bot.flags.board import FlagBoard
from bot.ports import Engine, Ledger, Samples
from bot.system.clock import Clock
from bot.system.redaction import Redactor
from bot.system.version import understudy_version
from bot.views.about import About
from bot.web.health import Health
from bot.wiring.cluster.room import ClusterRoom
from bot.wiring.flags.readers import readers_seen
from bot.wiring.flags.rehearsing import Rehearsing
from bot.wiring.flags.sinks import SinkRoom
from bot.wiring.on_call import OnCallRoom
from bot.wiring.outcomes import OutcomeRoom
from bot.wiring.part import PartList
from bot.wiring.parts import Handover, Parts
from bot.wiring.pinging import Pinging
from bot.wiring.setup import Setup
from bot.wiring.slack import Channels, Sending, Slack
from bot.wiring.store import Following, LedgerCare, Retained, Store
from bot.wiring.watching import Beat, LoopGuard, Probes, Upkeep, Watching
from bot.wiring.web import Web

if TYPE_CHECKING:  # loaded with Slack, see `wiring.slack`
    from commands.desk import CommandContext


def build(
    loaded: Loaded, *, data: Path | None = None, listen: tuple[str, int] | None = None, alone: bool = False,
    parts: Parts | None = None, remembers: bool = True,
) -> "App":  # fmt: skip
    """The whole bot, not started. `alone` serves one terminal command: no Slack, no probes, no timers.

    `remembers` is False if variables were missing, so that no flag is recorded with a wrong value.
    """
    return App(Setup(loaded, data or loaded.config.data, listen, alone, parts or Parts(), remembers))


class App:
    """Everything wired together. `start()` raises StartRefused, StoreError or WebError; `stop()` may be called after any."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._store = Store(
            setup,
            live_verdicts=self.live_verdicts,
            unchecked=lambda: self._watching.unchecked(),
            show=lambda note: self._channels.show(note),
        )
        self._following = Following(setup, self._store)
        self._cluster = ClusterRoom(
            setup, self._store, blind=lambda: self._watching.is_blind(), older=lambda: self._following.outdated
        )
        self._probes = Probes(setup)
        self._outcomes = OutcomeRoom(setup, self._store, lambda said: self._watching.count_traffic(said))
        self._web = Web(
            setup, self._store, self._probes,
            health=self.health, live_verdicts=self.live_verdicts, take=lambda samples: self._watching.take(samples),
            pass_on=lambda samples: self._watching.pass_on(samples),
            take_told=lambda samples: self._watching.take_told(samples),
            slack=lambda: self._slack.requests, engine=lambda: self._front(),
            outcomes=self._outcomes,
        )  # fmt: skip
        self._channels = Channels(setup, self._store)
        self._slack = Slack(
            setup, self._store, self._channels, desk=self.desk, wake=lambda: self._sending.wake(), trouble=self.trouble,
            left_behind=lambda: self._following.outdated and self._cluster.others_work(),
        )  # fmt: skip
        self._on_call = OnCallRoom(setup, self._store, self._channels, self._probes, lambda user: self._slack.has_left(user))
        self._sinks = SinkRoom(setup, self._store, self._probes)
        self._sending = Sending(
            setup, self._store, self._channels, self._sinks.performers, on_call=self._on_call, board_url=self._web.board_url
        )
        self._rehearsing = Rehearsing(setup, self._store, self._probes)
        self._guard = LoopGuard(setup)
        self._watching = Watching(setup, self._store, self._probes, self._guard.lag)
        self._parts = self._in_order()

    def _in_order(self) -> PartList:
        """Everything in starting order; stopping is in reverse."""
        setup = self._setup
        served = [self._web] if setup.given.web else []
        retained = Retained(setup, self._store)
        if setup.alone:
            return PartList(self._store, *served, retained)
        return PartList(
            self._store,
            self._following,
            self._cluster,
            self._outcomes,
            self._probes,
            *served,
            self._channels,
            *([LedgerCare(setup, self._store)] if setup.given.web else []),
            self._slack,
            self._on_call,
            self._sinks,
            self._sending,
            Upkeep(setup, self._store, self._probes, self._slack),
            self._watching,
            self._guard,
            self._rehearsing,
            Beat(
                setup,
                self._watching,
                self._slack,
                readers_seen(self._store, setup.board, setup.clock),
                self._outcomes.look,
                self._slack.attend,
            ),
            Pinging(setup, self._store, self._probes, self._watching),
            retained,
        )

    async def start(self) -> None:
        """Restore the state, serve flags, then connect to Slack, then start checks."""
        await self._parts.start()
        self._store.settled()

    async def stop(self) -> None:
        """Stop checks first, let work in progress finish, close the store last."""
        await self._parts.stop()

    def hand_over(self) -> Handover:
        """Keep flags served during `stop()`, for an App that replaces this one in the same process."""
        return self._web.hand_over()

    async def looked(self) -> None:
        """Wait until everything started by timers has ended; for callers that move time by hand."""
        await self._watching.idle()
        if self._slack.membership:
            await self._slack.membership.levels.idle()

    async def write_outcomes(self) -> None:
        """Store what services have reported so far, which otherwise happens every second."""
        if self._outcomes.intake:
            await self._outcomes.intake.flush()

    # --- parts

    @property
    def clock(self) -> Clock:
        """Domain time."""
        return self._setup.clock

    @property
    def engine(self) -> CommittingEngine:
        """The entry for signals, once the store is open."""
        return self._store.engine

    @property
    def ledger(self) -> Ledger:
        """The ledger, once the store is open."""
        return self._store.ledger

    @property
    def samples(self) -> Samples:
        """The samples, once the store is open."""
        return self._store.samples

    @property
    def board(self) -> FlagBoard:
        """The flags as served."""
        return self._setup.board

    @property
    def redactor(self) -> Redactor:
        """Removes secrets of the configuration and of this machine from text."""
        return self._setup.redactor

    @property
    def local_token(self) -> str:
        """The token that gives the API to anybody who can read the data folder."""
        return self._setup.local_token

    @property
    def url(self) -> str:
        """The web server's address; empty before it listens."""
        return self._web.url

    @property
    def survey(self) -> Survey | None:
        """Checks Slack for missing posts of an incident; None without Slack, or before it is ready."""
        return self._sending.survey

    @property
    def sinks(self) -> Sinks | None:
        """Writes to and checks other systems; None before the start."""
        return self._sinks.sinks

    def _front(self) -> Engine:
        """The engine as used by Slack and HTTP."""
        return SurveyingEngine(self.engine, lambda: self.survey)

    def desk(self) -> "CommandContext":
        """What the commands use."""
        from commands.desk import CommandContext

        return CommandContext(
            engine=self._front(), ledger=self.ledger, samples=self.samples, board=self.board, clock=self.clock,
            board_url=self._web.board_url(), trouble=self.trouble, about=self.about, unwritten=self._store.watch.unwritten,
            denials=self._store.denials, home_opened=self._slack.home_opened,
            rehearsed=self._rehearsing.ended,
        )  # fmt: skip

    # --- state

    @property
    def linked(self) -> bool:
        """Whether Slack accepted us."""
        return self._slack.usable

    def health(self) -> Health:
        """Ready: the state is restored, changes can be committed, and other replicas' commits are known.

        A missing Slack is reported but does not make it unready.
        """
        parts = self._parts.health()
        return Health(ready=all(parts[name].ok for name in ("ledger", "following") if name in parts), live=True, parts=parts)

    def live_verdicts(self) -> Mapping[str, Verdict]:
        """Current verdicts that are not simply well."""
        return self._watching.live_verdicts()

    def trouble(self) -> str:
        """What people should know about the bot itself; empty if all is well."""
        return self._parts.trouble()

    async def about(self) -> About:
        """What people may know about the bot itself."""
        setup, config = self._setup, self._setup.config
        return About(
            version=understudy_version(), vantage=config.vantage,
            peers=tuple(peer.vantage for peer in config.peers if peer.secret.get_secret_value()),
            checks=len(setup.plan.checks), off=sum(len(names) for names in setup.plan.off.values()),
            data_bytes=sum(file.stat().st_size for file in setup.data.glob("*.db*")), since=setup.began_at,
            troubles=tuple(filter(None, [self.trouble()])), controls=config.control_words(),
            silent_controls=self._watching.silent_controls(), replicas=self._cluster.words(),
        )  # fmt: skip

    def left(self) -> tuple[str, ...]:
        """What was removed from the configuration and is kept because it is in use, one sentence each."""
        return self._store.left()
