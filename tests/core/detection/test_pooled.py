"""What the signs of several checks of one component come to together."""

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
    """A check with these looks, the last of them `ago`."""
    found = NEW
    for n, look in enumerate(looks):
        at = START - ago - APART * (len(looks) - 1 - n)
        outcome = Outcome.FAIL if look == "x" else Outcome.OK
        error = "http_5xx" if look == "x" else None
        found = observe(found, Sample("a.b.c", "a.b", at, outcome, error, fault if error else Fault.NONE), RULE)
    return found


def fails(tracks: Mapping[str, Track], weights: Mapping[str, float] | None = None) -> set[str]:
    """Which checks count as failing by what all of them come to."""
    found = pooled(tracks, dict.fromkeys(tracks, RULE), weights or {}, START, START, OPENS_AT)
    assert all(one.judgement.condition is Condition.FAILING for one in found.values())
    return set(found)


def test_two_checks_that_fail_half_of_their_looks_fail_together() -> None:
    """Neither of them has enough failures to be judged alone."""
    assert {"models", "front"} == fails({"models": track("x." + HALF), "front": track("x." + HALF)})


def test_a_check_without_a_sign_of_its_own_stays_well() -> None:
    """No check speaks for another."""
    assert {"models", "front"} == fails({"models": track("x." + HALF), "front": track("x." + HALF), "tls": track("....")})


def test_one_stray_failure_beside_a_dead_check_is_no_outage() -> None:
    """A part that is dead stays a part, whatever noise does to the rest."""
    assert set() == fails({"models": track(DEAD + "x"), "front": track("...x")})


def test_one_stray_failure_beside_a_check_about_to_fail_is_no_outage() -> None:
    """Neither before the dead one is judged."""
    assert set() == fails({"models": track("x...xx"), "front": track("...x")})


def test_two_stray_failures_beside_a_dead_check_are_no_outage() -> None:
    """The others are looked at quickly once a check is dead, so that two stray failures come together in many an hour."""
    assert set() == fails({"models": track(DEAD), "front": track("..xx")})


def test_three_failures_beside_a_dead_check_are_the_outage_of_both() -> None:
    """Alone it would take a fourth."""
    assert {"front"} == fails({"models": track(DEAD), "front": track(".xxx")})


def test_a_check_that_died_long_before_does_not_count() -> None:
    """What has been dead for an hour says nothing of three failures now."""
    assert set() == fails({"models": track(DEAD, ago=timedelta(hours=1)), "front": track(".xxx")})


def test_a_doubt_of_long_ago_corroborates_nothing() -> None:
    """Three failures of an hour ago, and two of now."""
    old = track("x..x.x", ago=timedelta(hours=1))

    assert set() == fails({"models": old, "front": track("..xx")})


def test_one_check_alone_has_no_others_to_be_weighed_with() -> None:
    """However close to its own threshold it is."""
    assert set() == fails({"models": track("x...xx")})


def test_our_own_fault_corroborates_nothing() -> None:
    """A key that is refused is ours, and says nothing of the vendor."""
    refused = track("x." + HALF, fault=Fault.OURS_KEY)

    assert set() == fails({"models": refused, "front": track("x." + HALF)})


def test_signs_in_a_few_of_many_checks_are_noise() -> None:
    """Of twelve checks two doubt now and then; an outage of the whole shows in a third of them."""
    many = {f"check-{n}": track("....") for n in range(10)}

    assert set() == fails({**many, "models": track("x." + HALF), "front": track("x." + HALF)})


def test_failures_within_one_hiccup_are_one_hiccup() -> None:
    """Together they span `at_least` as well."""
    assert set() == fails({"models": track("xx"), "front": track("xx")})


@pytest.mark.parametrize("checks", [2, 3, 8])
@pytest.mark.parametrize("burst", ["xx", "xxx", "xxxxx"])
def test_a_hiccup_of_all_and_one_stray_failure_after_it_is_no_outage(burst: str, checks: int) -> None:
    """Each check answered five times since: together they know no more of trouble than each alone."""
    stray, well = track(burst + "....." + "x"), track(burst + ".....")
    assert set() == fails({"stray": stray, **{f"check {n}": well for n in range(checks - 1)}})


