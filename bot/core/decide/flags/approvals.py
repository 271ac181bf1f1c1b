"""Who may answer a proposal, how many yeses it takes, and what happens if nobody answers in time."""

from collections.abc import Iterator
from datetime import datetime

from bot.core.answers import flags as fa
from bot.core.answers.base import Refused
from bot.core.decide.draft import Draft, Handlers, Step
from bot.core.decide.flags.conditions import no_flag
from bot.core.decide.flags.mitigation import FALLBACK_RULE
from bot.core.decide.paging import page_people
from bot.core.model import Actor, ActorKind
from bot.core.policy import FlagPolicy, Policy
from bot.core.record.flag import Proposal
from bot.core.record.incident import Incident
from bot.core.record.paging_facts import PagingResumed, PagingSettled
from bot.core.record.steering.steering_facts import AnswerOverdue, ProposalRejected, SwitchApproved
from bot.core.record.world import World
from bot.core.signals.flags import RejectProposal

UNSAID = "no reason given"


def yes(draft: Draft, policy: FlagPolicy, variant: str, actor: Actor) -> fa.YesCounted | Refused | None:
    """Count a yes: None if it was the last one needed; else how many there are, or why it does not count.

    Only the last one switches. A refusal records nothing.
    """
    proposal = draft.world.flag(policy.key).proposal
    if proposal is None or proposal.variant != variant:
        # An old button: its question is no longer open, so a yes must not switch anything now.
        return fa.NothingWaits(flag=policy.key, variant=variant)
    if refused := _may_not_answer(policy, actor):
        return refused
    if policy.quorum < 2:
        return None
    given, quorum = len(proposal.yes) + 1, policy.quorum
    if any(_same(actor, before) for before in proposal.yes):
        return fa.YesAlready(flag=policy.key, given=given - 1, quorum=quorum)
    body = SwitchApproved(policy.key, variant, given, quorum)
    draft.add(f"flag/{policy.key}", body, incident=proposal.incident, told=given < quorum)
    if given >= quorum:
        return None
    return fa.YesCounted(flag=policy.key, incident=proposal.incident, variant=variant, given=given, quorum=quorum)


def _same(one: Actor, other: Actor) -> bool:
    return (one.kind, one.id) == (other.kind, other.id)


def _may_not_answer(policy: FlagPolicy, actor: Actor) -> fa.NoApprover | None:
    """If approvers are named, nobody else may answer in Slack; at the terminal and over the API the token is the right."""
    if not policy.approvers or actor.kind is not ActorKind.PERSON or actor.id in policy.approvers:
        return None
    return fa.NoApprover(flag=policy.key, named=policy.approver_list or policy.approvers)


def on_reject(draft: Draft, signal: RejectProposal) -> Step:
    """A person says no: nothing is switched, and no rule asks again until the default has recovered."""
    policy, proposal = draft.policy.flag(signal.flag), draft.world.flag(signal.flag).proposal
    if policy is None:
        return draft.refuse(no_flag(draft.policy, signal.flag))
    if proposal is None or (signal.variant and signal.variant != proposal.variant):
        return draft.refuse(fa.NothingAsked(flag=policy.key))
    if refused := _may_not_answer(policy, signal.actor):
        return draft.refuse(refused)
    body = ProposalRejected(policy.key, proposal.variant, signal.reason or UNSAID)
    draft.add(f"flag/{policy.key}", body, incident=proposal.incident)
    settle(draft)
    return draft.done(fa.Rejected(flag=policy.key, incident=proposal.incident, variant=proposal.variant))


def on_time(draft: Draft) -> None:
    """Say that nobody answered a proposal in time, and continue paging in its incident."""
    for policy in draft.policy.flags.values():
        proposal = draft.world.flag(policy.key).proposal
        if proposal is None or (moment := _overdue_at(policy, proposal)) is None or draft.now < moment:
            continue
        minutes = round((draft.now - proposal.at).total_seconds() / 60)
        body = AnswerOverdue(policy.key, proposal.variant, minutes)
        draft.add(f"flag/{policy.key}", body, incident=proposal.incident, actor=FALLBACK_RULE)
        incident = draft.world.incidents.get(proposal.incident or 0)
        if incident and incident.phase.open and not incident.paging.again:
            name, to = draft.policy.flag_name(policy.key), policy.called(proposal.variant)
            why = f"nobody has said yes or no to switching {name} to {to} for {minutes} min"
            draft.add(incident.stream, PagingResumed(why), actor=FALLBACK_RULE)
            page_people(draft, incident.number)
    settle(draft)


def settle(draft: Draft) -> None:
    """Stop paging for a question that was answered or is no longer asked."""
    for incident in draft.world.open_incidents():
        if incident.paging.again and not _waits(draft.world, incident):
            draft.add(incident.stream, PagingSettled(), actor=FALLBACK_RULE)


def _waits(world: World, incident: Incident) -> bool:
    proposals = [state.proposal for state in world.flags.values() if state.proposal]
    return any(proposal.late_at and proposal.incident == incident.number for proposal in proposals)


def _overdue_at(policy: FlagPolicy, proposal: Proposal) -> datetime | None:
    if policy.approve_within is None or proposal.late_at is not None:
        return None
    return proposal.at + policy.approve_within


def due(world: World, policy: Policy) -> Iterator[datetime]:
    """When an answer is overdue; at once if people are being paged for a question that is gone."""
    for flag in policy.flags.values():
        proposal = world.flag(flag.key).proposal
        if proposal and (moment := _overdue_at(flag, proposal)):
            yield moment
    for incident in world.open_incidents():
        if incident.paging.again and not _waits(world, incident):
            yield incident.declared_at


HANDLERS: Handlers = {RejectProposal: on_reject}
