"""How many checks, vantages and reports are combined into one level, one fault and a reason that people can verify."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.detection.detector import Condition, Judgement
from bot.core.detection.verdict import CheckView, SourceReport, VerdictRule, reach
from bot.core.model import Fault, Level, Outcome, Sample, Verdict
from bot.core.record.component import ComponentState
from bot.core.record.sight import Sight
from tests.desk import START

ID = "anthropic.api"
LONG_AGO = START - timedelta(minutes=20)
BLIND = Sight(blind=True, reason="both controls are unreachable", began_at=START)
FEED = SourceReport("feed", Level.DEGRADED, "Elevated errors (investigating)", START)
ALERT = SourceReport("alert", Level.DEGRADED, "5xx over 5 % (grafana)", START)
REPORT = SourceReport("report", Level.DEGRADED, "ana: it hangs", START)


def sign(error: str, *, minutes: float = 0) -> Sample:
    at = START + timedelta(minutes=minutes)
    return Sample(f"{ID}.front", ID, at, Outcome.FAIL, error, Fault.THEIRS, error, evidence={"status": "502"})


def well() -> Judgement:
    return Judgement(Condition.WELL, "5 of 5 checks passed", began_at=LONG_AGO)


def fails(error: str = "http_5xx", fault: Fault = Fault.THEIRS, *, since: timedelta = timedelta(minutes=20)) -> Judgement:
    return Judgement(Condition.FAILING, f"3 of 5 checks failed: {error}", fault, START - since, sign(error))


def slow() -> Judgement:
    return Judgement(Condition.SLOW, "5 of 5 checks were slow", Fault.THEIRS, LONG_AGO)


def one(*judgements: Judgement, weight: float = 1.0) -> CheckView:
    """A check as one or several vantages see it."""
    labels = ("local", "fra", "iad", "gru")
    return CheckView(dict(zip(labels, judgements, strict=False)), weight)


def verdict(*views: CheckView, **more: object) -> Verdict:
    checks = {f"check-{n}": view for n, view in enumerate(views, 1)}
    return reach(ID, checks, now=START, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("failing", "level"),
    [
        (0, Level.OPERATIONAL), (1, Level.OPERATIONAL), (2, Level.DEGRADED), (3, Level.DEGRADED), (4, Level.DOWN),
        (6, Level.DOWN),
    ],
)  # fmt: skip
def test_level_follows_the_share_of_failing_checks(failing: int, level: Level) -> None:
    """Of six: two thirds are down, one third is degraded, less does not count for the whole."""
    views = [one(fails()) for _ in range(failing)] + [one(well()) for _ in range(6 - failing)]

    assert level == verdict(*views).level


def test_heavy_check_outvotes_light_ones() -> None:
    """Inference counts four times as much as the list of models."""
    assert Level.DOWN == verdict(one(fails(), weight=4), one(well()), one(well())).level
    assert Level.OPERATIONAL == verdict(one(well(), weight=4), one(fails())).level


def test_slow_checks_degrade_at_most() -> None:
    """Even if all are slow."""
    assert Level.DEGRADED == verdict(one(slow()), one(slow())).level


def test_our_own_faults_are_unknown_and_never_down() -> None:
    """A refused key says nothing about the vendor; the other checks still count."""
    alone = verdict(one(fails("auth", Fault.OURS_KEY)))
    beside = verdict(one(fails("auth", Fault.OURS_KEY)), one(fails()))

    assert Level.UNKNOWN == alone.level
    assert Fault.OURS_KEY == alone.fault
    assert Level.DOWN == beside.level
    assert Fault.THEIRS == beside.fault


# --- vantages


@pytest.mark.parametrize(
    ("quorum", "seen_by", "level"),
    [
        ("majority", 1, Level.OPERATIONAL), ("majority", 2, Level.DOWN), ("any", 1, Level.DOWN), ("all", 2, Level.OPERATIONAL),
        ("all", 3, Level.DOWN), (2, 1, Level.OPERATIONAL), (2, 2, Level.DOWN), (9, 3, Level.DOWN),
    ],
)  # fmt: skip
def test_check_fails_if_a_quorum_of_vantages_sees_it(quorum: str | int, seen_by: int, level: Level) -> None:
    """Of three; a number beyond them means all."""
    view = one(*[fails()] * seen_by, *[well()] * (3 - seen_by))

    assert level == verdict(view, rule=VerdictRule(quorum=quorum)).level


def test_vantage_without_a_result_has_no_vote() -> None:
    """One has a refused key, one has no result: the third decides."""
    silent = Judgement(Condition.UNKNOWN, "no result yet")

    assert Level.DOWN == verdict(one(fails(), fails("auth", Fault.OURS_KEY), silent)).level


def test_reason_names_vantages_if_there_are_several() -> None:
    """Where it fails decides half of what to do."""
    assert "check-1 (local, fra, 2 of 3 vantages): 3 of 5 checks" in verdict(one(fails(), fails(), well())).reason


# --- small parts


def test_small_part_that_fails_for_long_is_an_advisory() -> None:
    """One model of four: too little for a worse verdict, but reported."""
    found = verdict(one(fails()), one(well()), one(well()), one(well()))

    assert Level.OPERATIONAL == found.level
    assert "check-1 fails since 11:40 UTC (1 of 4 checks)" == found.advisory
    assert ("check-1: status 502",) == found.evidence


def test_short_failure_of_a_small_part_is_not_reported() -> None:
    """It must last ten minutes unless configured otherwise."""
    found = verdict(one(fails(since=timedelta(minutes=9))), one(well()), one(well()), one(well()))

    assert "" == found.advisory


def test_failure_below_the_quorum_is_an_advisory() -> None:
    """It fails from Frankfurt only."""
    assert "check-1 fails seen from fra since 11:40 UTC" == verdict(one(well(), fails(), well())).advisory


def test_wording_of_an_advisory_is_stable() -> None:
    """Counts and errors change with every run, and each change would be a message."""
    other = Judgement(Condition.FAILING, "9 of 12 checks failed", Fault.THEIRS, LONG_AGO, sign("deadline"))
    rest = (one(well()), one(well()), one(well()))

    assert verdict(one(fails()), *rest).advisory == verdict(one(other), *rest).advisory


def ends_soon(condition: Condition = Condition.SLOW, *, days: int = 5) -> Judgement:
    """A tls check whose certificate ends soon; at the start of the bot it has no condition yet."""
    what = f"the certificate expires soon: {days} days left"
    slow = Sample(f"{ID}.tls", ID, START, Outcome.SLOW, "tls_expiring", Fault.THEIRS, what, evidence={"expires_at": "soon"})
    return Judgement(condition, f"3 of 3 checks were slow or failed: {what}", Fault.THEIRS, START, slow)


@pytest.mark.parametrize("condition", [Condition.SLOW, Condition.UNKNOWN])
def test_certificate_that_ends_soon_is_an_advisory_at_once(condition: Condition) -> None:
    """It works today: the verdict stays, there is no wait, and reason and evidence say until when."""
    found = verdict(one(ends_soon(condition)), one(well()))

    assert Level.OPERATIONAL == found.level
    assert "check-1: the certificate expires soon (1 of 2 checks)" == found.advisory
    assert found.reason.startswith("check-1: the certificate expires soon: 5 days left; check-2: 5 of 5 checks passed")
    assert ("check-1: expires at soon",) == found.evidence


def test_warning_is_reported_once() -> None:
    """Neither the remaining days nor the number of runs makes a new message."""
    assert verdict(one(ends_soon(days=5))).advisory == verdict(one(ends_soon(days=4))).advisory
    assert "check-1: the certificate expires soon" == verdict(one(ends_soon())).advisory


def test_warning_hides_no_failure() -> None:
    """Beside a failing check it counts as healthy, and it excuses no failing vantage."""
    assert Level.DEGRADED == verdict(one(ends_soon()), one(fails())).level
    assert Level.DOWN == verdict(one(fails(), ends_soon(), fails())).level
    assert "check-1: the certificate expires soon, seen from local" == verdict(one(ends_soon(), well())).advisory


def test_slowness_is_no_warning() -> None:
    """Only errors that never open an incident are."""
    late = Judgement(Condition.SLOW, "slow", Fault.THEIRS, START, Sample(ID, ID, START, Outcome.SLOW, None, Fault.THEIRS))

    assert Level.DEGRADED == verdict(one(late)).level


# --- reasons


def test_failures_come_first_and_healthy_checks_are_grouped() -> None:
    """At night nobody reads twenty times that a check passed."""
    found = verdict(*[one(well())] * 4, one(fails()))

    well_too = "check-1, check-2, check-3, check-4: 5 of 5 checks passed"
    assert f"check-5: 3 of 5 checks failed: http_5xx; {well_too}" == found.reason


def test_failures_beyond_five_are_counted() -> None:
    """The reason stays readable; the evidence has them all."""
    found = verdict(*(one(fails(f"error-{n}")) for n in range(12)))

    assert found.reason.endswith("check-5: 3 of 5 checks failed: error-4; and 7 more checks")
    assert 12 == len(found.evidence)


# --- what others say


@pytest.mark.parametrize("heard", [(FEED,), (ALERT,), (REPORT,), (FEED, FEED), (REPORT, REPORT, REPORT), (FEED, ALERT, REPORT)])
def test_reports_alone_never_degrade_a_healthy_component(heard: tuple[SourceReport, ...]) -> None:
    """A status page corroborates but never detects; the reason quotes it."""
    found = verdict(one(well()), heard=heard)

    assert Level.OPERATIONAL == found.level
    assert "not seen by our checks" in found.reason


@pytest.mark.parametrize(
    ("heard", "level"),
    [
        ((FEED,), Level.UNKNOWN), ((FEED, ALERT), Level.DEGRADED), ((ALERT, REPORT), Level.DEGRADED),
        ((REPORT, REPORT), Level.UNKNOWN),
    ],
)  # fmt: skip
def test_two_kinds_of_reports_count_if_no_check_has_a_result(heard: tuple[SourceReport, ...], level: Level) -> None:
    """Degraded at most, and it says that no check of ours sees it."""
    found = verdict(off=("models",), heard=heard)

    assert level == found.level
    assert level is not Level.DEGRADED or found.reason.startswith("no check of ours sees it")


def test_two_kinds_of_reports_confirm_a_small_failure() -> None:
    """One check of six fails, and the page and an alert agree."""
    views = (one(fails()), *[one(well())] * 5)

    assert [Level.OPERATIONAL, Level.DEGRADED] == [verdict(*views, heard=h).level for h in ((FEED,), (FEED, ALERT))]


def test_vendors_own_report_settles_an_unclear_fault() -> None:
    """A key that worked is suddenly refused while the page reports trouble."""
    odd = one(fails("auth_sudden", Fault.UNCLEAR))

    assert [Fault.UNCLEAR, Fault.UNCLEAR, Fault.THEIRS] == [verdict(odd, heard=h).fault for h in ((), (REPORT,), (FEED,))]


def test_positive_report_counts_for_nothing() -> None:
    """A green page neither improves the verdict nor appears in the reason."""
    green = SourceReport("feed", Level.OPERATIONAL, "all systems operational", START)
    found = verdict(one(fails()), heard=(green,))

    assert Level.DOWN == found.level
    assert "operational" not in found.reason


# --- blindness


def test_unreachable_component_is_unknown_while_blind() -> None:
    """Our fault, with the reason; any answer, even an error, keeps its verdict."""
    dark = verdict(one(fails("connect_timeout")), sight=BLIND)
    answers = verdict(one(fails("http_5xx")), sight=BLIND)

    assert Level.UNKNOWN == dark.level
    assert Fault.LOCAL == dark.fault
    assert "we are blind: both controls are unreachable" == dark.reason
    assert Level.DOWN == answers.level


def test_internal_failure_counts_once_a_neighbour_answered() -> None:
    """While the internet is unreachable, and right after."""
    inner = replace(fails("connect_refused"), last=replace(sign("connect_refused"), inside=True))
    cut, known = BLIND, replace(BLIND, inside_well=True)
    over = replace(known, blind=False, ended_at=START)

    assert [Level.UNKNOWN, Level.DOWN, Level.DOWN] == [verdict(one(inner), sight=sight).level for sight in (cut, known, over)]


def test_healthy_component_is_unknown_while_its_results_do_not_count() -> None:
    """The last result is older; once we see again it counts until a new one."""
    seen = [verdict(one(well()), sight=sight, unseen=("check-1",)).level for sight in (BLIND, Sight(ended_at=START))]

    assert [Level.UNKNOWN, Level.OPERATIONAL] == seen


def test_another_vantage_counts_while_we_are_blind() -> None:
    """A peer elsewhere has its own uplink."""
    assert Level.DOWN == verdict(one(fails("deadline"), fails("deadline")), sight=BLIND).level
    assert Level.OPERATIONAL == verdict(one(fails("deadline"), well()), sight=BLIND).level


def test_failure_from_blindness_counts_only_after_a_new_run() -> None:
    """Blindness ends at noon; the last failure is older, then one is newer."""
    seen = Sight(reason="both controls are unreachable", began_at=LONG_AGO, ended_at=START + timedelta(seconds=1))
    before = Judgement(Condition.FAILING, "no failure in the last check", Fault.THEIRS, LONG_AGO, sign("deadline"))
    after = Judgement(Condition.FAILING, "4 of 5", Fault.THEIRS, LONG_AGO, sign("deadline", minutes=1))

    assert [Level.UNKNOWN, Level.DOWN] == [verdict(one(j), sight=seen).level for j in (before, after)]


def test_bad_verdict_says_if_our_network_may_be_the_cause() -> None:
    """Then the controls are checked before anybody is alerted."""
    assert [True, False, False] == [
        verdict(*views).by_network
        for views in ((one(fails("deadline")),), (one(fails("http_5xx")),), (one(fails("deadline")), one(fails("http_5xx"))))
    ]


def test_blindness_does_not_end_an_outage() -> None:
    """A component that is down stays down; a healthy one becomes unknown once."""
    dark = verdict(one(fails("deadline")), sight=BLIND)
    down = ComponentState(ID, Level.DOWN, fault=Fault.THEIRS)
    fine = ComponentState(ID, Level.OPERATIONAL, advisory="one model fails")
    lost = ComponentState(ID, Level.UNKNOWN, fault=Fault.LOCAL, advisory="one model fails")

    assert [True, False, True] == [state.agrees(dark) for state in (down, fine, lost)]


# --- nobody can tell


def test_component_without_any_result_is_unknown() -> None:
    """As at the start."""
    assert "check-2: no result yet" == verdict(one(well()), CheckView({})).reason


# --- the way back


def test_last_recovering_check_is_no_advisory() -> None:
    """After a long outage one check is always the last to recover."""
    coming = replace(fails(), recovering=True)
    rest = (one(well()), one(well()), one(well()))

    assert "" == verdict(one(coming), *rest).advisory
    assert "" != verdict(one(fails()), *rest).advisory


def test_advisory_stays_while_its_check_recovers() -> None:
    """One good result ends nothing, or it would come and go."""
    coming = replace(fails(), recovering=True)

    stands = verdict(
        one(coming), one(well()), one(well()), one(well()), advised="check-1 fails since 11:40 UTC (1 of 4 checks)"
    )

    assert "check-1 fails since 11:40 UTC (1 of 4 checks)" == stands.advisory
