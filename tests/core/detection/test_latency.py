"""How long an answer usually takes, and which one is slow: at the limits, and in words."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.detection.detector import Condition, Judgement, observe, seeded
from bot.core.detection.latency import Usual, known, slow_sign
from bot.core.model import Outcome
from tests.core.detection.test_detector import EVERY, RULE, at, fold, look, run

UNDER_5_S = replace(RULE, slow_over=timedelta(seconds=5))


def test_the_twentieth_answer_makes_it_usual() -> None:
    """Not the nineteenth."""
    assert [None, pytest.approx(40.0)] == [run("o" * n).baseline_ms for n in (19, 20)]


@pytest.mark.parametrize(("ms", "slow"), [(5000, False), (5004, True)])
def test_an_answer_that_nobody_called_slow_is_so_above_the_limit_of_its_check(ms: float, slow: bool) -> None:
    """Also while nobody knows what is usual; at the limit it is in time."""
    assert slow == (slow_sign(look(0, "o", ms=ms), Usual(), UNDER_5_S) is not None)


def test_a_slow_answer_is_put_into_words_where_nothing_is_usual_yet() -> None:
    """The first look of a check; it is slow, the vendor's, and too little to judge."""
    first = look(0, "o", ms=6000)
    sign = replace(first, outcome=Outcome.SLOW, fault=look(0, "s").fault, reason="answered after 6.0 s")
    judgement = observe(run(""), first, UNDER_5_S, every=EVERY).judgement

    assert Judgement(Condition.UNKNOWN, "no good result yet, and too few to judge", last=sign) == judgement


@pytest.mark.parametrize(
    ("ms", "words"),
    [(999, "answered after 999 ms, usually 100 ms"), (1000, "answered after 1.0 s, usually 100 ms"),
     (60_000, "answered after 60.0 s, usually 100 ms")],
)  # fmt: skip
def test_times_are_told_in_seconds_from_one_second_on(ms: float, words: str) -> None:
    """Nobody reads 60000 ms at night."""
    sign = slow_sign(look(0, "o", ms=ms), known(100), replace(RULE, slow_floor=timedelta(milliseconds=100)))

    assert words == (sign and sign.reason)


@pytest.mark.parametrize(
    ("error", "under_s", "ms", "slow"),
    [
        (None, 5, 6000, False),  # over its limit, and always like that
        (None, 5, 5000, True),  # not over its limit: it is slow for another reason
        ("first_token", 5, 6000, True),  # it says itself why
        (None, None, 6000, True),  # it has no limit that could explain it
        (None, 5, None, True),  # nobody took its time
    ],
)
def test_a_check_that_calls_its_answer_slow_is_believed_unless_the_time_alone_says_so(
    error: str | None, under_s: int | None, ms: float | None, slow: bool
) -> None:
    """Usual are four seconds, so that six are none too many."""
    rule = replace(RULE, slow_over=timedelta(seconds=under_s) if under_s else None)
    sample = replace(look(0, "s"), error=error, phases_ms={} if ms is None else {"total": ms})

    assert slow == (slow_sign(sample, known(4000), rule) is not None)


def test_an_answer_without_its_time_teaches_nothing() -> None:
    """It is fine all the same."""
    timeless = replace(look(600, "o"), phases_ms={})
    track = observe(seeded(run("o"), 800), timeless, RULE, every=EVERY)

    assert 800 == pytest.approx(track.baseline_ms)
    assert Condition.WELL is track.judgement.condition


# --- what fails is slow as well


def test_an_outage_that_turns_slow_began_with_the_outage() -> None:
    """It answers again, slowly: one trouble, told from its beginning and by the test that found it."""
    track = run("s" * 5, track=run("ffff", track=run("ooooo"), begins=150, gap=4), begins=182)

    assert Condition.SLOW is track.judgement.condition
    assert at(150) == track.judgement.began_at
    assert "sequential test" == track.judgement.spoke


def test_an_outage_on_its_way_back_is_told_so() -> None:
    """From the first good look on, not before."""
    down = fold([look(30 * n, "f") for n in range(4)])

    assert [False, True] == [track.judgement.recovering for track in (down, run("o", track=down, begins=120))]
