"""A balancer spreads services' reports over replicas: nothing is counted twice."""

from datetime import timedelta

from bot.core.outcomes.counts import Route
from bot.core.outcomes.outcome import make_outcome
from bot.core.outcomes.series import Point, Reading
from bot.outcomes.intake import OutcomeIntake
from bot.outcomes.measured import Measured
from bot.store.samples.sqlite import InlineSamples
from bot.system.clock import ManualClock
from bot.wiring.outcomes import shared
from tests.cluster.stand import Its, Scene
from tests.desk import START


class Two:
    """Two replicas that write to one store."""

    def __init__(self) -> None:
        self.clock = ManualClock(START)
        self.samples = InlineSamples.open()
        self.observed = 0
        self.intakes = [OutcomeIntake(self.samples.outcomes, self.clock, self._observe) for _ in range(2)]

    def _observe(self, route: Route, counts: object) -> None:
        self.observed += counts.total  # type: ignore[attr-defined]

    async def exports(self, asked: int, total: int, end: int) -> None:
        """A service that began a minute after the start tells one of them how many requests it had until then."""
        began, until = (int((START + timedelta(seconds=s)).timestamp()) * 10**9 for s in (60, end))
        reading = Reading(b"mail", Point(began, until, total, {140: total}), Route("mail", provider="openai"))
        await self.intakes[asked].take([], key=str(end), readings=[reading])

    async def total(self) -> int:
        for intake in self.intakes:
            await intake.flush()
        rows = await self.samples.outcomes.between(START - timedelta(days=1), START + timedelta(days=1))
        return sum(one.counts.total for one in rows)


async def test_counter_reported_to_alternating_replicas_counts_its_growth() -> None:
    """The replicas' Prometheus figures add up to it too."""
    two = Two()
    two.clock.advance(timedelta(minutes=30))
    for number in range(10):
        await two.exports(number % 2, 100 + 20 * number, 120 + 60 * number)
        if number % 3 == 0:
            await two.total()

    assert (280, 280) == (await two.total(), two.observed)


async def test_counter_goes_on_after_a_restart() -> None:
    """The service notices nothing, and nothing that it reported is lost."""
    two = Two()
    two.clock.advance(timedelta(minutes=30))
    await two.exports(0, 100, 120)
    await two.total()
    two.intakes = [OutcomeIntake(two.samples.outcomes, two.clock)]
    await two.exports(0, 130, 180)

    assert 130 == await two.total()


async def test_same_key_at_two_replicas_counts_once() -> None:
    """Within the second in which neither has written it yet."""
    two = Two()
    for intake in two.intakes:
        await intake.take([make_outcome(START, Route("chat"), ok=True)], key="a")
    await two.intakes[0].take([make_outcome(START, Route("chat"), ok=True)], key="b")

    assert 2 == await two.total()


async def test_batch_with_a_lost_answer_counts_once() -> None:
    """It was committed, and is written again since nobody knew."""
    two = Two()
    [intake, _] = two.intakes
    await intake.take([make_outcome(START, Route("chat"), ok=True)], key="a")
    kept = dict(intake._told)
    await intake.flush()
    intake._told = kept

    assert 1 == await two.total()


async def test_spans_are_not_counted_if_another_replica_gets_the_metrics() -> None:
    """The other replica says so, and again each minute; it is valid for ten minutes."""
    clock = ManualClock(START)
    passed: list[list[str]] = []
    here, there = Measured(clock, passed.append), Measured(clock)
    for _ in range(4):
        here.note({"mail"})
        clock.advance(timedelta(seconds=30))
    assert [["mail"], ["mail"]] == passed
    await there.hear(passed[0])

    assert (True, False) == (there.includes("mail"), there.includes("search"))
    clock.advance(timedelta(minutes=10))
    assert not there.includes("mail")


async def test_new_replica_knows_which_services_send_metrics_elsewhere() -> None:
    """Before the next export: it never received what was announced before its start."""
    scene = Scene()
    shared(await scene.joins("a"), Its(scene)).note({"mail"})
    await scene.passes(5, "a")
    late = scene.add("b")
    await late.start()
    there = shared(late, Its(scene))
    await scene.passes(3, "a", "b")
    await late.stop()

    assert (True, False) == (there.includes("mail"), there.includes("search"))
