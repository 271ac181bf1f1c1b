"""Watching: probers, the watch with its feeds and peers, the beat, and regular background work."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta

from bot.checks.net.trust_store import tls_context
from bot.core.detection.verdict import SourceReport
from bot.core.model import Sample, Verdict
from bot.feeds.fetch import FeedReader
from bot.ports import Fetcher, Ticker
from bot.system.loading import load_late
from bot.system.version import understudy_version
from bot.vantage.courier import Courier, Peer
from bot.watch import plan as plans
from bot.watch.lag import LoopLag
from bot.watch.watch import Watch
from bot.watch.watchdog import Watchdog
from bot.web.health import Part
from bot.wiring.cluster.exchange import CourierToAll, Exchange
from bot.wiring.part import AppPart
from bot.wiring.plan import knowing
from bot.wiring.probing import Probing
from bot.wiring.setup import Setup
from bot.wiring.slack import Slack
from bot.wiring.store import Store
from bot.wiring.upkeep import BUDGETS, Housekeeping

BEAT_S = 1.0  # real seconds; each beat schedules what is due before the next one
FASTEST_BEAT_S = 0.05


class Probes(AppPart):
    """The probers of all kinds; none if a caller supplied its own."""

    def __init__(self, setup: Setup) -> None:
        super().__init__()
        self._setup = setup
        self.probing: Probing | None = None

    async def start(self) -> None:
        """Create them; nothing is probed yet."""
        if self._setup.given.prober is None:
            self.probing = Probing(self._setup.config, self._setup.clock, redactor=self._setup.redactor)
            self._ends(self.probing.close)

    def now(self) -> Probing:
        """The probers, after `start`."""
        if self.probing is None:
            raise RuntimeError("nothing probes: the probers start first")
        return self.probing


class Upkeep(AppPart):
    """Restores what probers remember at start, then records it regularly, and deletes old samples."""

    def __init__(self, setup: Setup, store: Store, probes: Probes, slack: Slack) -> None:
        super().__init__()
        self._setup = setup
        self._store = store
        self._probes = probes
        self._slack = slack
        self._housekeeping: Housekeeping | None = None

    def health(self) -> Mapping[str, Part]:
        """Effects given up that nothing else shows."""
        return self._housekeeping.health() if self._housekeeping else {}

    async def start(self) -> None:
        """Restore, then start."""
        setup, store, probing = self._setup, self._store, self._probes.probing
        if probing:
            budgets = await store.ledger.read(lambda stored: stored.setting(BUDGETS))
            await probing.recall(setup.plan.checks, store.samples, budgets)
        if not setup.given.web:
            return
        housekeeping = self._housekeeping = Housekeeping(
            store.ledger, store.samples, setup.clock, setup.metrics,
            keep=setup.config.samples.keep, budget_bytes=setup.config.samples.budget,
            connected=lambda: self._slack.connected, spent=probing.spent_budgets if probing else str, acts=store.leads,
            adopt=probing.adopt_budgets if probing and store.ledger.shared else None, tell_again=store.others.retry_refused,
        )  # fmt: skip
        self._ends(housekeeping.stop)
        housekeeping.start()


class Watching(AppPart):
    """Runs all checks according to the plan, and sends samples to peers."""

    def __init__(self, setup: Setup, store: Store, probes: Probes, lag: LoopLag) -> None:
        super().__init__()
        self._setup = setup
        self._store = store
        self._probes = probes
        self._lag = lag
        self._watch: Watch | None = None
        self._courier: Courier | None = None
        self._exchange: Exchange | None = None
        self._began_at: float | None = None  # real, monotonic: when checks were last started
        self._looked_at: float | None = None  # when the watch last finished a look at ledger and samples

    async def start(self) -> None:
        """Continue from what was remembered."""
        setup, store = self._setup, self._store
        looks = knowing(setup.plan, store.engine.world.components)
        prober = setup.given.prober or self._probes.now().prober
        by_hand = setup.given.ticker is not None  # then only that ticker knows how time passes
        fetcher = setup.given.fetcher or self._feed_reader()
        courier: plans.Courier | None = await self._send_to_peers()
        every_replica_checks = setup.shared and setup.config.cluster.checks == "all"
        if store.ledger.shared:
            self._exchange = Exchange(store.member, self.take_told)
            courier = CourierToAll(self._exchange, setup.config.vantage, courier) if every_replica_checks else courier
        self._watch = Watch(
            looks, prober, fetcher, store.samples, store.engine, setup.clock,
            ahead_s=0.0 if by_hand else beat_s(setup) * setup.clock.speed, lag=self._lag, courier=courier,
            on_sample=setup.metrics.observe_sample, on_start=setup.metrics.observe_start, ledger=store.ledger,
            member=store.member, every_replica_checks=every_replica_checks,
        )  # fmt: skip
        self._ends(self._watch.stop)
        await self._watch.start()

    def beat(self) -> None:
        """Start what is due."""
        if self._watch:
            self._watch.beat()
            self._began_at = self._setup.wire.monotonic()

    async def look(self) -> None:
        """Do what is due with ledger and samples."""
        if self._watch:
            await self._watch.look()
            self._looked_at = self._setup.wire.monotonic()

    @property
    def due_at(self) -> datetime | None:
        """The ledger's next deadline, in domain time."""
        return self._watch.due_at if self._watch else None

    @property
    def beaten_at(self) -> float | None:
        """Real, monotonic: when both last succeeded; None before the first time."""
        return None if self._began_at is None or self._looked_at is None else min(self._began_at, self._looked_at)

    async def count_traffic(self, said: Mapping[str, SourceReport]) -> None:
        """Add what real requests say."""
        if self._watch:
            await self._watch.count_traffic(said)

    async def take(self, samples: Sequence[Sample], *, stored: bool = False) -> None:
        """Add samples from elsewhere; `stored` = another replica has stored them for all."""
        if self._watch:
            await self._watch.take([self._setup.redactor.sample(sample) for sample in samples], stored=stored)

    async def take_told(self, samples: Sequence[Sample]) -> None:
        """Add samples that another replica passed on, already redacted, and already stored if the store is shared."""
        if self._watch:
            await self._watch.take(samples, stored=getattr(self._store.samples, "shared", False))

    def pass_on(self, samples: Sequence[Sample]) -> None:
        """Send what arrived here to the other replicas."""
        if self._exchange:
            self._exchange.pass_on([self._setup.redactor.sample(sample) for sample in samples])

    def is_blind(self) -> bool:
        """Whether we are blind because of our own network."""
        return self._watch is not None and self._watch.is_blind()

    async def idle(self) -> None:
        """Wait until everything in progress has ended."""
        if self._watch:
            await self._watch.idle()

    def live_verdicts(self) -> Mapping[str, Verdict]:
        """Current verdicts that are not simply well."""
        return self._watch.live_verdicts() if self._watch else {}

    def unchecked(self) -> Collection[str]:
        """The components with checks that have not run since the start."""
        return self._watch.unchecked() if self._watch else self._setup.config.components()

    def silent_controls(self) -> tuple[str, ...]:
        """Controls that do not answer."""
        return self._watch.silent_controls() if self._watch else ()

    def trouble(self) -> str:
        """Peers that do not accept samples."""
        return " ".join(self._courier.troubles()) if self._courier else ""

    def _feed_reader(self) -> Fetcher:
        reader = FeedReader(self._setup.clock, self._probes.now().transport(), version=understudy_version())
        self._ends(reader.close)
        return reader

    async def _send_to_peers(self) -> Courier | None:
        config = self._setup.config
        peers = [Peer(p.vantage, p.url, p.secret.get_secret_value()) for p in config.peers if p.url]
        if peers:
            self._courier = Courier(peers, config.vantage, self._setup.clock, tls=tls_context())
            self._ends(self._courier.close)
            await self._courier.start()
        return self._courier


