"""What many checks, vantages and voices come to: one level, one fault, and a reason that people can check."""

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
    """A check as one vantage sees it, or as several do."""
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
def test_level_follows_the_share_of_checks_that_fail(failing: int, level: Level) -> None:
    """Of six checks: two thirds are down, a third is degraded, less is not said of the whole."""
    views = [one(fails()) for _ in range(failing)] + [one(well()) for _ in range(6 - failing)]

    assert level == verdict(*views).level


def test_a_heavy_check_decides_over_light_ones() -> None:
    """Inference counts four times what a list of models counts."""
    assert Level.DOWN == verdict(one(fails(), weight=4), one(well()), one(well())).level
    assert Level.OPERATIONAL == verdict(one(well(), weight=4), one(fails())).level


def test_a_slow_check_degrades_and_never_takes_down() -> None:
    """Every check slow is degraded."""
    assert Level.DEGRADED == verdict(one(slow()), one(slow())).level


def test_our_own_faults_are_unknown_and_never_down() -> None:
    """A refused key says nothing of the vendor; what another check sees still counts."""
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
def test_a_check_fails_when_its_quorum_of_vantages_sees_it(quorum: str | int, seen_by: int, level: Level) -> None:
    """Of three vantages; a number beyond them means all."""
    view = one(*[fails()] * seen_by, *[well()] * (3 - seen_by))

    assert level == verdict(view, rule=VerdictRule(quorum=quorum)).level


def test_a_vantage_that_cannot_speak_has_no_vote() -> None:
    """One says its key is refused, one has no result: the third decides."""
    silent = Judgement(Condition.UNKNOWN, "no result yet")

    assert Level.DOWN == verdict(one(fails(), fails("auth", Fault.OURS_KEY), silent)).level


def test_the_reason_names_the_vantages_where_there_are_several() -> None:
    """Where it fails is half of what to do."""
    assert "check-1 (local, fra, 2 of 3 vantages): 3 of 5 checks" in verdict(one(fails(), fails(), well())).reason


# --- small parts


def test_a_small_part_that_fails_for_long_is_an_advisory() -> None:
    """One model of four: too little for a worse verdict, and not drowned."""
    found = verdict(one(fails()), one(well()), one(well()), one(well()))

    assert Level.OPERATIONAL == found.level
    assert "check-1 fails since 11:40 UTC (1 of 4 checks)" == found.advisory
    assert ("check-1: status 502",) == found.evidence


def test_a_small_part_that_fails_for_a_moment_is_not_told() -> None:
    """It must last: ten minutes unless configured otherwise."""
    found = verdict(one(fails(since=timedelta(minutes=9))), one(well()), one(well()), one(well()))

    assert "" == found.advisory


def test_one_region_below_the_quorum_is_an_advisory() -> None:
    """It fails from Frankfurt only."""
    assert "check-1 fails seen from fra since 11:40 UTC" == verdict(one(well(), fails(), well())).advisory


def test_the_advisorys_words_stay_while_its_matter_stays() -> None:
    """Counts and errors change with every run; a message for each would drown it."""
    other = Judgement(Condition.FAILING, "9 of 12 checks failed", Fault.THEIRS, LONG_AGO, sign("deadline"))
    rest = (one(well()), one(well()), one(well()))

    assert verdict(one(fails()), *rest).advisory == verdict(one(other), *rest).advisory


def ends_soon(condition: Condition = Condition.SLOW, *, days: int = 5) -> Judgement:
    """A tls check whose certificate ends soon; at the start of the bot it has no condition yet."""
    what = f"the certificate expires soon: {days} days left"
    slow = Sample(f"{ID}.tls", ID, START, Outcome.SLOW, "tls_expiring", Fault.THEIRS, what, evidence={"expires_at": "soon"})
    return Judgement(condition, f"3 of 3 checks were slow or failed: {what}", Fault.THEIRS, START, slow)


@pytest.mark.parametrize("condition", [Condition.SLOW, Condition.UNKNOWN])
def test_a_certificate_that_ends_soon_is_an_advisory_at_once(condition: Condition) -> None:
    """It works today: no worse verdict, no ten minutes to wait, and the reason and the evidence say until when."""
    found = verdict(one(ends_soon(condition)), one(well()))

    assert Level.OPERATIONAL == found.level
    assert "check-1: the certificate expires soon (1 of 2 checks)" == found.advisory
    assert found.reason.startswith("check-1: the certificate expires soon: 5 days left; check-2: 5 of 5 checks passed")
    assert ("check-1: expires at soon",) == found.evidence


