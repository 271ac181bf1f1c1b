"""Proposals: who may answer them, how many approvals they need, what a rejection means, and what follows from silence."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core import signals as s
from bot.core.answers import flags as fa
from bot.core.answers.base import NoFlag
from bot.core.decide.draft import Step
from bot.core.decide.flags.mitigation import FALLBACK_RULE
from bot.core.effects import PostLine
from bot.core.model import Actor, Level, Phase, Severity
from bot.core.paging import PageStep, PagingPolicy
from bot.core.record.flag_facts import Engaged, EngageProposed
from bot.core.record.paging_facts import Paged, PagingResumed, PagingSettled
from bot.core.record.steering.steering_facts import AnswerOverdue, ProposalRejected, SwitchApproved
from tests.core.flags.steered import API, FLAG, OPENAI, bodies, engaged
from tests.desk import ANA, BOB, Table, Written, policy

EVE, OPERATOR = Actor.person("U0EVE", "eve"), Actor.operator("carl")
PAGES = PagingPolicy(
    steps={Severity.SEV2: (PageStep(timedelta(0), mention=("S0A",)), PageStep(timedelta(minutes=10), ("S0B",)))}
)


def proposed(**changes: object) -> Table:
    """Claude is down, and a switch to GPT waits for an answer."""
    table = Table(replace(policy(automation="propose", **changes), paging=PAGES)).all_well()
    table.sees(API, Level.DOWN)
    assert table.world.flag(FLAG).proposal is not None
    return table


def yes(table: Table, who: Actor, variant: str = "gpt") -> object:
    return table.send(s.EngageFlag(who, flag=FLAG, variant=variant, approves=True)).answer


def no(table: Table, who: Actor) -> object:
    return table.send(s.RejectProposal(who, flag=FLAG, reason="we look first")).answer


NAMED = {"approvers": (ANA.id, BOB.id), "approver_list": ("S0LEADS",)}


@pytest.mark.parametrize("answer", [yes, no])
def test_only_named_approvers_may_answer(answer: object) -> None:
    """Others are told who may, and nothing is recorded."""
    table = proposed(**NAMED)

    assert fa.NoApprover(flag=FLAG, named=("S0LEADS",)) == answer(table, EVE)  # type: ignore[operator] # one of the two above
    assert table.world.flag(FLAG).proposal is not None


def test_approval_switches_the_flag() -> None:
    """One is enough unless more are required."""
    table = proposed(**NAMED)
    yes(table, BOB)

    assert ("approved", BOB) == (engaged(table).mode, engaged(table).actor)


def test_terminal_may_answer_a_proposal() -> None:
    """Slack may be away at three in the morning."""
    table = proposed(**NAMED)
    yes(table, OPERATOR)
    assert "approved" == engaged(table).mode


def test_two_different_people_must_approve_if_two_are_required() -> None:
    """Each approval is recorded; the same person twice counts once."""
    table = proposed(quorum=2)
    assert fa.YesCounted is type(yes(table, ANA))
    assert fa.YesAlready(flag=FLAG, given=1, quorum=2) == yes(table, ANA)
    assert table.world.flag(FLAG).engagement is None

    yes(table, BOB)
    assert [SwitchApproved(FLAG, "gpt", 1, 2), SwitchApproved(FLAG, "gpt", 2, 2)] == bodies(table, SwitchApproved)
    assert "approved" == engaged(table).mode


def test_approval_of_an_outdated_variant_switches_nothing() -> None:
    """GPT failed meanwhile, and cached answers are proposed: the old button means GPT."""
    table = proposed()
    table.sees(OPENAI, Level.DOWN)
    table.sees(OPENAI, Level.OPERATIONAL)
    table.sees(OPENAI, Level.DOWN)
    assert "cached" == table.world.flag(FLAG).proposal.variant  # type: ignore[union-attr] # it waits

    assert not yes(table, ANA, "gpt").ok  # type: ignore[attr-defined] # an answer
    assert table.world.flag(FLAG).engagement is None


def test_rejection_stops_proposals_until_the_default_has_recovered() -> None:
    """A new outage is a new question."""
    table = proposed()
    assert fa.Rejected is type(no(table, ANA))
    table.passes(60)
    table.sees(API, Level.DEGRADED)
    table.sees(API, Level.DOWN)
    assert 1 == len(bodies(table, EngageProposed))

    table.sees(API, Level.OPERATIONAL)
    table.passes(1)
    table.sees(API, Level.DOWN)
    assert 2 == len(bodies(table, EngageProposed))


def test_flag_can_be_switched_by_hand_after_a_rejection() -> None:
    """By name, under their own."""
    table = proposed()
    no(table, ANA)
    table.send(s.EngageFlag(BOB, flag=FLAG, variant="gpt"))

    assert "manual" == engaged(table).mode
    assert fa.NothingAsked is type(no(table, ANA))


def test_unanswered_proposal_resumes_paging() -> None:
    """Even if somebody acknowledged the incident: customers still wait for an approval."""
    table = proposed()
    table.send(s.Acknowledge(ANA, incident=1))
    table.passes(4)
    assert [] == bodies(table, AnswerOverdue)

    table.passes(1)
    assert [AnswerOverdue(FLAG, "gpt", 5)] == bodies(table, AnswerOverdue)
    why = "nobody has said yes or no to switching support chat to gpt for 5 min"
    assert [PagingResumed(why)] == bodies(table, PagingResumed)
    table.passes(5)
    assert [("S0A",), ("S0B",)] == [page.mention for page in bodies(table, Paged)]  # type: ignore[attr-defined] # a page
    assert why == bodies(table, Paged)[-1].reason  # type: ignore[attr-defined] # a page


@pytest.mark.parametrize("answer", [yes, no])
def test_answer_stops_the_paging(answer: object) -> None:
    """The acknowledgement counts again, and nobody else is woken."""
    table = proposed()
    table.send(s.Acknowledge(ANA, incident=1))
    table.passes(6)
    answer(table, BOB)  # type: ignore[operator] # one of the two above
    table.passes(60)

    assert 1 == len(bodies(table, PagingSettled))
    assert 1 == len(bodies(table, Paged))


def test_recovery_of_the_default_stops_the_paging() -> None:
    """Nothing is asked any more."""
    table = proposed()
    table.send(s.Acknowledge(ANA, incident=1))
    table.passes(6)
    table.sees(API, Level.OPERATIONAL)

    assert "" == table.world.incidents[1].paging.again
    assert [] == bodies(table, Engaged)


def test_proposal_may_wait_for_ever_if_configured() -> None:
    """`approve_within: never`."""
    table = proposed(approve_within=None)
    table.send(s.Acknowledge(ANA, incident=1))
    table.passes(60)

    assert [] == bodies(table, AnswerOverdue)


@pytest.mark.parametrize("answer", [yes, no])
def test_button_of_an_earlier_proposal_has_no_effect(answer: object) -> None:
    """Cached answers were proposed while GPT failed; now GPT is, and the earlier button is still in the channel."""
    table = proposed()
    table.sees(OPENAI, Level.DOWN)
    table.sees(OPENAI, Level.OPERATIONAL)

    if answer is yes:
        assert fa.NothingWaits(flag=FLAG, variant="cached") == yes(table, ANA, "cached")
    else:
        old = s.RejectProposal(ANA, flag=FLAG, variant="cached")
        assert fa.NothingAsked(flag=FLAG) == table.send(old).answer
    assert "gpt" == table.world.flag(FLAG).proposal.variant  # type: ignore[union-attr] # it waits
    assert table.world.flag(FLAG).engagement is None


def test_button_of_the_current_proposal_rejects_it() -> None:
    """By the name of the variant that it asked about."""
    table = proposed()
    answer = table.send(s.RejectProposal(ANA, flag=FLAG, variant="gpt")).answer

    assert fa.Rejected(flag=FLAG, flag_name="support chat", changed=True, incident=1, variant="gpt") == answer
    assert table.world.flag(FLAG).proposal is None


@pytest.mark.parametrize(("said", "kept"), [("we look first", "we look first"), ("", "no reason given")])
def test_rejection_is_in_the_timeline_with_its_reason(said: str, kept: str) -> None:
    """Of the proposal's incident."""
    table = proposed()
    table.send(s.RejectProposal(ANA, flag=FLAG, reason=said))

    assert [Written(ProposalRejected(FLAG, "gpt", kept), 1, ANA)] == table.written(ProposalRejected)


