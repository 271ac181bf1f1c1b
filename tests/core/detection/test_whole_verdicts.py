"""What a verdict contains besides its level: whose fault, since when, which evidence, in which words."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.core.detection.blindness import Sight
from bot.core.detection.detector import Condition, Judgement
from bot.core.detection.verdict import CheckView, SourceReport, VerdictRule, reach
from bot.core.model import Fault, Level, Outcome, Sample, Verdict
from tests.desk import START

ID = "anthropic.api"
LONG_AGO = START - timedelta(minutes=20)
BLIND = Sight(blind=True, reason="both controls are unreachable", began_at=START - timedelta(minutes=1))
FEED = SourceReport("feed", Level.DEGRADED, "Elevated errors (investigating)", START)
ALERT = SourceReport("alert", Level.DEGRADED, "5xx over 5 % (grafana)", START - timedelta(minutes=3))
REPORT = SourceReport("report", Level.DEGRADED, "ana: it hangs", START - timedelta(minutes=2))


def ago(minutes: float) -> datetime:
    return START - timedelta(minutes=minutes)


def fails(error: str = "http_5xx", fault: Fault = Fault.THEIRS, *, since: datetime | None = LONG_AGO) -> Judgement:
    last = Sample(f"{ID}.front", ID, START, Outcome.FAIL, error, fault, error, evidence={"request_id": "req_7"})
    return Judgement(Condition.FAILING, f"3 of 3 checks: {error}", fault, since, last)


def refused(*, since: datetime | None = LONG_AGO) -> Judgement:
    return fails("auth", Fault.OURS_KEY, since=since)


def well(reason: str = "fine", *, since: datetime | None = LONG_AGO) -> Judgement:
    return Judgement(Condition.WELL, reason, began_at=since)


def verdict(*checks: Judgement | Sequence[Judgement], **more: object) -> Verdict:
    """The verdict on checks seen by one vantage or several."""
    seen = [(one,) if isinstance(one, Judgement) else one for one in checks]
    views = [CheckView(dict(zip(("local", "fra", "iad", "gru"), judgements, strict=False))) for judgements in seen]
    return reach(ID, {f"check-{n}": view for n, view in enumerate(views, 1)}, now=START, **more)  # type: ignore[arg-type]


# --- what fails


def test_outage_begins_with_the_first_failing_check() -> None:
    """The incident's clock starts there."""
    assert ago(20) == verdict(fails(since=ago(5)), fails(since=ago(20))).began_at


def test_outage_may_have_no_known_start() -> None:
    """As after a restart with a ledger that does not say; the caller uses the present."""
    assert verdict(fails(since=None)).began_at is None


def test_check_that_shows_the_vendors_fault_decides() -> None:
    """Another check cannot tell."""
    assert Fault.THEIRS == verdict(fails("auth_sudden", Fault.UNCLEAR), fails()).fault


def test_alert_and_person_settle_an_unclear_fault() -> None:
    """Two independent kinds of report, although the vendor's page says nothing."""
    unclear = fails("auth_sudden", Fault.UNCLEAR)

    assert Fault.THEIRS == verdict(unclear, heard=(ALERT, REPORT)).fault


def test_reports_follow_our_own_results() -> None:
    """Each with its source, so that nobody mistakes a person's report for the vendor's."""
    said = verdict(fails(), heard=(FEED, ALERT, REPORT)).reason

    assert said == (
        "check-1: 3 of 3 checks: http_5xx; also an alert: 5xx over 5 % (grafana); people: ana: it hangs; "
        "the vendor's page: Elevated errors (investigating)"
    )


def test_degraded_component_is_shown_with_reports() -> None:
    """One of two checks fails, and the vendor's page agrees."""
    assert verdict(fails(), well(), heard=(FEED,)) == Verdict(
        ID, Level.DEGRADED,
        "check-1: 3 of 3 checks: http_5xx; also the vendor's page: Elevated errors (investigating)",
        Fault.THEIRS, ("check-1: request id req_7",), ago(20),
    )  # fmt: skip


def test_failure_below_the_quorum_counts_with_two_reports() -> None:
    """An alert and a person confirm it, and both are named."""
    assert verdict([well(), fails(), well()], heard=(ALERT, REPORT)) == Verdict(
        ID, Level.DEGRADED,
        "check-1 (fra, 1 of 3 vantages): 3 of 3 checks: http_5xx; "
        "also an alert: 5xx over 5 % (grafana); people: ana: it hangs",
        Fault.THEIRS, ("check-1: request id req_7",), ago(20),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("seen_by", "of", "quorum", "level"),
    [
        (1, 2, "majority", Level.OPERATIONAL), (2, 4, "majority", Level.OPERATIONAL), (3, 4, "majority", Level.DOWN),
        (1, 3, 1, Level.DOWN), (2, 3, 3, Level.OPERATIONAL), (1, 3, 0, Level.DOWN),
    ],
)  # fmt: skip
def test_quorum_is_more_than_half_or_the_configured_number(seen_by: int, of: int, quorum: str | int, level: Level) -> None:
    """Half of the vantages is no majority; at least one must see the failure."""
    check = [fails()] * seen_by + [well()] * (of - seen_by)

    assert level == verdict(check, rule=VerdictRule(quorum=quorum)).level


