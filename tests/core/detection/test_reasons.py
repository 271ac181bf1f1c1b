"""How many results of how many, in which time: each reason as people read it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.detection.error_classes import may_flip, may_open, network
from bot.core.detection.reasons import span
from bot.core.model import Fault, Sample
from tests.core.detection.test_detector import RULE, fold, look, run


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0 s"), (0, "0 s"), (1, "1 s"), (119, "119 s"), (120, "2 min"), (149, "2 min"), (150, "3 min"), (3540, "59 min"),
        (3569, "59 min"), (3570, "1 h"), (3660, "1 h 01 min"), (4 * 3600 + 120, "4 h 02 min"), (7140, "1 h 59 min"),
        (200 * 3600, "200 h"),
    ],
)  # fmt: skip
def test_durations_are_worded_as_people_say_them(seconds: float, words: str) -> None:
    """Seconds up to two minutes, then minutes, then hours; rounded, not cut."""
    assert words == span(timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("looks", "words"),
    [
        ("f", "the last check failed, too few to judge"),
        ("s", "the last check was slow or failed, too few to judge"),
        ("ff", "2 of 2 checks failed in 30 s, too few to judge"),
        ("ss", "2 of 2 checks were slow or failed in 30 s, too few to judge"),
        ("f" + "o" * 10, "1 of 11 checks failed in 5 min, too few to judge"),
    ],
)
def test_doubt_says_what_was_seen(looks: str, words: str) -> None:
    """While it lasts."""
    assert words == run(looks, track=run("ooooo"), begins=150).judgement.reason


@pytest.mark.parametrize("bad", ["f", "s"])
def test_bad_round_does_not_count_as_passed(bad: str) -> None:
    """Failed or slow, while the window still contains it."""
    track = run("ooooo" + bad + "o" * 12, replace(RULE, window=13, failures=13))

    assert "12 of 13 checks passed" == track.judgement.reason


def failed(second: float, reason: str, error: str | None) -> Sample:
    return replace(look(second, "f", Fault.THEIRS), reason=reason, error=error)


@pytest.mark.parametrize(
    ("reason", "error", "words"),
    [
        ("HTTP 502 after 40 ms", "http_5xx", ": HTTP 502 after 40 ms"),
        ("", "http_5xx", ": http_5xx"),
        ("", None, ""),
    ],
)
def test_outage_says_why_if_anything_is_known(reason: str, error: str | None, words: str) -> None:
    """The check's own words, else the name of the error, else nothing."""
    track = fold([failed(4 * n, reason, error) for n in range(4)])

    assert f"4 of 4 checks failed in 12 s{words}" == track.judgement.reason


def test_runs_closer_than_three_quarters_of_an_interval_share_a_round() -> None:
    """Every twenty seconds instead of thirty: every second run begins a round."""
    assert "3 of 3 checks passed" == run("ooooo", gap=20).judgement.reason


@pytest.mark.parametrize(
    ("error", "opens", "flips", "by_network"),
    [
        (None, True, True, False),
        ("of_a_newer_version", True, True, False),
        ("connect_timeout", True, True, True),
        ("auth", False, False, False),
        ("rate_limited", False, True, False),
    ],
)
def test_consequences_of_an_error(error: str | None, opens: bool, flips: bool, by_network: bool) -> None:
    """An unknown one may do whatever an outage may; a refused key alerts nobody and switches no flag."""
    assert opens == may_open(error)
    assert flips == may_flip(error)
    assert by_network == network(error)
