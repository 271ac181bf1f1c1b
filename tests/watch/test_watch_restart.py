"""Everything known before a restart is known after it: doubts, outages, usual latencies and blindness."""

from datetime import timedelta

from bot.core.detection.blindness import BlindnessRule
from bot.core.model import Level, Outcome
from tests.engine.stand import BROKEN, NO_WAY, WELL, Answer, Check, Stand, sample

API = "anthropic.api.models"
MINUTE = timedelta(minutes=1)


async def test_doubt_survives_a_restart() -> None:
    """A check that failed once runs again within two seconds of the start."""
    stand = await Stand([Check(API)]).opened()
    stand.script.answers[API] = BROKEN
    await stand.until_look(API)
    stand = await stand.reopened()
    began = stand.clock.monotonic()
    await stand.passes(14)

    assert began + 2 == stand.script.of(API)[0]
    assert "down" == stand.level("anthropic.api")


async def test_outage_survives_a_restart_and_ends_by_good_results() -> None:
    """Nothing is reported at the start; it ends after a minute of good results, and not before."""
    stand = await Stand([Check(API)]).opened()
    stand.script.answers[API] = BROKEN
    await stand.passes(60)
    seqs = dict(stand.engine.world.seqs)
    stand.script.answers[API] = WELL
    stand = await stand.reopened()

    await stand.passes(45)
    assert "down" == stand.level("anthropic.api")
    assert seqs == dict(stand.engine.world.seqs)
    await stand.passes(180)
    assert "operational" == stand.level("anthropic.api")


async def test_outage_survives_a_longer_absence_than_samples_count() -> None:
    """After an hour only the ledger knows of it."""
    stand = await Stand([Check(API)]).opened()
    stand.script.answers[API] = BROKEN
    await stand.passes(60)
    await stand.watch.stop()
    stand.clock.advance(timedelta(hours=1))
    stand = await stand.reopened()
    assert "down" == stand.watch.verdict("anthropic.api").level.value

    await stand.passes(60)
    assert [1] == list(stand.engine.world.incidents)
    assert "down" == stand.level("anthropic.api")


async def test_rare_checks_remember_their_last_runs() -> None:
    """Every ten minutes: two failures from before the restart count with the next one."""
    check = Check(API, every=timedelta(minutes=10))
    stand = Stand([check])
    now = stand.clock.now()
    past = [(40, WELL), (30, WELL), (20, BROKEN), (10, BROKEN)]
    await stand.samples.add([sample(API, found, now - minutes * MINUTE) for minutes, found in past])
    stand.script.answers[API] = BROKEN
    await stand.opened(settled=False)
    await stand.passes(10)

    assert "down" == stand.level("anthropic.api")
    assert 2 >= len(stand.script.of(API))


async def test_usual_latency_is_known_after_a_restart() -> None:
    """A second and a half is slow if yesterday's answers took a tenth of one."""

    async def after(*stored: float) -> str:
        stand = Stand([Check(API)])
        start = stand.clock.now() - timedelta(hours=3)
        await stand.samples.add([sample(API, Answer(total_ms=ms), start + n * MINUTE) for n, ms in enumerate(stored)])
        stand.script.answers[API] = Answer(total_ms=1_500.0)
        await stand.opened(settled=False)
        await stand.passes(240)
        return stand.level("anthropic.api")

    assert ["degraded", "operational"] == [await after(*[100.0] * 60), await after()]


async def test_blindness_survives_a_restart() -> None:
    """Nothing can be reached before or after: no incident opens, and the notice is not repeated."""
    ids = [f"p{n}.api.front" for n in range(3)]
    stand = Stand([Check(id) for id in ids], sight=BlindnessRule())
    await stand.opened()
    stand.script.answers = dict.fromkeys(ids, NO_WAY)
    await stand.passes(60)
    assert stand.engine.world.sight.blind
    stand = await stand.reopened()
    await stand.passes(120)

    assert stand.engine.world.sight.blind
    assert {} == stand.engine.world.incidents
    assert 1 == stand.engine.world.seqs["sight"]
    assert {Level.UNKNOWN} == {stand.engine.world.component(f"p{n}.api").level for n in range(3)}
    assert Outcome.INCONCLUSIVE is (await stand.samples.recent(ids[0], 1))[0].outcome
