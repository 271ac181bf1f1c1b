"""Facts of drills as people read them, and a drill's report."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from bot.core.drill import LEFT_OPEN, Drill
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Actor, ActorKind
from bot.core.policy import Policy
from bot.core.record.course.runbook_facts import StepTicked
from bot.core.record.drills.drill_facts import DrillEnded, DrillReadersSeen
from bot.core.record.fact import Fact
from bot.core.record.incident import Incident
from bot.core.record.incident_facts import UpdateWritten
from bot.core.tasks import Task

IN_TIME = timedelta(minutes=5)  # to acknowledge; somebody woken at night needs about that


def sentence(fact: Fact, names: Mapping[str, str]) -> str:
    """A fact of a drill; empty for others."""
    match fact.body:
        case DrillEnded():
            return "The drill is over"
        case DrillReadersSeen() as b:
            scoped = [f"{', '.join(b.fallback)} read the fallback of {b.flag} in the drill"] if b.fallback else []
            other = [f"{', '.join(b.other)} read {b.flag} without the drill"] if b.other else []
            return "; ".join([*scoped, *other])
    return ""


@dataclass(frozen=True)
class DrillReport:
    """The report of a drill. Spans count from its start; None = did not happen. Readers are named as they name themselves."""

    started_by: Actor
    until: datetime
    ended_at: datetime | None
    ended_because: str
    paging: bool
    acknowledged_by: Actor | None
    acknowledged_after: timedelta | None
    led_by: Actor | None
    first_update_by: Actor | None
    first_update_after: timedelta | None
    runbook: tuple[tuple[str, tuple[str, ...]], ...]  # the steps shown, by component
    steps_done: tuple[tuple[str, Actor], ...]  # each with the person who did it
    tasks: tuple[Task, ...]  # tasks that were added
    flag: str
    variant: str
    fallback_readers: tuple[str, ...]
    other_readers: tuple[str, ...]  # services that read the flag meanwhile, but never the fallback
    missed: tuple[str, ...]  # what should have happened and did not, a sentence each


def drill_report(incident: Incident, facts: Sequence[Fact], policy: Policy) -> DrillReport | None:
    """The report from a drill's facts, preliminary while it is open; None if the incident is not a drill."""
    drill, people = incident.drill, incident.people
    if drill is None:
        return None
    spoken = next((fact for fact in facts if isinstance(fact.body, UpdateWritten) and fact.body.text), None)
    known = [one for id in incident.affected if (one := policy.component(id))]
    others = tuple(one for one in drill.other_readers if one not in drill.fallback_readers)
    return DrillReport(
        started_by=incident.declared_by, until=drill.plan.until, ended_at=drill.ended_at or incident.ending.at,
        ended_because=drill.ended_because or incident.ending.reason, paging=drill.plan.paging,
        acknowledged_by=people.acknowledged_by,
        acknowledged_after=people.acknowledged_at - incident.declared_at if people.acknowledged_at else None,
        led_by=people.lead, first_update_by=spoken.actor if spoken else None,
        first_update_after=spoken.at - incident.declared_at if spoken else None,
        runbook=tuple((one.name, one.runbook_steps) for one in known if one.has_runbook),
        steps_done=_done(facts), tasks=tuple(incident.tasks.values()), flag=drill.plan.flag,
        variant=drill.plan.variant, fallback_readers=drill.fallback_readers, other_readers=others,
        missed=tuple(_missed(incident, drill, policy, bool(spoken), [one.name for one in known if not one.has_runbook])),
    )  # fmt: skip


def _done(facts: Sequence[Fact]) -> tuple[tuple[str, Actor], ...]:
    """The steps that are done, and who did them."""
    done: dict[int, tuple[str, Actor]] = {}
    for fact in facts:
        if isinstance(fact.body, StepTicked):
            done.pop(fact.body.step, None)
            if fact.body.done:
                done[fact.body.step] = fact.body.text, fact.actor
    return tuple(done.values())


def _missed(incident: Incident, drill: Drill, policy: Policy, spoken: bool, without_runbook: Sequence[str]) -> list[str]:
    people, missed = incident.people, []
    if people.acknowledged_at is None:
        missed.append("Nobody acknowledged it.")
    elif people.acknowledged_at - incident.declared_at > IN_TIME:
        missed.append(f"Nobody acknowledged it within {IN_TIME // timedelta(minutes=1)} min.")
    if people.lead is None:
        missed.append("Nobody took the lead.")
    if not spoken:
        missed.append("No person wrote an update.")
    if without_runbook:
        missed.append(f"There is no runbook for {', '.join(without_runbook)}.")
    undone = [f"{task.number} ({task.text[:60]})" for task in incident.tasks.values() if task.open and not task.follow_up]
    if undone and not incident.phase.open:
        missed.append(f"Not done: task {', '.join(undone)}.")
    if drill.plan.flag and not drill.fallback_readers:
        missed.append(f"No service read the fallback of {policy.flag_name(drill.plan.flag)}.")
    left = incident.ending.at and drill.ended_at and incident.ending.at - drill.ended_at >= LEFT_OPEN
    if left and incident.ending.by and incident.ending.by.kind is ActorKind.RULE:
        missed.append("Nobody resolved it.")
    return missed
