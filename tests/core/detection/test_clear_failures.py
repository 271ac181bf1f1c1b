"""How long a failure must last depends on its kind: clear faults of the provider count sooner than possible hiccups."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.detection.blindness import BlindnessRule, with_control_evidence
from bot.core.detection.detector import NEW, Track, observe
from bot.core.detection.error_classes import ERROR_CLASSES
from bot.core.detection.pooled import pooled
from bot.core.detection.settings import Rule
from bot.core.model import Fault, Outcome, Sample
from tests.desk import START

RULE = Rule()
EVERY = timedelta(seconds=30)
QUICK_S = RULE.recheck.total_seconds()
CONTROLS_ANSWER = {"controls": "answered"}
CLEAR = {"capacity", "gateway", "http_5xx", "model_error", "overloaded", "stream_error", "vendor_timeout"}

Look = tuple[float, str]  # second, and error; empty where it was answered well


def look(second: float, error: str = "", evidence: dict[str, str] | None = None) -> Sample:
    """A check result that took no time; failed if an error is given."""
    outcome, fault = (Outcome.FAIL, Fault.THEIRS) if error else (Outcome.OK, Fault.NONE)
    at = START + timedelta(seconds=second)
    return Sample("a.b.c", "a.b", at, outcome, error or None, fault, evidence=evidence or {})


def speaks_after(looks: Sequence[Sample], rule: Rule = RULE, every: timedelta = EVERY) -> float | None:
    """At which second one of these results, after five good ones, first counts as a failure; None if none does."""
    track = NEW
    for n in range(5, 0, -1) if looks else ():
        track = observe(track, replace(look(0), at=looks[0].at - every * n), rule, every=every)
    for sample in looks:
        track = observe(track, sample, rule, every=every)
        if track.failing.stands:
            return (sample.at - START).total_seconds()
    return None


def rechecks(error: str, evidence: dict[str, str] | None = None, *, looks: int = 12) -> list[Sample]:
    """A failure and early runs after it with the same error."""
    return [look(QUICK_S * n, error, evidence) for n in range(looks)]


@pytest.mark.parametrize("error", sorted(CLEAR))
def test_error_answers_count_after_six_seconds(error: str) -> None:
    """No hiccup of our uplink produces an error of theirs."""
    assert 6.0 == speaks_after(rechecks(error))


@pytest.mark.parametrize("error", sorted({name for name, row in ERROR_CLASSES.items() if row.outcome is Outcome.FAIL} - CLEAR))
def test_other_failures_need_the_longer_time(error: str) -> None:
    """Timeouts, names, resets, bodies that are cut off or unexpected, keys and quotas, and a lone refusal."""
    assert 10.5 == speaks_after(rechecks(error))


def test_failures_of_unknown_classes_need_the_longer_time() -> None:
    """From samples of other versions, and from traces."""
    assert 10.5 == speaks_after(rechecks("gone_class"))


def test_refusal_counts_after_the_shorter_time_while_controls_answer() -> None:
    """So it is no firewall of ours that refuses everything."""
    assert 6.0 == speaks_after(rechecks("connect_refused", CONTROLS_ANSWER))


def test_answering_controls_make_no_other_failure_clear() -> None:
    """A packet lost on one route says little about another."""
    assert 10.5 == speaks_after(rechecks("reset", CONTROLS_ANSWER))


@pytest.mark.parametrize("odd", [0, 2, 4])
def test_mixed_failures_need_the_longer_time(odd: int) -> None:
    """One timeout among the server errors, wherever it comes: our uplink may be part of the cause."""
    looks = rechecks("http_5xx")
    looks[odd] = look(QUICK_S * odd, "connect_timeout")

    assert 10.5 == speaks_after(looks)


def test_timeout_of_an_earlier_doubt_does_not_count() -> None:
    """Only failures of the present doubt do, although the window still contains its round."""
    answered = [look(begins + QUICK_S * n) for begins in (-95, -70) for n in range(6)]
    before = [look(-120, "connect_timeout"), look(-110), *answered]

    assert 6.0 == speaks_after([*before, *rechecks("http_5xx")])


def test_window_uses_the_shorter_time_too() -> None:
    """If rounds are close together, three failed ones of five need no more time than the score."""
    by_window, every = replace(RULE, threshold=100.0), timedelta(seconds=2)
    clear, doubtful = ([look(2 * n, error) for n in range(6)] for error in ("http_5xx", "reset"))

    assert [6.0, 10.0] == [speaks_after(looks, by_window, every) for looks in (clear, doubtful)]


@pytest.mark.parametrize("odd", [0, 1, 2])
def test_timeout_makes_the_window_use_the_longer_time(odd: int) -> None:
    """Wherever it is among the failed rounds."""
    by_window, every = replace(RULE, threshold=100.0), timedelta(seconds=2)
    looks = [look(2 * n, "connect_timeout" if n == odd else "http_5xx") for n in range(6)]

    assert 10.0 == speaks_after(looks, by_window, every)


def test_equal_times_disable_the_shorter_one() -> None:
    """Then the rule is as before."""
    assert 10.5 == speaks_after(rechecks("http_5xx"), replace(RULE, at_least_clear=RULE.at_least))


def test_shorter_general_time_applies_to_clear_failures_too() -> None:
    """Two seconds for any failure are not six for the clearest."""
    assert 4.5 == speaks_after(rechecks("http_5xx"), replace(RULE, at_least=timedelta(seconds=2)))


LOOKS = st.lists(
    st.tuples(st.sampled_from([0.5, 1.5, 4.0, 30.0]), st.sampled_from(["", "http_5xx", "http_5xx", "connect_timeout"])),
    max_size=40,
)


@given(LOOKS, st.integers(0, 15), st.integers(0, 15))
def test_shorter_time_for_clear_failures_never_delays_detection(looks: list[Look], one: int, other: int) -> None:
    """For any sequence of results."""
    second, seen = 0.0, []
    for gap, error in looks:
        second += gap
        seen.append(look(second, error))
    shorter, longer = (speaks_after(seen, replace(RULE, at_least_clear=timedelta(seconds=s))) for s in sorted((one, other)))

    assert longer is None or (shorter is not None and shorter <= longer)


# --- several checks together


def doubting(*errors: str) -> Track:
    """A check with these results, every two seconds until now."""
    track = NEW
    for n, error in enumerate(errors):
        track = observe(track, look(2.0 * (n + 1 - len(errors)), error), RULE)
    return track


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [("http_5xx", "http_5xx", {"one", "other"}), ("http_5xx", "reset", set()), ("reset", "reset", set())],
)
def test_checks_fail_together_sooner_if_all_failures_are_clear(one: str, other: str, together: set[str]) -> None:
    """Two checks fail in half of their runs, within seven seconds."""
    tracks = {"one": doubting(one, "", "", one), "other": doubting(other, "", "", other)}
    end = START + timedelta(seconds=1)

    assert together == set(pooled(tracks, dict.fromkeys(tracks, RULE), {}, START, end, 1 / 3))


# --- whether a refusal is clear


def control(name: str, error: str = "", outcome: Outcome | None = None) -> Sample:
    return Sample(name, "control", START, outcome or (Outcome.FAIL if error else Outcome.OK), error or None)


@pytest.mark.parametrize(
    ("controls", "clear"),
    [
        ([control("way"), control("way-2")], True),
        ([control("way"), control("way-2"), control("way-3", "connect_timeout")], True),
        ([control("way", "http_5xx")], True),
        ([control("way"), control("names", "dns_timeout")], True),
        ([], False),
        ([control("names")], False),
        ([control("way"), control("way-2", "connect_refused")], False),
        ([control("way", "unreachable")], False),
        ([control("way", outcome=Outcome.INCONCLUSIVE)], False),
        ([control("way", "address_refused")], False),
    ],
    ids=["all", "most", "an error is an answer", "our resolver has no say", "none", "the resolver alone", "half", "dark",
         "inconclusive", "never sent for"],
)  # fmt: skip
def test_refusal_is_clear_while_most_controls_answer(controls: list[Sample], clear: bool) -> None:
    """Independent hosts reached over our uplink; controls of the resolver prove nothing about that."""
    refused = look(0, "connect_refused", {"address": "192.0.2.1"})
    found = with_control_evidence(refused, controls, BlindnessRule(resolvers=frozenset({"names"})))

    assert {"address": "192.0.2.1", **(CONTROLS_ANSWER if clear else {})} == found.evidence


@pytest.mark.parametrize("error", ["connect_timeout", "reset", "dns", "http_5xx"])
def test_only_refusals_record_what_the_controls_did(error: str) -> None:
    """Nothing else depends on it."""
    failed = look(0, error)
    assert failed is with_control_evidence(failed, [control("way")], BlindnessRule())


# --- the table


def test_clear_failures_are_answers_of_the_provider() -> None:
    """Not those that our own network can produce, and not our own mistakes."""
    assert {name for name, row in ERROR_CLASSES.items() if row.reported} == CLEAR
    assert all(row.fault is Fault.THEIRS and row.may_open and not row.network for row in map(ERROR_CLASSES.get, CLEAR) if row)