def test_the_reason_says_that_other_checks_fail_too() -> None:
    """Two failures are few; what made them enough is said."""
    tracks = {"models": track("x." + HALF), "front": track("x." + HALF)}
    judged = pooled(tracks, dict.fromkeys(tracks, RULE), {}, START, START, OPENS_AT)["front"].judgement

    assert "3 of 6 checks failed in 10 s (other checks fail too): http_5xx" == judged.reason
    assert "pooled test" == judged.spoke


def test_what_fails_together_began_with_its_own_first_failure() -> None:
    """And it is no trouble that comes back, though the last look of one was good: the others speak for it."""
    tracks = {"models": track("x." + HALF + "."), "front": track("x." + HALF)}
    judged = pooled(tracks, dict.fromkeys(tracks, RULE), {}, START, START, OPENS_AT)["models"].judgement

    assert START - 6 * APART == judged.began_at
    assert "3 of 7 checks failed in 12 s (other checks fail too): http_5xx" == judged.reason
    assert not judged.recovering


def test_what_fails_together_is_held_where_it_flaps() -> None:
    """Its third change within half an hour, by whatever test."""
    lately = (START - timedelta(minutes=9), START - timedelta(minutes=8))
    doubtful = track("x." + HALF)
    flapping = replace(doubtful, failing=replace(doubtful.failing, changes=lately))
    tracks = {"models": flapping, "front": track("x." + HALF)}
    judged = pooled(tracks, dict.fromkeys(tracks, RULE), {}, START, START, OPENS_AT)["models"].judgement

    assert "it changed 3 times within 30 min" in judged.reason


def test_what_fails_together_does_not_end_with_one_good_look() -> None:
    """It stands, and comes back as any outage does."""
    tracks = {"models": track("x." + HALF), "front": track("x." + HALF)}
    found = pooled(tracks, dict.fromkeys(tracks, RULE), {}, START, START, OPENS_AT)["models"]
    after = observe(found, Sample("a.b.c", "a.b", START + APART, Outcome.OK, None, Fault.NONE), RULE)

    assert Condition.FAILING is after.judgement.condition
    assert after.judgement.recovering


@pytest.mark.parametrize(("outcome", "then"), [(Outcome.FAIL, Condition.FAILING), (Outcome.SLOW, Condition.SLOW)])
def test_what_fails_together_stands_as_any_outage(outcome: Outcome, then: Condition) -> None:
    """It goes on failing, or turns slow for a while: neither is the end of it."""
    tracks = {"models": track("x." + HALF), "front": track("x." + HALF)}
    found = pooled(tracks, dict.fromkeys(tracks, RULE), {}, START, START, OPENS_AT)["models"]
    for n in range(1, 7):
        sample = Sample("a.b.c", "a.b", START + timedelta(seconds=30) * n, outcome, "http_5xx", Fault.THEIRS)
        found = observe(found, sample, RULE)

    assert then is found.judgement.condition
    assert START - 5 * APART == found.judgement.began_at


def test_signs_in_a_third_of_all_checks_are_enough() -> None:
    """The share is reached, not passed."""
    others = {f"check-{n}": track("....") for n in range(4)}

    assert {"models", "front"} == fails({**others, "models": track("x." + HALF), "front": track("x." + HALF)})


@pytest.mark.parametrize("weights", [{"tls": 10.0}, {"models": 0.1, "front": 0.1}])
def test_checks_count_by_their_weight(weights: Mapping[str, float]) -> None:
    """Two checks that weigh little beside a third are a few of many."""
    tracks = {"models": track("x." + HALF), "front": track("x." + HALF), "tls": track("....")}

    assert set() == fails(tracks, weights)


def test_what_the_ledger_alone_knows_of_does_not_count() -> None:
    """An outage from before a restart, of which no look is remembered, says nothing of failures now."""
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
def test_the_others_are_asked_for_two_minutes_after_one_began_to_fail(looks: str, after: timedelta, newly: bool) -> None:
    """So long a part that is dead may be the whole; then it is a part."""
    found = track(looks)
    began = found.failing.changes[-1] if found.failing.changes else START

    assert newly == newly_fails(found, began + after)


def test_nobody_is_asked_for_what_the_ledger_tells_of() -> None:
    """A restart is no new failure."""
    assert not newly_fails(from_ledger(Level.DOWN, "HTTP 502", Fault.THEIRS, START), START)
