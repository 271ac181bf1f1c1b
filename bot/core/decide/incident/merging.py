"""Two incidents that turn out to be one, and one that turns out to be two.

The merged incident ends in its current phase. The other one then stands in for it (`Incident.holds`): its verdicts, flags and
people go there. There are no chains: an incident that was merged, or has parts, cannot be merged further.
"""

from enum import StrEnum

from bot.core.answers import incident as a
from bot.core.answers.base import Done, NoIncident, Refused
from bot.core.decide.alerting.alarm import brings, lift
from bot.core.decide.draft import Draft, Handlers, Step
from bot.core.decide.flags.mitigation import carry_over, lose_what_left, mitigate, tell_in
from bot.core.decide.flags.scopes import flags_and_scopes
from bot.core.decide.incident.moving_tasks import bring_back, hand_over, lent
from bot.core.decide.phases import change_phase
from bot.core.decide.titles import follow
from bot.core.effects import InvitePeople
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Actor, Phase
from bot.core.record.course.merge_facts import Merged, PartGivenBack, PartTaken, Unmerged
from bot.core.record.incident import Incident
from bot.core.record.incident_facts import ComponentJoined, ComponentMoved, SeverityChanged
from bot.core.record.world import World
from bot.core.signals.incident import Merge, Unmerge

MERGE_RULE = Actor.rule("merge")


class Obstacle(StrEnum):
    """Why two incidents cannot be merged; the answer's `other` is the incident in the way."""

    SELF = "self"
    MERGED = "merged"  # it is already part of another one
    TARGET_MERGED = "target_merged"
    TARGET_OVER = "target_over"
    HAS_PARTS = "has_parts"
    DRILL = "drill"  # a drill and a real incident are never merged


@dataclass(frozen=True, kw_only=True)
class MergeDone(Done):
    """It is now part of the other one, which continues."""

    KIND = "merge_done"
    into: int
    place: a.RoomRef


@dataclass(frozen=True, kw_only=True)
class CannotMerge(Refused):
    """Nothing was merged."""

    KIND = "cannot_merge"
    why: Obstacle
    other: int


@dataclass(frozen=True, kw_only=True)
class UnmergeDone(Done):
    """It is an incident of its own again, in that phase."""

    KIND = "unmerge_done"
    out_of: int
    phase: Phase


@dataclass(frozen=True, kw_only=True)
class NotMerged(Refused):
    """It is not merged, so there is nothing to undo."""

    KIND = "not_merged"


def on_merge(draft: Draft, signal: Merge) -> Step:
    """Merge one incident into another: its components, flags, people and later events belong there from now on."""
    other, into = draft.incident(signal.incident), draft.world.incidents.get(signal.into)
    if into is None:
        return draft.refuse(NoIncident(number=signal.into, newest=draft.world.last_incident))
    if refused := _cannot_merge(other, into):
        return draft.refuse(refused)
    draft.add(other.stream, Merged(into.number, signal.reason.strip()))
    fresh = tuple(id for id in sorted(other.affected) if id not in into.affected)  # a fixed order, the same after a restart
    people = other.people
    taken = PartTaken(
        other.number, other.title, other.dedup, fresh, people.everybody, people.acknowledged_at, people.acknowledged_by,
        len(other.open_tasks),
    )  # fmt: skip
    draft.send(InvitePeople(), draft.add(into.stream, taken))
    hand_over(draft, other.number, into.number)
    for id in fresh:
        one, now = other.affected[id], draft.world.component(id)
        joined = ComponentJoined(id, one.level, one.reason, now.evidence, one.failed_at)
        fact = draft.add(into.stream, joined, told=False)
        if id in draft.policy.components:
            brings(draft, id, fact)
    _take_on(draft, other, into.number, fresh)
    carry_over(draft)
    mitigate(draft)
    place = a.RoomRef(into.room.channel, into.room.name) if into.room.channel else a.RoomRef()
    return draft.done(MergeDone(incident=other.number, into=into.number, place=place))


def _cannot_merge(other: Incident, into: Incident) -> Refused | None:
    def cannot(why: Obstacle, number: int) -> CannotMerge:
        return CannotMerge(incident=other.number, why=why, other=number)

    if other.number == into.number:
        return cannot(Obstacle.SELF, into.number)
    if other.drill or into.drill:
        return cannot(Obstacle.DRILL, other.number if other.drill else into.number)
    if other.merged:
        return cannot(Obstacle.MERGED, other.merged.number)
    if not other.phase.open:
        return a.Over(incident=other.number, phase=other.phase, wanted=a.Wanted.MERGE)
    if into.merged:
        return cannot(Obstacle.TARGET_MERGED, into.merged.number)
    if not into.phase.open:
        return cannot(Obstacle.TARGET_OVER, into.number)
    return cannot(Obstacle.HAS_PARTS, min(other.parts)) if other.parts else None


