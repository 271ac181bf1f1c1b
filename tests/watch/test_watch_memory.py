"""The same samples give the same judgement with or without a restart between them, over random histories."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.decide.step import step
from bot.core.detection.blindness import BlindnessRule
from bot.core.detection.detector import Condition, Track
from bot.core.detection.settings import Rule
from bot.core.model import Actor, Fault, Level, Outcome, Sample, Verdict
from bot.core.record.world import World
from bot.core.signals import VerdictReached
from bot.ports import Remembered
from bot.sandbox.world import EPOCH
from bot.store.errors import StoreError
from bot.store.samples.sqlite import InlineSamples
from bot.system.clock import ManualClock
from bot.watch.blindness import BlindnessMonitor
from bot.watch.check_states import Key, Tracks
from bot.watch.memory import Memory
from bot.watch.related_checks import RelatedChecks
from tests.desk import policy
from tests.engine.stand import BROKEN, NO_WAY, Check, Stand

CHECKS = [Check("anthropic.api.models"), Check("anthropic.api.front"), Check("openai.api.models", timedelta(minutes=10))]
VANTAGES = ["local", "eu-west"]
FAILURES: list[tuple[str, dict[str, str]]] = [
    ("http_5xx", {}), ("connect_refused", {"controls": "answered"}), ("deadline", {}),
]  # fmt: skip
GAPS_S = [0.5, 4.0, 4.0, 4.0, 30.0, 30.0, 30.0, 120.0, 700.0, 1300.0]


@dataclass(frozen=True)
class Look:
    """One run: how long after the previous one, of which check, and its result. `stored`: a batch is written after it."""

    gap_s: float
    check: int
    vantage: int
    outcome: Outcome
    ms: int
    learn: bool
    stored: bool
    restart: str  # "", "clean", "killed"
    failure: int = 0  # of the kinds in FAILURES


LOOKS = st.builds(
    Look,
    gap_s=st.sampled_from(GAPS_S),
    check=st.sampled_from([0, 0, 0, 1, 2]),
    vantage=st.sampled_from([0, 0, 0, 1]),
    outcome=st.sampled_from([Outcome.OK] * 5 + [Outcome.FAIL] * 4 + [Outcome.SLOW, Outcome.INCONCLUSIVE]),
    ms=st.sampled_from([40, 41, 55, 900, 4000]),
    learn=st.sampled_from([True, True, True, False]),
    stored=st.booleans(),
    restart=st.sampled_from(["", "", "", "clean", "killed"]),
    failure=st.sampled_from([0, 0, 1, 2]),
)
BURSTS = st.lists(st.tuples(LOOKS, st.integers(1, 25)), min_size=1, max_size=14)


@dataclass
class Process:
    """As much of a watch as remembers anything, over a file of samples."""

    samples: InlineSamples
    clock: ManualClock
    buffer: list[Sample] = field(default_factory=list)
    rule: Rule = field(default_factory=Rule)
    own: str = ""

    def __post_init__(self) -> None:
        intervals = {check.id: check.every for check in CHECKS}
        self.tracks = Tracks(CHECKS, intervals, self.rule, {}, {}, "local")
        self.sighting = BlindnessMonitor((), self._never, self.clock, BlindnessRule())
        self.memory = Memory(self.tracks, self.sighting, RelatedChecks(CHECKS, {}, self.clock), {}, own=self.own)

    async def _never(self, control: str) -> None:
        raise AssertionError(control)

    def sees(self, sample: Sample, *, learn: bool) -> None:
        self.tracks.observe(sample, learn=learn, now=sample.at)
        self.buffer.append(sample)

    async def writes(self, *, everything: bool = False) -> None:
        await self.samples.add(self.buffer, self.memory.take(self.clock.now(), everything=everything).remembered)
        self.buffer = []

    async def again(self, rule: Rule | None = None, *, world: World | None = None) -> "Process":
        """A new process over the same file."""
        process = Process(self.samples, self.clock, rule=rule or self.rule, own=self.own)
        await process.memory.recall(self.samples, world or World(), self.clock.now())
        return process

    def known(self) -> dict[Key, Track]:
        return {(check.id, vantage): track for check in CHECKS for vantage, track in self.tracks.of(check.id).items()}


def sample_of(look: Look, clock: ManualClock) -> Sample:
    check, bad = CHECKS[look.check], look.outcome is not Outcome.OK
    error, evidence = FAILURES[look.failure] if bad else (None, {})
    return Sample(
        check.id, check.component, clock.now(), look.outcome, error,
        Fault.THEIRS if bad else Fault.NONE, "HTTP 502" if bad else "",
        {"total": float(look.ms)}, evidence, vantage=VANTAGES[look.vantage],
    )  # fmt: skip


async def both(looks: Sequence[Look]) -> tuple[dict[Key, Track], dict[Key, Track]]:
    """The tracks of a process that was restarted, and of one that was not, over the same stored samples."""
    clock = ManualClock(EPOCH)
    process = Process(InlineSamples.open(), clock)
    steady = Process(process.samples, clock)  # it writes nothing
    pending: list[tuple[Sample, bool]] = []
    for look in looks:
        clock.advance(timedelta(seconds=look.gap_s))
        sample = sample_of(look, clock)
        process.sees(sample, learn=look.learn)
        pending.append((sample, look.learn))
        if look.stored or look.restart == "clean":
            await process.writes(everything=look.restart == "clean")
            for seen, learn in pending:
                steady.sees(seen, learn=learn)
            pending = []
        if look.restart:
            pending = []
            process = await process.again()
    process = await process.again()
    return steady.known(), process.known()


@settings(deadline=None, max_examples=100)
@given(BURSTS)
def test_restart_changes_no_judgement(bursts: list[tuple[Look, int]]) -> None:
    """Scores, windows, guards, budgets and usual latencies: whatever was measured, and however often the process died."""
    steady, restarted = asyncio.run(both([look for look, times in bursts for _ in range(times)]))

    assert steady == restarted


async def test_failed_write_is_repeated_with_the_next_batch() -> None:
    """A disk that is full for a moment costs no memory."""
    clock = ManualClock(EPOCH)
    process = Process(InlineSamples.open(), clock)
    for _ in range(3):
        clock.advance(timedelta(seconds=15))
        process.sees(sample_of(Look(0, 0, 0, Outcome.FAIL, 40, True, True, ""), clock), learn=True)
    process.memory.lost(process.memory.take(clock.now()))
    await process.writes()

    assert process.known() == (await process.again()).known()


async def test_failure_before_a_restart_counts_for_blindness() -> None:
    """Three providers unreachable within a minute are our own network, even with a restart in between."""
    ids = [f"p{n}.api.front" for n in range(3)]
    patient = Rule(at_least=timedelta(seconds=60))  # as it is advised without a control group
    stand = await Stand([Check(id) for id in ids], sight=BlindnessRule(), rule=patient).opened()
    stand.script.answers |= dict.fromkeys(ids, NO_WAY)
    began = len(stand.script.began)
    while len(stand.script.began) == began:
        await stand.passes(1)
    await stand.passes(1)
    stand = await stand.reopened(killed=True)
    first = stand.clock.now()
    while not stand.engine.world.sight.blind and stand.clock.now() < first + timedelta(minutes=2):
        await stand.passes(1)

    assert (stand.engine.world.sight.began_at or first) < first
    assert {} == stand.engine.world.incidents


async def test_last_status_page_is_known_after_a_restart() -> None:
    """It corroborates from the first check on."""
    stand = await Stand([Check(CHECKS[0].id)]).opened()
    levels = {"anthropic.api": Level.DEGRADED}
    stand.watch._verdicts.levels["anthropic"] = levels  # what reading the page does
    await stand.passes(60)
    stand = await stand.reopened()

    assert levels == stand.watch._verdicts.levels["anthropic"]


async def test_used_allowances_stay_used_after_a_restart() -> None:
    """A provider gets no new allowance of extra runs."""
    clock = ManualClock(EPOCH)
    process = Process(InlineSamples.open(), clock)
    related = process.memory._related
    while related.start_alarm(CHECKS[0].id):
        clock.advance(timedelta(seconds=31))
    await process.writes()
    again = (await process.again()).memory._related

    assert () == again.start_alarm(CHECKS[0].id)
    assert () == related.start_alarm(CHECKS[0].id)


async def test_replicas_share_tracks_and_keep_their_own_allowances() -> None:
    """Whoever takes a check over knows its doubts."""
    clock, samples = ManualClock(EPOCH), InlineSamples.open()
    one, two = Process(samples, clock, own="one"), Process(samples, clock, own="two")
    while two.memory._related.start_alarm(CHECKS[0].id):
        clock.advance(timedelta(seconds=31))
    one.sees(sample_of(Look(0, 0, 0, Outcome.FAIL, 40, True, True, ""), clock), learn=True)
    await one.writes()
    await two.writes()
    after_one, after_two = await one.again(), await two.again()

    assert one.known().items() <= after_two.known().items()
    assert () == after_two.memory._related.start_alarm(CHECKS[0].id)
    assert () != after_one.memory._related.start_alarm(CHECKS[0].id)


async def test_long_gone_replica_does_not_slow_down_a_start() -> None:
    """The others have its checks in their tracks by now."""
    clock, samples = ManualClock(EPOCH), InlineSamples.open()
    gone, lives = Process(samples, clock, own="gone"), Process(samples, clock, own="lives")
    gone.sees(sample_of(Look(0, 0, 0, Outcome.OK, 40, True, True, ""), clock), learn=True)
    await gone.writes(everything=True)
    clock.advance(timedelta(hours=5))
    await lives.writes(everything=True)
    found = await samples.remembered()

    assert [clock.now()] == lives.memory._covered_until_of(found, clock.now())


async def test_memory_of_a_replica_is_deleted_after_a_week() -> None:
    """Each pod has another name. Tracks shared by all stay."""
    clock, samples = ManualClock(EPOCH), InlineSamples.open()
    gone, lives = Process(samples, clock, own="gone"), Process(samples, clock, own="lives")
    for vantage in ("local", "gone"):
        look = replace(sample_of(Look(0, 0, 0, Outcome.FAIL, 40, True, True, ""), clock), vantage=vantage)
        gone.sees(look, learn=True)
    await gone.writes(everything=True)
    await samples.add([], [Remembered("surroundings/gone", "{}")])
    clock.advance(timedelta(days=6))
    await (await lives.again()).writes(everything=True)
    held = set(await samples.remembered())
    clock.advance(timedelta(days=2))
    await (await lives.again()).writes(everything=True)
    await Process(samples, clock, own="new").again()

    check = CHECKS[0].id
    assert {"upto/gone", "surroundings/gone", f"{check} gone"} == held - set(await samples.remembered())
    assert f"{check} local" in await samples.remembered()


async def test_replica_with_a_clock_a_year_ahead_deletes_nothing() -> None:
    """To it all others seem long gone."""
    clock, samples = ManualClock(EPOCH), InlineSamples.open()
    lives = Process(samples, clock, own="lives")
    await lives.writes(everything=True)
    held = set(await samples.remembered())
    ahead = Process(samples, ManualClock(EPOCH + timedelta(days=365)), own="ahead")
    await ahead.memory.recall(samples, World(), ahead.clock.now())

    assert held == set(await samples.remembered())


async def test_track_is_stored_before_its_verdict_is_reported() -> None:
    """So that no crash can separate them."""
    stand = await Stand([Check(CHECKS[0].id)]).opened()
    stand.script.answers[CHECKS[0].id] = BROKEN
    conn, found = stand.samples.conn, list[bool]()

    def look_up() -> bool:
        return any('"condition":"failing"' in row[0] for row in conn.execute("SELECT value FROM remembered"))

    stand.engine.listen(lambda facts, world: found.append(look_up()))
    await stand.passes(60)

    assert found
    assert found[0]


class Refusing(InlineSamples):
    """Samples that refuse writes from some moment on."""

    refuses = False

    async def add(self, samples: Sequence[Sample], remembered: Sequence[Remembered] = ()) -> None:
        if self.refuses:
            raise StoreError("disk full", permanent=False)
        await super().add(samples, remembered)


async def test_outage_is_reported_although_samples_cannot_be_stored() -> None:
    """A full disk holds no verdict back."""
    samples = Refusing.open()
    stand = await Stand([Check(CHECKS[0].id)], samples=samples).opened()
    stand.script.answers[CHECKS[0].id], samples.refuses = BROKEN, True
    for _ in range(60):
        with suppress(StoreError):
            await stand.passes(1)

    assert "down" == stand.level("anthropic.api")


async def test_allowances_that_could_not_be_written_go_with_the_next_batch() -> None:
    """A disk that is full for a moment gives no new allowance either."""
    process = Process(InlineSamples.open(), ManualClock(EPOCH))
    related = process.memory._related
    while related.start_alarm(CHECKS[0].id):
        process.clock.advance(timedelta(seconds=31))
    process.memory.lost(process.memory.take(process.clock.now()))
    await process.writes()

    assert () == (await process.again()).memory._related.start_alarm(CHECKS[0].id)


async def doubtful() -> Process:
    """A check that failed twice, stored."""
    process = Process(InlineSamples.open(), ManualClock(EPOCH))
    for outcome in (Outcome.OK, Outcome.FAIL, Outcome.FAIL):
        process.clock.advance(timedelta(seconds=4))
        process.sees(sample_of(Look(0, 0, 0, outcome, 40, True, True, ""), process.clock), learn=True)
    await process.writes()
    return process


async def test_doubts_counted_by_other_settings_are_dropped() -> None:
    """Somebody changed `detection` and restarted: two failures by the old rule are no evidence by the new one."""
    process = await doubtful()
    key = (CHECKS[0].id, "local")
    same, other = await process.again(), await process.again(replace(Rule(), window=9))

    assert same.known()[key].suspect
    assert not other.known()[key].suspect


async def test_check_unseen_before_a_restart_is_unseen_after_it() -> None:
    """Its last result was taken while blind."""
    process = await doubtful()
    process.sighting.unseen.add(CHECKS[0].id)
    process.sees(sample_of(Look(0, 0, 0, Outcome.FAIL, 40, True, True, ""), process.clock), learn=True)
    await process.writes()

    assert {CHECKS[0].id} == (await process.again()).sighting.unseen


async def test_usual_latency_is_read_from_samples_if_nothing_is_remembered() -> None:
    """For a ledger from before tracks were stored."""
    clock = ManualClock(EPOCH)
    process = Process(InlineSamples.open(), clock)
    for _ in range(30):
        clock.advance(timedelta(seconds=30))
        process.buffer.append(sample_of(Look(0, 0, 0, Outcome.OK, 40, True, True, ""), clock))
    await process.samples.add(process.buffer)
    clock.advance(timedelta(hours=2))

    assert 40.0 == pytest.approx((await process.again()).known()[CHECKS[0].id, "local"].baseline_ms, rel=0.05)


async def calm(minutes: float) -> Process:
    """All checks were well for so long; nothing of it is stored."""
    process = Process(InlineSamples.open(), ManualClock(EPOCH))
    for _ in range(round(minutes * 2)):
        process.clock.advance(timedelta(seconds=30))
        for check in range(len(CHECKS)):
            process.sees(sample_of(Look(0, check, 0, Outcome.OK, 40, True, True, ""), process.clock), learn=True)
    return process


async def test_calm_check_whose_batch_failed_is_written_with_the_next() -> None:
    """It does not wait for another five minutes."""
    process = await calm(minutes=6)
    process.memory.lost(process.memory.take(process.clock.now()))
    await process.writes()

    assert f"{CHECKS[0].id} local" in await process.samples.remembered()


async def test_samples_after_a_failed_batch_are_not_forgotten() -> None:
    """The mark up to which everything is stored is written again, or a killed process would skip later samples."""
    process = await calm(minutes=6)
    process.memory.lost(process.memory.take(process.clock.now()))
    await process.writes()
    process.clock.advance(timedelta(seconds=30))
    process.sees(sample_of(Look(0, 0, 0, Outcome.OK, 40, True, True, ""), process.clock), learn=True)
    await process.writes()

    assert process.known() == (await process.again()).known()


def down_since(moment: datetime) -> World:
    """A ledger in which the API has been down since then."""
    verdict = Verdict(CHECKS[0].component, Level.DOWN, "HTTP 502", Fault.THEIRS, (), moment)
    return step(World(), VerdictReached(actor=Actor.rule("detector"), verdict=verdict), moment, policy()).world


async def test_restart_learns_no_usual_latency_from_an_outage() -> None:
    """One check fails and the other answers: folding its samples again teaches no more than before."""
    process = Process(InlineSamples.open(), ManualClock(EPOCH))
    for n in range(28):
        process.clock.advance(timedelta(seconds=30))
        for check, outcome in ((0, Outcome.OK if n < 18 else Outcome.FAIL), (1, Outcome.OK)):
            look = Look(0, check, 0, outcome, 40, True, True, "")
            process.sees(sample_of(look, process.clock), learn=n < 18)
        if n == 20:
            await process.writes(everything=True)
    await process.samples.add(process.buffer)
    again = await process.again(world=down_since(EPOCH + timedelta(seconds=30 * 19)))

    assert None is again.known()[CHECKS[1].id, "local"].baseline_ms


@pytest.mark.parametrize("before", [Outcome.OK, Outcome.FAIL])
async def test_check_stored_before_an_outage_takes_it_over(before: Outcome) -> None:
    """Well, or too new to judge: the outage ends by good results, not by forgetting."""
    process = Process(InlineSamples.open(), ManualClock(EPOCH))
    process.sees(sample_of(Look(0, 0, 0, before, 40, True, True, ""), process.clock), learn=True)
    await process.writes(everything=True)
    again = await process.again(world=down_since(process.clock.now() + timedelta(minutes=1)))

    assert Condition.FAILING is again.known()[CHECKS[0].id, "local"].judgement.condition