class LoopGuard(AppPart):
    """Measures how late the event loop is, and finds what blocks it; idle if a caller moves time by hand."""

    def __init__(self, setup: Setup) -> None:
        super().__init__()
        self._by_hand = setup.given.ticker is not None
        self._metrics = setup.metrics
        self._watchdog = Watchdog(
            setup.wire,
            ask=lambda: self.lag.ask(),
            on_stall=lambda stall: setup.metrics.observe_stall(stall.code, stall.seconds),
            on_gone=setup.given.on_gone,
        )
        self.lag = LoopLag(setup.wire, self._on_turn, speed=setup.clock.speed)

    async def start(self) -> None:
        """Start watching."""
        if not self._by_hand:
            self.lag.start()
            self._watchdog.start()

    async def stop(self) -> None:
        """Stop watching."""
        self.lag.stop()
        self._watchdog.stop()

    def _on_turn(self, late_s: float, next_s: float) -> None:
        self._metrics.observe_turn(late_s)
        self._watchdog.turn(late_s, next_s)


class Beat(AppPart):
    """The metronome that drives the watch."""

    def __init__(self, setup: Setup, watching: Watching, slack: Slack, *also: Callable[[], Awaitable[None]]) -> None:
        super().__init__()
        self._setup = setup
        self._watching = watching
        self._slack = slack
        self._also = also
        self._ticker: Ticker | None = None
        self._due_at: datetime | None = None

    async def start(self) -> None:
        """Start ticking."""
        self._ticker = self._setup.given.ticker or await _metronome()
        self._ends(self._ticker.stop)
        self._ticker.start(self._slack.after(self._watching.beat), self._look, beat_s(self._setup))

    async def _look(self) -> None:
        await self._watching.look()
        for look in self._also:
            await look()
        self._expect(self._watching.due_at)

    def _expect(self, due_at: datetime | None) -> None:
        """Act on a deadline when it is due, not up to a beat later. One that has already passed waits for the next beat."""
        clock, wire = self._setup.clock, self._setup.wire
        if due_at == self._due_at or self._ticker is None:
            return
        self._due_at = due_at
        left = (due_at - clock.now()) / clock.speed if due_at else timedelta(0)
        self._ticker.expect(wire.now() + left if left > timedelta(0) else None)


async def _metronome() -> Ticker:
    await load_late("bot.engine.metronome")
    from bot.engine.metronome import ApTicker

    return ApTicker()


def beat_s(setup: Setup) -> float:
    """Real seconds between two beats."""
    return max(FASTEST_BEAT_S, BEAT_S / setup.clock.speed)
