"""Usual latencies and slow answers: at the limits, and in words."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.detection.detector import Condition, Judgement, observe, seeded
from bot.core.detection.latency import Usual, known, slow_sign
from bot.core.model import Outcome
from tests.core.detection.test_detector import EVERY, RULE, at, fold, look, run

UNDER_5_S = replace(RULE, slow_over=timedelta(seconds=5))


def test_twentieth_answer_defines_the_usual_latency() -> None:
    """Not the nineteenth."""
    assert [None, pytest.approx(40.0)] == [run("o" * n).baseline_ms for n in (19, 20)]


@pytest.mark.parametrize(("ms", "slow"), [(5000, False), (5004, True)])
def test_answer_above_the_limit_of_its_check_is_slow(ms: float, slow: bool) -> None:
    """Even if nothing is usual yet; exactly at the limit it is in time."""
    assert slow == (slow_sign(look(0, "o", ms=ms), Usual(), UNDER_5_S) is not None)


def test_slow_answer_is_worded_without_a_usual_latency() -> None:
    """The first result of a check: slow, the vendor's, and too little to judge."""
    first = look(0, "o", ms=6000)
    sign = replace(first, outcome=Outcome.SLOW, fault=look(0, "s").fault, reason="answered after 6.0 s")
    judgement = observe(run(""), first, UNDER_5_S, every=EVERY).judgement

    assert Judgement(Condition.UNKNOWN, "no good result yet, and too few to judge", last=sign) == judgement


@pytest.mark.parametrize(
    ("ms", "words"),
    [(999, "answered after 999 ms, usually 100 ms"), (1000, "answered after 1.0 s, usually 100 ms"),
     (60_000, "answered after 60.0 s, usually 100 ms")],
)  # fmt: skip
def test_times_from_one_second_on_are_shown_in_seconds(ms: float, words: str) -> None:
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
def test_slow_verdict_of_a_prober_counts_unless_only_the_time_says_so(
    error: str | None, under_s: int | None, ms: float | None, slow: bool
) -> None:
    """Usual are four seconds, so that six are none too many."""
    rule = replace(RULE, slow_over=timedelta(seconds=under_s) if under_s else None)
    sample = replace(look(0, "s"), error=error, phases_ms={} if ms is None else {"total": ms})

    assert slow == (slow_sign(sample, known(4000), rule) is not None)


def test_answer_without_a_time_teaches_nothing() -> None:
    """It is good all the same."""
    timeless = replace(look(600, "o"), phases_ms={})
    track = observe(seeded(run("o"), 800), timeless, RULE, every=EVERY)

    assert 800 == pytest.approx(track.baseline_ms)
    assert Condition.WELL is track.judgement.condition


# --- what fails is slow as well


def test_outage_that_turns_slow_keeps_its_start() -> None:
    """It answers again, slowly: one failure, shown from its start, with the test that found it."""
    track = run("s" * 5, track=run("ffff", track=run("ooooo"), begins=150, gap=4), begins=182)

    assert Condition.SLOW is track.judgement.condition
    assert at(150) == track.judgement.began_at
    assert "sequential test" == track.judgement.spoke


def test_recovering_outage_is_shown_as_such() -> None:
    """From the first good result on."""
    down = fold([look(30 * n, "f") for n in range(4)])

    assert [False, True] == [track.judgement.recovering for track in (down, run("o", track=down, begins=120))]
