"""What is written down when a flag goes back to its default: in which incident, by whom, and in which words."""

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


def test_the_hand_back_is_asked_for_in_its_incident() -> None:
    """With what is well again, after min_hold and not a minute later."""
    asked = written(well_again(down()), HandBackAsked)

    assert Written(HandBackAsked(FLAG, "Claude API is operational"), 1, HAND_BACK) == asked


def test_a_step_back_by_hand_is_the_persons() -> None:
    """The first share, why it may go, and where the rest of it is."""
    table = well_again(down())
    table.send(s.StepBack(actor=ANA, flag=FLAG))
    body = HandBackStepped(FLAG, 10, "Claude API is operational", "gpt")

    assert Written(body, 1, ANA) == written(table, HandBackStepped)


def test_the_later_steps_back_are_the_rules() -> None:
    """Five minutes after the first, and by itself."""
    table = well_again(down())
    table.send(s.StepBack(actor=ANA, flag=FLAG))
    table.passes(5)
    body = HandBackStepped(FLAG, 25, "Claude API is operational", "gpt")

    assert Written(body, 1, HAND_BACK) == last(table, HandBackStepped)


def test_the_first_step_back_may_be_the_rules() -> None:
    """first_step: auto asks nobody."""
    table = well_again(down(policy(first_step="auto")))
    body = HandBackStepped(FLAG, 10, "Claude API is operational", "gpt")

    assert Written(body, 1, HAND_BACK) == written(table, HandBackStepped)


def test_the_last_step_back_releases_the_flag() -> None:
    """Everybody is on the default again, and the record says which that is."""
    table = well_again(down(policy(first_step="auto", steps=(50,))))
    table.passes(5)

    assert Written(Released(FLAG, "claude", "Claude API is operational"), 1, HAND_BACK) == written(table, Released)


def test_a_hand_back_of_one_step_releases_at_once() -> None:
    """steps: [100]."""
    table = well_again(down(policy(first_step="auto", steps=(100,))))

    assert Written(Released(FLAG, "claude", "Claude API is operational"), 1, HAND_BACK) == written(table, Released)


def test_a_relapse_on_the_way_back_says_what_failed() -> None:
    """In its incident, by the rule that was handing back."""
    table = well_again(down())
    table.send(s.StepBack(actor=ANA, flag=FLAG))
    table.sees(API, Level.DEGRADED)

    assert Written(HandBackReverted(FLAG, "Claude API is degraded"), 1, HAND_BACK) == written(table, HandBackReverted)


def test_a_relapse_takes_the_question_back() -> None:
    """Asked and not yet answered: nothing went back, and nobody is to say yes any more."""
    table = well_again(down())
    table.sees(API, Level.DOWN)

    assert 1 == len(table.kinds(HandBackReverted))


def test_a_relapse_before_anything_went_back_is_no_news() -> None:
    """Nothing was asked or begun, so that there is nothing to take back."""
    table = down()
    table.sees(API, Level.OPERATIONAL)
    table.sees(API, Level.DOWN)

    assert [] == table.kinds(HandBackReverted)


def test_what_we_cannot_see_takes_no_share_back() -> None:
    """Our own network failed while Claude was being given its traffic again: everybody stays where they are."""
    table = well_again(down())
    table.send(s.StepBack(actor=ANA, flag=FLAG))
    dark = Verdict(API, Level.UNKNOWN, "we were blind", Fault.LOCAL, (), table.now, by_network=True)
    table.send(s.VerdictReached(actor=RULE, verdict=dark))

    assert [] == table.kinds(HandBackReverted)


def test_a_refused_key_takes_the_shares_back() -> None:
    """Nobody knows whether the vendor is well, and our services get no answers from it."""
    table = well_again(down())
    table.send(s.StepBack(actor=ANA, flag=FLAG))
    refused = Verdict(API, Level.UNKNOWN, "the key is refused", Fault.OURS_KEY, (), table.now)
    table.send(s.VerdictReached(actor=RULE, verdict=refused))

    assert HandBackReverted(FLAG, "Claude API is unknown") == written(table, HandBackReverted).body


# --- its time