def test_vantage_with_a_refused_key_does_not_count() -> None:
    """It fails from Frankfurt and not from here; a third refused key makes no majority."""
    assert Level.OPERATIONAL == verdict([well(), fails(), refused()]).level


def test_check_seen_only_by_a_peer_keeps_its_weight() -> None:
    """While we are blind."""
    heavy = CheckView({"local": fails("deadline"), "fra": fails("deadline")}, weight=4)
    checks = {"inference": heavy, "models": CheckView({"local": well()})}

    assert Level.DOWN == reach(ID, checks, sight=BLIND, now=START).level


# --- our own fault


def test_refused_keys_are_shown_with_start_and_evidence() -> None:
    """Since the first refusal, with both request ids, and no mention of the vendor."""
    assert verdict(refused(since=ago(5)), refused(since=ago(20)), heard=(FEED,)) == Verdict(
        ID, Level.UNKNOWN,
        "check-1: 3 of 3 checks: auth; check-2: 3 of 3 checks: auth; "
        "heard, but not seen by our checks: the vendor's page: Elevated errors (investigating)",
        Fault.OURS_KEY, ("check-1: request id req_7", "check-2: request id req_7"), ago(20),
    )  # fmt: skip


def test_refused_key_may_have_no_known_start() -> None:
    """As after a restart with a ledger that does not say."""
    assert verdict(refused(since=None)).began_at is None


def test_refused_key_is_no_advisory() -> None:
    """An advisory is about a part of the vendor; the key is reported as ours."""
    assert "" == verdict(refused(), well()).advisory


def test_refused_key_hides_no_advisory() -> None:
    """One model of five fails for long, and another check's key is refused: both are reported."""
    found = verdict(refused(), fails(), well(), well(), well())

    assert "check-2 fails since 11:40 UTC (1 of 5 checks)" == found.advisory


# --- what nobody can tell


@pytest.mark.parametrize(
    ("off", "reason"),
    [((), "no check is configured"), (("models", "batch"), "no check is on (models, batch: no credential)")],
)
def test_component_without_checks_says_what_is_missing(off: tuple[str, ...], reason: str) -> None:
    """A check, or the credential of the existing ones."""
    assert verdict(off=off) == Verdict(ID, Level.UNKNOWN, reason)


def test_checks_without_a_result_are_named() -> None:
    """So that people know what is awaited."""
    silent = Judgement(Condition.UNKNOWN, "no result yet")

    assert "check-1, check-3: no result yet" == verdict(silent, well(), silent).reason


def test_check_without_a_result_hides_no_advisory() -> None:
    """One model of five fails for long while a new check has not run yet."""
    silent = Judgement(Condition.UNKNOWN, "no result yet")

    assert "check-2 fails since 11:40 UTC (1 of 5 checks)" == verdict(silent, fails(), well(), well(), well()).advisory


def test_two_reports_give_start_and_fault_if_no_check_sees_anything() -> None:
    """The page is the vendor's own report; the earlier of both is the start."""
    assert verdict(heard=(FEED, ALERT)) == Verdict(
        ID, Level.DEGRADED,
        "no check of ours sees it, but an alert: 5xx over 5 % (grafana); the vendor's page: Elevated errors (investigating)",
        Fault.THEIRS, (), ago(3),
    )  # fmt: skip


def test_fault_is_unclear_if_the_vendor_says_nothing() -> None:
    """An alert and a person may both be wrong about it."""
    assert Fault.UNCLEAR == verdict(heard=(ALERT, REPORT)).fault


def test_blindness_is_our_fault_since_its_start() -> None:
    """The verdict contains nothing measured meanwhile."""
    assert verdict(fails("connect_timeout"), sight=BLIND) == Verdict(
        ID, Level.UNKNOWN, "we are blind: both controls are unreachable", Fault.LOCAL, (), ago(1), by_network=True
    )


def test_checks_that_have_not_run_since_blindness_are_named() -> None:
    """Two of three still wait."""
    over = replace(BLIND, blind=False, ended_at=START)

    assert verdict(fails("deadline"), well(), fails("deadline"), sight=over) == Verdict(
        ID, Level.UNKNOWN, "we were blind (both controls are unreachable); not judged anew since: check-1, check-3",
        Fault.LOCAL, (), ago(1), by_network=True,
    )  # fmt: skip