def test_a_warning_is_said_once_and_not_with_every_run() -> None:
    """Neither the days that are left nor the looks that were counted make a new message."""
    assert verdict(one(ends_soon(days=5))).advisory == verdict(one(ends_soon(days=4))).advisory
    assert "check-1: the certificate expires soon" == verdict(one(ends_soon())).advisory


def test_a_warning_hides_no_failure() -> None:
    """Beside a check that fails it counts as one that is well; where a vantage fails, it is no excuse."""
    assert Level.DEGRADED == verdict(one(ends_soon()), one(fails())).level
    assert Level.DOWN == verdict(one(fails(), ends_soon(), fails())).level
    assert "check-1: the certificate expires soon, seen from local" == verdict(one(ends_soon(), well())).advisory


def test_what_is_slow_by_its_time_is_no_warning() -> None:
    """Only what opens nothing is warned of."""
    late = Judgement(Condition.SLOW, "slow", Fault.THEIRS, START, Sample(ID, ID, START, Outcome.SLOW, None, Fault.THEIRS))

    assert Level.DEGRADED == verdict(one(late)).level


# --- reasons


def test_what_is_wrong_is_said_first_and_what_is_well_together() -> None:
    """At night nobody reads twenty times that a check is fine."""
    found = verdict(*[one(well())] * 4, one(fails()))

    well_too = "check-1, check-2, check-3, check-4: 5 of 5 checks passed"
    assert f"check-5: 3 of 5 checks failed: http_5xx; {well_too}" == found.reason


def test_a_long_list_of_failures_is_counted_from_the_sixth_on() -> None:
    """The reason stays one that can be read; the evidence has all of them."""
    found = verdict(*(one(fails(f"error-{n}")) for n in range(12)))

    assert found.reason.endswith("check-5: 3 of 5 checks failed: error-4; and 7 more checks")
    assert 12 == len(found.evidence)


# --- what others say


@pytest.mark.parametrize("heard", [(FEED,), (ALERT,), (REPORT,), (FEED, FEED), (REPORT, REPORT, REPORT), (FEED, ALERT, REPORT)])
def test_words_alone_never_degrade_what_our_checks_see_well(heard: tuple[SourceReport, ...]) -> None:
    """A status page is corroboration, never the detector; what it says stands in the reason."""
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
def test_two_kinds_of_voices_count_where_no_check_can_speak(heard: tuple[SourceReport, ...], level: Level) -> None:
    """Degraded at most, and it says that no check of ours sees it."""
    found = verdict(off=("models",), heard=heard)

    assert level == found.level
    assert level is not Level.DEGRADED or found.reason.startswith("no check of ours sees it")


def test_two_kinds_of_voices_lift_a_small_failure_of_ours() -> None:
    """One check of six fails, and the page and an alert say the same."""
    views = (one(fails()), *[one(well())] * 5)

    assert [Level.OPERATIONAL, Level.DEGRADED] == [verdict(*views, heard=h).level for h in ((FEED,), (FEED, ALERT))]


def test_the_vendors_own_words_clear_an_unclear_fault() -> None:
    """A key that worked is refused all at once, while the page reports trouble."""
    odd = one(fails("auth_sudden", Fault.UNCLEAR))

    assert [Fault.UNCLEAR, Fault.UNCLEAR, Fault.THEIRS] == [verdict(odd, heard=h).fault for h in ((), (REPORT,), (FEED,))]


def test_a_voice_that_says_well_is_no_voice() -> None:
    """A page that is green does not lift anything, and says nothing in the reason."""
    green = SourceReport("feed", Level.OPERATIONAL, "all systems operational", START)
    found = verdict(one(fails()), heard=(green,))

    assert Level.DOWN == found.level
    assert "operational" not in found.reason


# --- blindness


