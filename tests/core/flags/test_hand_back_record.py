"""What is recorded when a flag goes back to its default: in which incident, by whom, and in which words."""

from dataclasses import replace
from datetime import timedelta

from bot.core import signals as s
from bot.core.answers import flags as fa
from bot.core.answers.base import Answer
from bot.core.detection.blindness import Sight
from bot.core.model import Actor, Fault, Level, Phase, Verdict
from bot.core.policy import Policy
from bot.core.record.course.mitigation_facts import MitigationLost
from bot.core.record.fact import Body
from bot.core.record.flag_facts import ExpiryReached, HandBackAsked, HandBackReverted, HandBackStepped, Released
from bot.core.record.incident_facts import PhaseChanged
from tests.desk import ANA, CHAT_FLAG, RULE, START, Table, Written, policy

FLAG = CHAT_FLAG.key
API = "anthropic.api"
HAND_BACK, EXPIRY = Actor.rule("hand-back"), Actor.rule("expiry")


def written(table: Table, kind: type[Body]) -> Written:
    """The only fact of a kind."""
    [found] = table.written(kind)
    return found


def last(table: Table, kind: type[Body]) -> Written:
    return table.written(kind)[-1]


def down(policy_: Policy | None = None) -> Table:
    table = Table(policy_).all_well()
    table.sees(API, Level.DOWN)
    return table


def well_again(table: Table) -> Table:
    table.sees(API, Level.OPERATIONAL)
    table.passes(10)
    return table


def engage(table: Table, variant: str = "", **more: object) -> Answer:
    return table.send(s.EngageFlag(actor=ANA, flag=FLAG, variant=variant, **more)).answer  # type: ignore[arg-type]


def release(table: Table, **more: object) -> Answer:
    return table.send(s.ReleaseFlag(actor=ANA, flag=FLAG, **more)).answer  # type: ignore[arg-type]


# --- back to the default


def test_hand_back_is_requested_in_its_incident() -> None:
    """With what has recovered, exactly after min_hold."""
    asked = written(well_again(down()), HandBackAsked)

    assert Written(HandBackAsked(FLAG, "Claude API is operational"), 1, HAND_BACK) == asked


def test_manual_step_is_recorded_for_the_person() -> None:
    """With the share, the reason, and where the rest is."""
    table = well_again(down())
    table.send(s.StepBack(actor=ANA, flag=FLAG))
    body = HandBackStepped(FLAG, 10, "Claude API is operational", "gpt")

    assert Written(body, 1, ANA) == written(table, HandBackStepped)


def test_later_steps_are_recorded_for_the_rule() -> None:
    """Five minutes after the first."""
    table = well_again(down())
    table.send(s.StepBack(actor=ANA, flag=FLAG))
    table.passes(5)
    body = HandBackStepped(FLAG, 25, "Claude API is operational", "gpt")

    assert Written(body, 1, HAND_BACK) == last(table, HandBackStepped)


def test_first_step_may_be_automatic() -> None:
    """first_step: auto."""
    table = well_again(down(policy(first_step="auto")))
    body = HandBackStepped(FLAG, 10, "Claude API is operational", "gpt")

    assert Written(body, 1, HAND_BACK) == written(table, HandBackStepped)


def test_last_step_releases_the_flag() -> None:
    """The record names the default."""
    table = well_again(down(policy(first_step="auto", steps=(50,))))
    table.passes(5)

    assert Written(Released(FLAG, "claude", "Claude API is operational"), 1, HAND_BACK) == written(table, Released)


def test_hand_back_in_one_step_releases_at_once() -> None:
    """steps: [100]."""
    table = well_again(down(policy(first_step="auto", steps=(100,))))

    assert Written(Released(FLAG, "claude", "Claude API is operational"), 1, HAND_BACK) == written(table, Released)


def test_relapse_during_a_hand_back_records_what_failed() -> None:
    """In its incident, by the rule."""
    table = well_again(down())
    table.send(s.StepBack(actor=ANA, flag=FLAG))
    table.sees(API, Level.DEGRADED)

    assert Written(HandBackReverted(FLAG, "Claude API is degraded"), 1, HAND_BACK) == written(table, HandBackReverted)


def test_relapse_withdraws_the_request() -> None:
    """Nothing went back yet, and nobody should approve it any more."""
    table = well_again(down())
    table.sees(API, Level.DOWN)

    assert 1 == len(table.kinds(HandBackReverted))


def test_relapse_before_any_request_is_not_recorded() -> None:
    """Nothing was asked or begun, so that there is nothing to take back."""
    table = down()
    table.sees(API, Level.OPERATIONAL)
    table.sees(API, Level.DOWN)

    assert [] == table.kinds(HandBackReverted)