# --- what is well


def test_component_is_well_since_its_last_check_recovered() -> None:
    """Without evidence, and nobody's fault."""
    assert verdict(well(since=ago(20)), well(since=ago(5))) == Verdict(
        ID, Level.OPERATIONAL, "check-1, check-2: fine", Fault.NONE, (), ago(5)
    )


def test_healthy_component_may_have_no_known_start() -> None:
    """As for checks whose results were carried over."""
    assert verdict(well(since=None)).began_at is None


def test_equal_latencies_are_not_grouped() -> None:
    """Each check describes its own answer; only sentences without one are grouped."""
    answer = Sample(f"{ID}.front", ID, START, Outcome.OK)
    told = replace(well("answered in 120 ms"), last=answer)

    assert "check-1: answered in 120 ms; check-2: answered in 120 ms; check-3, check-4: fine" == (
        verdict(told, told, well(), well()).reason
    )


def test_failing_checks_are_not_grouped() -> None:
    """Two that are slow in the same words are two, each with its name."""
    slow = Judgement(Condition.SLOW, "3 of 3 checks were slow", Fault.THEIRS, ago(20))

    assert "check-1: 3 of 3 checks were slow; check-2: 3 of 3 checks were slow" == verdict(slow, slow).reason


@pytest.mark.parametrize(("failing", "rest"), [(5, ""), (6, "; and 1 more check"), (7, "; and 2 more checks")])
def test_reason_names_five_checks_and_counts_the_rest(failing: int, rest: str) -> None:
    """It must be readable on a phone."""
    said = verdict(*(fails(f"error-{n}") for n in range(failing))).reason

    assert said.endswith(f"check-5: 3 of 3 checks: error-4{rest}")


# --- a small part


def test_advisory_begins_exactly_after_its_minimum() -> None:
    """Ten minutes are ten minutes, not one run more."""
    assert "check-1 fails since 11:50 UTC (1 of 4 checks)" == verdict(fails(since=ago(10)), well(), well(), well()).advisory


def test_advisory_distinguishes_slow_from_failing() -> None:
    """Slow must not read like an outage."""
    slow = Judgement(Condition.SLOW, "3 of 3 checks were slow", Fault.THEIRS, ago(20))

    assert "check-1 is slow since 11:40 UTC (1 of 4 checks)" == verdict(slow, well(), well(), well()).advisory


def test_short_slowness_of_a_small_part_is_not_reported() -> None:
    """It must last like a failure."""
    slow = Judgement(Condition.SLOW, "3 of 3 checks were slow", Fault.THEIRS, ago(5))

    assert "" == verdict(slow, well(), well(), well()).advisory


def test_advisory_names_all_vantages_that_see_it() -> None:
    """Two of four: below the quorum, but worth knowing where."""
    seen = [well(), fails(), fails(), well()]

    assert "check-1 fails seen from fra, iad since 11:40 UTC" == verdict(seen).advisory


def test_two_small_parts_share_one_advisory() -> None:
    """Each in a sentence of its own, with how many of how many."""
    found = verdict(fails(), fails(since=ago(15)), *[well()] * 5)

    assert "check-1 fails since 11:40 UTC; check-2 fails since 11:45 UTC (2 of 7 checks)" == found.advisory


def warns(reason: str = "5 days left") -> Judgement:
    sign = Sample(f"{ID}.tls", ID, START, Outcome.SLOW, "tls_expiring", Fault.THEIRS, reason)
    return Judgement(Condition.SLOW, f"3 of 3 checks: {reason}", Fault.THEIRS, START, sign)


def test_warning_names_all_vantages_that_see_it() -> None:
    """A certificate that ends soon at two of three places is one warning."""
    assert "check-1: the certificate expires soon, seen from fra, iad" == verdict([well(), warns(), warns()]).advisory


@pytest.mark.parametrize("condition", [Condition.FAILING, Condition.SLOW])
def test_warning_is_reported_although_the_check_fails_elsewhere(condition: Condition) -> None:
    """A short failure at two vantages is not reported yet, but waiting does not end the warning."""
    short = replace(fails(since=ago(5)), condition=condition)

    assert "check-1: the certificate expires soon, seen from iad (1 of 4 checks)" == (
        verdict([short, short, warns()], well(), well(), well()).advisory
    )


def test_warning_without_a_reason_uses_that_of_its_class() -> None:
    """Samples from elsewhere may have an error class and no sentence."""
    assert "check-1: the certificate expires soon" == verdict(warns("")).reason