def test_a_switch_whose_time_is_over_is_kept_while_the_default_fails() -> None:
    """Asked again after the same time."""
    table = down()
    table.passes(4 * 60)
    body = ExpiryReached(FLAG, "kept, since Claude API is down", START + timedelta(hours=8), asked=True)

    assert Written(body, 1, EXPIRY) == written(table, ExpiryReached)


def test_a_switch_whose_time_is_over_is_kept_for_a_person() -> None:
    """on_expiry: hold, without any trouble."""
    table = Table().all_well()
    engage(table, "cached", reason="cost", hold_for=timedelta(hours=1))
    table.passes(60)
    body = ExpiryReached(FLAG, "kept until somebody releases it", START + timedelta(hours=5), asked=True)

    assert Written(body, None, EXPIRY) == written(table, ExpiryReached)


def test_a_switch_whose_time_is_over_may_end_by_itself() -> None:
    """on_expiry: release, with the default well."""
    table = Table(policy(on_expiry="release")).all_well()
    engage(table, "cached", reason="cost", hold_for=timedelta(hours=1))
    table.passes(60)

    body = Released(FLAG, "claude", "its time ran out, and the default is well")

    assert Written(body, None, EXPIRY) == written(table, Released)


def test_nothing_is_released_by_its_time_while_we_are_blind() -> None:
    """Nobody knows whether the default is well."""
    table = Table(policy(on_expiry="release")).all_well()
    engage(table, "cached", reason="cost", hold_for=timedelta(hours=1))
    table.send(s.SightChanged(actor=RULE, sight=Sight(blind=True, reason="both controls are unreachable", began_at=START)))
    table.passes(60)

    assert ExpiryReached(FLAG, "kept, since we are blind", START + timedelta(hours=5), asked=True) == (
        written(table, ExpiryReached).body
    )


# --- by hand


def test_a_release_says_who_and_why() -> None:
    """In the incident of the switch."""
    table = down()
    table.sees(API, Level.OPERATIONAL)
    release(table, reason="well enough")

    assert Written(Released(FLAG, "claude", "well enough"), 1, ANA) == written(table, Released)


def test_a_release_without_words_says_so() -> None:
    """Nobody has to guess whether a reason was lost."""
    table = down()
    table.sees(API, Level.OPERATIONAL)
    release(table)

    assert "no reason given" == written(table, Released).body.reason  # type: ignore[attr-defined]


def test_a_forced_release_says_what_it_was_forced_against() -> None:
    """The post-mortem asks for it."""
    table = down()
    release(table, force=True, reason="cached answers are worse")
    body = Released(FLAG, "claude", "cached answers are worse (forced although Claude API is down)")

    assert Written(body, 1, ANA) == written(table, Released)


def test_a_forced_release_takes_the_mitigation_back() -> None:
    """By the person who did it, with the flag's name; the phase goes back with it."""
    table = down()
    release(table, force=True)
    why = "support chat went back to a default that is not well"

    assert Written(MitigationLost(why), 1, ANA) == last(table, MitigationLost)
    assert Written(PhaseChanged(Phase.MITIGATED, Phase.INVESTIGATING, "back", why), 1, ANA) == last(table, PhaseChanged)


def test_a_release_onto_a_default_that_is_well_leaves_the_phase_alone() -> None:
    """Customers are served either way; `force` changes nothing of it."""
    table = down()
    table.sees(API, Level.OPERATIONAL)
    before = table.incident().phase
    release(table, force=True)

    assert before is table.incident().phase


def test_a_flag_that_left_the_configuration_can_be_released() -> None:
    """Its engagement outlived an edit of the file; nobody knows its default, and says so."""
    table = down()
    table.policy = replace(table.policy, flags={})
    said = release(table)

    assert fa.Released(flag=FLAG, incident=1, default="", changed=True) == said


def test_the_record_of_a_flag_that_left_the_configuration_names_no_variant() -> None:
    """Readers get whatever their own code falls back to."""
    table = down()
    table.policy = replace(table.policy, flags={})
    release(table, reason="gone")

    assert Written(Released(FLAG, "the default of the code that reads it", "gone"), 1, ANA) == written(table, Released)
