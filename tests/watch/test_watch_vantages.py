"""Results of other Understudies join ours: a quorum of vantages decides, and a silent one no longer counts."""

from datetime import timedelta

import pytest

from bot.core.detection.verdict import VerdictRule
from tests.engine.stand import BROKEN, WELL, Answer, Check, Stand, sample

API = "anthropic.api.models"


async def joined(quorum: str | int, there: Answer, yonder: Answer, here: Answer) -> Stand:
    """Two minutes with three vantages and these results, one of them being ours."""
    stand = await Stand([Check(API)], vantage="here", verdicts=VerdictRule(quorum=quorum)).opened()
    stand.script.answers[API] = here
    for _ in range(8):
        await stand.passes(15)
        now = stand.clock.now()
        await stand.watch.take([sample(API, there, now, "there"), sample(API, yonder, now, "yonder")])
    return stand


@pytest.mark.parametrize(
    ("quorum", "level"), [("majority", "down"), ("any", "down"), ("all", "operational"), (2, "down"), (3, "operational")]
)
async def test_two_of_three_vantages_see_an_outage(quorum: str | int, level: str) -> None:
    """Whether that is enough depends on the configuration."""
    stand = await joined(quorum, BROKEN, BROKEN, WELL)

    assert level == stand.level("anthropic.api")


@pytest.mark.parametrize(("quorum", "level"), [("majority", "operational"), ("any", "down"), ("all", "operational")])
async def test_one_of_three_vantages_sees_an_outage(quorum: str | int, level: str) -> None:
    """Only ours, while the others are served."""
    stand = await joined(quorum, WELL, WELL, BROKEN)

    assert level == stand.level("anthropic.api")


async def test_all_vantages_see_an_outage() -> None:
    """The reason names them."""
    stand = await joined("all", BROKEN, BROKEN, BROKEN)

    assert "down" == stand.level("anthropic.api")
    assert "(here, there, yonder, 3 of 3 vantages)" in stand.watch.verdict("anthropic.api").reason


async def test_silent_vantage_stops_counting_after_three_intervals_and_a_minute() -> None:
    """It alone saw trouble; after that the component is as we see it."""
    stand = await joined("any", BROKEN, WELL, WELL)
    await stand.passes(2 * 60)
    meanwhile = stand.level("anthropic.api")
    await stand.passes(60)

    assert "down" == meanwhile
    assert "operational" == stand.level("anthropic.api")


async def test_samples_of_other_vantages_are_stored_and_cause_no_early_runs() -> None:
    """A doubt elsewhere is checked elsewhere."""
    stand = await Stand([Check(API)], vantage="here").opened()
    before = len(stand.script.began)
    await stand.watch.take([sample(API, BROKEN, stand.clock.now(), "there")])
    await stand.passes(20)

    assert ["there"] == [s.vantage for s in await stand.samples.recent(API, 10) if s.outcome.value == "fail"]
    assert 1 >= len(stand.script.began) - before


async def test_own_results_carry_our_vantage() -> None:
    """Probers know nothing of vantages."""
    stand = await Stand([Check(API, every=timedelta(seconds=5))], vantage="here").opened()

    assert {"here"} == {s.vantage for s in await stand.samples.recent(API, 10)}
