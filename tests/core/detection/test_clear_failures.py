"""What a failure is decides how long it must last: what is clearly the provider's counts sooner than what may be a hiccup."""

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
    """A look that took no time; it failed where there is an error."""
    outcome, fault = (Outcome.FAIL, Fault.THEIRS) if error else (Outcome.OK, Fault.NONE)
    at = START + timedelta(seconds=second)
    return Sample("a.b.c", "a.b", at, outcome, error or None, fault, evidence=evidence or {})


def speaks_after(looks: Sequence[Sample], rule: Rule = RULE, every: timedelta = EVERY) -> float | None:
    """The second of the look, of these after five good ones, at which it counts as a failure; None where none is that one."""
    track = NEW
    for n in range(5, 0, -1) if looks else ():
        track = observe(track, replace(look(0), at=looks[0].at - every * n), rule, every=every)
    for sample in looks:
        track = observe(track, sample, rule, every=every)
        if track.failing.stands:
            return (sample.at - START).total_seconds()
    return None


def rechecks(error: str, evidence: dict[str, str] | None = None, *, looks: int = 12) -> list[Sample]:
    """A failed look and quick ones after it that fail alike."""
    return [look(QUICK_S * n, error, evidence) for n in range(looks)]


@pytest.mark.parametrize("error", sorted(CLEAR))
def test_what_the_provider_says_of_itself_counts_after_six_seconds(error: str) -> None:
    """No hiccup of our way out answers with an error of theirs."""
    assert 6.0 == speaks_after(rechecks(error))


@pytest.mark.parametrize("error", sorted({name for name, row in ERROR_CLASSES.items() if row.outcome is Outcome.FAIL} - CLEAR))
def test_every_other_failure_waits_the_longer_time(error: str) -> None:
    """Timeouts, names, resets, a body that is cut off or not as expected, keys and quotas, and a refusal by itself."""
    assert 10.5 == speaks_after(rechecks(error))


def test_failures_of_no_known_class_wait_the_longer_time() -> None:
    """Samples of other versions and of traces."""
    assert 10.5 == speaks_after(rechecks("gone_class"))


def test_a_refusal_counts_as_soon_while_controls_answer() -> None:
    """Then it is no firewall of ours that refuses everything."""
    assert 6.0 == speaks_after(rechecks("connect_refused", CONTROLS_ANSWER))


def test_no_other_failure_is_made_clear_by_controls_that_answer() -> None:
    """A packet that is lost on one way says little of another way."""
    assert 10.5 == speaks_after(rechecks("reset", CONTROLS_ANSWER))


@pytest.mark.parametrize("odd", [0, 2, 4])
def test_a_mixed_doubt_waits_the_longer_time(odd: int) -> None:
    """One timeout among the server errors, wherever it comes: our way out may have a part in it."""
    looks = rechecks("http_5xx")
    looks[odd] = look(QUICK_S * odd, "connect_timeout")

    assert 10.5 == speaks_after(looks)


def test_a_timeout_of_a_doubt_that_is_over_makes_no_mixed_one() -> None:
    """Only failures of the present doubt count, though its round is in the window still."""
    answered = [look(begins + QUICK_S * n) for begins in (-95, -70) for n in range(6)]
    before = [look(-120, "connect_timeout"), look(-110), *answered]

    assert 6.0 == speaks_after([*before, *rechecks("http_5xx")])


def test_the_window_speaks_as_soon() -> None:
    """Where rounds are close together, three of five failed ones need no more time than the score."""
    by_window, every = replace(RULE, threshold=100.0), timedelta(seconds=2)
    clear, doubtful = ([look(2 * n, error) for n in range(6)] for error in ("http_5xx", "reset"))

    assert [6.0, 10.0] == [speaks_after(looks, by_window, every) for looks in (clear, doubtful)]


@pytest.mark.parametrize("odd", [0, 1, 2])
def test_a_timeout_makes_the_window_wait_the_longer_time(odd: int) -> None:
    """Wherever it comes among the failed rounds, not only as the newest."""
    by_window, every = replace(RULE, threshold=100.0), timedelta(seconds=2)
    looks = [look(2 * n, "connect_timeout" if n == odd else "http_5xx") for n in range(6)]

    assert 10.0 == speaks_after(looks, by_window, every)


def test_who_trusts_no_failure_sooner_says_so() -> None:
    """Both spans alike are the rule as it was."""
    assert 10.5 == speaks_after(rechecks("http_5xx"), replace(RULE, at_least_clear=RULE.at_least))


def test_a_shorter_least_time_holds_for_clear_failures_too() -> None:
    """Who wants two seconds for any failure does not wait six for the clearest."""
    assert 4.5 == speaks_after(rechecks("http_5xx"), replace(RULE, at_least=timedelta(seconds=2)))


LOOKS = st.lists(
    st.tuples(st.sampled_from([0.5, 1.5, 4.0, 30.0]), st.sampled_from(["", "http_5xx", "http_5xx", "connect_timeout"])),
    max_size=40,
)


@given(LOOKS, st.integers(0, 15), st.integers(0, 15))
def test_a_shorter_time_for_clear_failures_never_makes_it_slower(looks: list[Look], one: int, other: int) -> None:
    """Whatever comes in whatever order."""
    second, seen = 0.0, []
    for gap, error in looks:
        second += gap
        seen.append(look(second, error))
    shorter, longer = (speaks_after(seen, replace(RULE, at_least_clear=timedelta(seconds=s))) for s in sorted((one, other)))

    assert longer is None or (shorter is not None and shorter <= longer)


# --- several checks together


def doubting(*errors: str) -> Track:
    """A check whose looks, every two seconds until now, came to this."""
    track = NEW
    for n, error in enumerate(errors):
        track = observe(track, look(2.0 * (n + 1 - len(errors)), error), RULE)
    return track


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [("http_5xx", "http_5xx", {"one", "other"}), ("http_5xx", "reset", set()), ("reset", "reset", set())],
)
def test_checks_speak_together_sooner_where_all_their_failures_are_clear(one: str, other: str, together: set[str]) -> None:
    """Within seven seconds two checks fail half of their looks."""
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
def test_a_refusal_is_clear_while_most_controls_answer(controls: list[Sample], clear: bool) -> None:
    """Independent hosts, reached over our way out; what our resolver does proves nothing of that."""
    refused = look(0, "connect_refused", {"address": "192.0.2.1"})
    found = with_control_evidence(refused, controls, BlindnessRule(resolvers=frozenset({"names"})))

    assert {"address": "192.0.2.1", **(CONTROLS_ANSWER if clear else {})} == found.evidence


@pytest.mark.parametrize("error", ["connect_timeout", "reset", "dns", "http_5xx"])
def test_only_a_refusal_tells_what_controls_did(error: str) -> None:
    """Nothing hangs on it elsewhere."""
    failed = look(0, error)
    assert failed is with_control_evidence(failed, [control("way")], BlindnessRule())


# --- the table


def test_what_is_clear_is_an_answer_and_theirs() -> None:
    """An answer that our own network can give is none of their front, and our own fault is not theirs."""
    assert {name for name, row in ERROR_CLASSES.items() if row.reported} == CLEAR
    assert all(row.fault is Fault.THEIRS and row.may_open and not row.network for row in map(ERROR_CLASSES.get, CLEAR) if row)