def test_rejection_for_an_unknown_flag_is_refused() -> None:
    """With the known flags."""
    assert NoFlag(key="nope", known=(FLAG,)) == proposed().send(s.RejectProposal(ANA, flag="nope")).answer


def test_approval_that_is_not_the_last_is_posted_in_the_channel() -> None:
    """The last one is reported by the switch."""
    table = proposed(quorum=2)
    counted = yes(table, ANA)
    first = table.steps[-1]
    yes(table, BOB)

    known = {"flag": FLAG, "flag_name": "support chat", "incident": 1, "variant": "gpt"}
    assert fa.YesCounted(**known, changed=True, given=1, quorum=2) == counted
    assert [1, 1] == [written.incident for written in table.written(SwitchApproved)]
    assert [SwitchApproved(FLAG, "gpt", 1, 2)] == told_of(table, first)
    assert not any(isinstance(body, SwitchApproved) for body in told_of(table, table.steps[-1]))


def told_of(table: Table, done: Step) -> list[object]:
    """The facts that a step posts a line about."""
    lines = {(effect.stream, effect.seq) for effect in done.effects if isinstance(effect.body, PostLine)}
    return [fact.body for fact in table.facts if (fact.stream, fact.seq) in lines]


def test_refusal_names_the_approvers() -> None:
    """Whoever else presses hears whom to ask."""
    assert fa.NoApprover(flag=FLAG, named=(BOB.id,)) == yes(proposed(approvers=(BOB.id,)), EVE)


def test_missing_answer_is_recorded_by_a_rule_in_the_incident() -> None:
    """So that nobody takes it for a colleague's."""
    table = proposed()
    table.passes(5)

    assert [Written(AnswerOverdue(FLAG, "gpt", 5), 1, FALLBACK_RULE)] == table.written(AnswerOverdue)
    assert [FALLBACK_RULE] == [written.actor for written in table.written(PagingResumed)]


def test_ended_incident_pages_nobody() -> None:
    """Whoever ended it knows that the flag was left alone."""
    table = proposed()
    table.send(s.SetPhase(ANA, incident=1, phase=Phase.RESOLVED, reason="we live with it", force=True))
    paged = len(bodies(table, Paged))
    table.passes(20)

    assert [] == bodies(table, PagingResumed)
    assert paged == len(bodies(table, Paged))


def test_rejection_stops_the_paging_at_once() -> None:
    """Not at the next tick, before which a page could still go out."""
    table = proposed()
    table.passes(6)
    no(table, ANA)

    assert "" == table.world.incidents[1].paging.again
