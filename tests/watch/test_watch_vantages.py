"""Results of other Understudies join in: a quorum of vantages speaks, and who falls silent has no say."""

from datetime import timedelta

import pytest

from bot.core.detection.verdict import VerdictRule
from tests.engine.stand import BROKEN, WELL, Answer, Check, Stand, sample

API = "anthropic.api.models"


async def joined(quorum: str | int, there: Answer, yonder: Answer, here: Answer) -> Stand:
    """Two minutes in which three vantages see what they see, one of them being ours."""
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
    """What it takes is a matter of configuration."""
    stand = await joined(quorum, BROKEN, BROKEN, WELL)

    assert level == stand.level("anthropic.api")


@pytest.mark.parametrize(("quorum", "level"), [("majority", "operational"), ("any", "down"), ("all", "operational")])
async def test_one_of_three_vantages_sees_an_outage(quorum: str | int, level: str) -> None:
    """Ours alone, while the others are served."""
    stand = await joined(quorum, WELL, WELL, BROKEN)

    assert level == stand.level("anthropic.api")


async def test_all_vantages_see_an_outage() -> None:
    """The reason names them."""
    stand = await joined("all", BROKEN, BROKEN, BROKEN)

    assert "down" == stand.level("anthropic.api")
    assert "(here, there, yonder, 3 of 3 vantages)" in stand.watch.verdict("anthropic.api").reason


async def test_a_vantage_that_falls_silent_loses_its_say_after_three_intervals_and_a_minute() -> None:
    """It was the only one to see trouble; long after its last word the component is as we see it."""
    stand = await joined("any", BROKEN, WELL, WELL)
    await stand.passes(2 * 60)
    meanwhile = stand.level("anthropic.api")
    await stand.passes(60)

    assert "down" == meanwhile
    assert "operational" == stand.level("anthropic.api")


async def test_samples_of_others_are_stored_with_their_vantage_and_ask_for_no_looks_of_ours() -> None:
    """A doubt elsewhere is looked into elsewhere."""
    stand = await Stand([Check(API)], vantage="here").opened()
    before = len(stand.script.began)
    await stand.watch.take([sample(API, BROKEN, stand.clock.now(), "there")])
    await stand.passes(20)

    assert ["there"] == [s.vantage for s in await stand.samples.recent(API, 10) if s.outcome.value == "fail"]
    assert 1 >= len(stand.script.began) - before


async def test_our_own_results_carry_our_name() -> None:
    """Probers know nothing of vantages."""
    stand = await Stand([Check(API, every=timedelta(seconds=5))], vantage="here").opened()

    assert {"here"} == {s.vantage for s in await stand.samples.recent(API, 10)}
