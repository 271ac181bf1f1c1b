"""Several checks of one component detect its failure together."""

import asyncio
import random
from statistics import mean

from bot.core.model import Level
from tests.engine.stand import BROKEN, WELL, Check, Stand

GIVE_UP_S = 300


async def down_after_s(checks: int, seed: int) -> int:
    """Seconds from the start of 50 % errors until the component is down."""
    dice = random.Random(seed)
    stand = await Stand([Check(f"vendor-{seed}.api.check-{n}") for n in range(checks)]).opened()
    await stand.passes(dice.randrange(30))
    for second in range(GIVE_UP_S):
        for check in stand.checks:
            stand.script.answers[check.id] = dice.choice([BROKEN, WELL])
        await stand.passes(1)
        if stand.level(stand.checks[0].component) == Level.DOWN:
            return second + 1
    return GIVE_UP_S


def test_two_checks_detect_a_partial_outage_sooner_than_one() -> None:
    """Every further check speeds up detection, even if each alone is too unsure."""
    alone = mean(asyncio.run(down_after_s(1, seed)) for seed in range(40))
    together = mean(asyncio.run(down_after_s(2, seed)) for seed in range(40))

    assert together < alone * 0.85


async def test_extra_runs_of_other_checks_stay_within_their_budget() -> None:
    """A check that fails six times in two hours does not double the schedule of its neighbour."""
    dying, well = Check("anthropic.api.models"), Check("anthropic.api.front")
    stand = await Stand([dying, well]).opened()
    began, before = stand.clock.monotonic(), len(stand.script.of(well.id))
    for _ in range(6):
        stand.script.answers[dying.id] = BROKEN
        await stand.passes(240)
        stand.script.answers[dying.id] = WELL
        await stand.passes(960)
    scheduled = (stand.clock.monotonic() - began) / 30

    assert 60 < len(stand.script.of(well.id)) - before - scheduled < scheduled * 0.22 + 60


async def test_failing_check_beside_a_healthy_one_stays_degraded() -> None:
    """Even if the healthy one runs early, and fails once."""
    stand = await Stand([Check("anthropic.api.models"), Check("anthropic.api.front")]).opened()
    stand.script.answers["anthropic.api.models"] = BROKEN
    await stand.passes(45)
    stand.script.answers["anthropic.api.front"] = BROKEN
    await stand.until_look("anthropic.api.front")
    stand.script.answers["anthropic.api.front"] = WELL
    await stand.passes(300)

    assert Level.DEGRADED == stand.level("anthropic.api")


async def test_common_conclusion_survives_a_kill() -> None:
    """Down is down after a restart, for each of the checks."""
    stand = await Stand([Check("anthropic.api.models"), Check("anthropic.api.front")]).opened()
    for _ in range(180):
        for check in stand.checks:
            stand.script.answers[check.id] = BROKEN if len(stand.script.of(check.id)) % 2 else WELL
        await stand.passes(1)
        if stand.level("anthropic.api") == Level.DOWN:
            break
    again = await stand.reopened(killed=True)

    assert [Level.DOWN, Level.DOWN] == [again.level("anthropic.api"), again.watch.verdict("anthropic.api").level]