def test_blindness_does_not_move_shares() -> None:
    """It began during the hand-back."""
    table = well_again(down())
    table.send(s.StepBack(actor=ANA, flag=FLAG))
    dark = Verdict(API, Level.UNKNOWN, "we were blind", Fault.LOCAL, (), table.now, by_network=True)
    table.send(s.VerdictReached(actor=RULE, verdict=dark))

    assert [] == table.kinds(HandBackReverted)


def test_refused_key_returns_the_shares_to_the_fallback() -> None:
    """The vendor may be well, but our services get no answers."""
    table = well_again(down())
    table.send(s.StepBack(actor=ANA, flag=FLAG))
    refused = Verdict(API, Level.UNKNOWN, "the key is refused", Fault.OURS_KEY, (), table.now)
    table.send(s.VerdictReached(actor=RULE, verdict=refused))

    assert HandBackReverted(FLAG, "Claude API is unknown") == written(table, HandBackReverted).body


# --- its time


def test_expired_switch_is_kept_while_the_default_fails() -> None:
    """People are asked again after the same time."""
    table = down()
    table.passes(4 * 60)
    body = ExpiryReached(FLAG, "kept, since Claude API is down", START + timedelta(hours=8), asked=True)

    assert Written(body, 1, EXPIRY) == written(table, ExpiryReached)


def test_expired_switch_is_kept_for_a_person() -> None:
    """on_expiry: hold, without any outage."""
    table = Table().all_well()
    engage(table, "cached", reason="cost", hold_for=timedelta(hours=1))
    table.passes(60)
    body = ExpiryReached(FLAG, "kept until somebody releases it", START + timedelta(hours=5), asked=True)

    assert Written(body, None, EXPIRY) == written(table, ExpiryReached)


def test_expired_switch_may_end_by_itself() -> None:
    """on_expiry: release, with a healthy default."""
    table = Table(policy(on_expiry="release")).all_well()
    engage(table, "cached", reason="cost", hold_for=timedelta(hours=1))
    table.passes(60)

    body = Released(FLAG, "claude", "its time ran out, and the default is well")

    assert Written(body, None, EXPIRY) == written(table, Released)


def test_expired_switch_is_not_released_while_we_are_blind() -> None:
    """Nobody knows whether the default is well."""
    table = Table(policy(on_expiry="release")).all_well()
    engage(table, "cached", reason="cost", hold_for=timedelta(hours=1))
    table.send(s.SightChanged(actor=RULE, sight=Sight(blind=True, reason="both controls are unreachable", began_at=START)))
    table.passes(60)

    assert ExpiryReached(FLAG, "kept, since we are blind", START + timedelta(hours=5), asked=True) == (
        written(table, ExpiryReached).body
    )


# --- by hand


def test_release_records_who_and_why() -> None:
    """In the switch's incident."""
    table = down()
    table.sees(API, Level.OPERATIONAL)
    release(table, reason="well enough")

    assert Written(Released(FLAG, "claude", "well enough"), 1, ANA) == written(table, Released)


def test_release_without_a_reason_says_so() -> None:
    """Nobody has to guess whether a reason was lost."""
    table = down()
    table.sees(API, Level.OPERATIONAL)
    release(table)

    assert "no reason given" == written(table, Released).body.reason  # type: ignore[attr-defined]


def test_forced_release_records_what_it_overrode() -> None:
    """For the post-mortem."""
    table = down()
    release(table, force=True, reason="cached answers are worse")
    body = Released(FLAG, "claude", "cached answers are worse (forced although Claude API is down)")

    assert Written(body, 1, ANA) == written(table, Released)


def test_forced_release_ends_the_mitigation() -> None:
    """Recorded for the person, with the flag's name; the phase goes back too."""
    table = down()
    release(table, force=True)
    why = "support chat went back to a default that is not well"

    assert Written(MitigationLost(why), 1, ANA) == last(table, MitigationLost)
    assert Written(PhaseChanged(Phase.MITIGATED, Phase.INVESTIGATING, "back", why), 1, ANA) == last(table, PhaseChanged)


def test_release_to_a_healthy_default_keeps_the_phase() -> None:
    """Even with `force`."""
    table = down()
    table.sees(API, Level.OPERATIONAL)
    before = table.incident().phase
    release(table, force=True)

    assert before is table.incident().phase


def test_removed_flag_can_be_released() -> None:
    """Its default is unknown, and the record says so."""
    table = down()
    table.policy = replace(table.policy, flags={})
    said = release(table)

    assert fa.Released(flag=FLAG, incident=1, default="", changed=True) == said


def test_record_of_a_removed_flag_names_no_variant() -> None:
    """Readers get the default of their own code."""
    table = down()
    table.policy = replace(table.policy, flags={})
    release(table, reason="gone")

    assert Written(Released(FLAG, "the default of the code that reads it", "gone"), 1, ANA) == written(table, Released)
