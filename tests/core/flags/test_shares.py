"""Shares set by people: which readers they may move where, and what is answered and recorded."""

from datetime import timedelta

import pytest

from bot.core import signals as s
from bot.core.answers import flags as fa
from bot.core.answers.base import Answer, NoFlag
from bot.core.model import Level
from bot.core.record.steering.steering_facts import Extended, HandBackHeld, ShareSet
from tests.core.flags.steered import API, FLAG, OPENAI, bodies, calm, engaged, handing_back, share
from tests.desk import ANA, BOB, Table, Written


@pytest.mark.parametrize("variant", ["gpt", "cached"])
def test_smaller_share_may_not_return_readers_to_a_failing_default(variant: str) -> None:
    """Refused for `engage` as for `ramp`, and the plan says so."""
    table = calm()
    table.sees(API, Level.DOWN)
    refused = fa.ShareUnwell(flag=FLAG, share=50, unwell="Claude API is down", variant=variant)

    assert refused == table.send(s.EngageFlag(ANA, flag=FLAG, variant=variant, share=50)).answer
    assert refused == table.send(s.PlanSwitch(ANA, flag=FLAG, variant=variant, share=50)).answer.refused  # type: ignore[attr-defined] # a plan
    assert ("gpt", 100) == (engaged(table).variant, engaged(table).share)


def test_forced_smaller_share_says_so_in_the_record() -> None:
    """Whoever reads the timeline sees that it was known."""
    table = calm()
    table.sees(API, Level.DOWN)
    table.send(s.EngageFlag(ANA, flag=FLAG, variant="gpt", share=50, reason="a test", force=True))
    assert "a test (forced although Claude API is down)" == bodies(table, ShareSet)[-1].reason  # type: ignore[attr-defined] # a share

    table.send(s.EngageFlag(ANA, flag=FLAG, variant="cached", share=25, force=True, reason="another"))
    assert ("another (forced although Claude API is down)", 25) == (engaged(table).reason, engaged(table).share)


def test_half_of_the_readers_may_return_to_a_healthy_default() -> None:
    """Without force."""
    table = share(calm(), 100)
    done = table.send(s.EngageFlag(ANA, flag=FLAG, variant="gpt", share=50)).answer

    assert fa.ShareSet(flag=FLAG, changed=True, share=50, variant="gpt", default="claude") == done


def test_scope_returns_to_what_the_whole_flag_serves() -> None:
    """Claude is down and the whole flag is on GPT: nobody goes to Claude."""
    table = calm()
    table.send(s.EngageFlag(ANA, flag=f"{FLAG}@env=eu", variant="cached"))
    table.sees(API, Level.DOWN)
    done = table.send(s.RampFlag(ANA, flag=f"{FLAG}@env=eu", share=50)).answer

    assert ("gpt", 50) == (done.default, done.share)  # type: ignore[attr-defined] # a share


@pytest.mark.parametrize("back", [s.RampFlag(ANA, flag=f"{FLAG}@env=eu", share=10), s.ReleaseFlag(ANA, flag=f"{FLAG}@env=eu")])
def test_scope_is_not_returned_to_a_default_failing_behind_the_whole_flag(back: s.Signal) -> None:
    """The whole flag has one per cent on its fallback, so nearly all would get the default."""
    table = calm(automation="off")
    table.send(s.EngageFlag(ANA, flag=f"{FLAG}@env=eu", variant="cached", reason="we try it"))
    table.send(s.EngageFlag(ANA, flag=FLAG, variant="gpt", share=1, reason="we try it"))
    table.sees(API, Level.DOWN)

    assert "Claude API is down" in str(table.send(back).answer)


def test_scope_may_only_move_to_a_variant_no_worse_than_any_it_has() -> None:
    """Half of the whole flag is on a healthy fallback, which nobody may leave for an unhealthy one without force."""
    table = calm(automation="off", engage_on=Level.DEGRADED)
    table.send(s.EngageFlag(ANA, flag=f"{FLAG}@env=eu", variant="gpt", share=10, reason="we try it"))
    table.send(s.EngageFlag(ANA, flag=FLAG, variant="cached", share=50, reason="we try it"))
    table.sees(API, Level.DOWN)
    table.sees(OPENAI, Level.DEGRADED)

    assert isinstance(table.send(s.RampFlag(ANA, flag=f"{FLAG}@env=eu", share=90)).answer, fa.ShareUnwell)


def test_share_may_be_lowered_if_the_fallback_is_worse_than_the_default() -> None:
    """Both fail, Claude less."""
    table = share(calm(automation="off"), 100)
    table.sees(OPENAI, Level.DOWN)
    table.sees(API, Level.DEGRADED)

    assert fa.ShareSet is type(table.send(s.RampFlag(ANA, flag=FLAG, share=50)).answer)


def test_share_may_be_raised_if_the_fallback_is_less_bad() -> None:
    """GPT is slow, and Claude is down."""
    table = share(calm(automation="off"), 25)
    table.sees(OPENAI, Level.DEGRADED)
    table.sees(API, Level.DOWN)

    assert fa.ShareSet is type(table.send(s.RampFlag(ANA, flag=FLAG, share=50)).answer)


def test_one_percent_is_a_share() -> None:
    """The least there is."""
    table = share(calm(), 25)
    table.send(s.RampFlag(ANA, flag=FLAG, share=1))

    assert ShareSet(FLAG, 1, 25, "gpt", "no reason given") == bodies(table, ShareSet)[-1]


@pytest.mark.parametrize(("share_now", "stays_s"), [(50, 1800), (100, 0)])
def test_running_conversations_stay_only_when_readers_go_back(share_now: int, stays_s: int) -> None:
    """Towards the fallback everybody moves at once."""
    table = share(calm(stays_for=timedelta(minutes=30)), 75)
    table.send(s.RampFlag(ANA, flag=FLAG, share=share_now))

    assert stays_s == bodies(table, ShareSet)[-1].stay_s  # type: ignore[attr-defined] # a share


