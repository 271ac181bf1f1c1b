"""What the failures of several checks of one component mean together."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.detection.detector import NEW, Condition, Track, from_ledger, observe
from bot.core.detection.pooled import QUESTIONED, newly_fails, pooled
from bot.core.detection.settings import Rule
from bot.core.model import Fault, Level, Outcome, Sample
from tests.desk import START

RULE = Rule()
APART = timedelta(seconds=2)
HALF = ".x.x"  # looks from the oldest to the newest, two seconds apart; x = failed
DEAD = "xxxxxx"
OPENS_AT = 1 / 3


def track(looks: str, *, ago: timedelta = timedelta(0), fault: Fault = Fault.THEIRS) -> Track:
    """A check with these results, the last of them `ago`."""
    found = NEW
    for n, look in enumerate(looks):
        at = START - ago - APART * (len(looks) - 1 - n)
        outcome = Outcome.FAIL if look == "x" else Outcome.OK
        error = "http_5xx" if look == "x" else None
        found = observe(found, Sample("a.b.c", "a.b", at, outcome, error, fault if error else Fault.NONE), RULE)
    return found


def fails(tracks: Mapping[str, Track], weights: Mapping[str, float] | None = None) -> set[str]:
    """Which checks count as failing when all are weighed together."""
    found = pooled(tracks, dict.fromkeys(tracks, RULE), weights or {}, START, START, OPENS_AT)
    assert all(one.judgement.condition is Condition.FAILING for one in found.values())
    return set(found)


def test_two_half_failing_checks_fail_together() -> None:
    """Neither has enough failures alone."""
    assert {"models", "front"} == fails({"models": track("x." + HALF), "front": track("x." + HALF)})


def test_check_without_failures_stays_well() -> None:
    """No check speaks for another."""
    assert {"models", "front"} == fails({"models": track("x." + HALF), "front": track("x." + HALF), "tls": track("....")})


def test_stray_failure_beside_a_dead_check_is_no_outage() -> None:
    """A dead part stays a part, whatever noise affects the rest."""
    assert set() == fails({"models": track(DEAD + "x"), "front": track("...x")})


def test_stray_failure_beside_a_check_about_to_fail_is_no_outage() -> None:
    """Nor before the dead one is judged."""
    assert set() == fails({"models": track("x...xx"), "front": track("...x")})


def test_two_stray_failures_beside_a_dead_check_are_no_outage() -> None:
    """The others run early once a check is dead, so two stray failures often coincide."""
    assert set() == fails({"models": track(DEAD), "front": track("..xx")})


def test_three_failures_beside_a_dead_check_are_an_outage_of_both() -> None:
    """Alone it would take a fourth."""
    assert {"front"} == fails({"models": track(DEAD), "front": track(".xxx")})


def test_long_dead_check_does_not_count() -> None:
    """It says nothing about three failures now."""
    assert set() == fails({"models": track(DEAD, ago=timedelta(hours=1)), "front": track(".xxx")})


def test_old_doubt_does_not_corroborate() -> None:
    """Three failures an hour ago, and two now."""
    old = track("x..x.x", ago=timedelta(hours=1))

    assert set() == fails({"models": old, "front": track("..xx")})


def test_single_check_is_not_pooled() -> None:
    """However close to its threshold it is."""
    assert set() == fails({"models": track("x...xx")})


def test_our_own_fault_does_not_corroborate() -> None:
    """A refused key says nothing about the vendor."""
    refused = track("x." + HALF, fault=Fault.OURS_KEY)

    assert set() == fails({"models": refused, "front": track("x." + HALF)})


def test_failures_in_few_of_many_checks_are_noise() -> None:
    """Two of twelve checks now and then; a real outage affects at least a third."""
    many = {f"check-{n}": track("....") for n in range(10)}

    assert set() == fails({**many, "models": track("x." + HALF), "front": track("x." + HALF)})


def test_pooled_failures_must_span_the_least_time() -> None:
    """Together as well as alone."""
    assert set() == fails({"models": track("xx"), "front": track("xx")})


@pytest.mark.parametrize("checks", [2, 3, 8])
@pytest.mark.parametrize("burst", ["xx", "xxx", "xxxxx"])
def test_hiccup_of_all_checks_and_a_later_stray_failure_are_no_outage(burst: str, checks: int) -> None:
    """Each check has answered five times since."""
    stray, well = track(burst + "....." + "x"), track(burst + ".....")
    assert set() == fails({"stray": stray, **{f"check {n}": well for n in range(checks - 1)}})


def test_reason_says_that_other_checks_fail_too() -> None:
    """Two failures are few, so it says what made them enough."""
    tracks = {"models": track("x." + HALF), "front": track("x." + HALF)}
    judged = pooled(tracks, dict.fromkeys(tracks, RULE), {}, START, START, OPENS_AT)["front"].judgement

    assert "3 of 6 checks failed in 10 s (other checks fail too): http_5xx" == judged.reason
    assert "pooled test" == judged.spoke


def test_pooled_failure_begins_with_its_own_first_failure() -> None:
    """It is no recovery, although the last result of one was good."""
    tracks = {"models": track("x." + HALF + "."), "front": track("x." + HALF)}
    judged = pooled(tracks, dict.fromkeys(tracks, RULE), {}, START, START, OPENS_AT)["models"].judgement

    assert START - 6 * APART == judged.began_at
    assert "3 of 7 checks failed in 12 s (other checks fail too): http_5xx" == judged.reason
    assert not judged.recovering


def test_pooled_failure_is_held_if_it_flaps() -> None:
    """At its third change within half an hour, by whatever test."""
    lately = (START - timedelta(minutes=9), START - timedelta(minutes=8))
    doubtful = track("x." + HALF)
    flapping = replace(doubtful, failing=replace(doubtful.failing, changes=lately))
    tracks = {"models": flapping, "front": track("x." + HALF)}
    judged = pooled(tracks, dict.fromkeys(tracks, RULE), {}, START, START, OPENS_AT)["models"].judgement

    assert "it changed 3 times within 30 min" in judged.reason


def test_pooled_failure_does_not_end_with_one_good_result() -> None:
    """It recovers like any outage."""
    tracks = {"models": track("x." + HALF), "front": track("x." + HALF)}
    found = pooled(tracks, dict.fromkeys(tracks, RULE), {}, START, START, OPENS_AT)["models"]
    after = observe(found, Sample("a.b.c", "a.b", START + APART, Outcome.OK, None, Fault.NONE), RULE)

    assert Condition.FAILING is after.judgement.condition
    assert after.judgement.recovering


@pytest.mark.parametrize(("outcome", "then"), [(Outcome.FAIL, Condition.FAILING), (Outcome.SLOW, Condition.SLOW)])
def test_pooled_failure_stays_like_any_outage(outcome: Outcome, then: Condition) -> None:
    """While it fails, or turns slow for a while."""
    tracks = {"models": track("x." + HALF), "front": track("x." + HALF)}
    found = pooled(tracks, dict.fromkeys(tracks, RULE), {}, START, START, OPENS_AT)["models"]
    for n in range(1, 7):
        sample = Sample("a.b.c", "a.b", START + timedelta(seconds=30) * n, outcome, "http_5xx", Fault.THEIRS)
        found = observe(found, sample, RULE)

    assert then is found.judgement.condition
    assert START - 5 * APART == found.judgement.began_at


def test_failures_in_a_third_of_all_checks_are_enough() -> None:
    """The share is reached, not exceeded."""
    others = {f"check-{n}": track("....") for n in range(4)}

    assert {"models", "front"} == fails({**others, "models": track("x." + HALF), "front": track("x." + HALF)})


@pytest.mark.parametrize("weights", [{"tls": 10.0}, {"models": 0.1, "front": 0.1}])
def test_pooled_checks_count_by_weight(weights: Mapping[str, float]) -> None:
    """Two light checks beside a heavy one are few of many."""
    tracks = {"models": track("x." + HALF), "front": track("x." + HALF), "tls": track("....")}

    assert set() == fails(tracks, weights)


def test_outage_known_only_from_the_ledger_does_not_corroborate() -> None:
    """No result of it is remembered after the restart."""
    held = from_ledger(Level.DOWN, "HTTP 502", Fault.THEIRS, START)

    assert set() == fails({"models": held, "front": track(".xxx")})


# --- when the others are asked


@pytest.mark.parametrize(
    ("looks", "after", "newly"),
    [
        (DEAD, timedelta(0), True),
        (DEAD, QUESTIONED - APART, True),
        (DEAD, QUESTIONED + APART, False),
        (DEAD, timedelta(hours=-1), False),
        (DEAD + "." * 60 + DEAD, timedelta(0), True),
        ("......", timedelta(0), False),
    ],
    ids=["just now", "within two minutes", "longer ago", "the clock was set back", "a second time", "well"],
)
def test_other_checks_run_early_for_two_minutes_after_a_failure(looks: str, after: timedelta, newly: bool) -> None:
    """For that long a dead part may be the whole."""
    found = track(looks)
    began = found.failing.changes[-1] if found.failing.changes else START

    assert newly == newly_fails(found, began + after)


def test_outage_known_only_from_the_ledger_causes_no_early_runs() -> None:
    """A restart is no new failure."""
    assert not newly_fails(from_ledger(Level.DOWN, "HTTP 502", Fault.THEIRS, START), START)