def test_what_cannot_be_reached_is_unknown_while_we_are_blind() -> None:
    """Ours, with the reason; what answers, an error included, keeps its verdict."""
    dark = verdict(one(fails("connect_timeout")), sight=BLIND)
    answers = verdict(one(fails("http_5xx")), sight=BLIND)

    assert Level.UNKNOWN == dark.level
    assert Fault.LOCAL == dark.fault
    assert "we are blind: both controls are unreachable" == dark.reason
    assert Level.DOWN == answers.level


def test_a_failure_in_our_own_network_counts_once_a_neighbour_has_answered() -> None:
    """While we are blind to the internet, and right after."""
    inner = replace(fails("connect_refused"), last=replace(sign("connect_refused"), inside=True))
    cut, known = BLIND, replace(BLIND, inside_well=True)
    over = replace(known, blind=False, ended_at=START)

    assert [Level.UNKNOWN, Level.DOWN, Level.DOWN] == [verdict(one(inner), sight=sight).level for sight in (cut, known, over)]


def test_what_was_well_is_unknown_while_its_looks_are_set_aside() -> None:
    """The last word is from before; nobody knows now. Once we see again it stands until something else is seen."""
    seen = [verdict(one(well()), sight=sight, unseen=("check-1",)).level for sight in (BLIND, Sight(ended_at=START))]

    assert [Level.UNKNOWN, Level.OPERATIONAL] == seen


def test_another_vantage_sees_while_we_are_blind() -> None:
    """A peer elsewhere has a way out of its own."""
    assert Level.DOWN == verdict(one(fails("deadline"), fails("deadline")), sight=BLIND).level
    assert Level.OPERATIONAL == verdict(one(fails("deadline"), well()), sight=BLIND).level


def test_what_failed_while_we_were_blind_speaks_only_after_a_new_look() -> None:
    """Sight is back at noon; the last failure is older, then one is newer."""
    seen = Sight(reason="both controls are unreachable", began_at=LONG_AGO, ended_at=START + timedelta(seconds=1))
    before = Judgement(Condition.FAILING, "no failure in the last check", Fault.THEIRS, LONG_AGO, sign("deadline"))
    after = Judgement(Condition.FAILING, "4 of 5", Fault.THEIRS, LONG_AGO, sign("deadline", minutes=1))

    assert [Level.UNKNOWN, Level.DOWN] == [verdict(one(j), sight=seen).level for j in (before, after)]


def test_a_bad_verdict_says_when_it_may_be_our_own_network() -> None:
    """Then the controls are looked at before anybody is alerted."""
    assert [True, False, False] == [
        verdict(*views).by_network
        for views in ((one(fails("deadline")),), (one(fails("http_5xx")),), (one(fails("deadline")), one(fails("http_5xx"))))
    ]


def test_blindness_ends_no_outage_that_is_held() -> None:
    """A component that is down stays down while we cannot see it; one that was well becomes unknown once."""
    dark = verdict(one(fails("deadline")), sight=BLIND)
    down = ComponentState(ID, Level.DOWN, fault=Fault.THEIRS)
    fine = ComponentState(ID, Level.OPERATIONAL, advisory="one model fails")
    lost = ComponentState(ID, Level.UNKNOWN, fault=Fault.LOCAL, advisory="one model fails")

    assert [True, False, True] == [state.agrees(dark) for state in (down, fine, lost)]


# --- nobody can tell


def test_a_check_without_any_result_keeps_the_component_unknown() -> None:
    """As at the start."""
    assert "check-2: no result yet" == verdict(one(well()), CheckView({})).reason


# --- the way back


def test_the_last_check_on_its_way_back_begins_no_advisory() -> None:
    """After a long outage of the whole one check is always the last to be well again; that is no news of its own."""
    coming = replace(fails(), recovering=True)
    rest = (one(well()), one(well()), one(well()))

    assert "" == verdict(one(coming), *rest).advisory
    assert "" != verdict(one(fails()), *rest).advisory


def test_an_advisory_stands_while_its_check_comes_back() -> None:
    """One good look ends nothing, or it would come and go."""
    coming = replace(fails(), recovering=True)

    stands = verdict(
        one(coming), one(well()), one(well()), one(well()), advised="check-1 fails since 11:40 UTC (1 of 4 checks)"
    )

    assert "check-1 fails since 11:40 UTC (1 of 4 checks)" == stands.advisory