# --- what was done, and where it stands


def outage() -> Table:
    """INC-1 runs, ana began the hand-back, and a quarter is back."""
    return handing_back()


def test_answer_to_a_ramp_names_its_incident() -> None:
    """As its fact does."""
    table = outage()
    done = table.send(s.RampFlag(ANA, flag=FLAG, share=60, reason="slowly")).answer

    assert fa.ShareSet(flag=FLAG, incident=1, changed=True, share=60, variant="gpt", default="claude") == done
    assert [1] == [written.incident for written in table.written(ShareSet)]


@pytest.mark.parametrize(("said", "kept"), [("we look", "we look"), ("", "no reason given")])
def test_halt_is_recorded_in_the_incident_with_its_reason(said: str, kept: str) -> None:
    """Whoever comes later reads why it stands still."""
    table = outage()
    done = table.send(s.HoldHandBack(BOB, flag=FLAG, reason=said)).answer

    assert fa.HandBackHeld(flag=FLAG, incident=1, changed=True, share=25) == done
    assert [Written(HandBackHeld(FLAG, 25, kept), 1, BOB)] == table.written(HandBackHeld)


def test_answer_to_a_resume_names_incident_and_share() -> None:
    """And with the share that it goes on from."""
    table = outage()
    table.send(s.HoldHandBack(BOB, flag=FLAG))

    done = table.send(s.ResumeHandBack(BOB, flag=FLAG)).answer
    assert fa.HandBackResumed(flag=FLAG, incident=1, changed=True, share=25) == done


def test_extended_end_is_answered_with_its_incident() -> None:
    """Four hours after the previous end."""
    table = outage()
    end = engaged(table).expires_at + timedelta(hours=4)
    done = table.send(s.ExtendFlag(BOB, flag=FLAG, lasts=timedelta(hours=4))).answer

    assert fa.Extended(flag=FLAG, incident=1, changed=True, until=end, now=table.now) == done
    assert [1] == [written.incident for written in table.written(Extended)]


def test_end_is_a_year_ahead_at_most() -> None:
    """To the day, from now."""
    table = share(calm(), 100)
    left = table.now + timedelta(days=366) - engaged(table).expires_at

    assert fa.TooFar(flag=FLAG, most_days=366) == table.send(s.ExtendFlag(BOB, flag=FLAG, lasts=left + timedelta(0, 1))).answer
    assert fa.Extended is type(table.send(s.ExtendFlag(BOB, flag=FLAG, lasts=left)).answer)


REFUSALS = [
    (s.RampFlag(ANA, flag=FLAG, share=25), fa.ShareAlready(flag=FLAG, variant="gpt", share=25)),
    (s.RampFlag(ANA, flag=FLAG, share=0), fa.NoShare(flag=FLAG)),
    (s.HoldHandBack(ANA, flag=FLAG), fa.HeldAlready(flag=FLAG, share=75)),
    (s.RampFlag(ANA, flag="nope", share=5), NoFlag(key="nope", known=(FLAG,))),
    (s.PinFlag(ANA, flag="nope"), NoFlag(key="nope", known=(FLAG,))),
    (s.UnpinFlag(ANA, flag="nope"), NoFlag(key="nope", known=(FLAG,))),
    (s.UnpinFlag(ANA, flag=FLAG), fa.NotPinned(flag=FLAG)),
]


@pytest.mark.parametrize(("signal", "refused"), REFUSALS)
def test_refusal_names_the_flag_and_its_state(signal: s.Signal, refused: Answer) -> None:
    """A quarter is on GPT by a person, and all is well."""
    assert refused == share(calm(), 25).send(signal).answer


def test_halt_needs_a_hand_back() -> None:
    """Everybody is on the fallback."""
    table = calm()
    table.sees(API, Level.DOWN)

    assert fa.NoHandBack(flag=FLAG) == table.send(s.HoldHandBack(ANA, flag=FLAG)).answer
    assert fa.NothingHeld(flag=FLAG) == table.send(s.ResumeHandBack(ANA, flag=FLAG)).answer


def test_running_hand_back_cannot_be_resumed() -> None:
    """Its step would start again."""
    assert fa.NothingHeld(flag=FLAG) == outage().send(s.ResumeHandBack(ANA, flag=FLAG)).answer


def test_full_share_set_by_a_person_cannot_be_resumed() -> None:
    """There is no share to go on from."""
    table = outage()
    table.send(s.RampFlag(ANA, flag=FLAG, share=100))

    assert fa.NothingHeld(flag=FLAG) == table.send(s.ResumeHandBack(ANA, flag=FLAG)).answer


@pytest.mark.parametrize(("now", "then", "unwell"), [(100, 50, "Claude API is down"), (25, 50, "OpenAI API is down")])
def test_readers_are_not_moved_between_equally_bad_variants(now: int, then: int, unwell: str) -> None:
    """Both are down."""
    table = share(calm(automation="off"), now)
    table.sees(OPENAI, Level.DOWN)
    table.sees(API, Level.DOWN)

    refused = fa.ShareUnwell(flag=FLAG, share=then, unwell=unwell)
    assert refused == table.send(s.RampFlag(ANA, flag=FLAG, share=then)).answer


def test_same_share_of_another_fallback_returns_nobody() -> None:
    """Claude is down for one half; another fallback for the other half is no worse."""
    table = share(calm(automation="off"), 50)
    table.sees(API, Level.DOWN)

    assert fa.Switched is type(table.send(s.EngageFlag(ANA, flag=FLAG, variant="cached", share=50)).answer)