def _take_on(draft: Draft, other: Incident, number: int, fresh: tuple[str, ...]) -> None:
    """Raise the other's severity and title, and move its phase back, as far as the merged one requires."""
    into = draft.incident(number)
    if other.severity.is_worse_than(into.severity):
        worse = SeverityChanged(into.severity, other.severity, f"{other.name} was {other.severity}")
        draft.add(into.stream, worse, actor=MERGE_RULE)
    bad = [id for id in fresh if into.affected[id].level.bad]
    if bad:
        follow(draft, number)
    if bad and into.phase is Phase.MONITORING:
        names = ", ".join(draft.policy.name_of(id) for id in bad)
        change_phase(draft, number, Phase.INVESTIGATING, f"{names} of {other.name}", MERGE_RULE)


def on_unmerge(draft: Draft, signal: Unmerge) -> Step:
    """Reopen it in its former phase, with its components, its flags and what happened to them meanwhile."""
    incident = draft.incident(signal.incident)
    merged = incident.merged
    if merged is None:
        return draft.refuse(NotMerged(incident=incident.number))
    holder = draft.world.open_for(incident.dedup)
    if holder is not None and holder.number != merged.number:
        return draft.refuse(a.OpenElsewhere(incident=holder.number))
    goes_on = merged.number in draft.world.running
    back = _given_back(draft, incident, merged.number) if goes_on else ()
    draft.add(incident.stream, Unmerged(merged.number, merged.phase, signal.reason.strip()))
    bring_back(draft, merged.number, incident.number)
    _catch_up(draft, incident.number, back)
    _flags_back(draft, incident.number, merged.number)
    lift(draft)
    carry_over(draft)
    mitigate(draft)
    if goes_on:
        lose_what_left(draft, merged.number, f"{incident.name} is an incident of its own again")
    return draft.done(UnmergeDone(incident=incident.number, out_of=merged.number, phase=merged.phase))


def parted(world: World, holder: Incident) -> tuple[int, ...]:
    """Parts that were unmerged while the holder was over, so that it does not know yet."""
    known = (world.incidents.get(number) for number in holder.parts)
    return tuple(one.number for one in known if one and (one.merged is None or one.merged.number != holder.number))


def part_ways(draft: Draft, number: int) -> None:
    """A reopened holder gives back the parts that were unmerged while it was over."""
    for part in parted(draft.world, draft.incident(number)):
        back = _given_back(draft, draft.incident(part), number)
        if part in draft.world.running:
            _catch_up(draft, part, back)


def _given_back(draft: Draft, incident: Incident, holder_number: int) -> tuple[str, ...]:
    """Take its components out of the holder: those that it brought, and those of its provider that came later."""
    holder = draft.incident(holder_number)
    if incident.number not in holder.parts:
        return ()
    came = holder.parts[incident.number].components
    later: tuple[str, ...] = ()
    if incident.provider and incident.provider != holder.provider:
        known = draft.policy.components
        later = tuple(id for id in holder.affected if id in known and known[id].provider == incident.provider)
    back = tuple(id for id in sorted(holder.affected) if id in came or id in later)
    left = set(holder.affected) - set(back)
    flags = tuple(
        flag.key for flag in draft.policy.flags.values() if set(flag.depends_on) & set(back) and not set(flag.depends_on) & left
    )
    tasks = sum(task.open for _, task in lent(holder, incident))
    draft.add(holder.stream, PartGivenBack(incident.number, back, flags, tasks))
    return back


def _catch_up(draft: Draft, number: int, back: tuple[str, ...]) -> None:
    """Record what its components did meanwhile. Components of both stay in both."""
    incident = draft.incident(number)
    for id in sorted({*incident.affected, *back}):
        now, known = draft.world.component(id), incident.affected.get(id)
        if known is None:
            joined = ComponentJoined(id, now.level, now.reason, now.evidence, now.began_at)
            draft.add(incident.stream, joined, told=False)
        elif now.level is not known.level:
            moved = ComponentMoved(id, known.level, now.level, now.reason, now.began_at or draft.now, now.evidence)
            draft.add(incident.stream, moved, told=False)


def _flags_back(draft: Draft, number: int, holder: int) -> None:
    """Switched or proposed flags that depend only on its components are told in it again."""
    mine = set(draft.incident(number).affected)
    others = set(draft.world.incidents[holder].affected) if holder in draft.world.running else set()
    for policy in flags_and_scopes(draft.world, draft.policy):
        state, stands_on = draft.world.flag(policy.key), set(policy.depends_on)
        waits = state.engagement or state.proposal
        if waits and waits.incident == holder and stands_on & mine and not stands_on & others:
            tell_in(draft, state, number)


HANDLERS: Handlers = {Merge: on_merge, Unmerge: on_unmerge}
