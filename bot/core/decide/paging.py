"""Who is paged, and when: steps by severity, until somebody acknowledges the incident.

When a step is due follows from the declaration, the configuration and the steps already taken, so a restart, a crash or
another replica arrives at the same answer. A step is identified by severity and number, and taken once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.decide.draft import Draft
from bot.core.effects import ALL, FindPeople, OfPage, PageAddresses, PageMention, PagePerson, PostAlert, PostLine, To
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Actor, Phase
from bot.core.paging import PageStep, PagingPolicy
from bot.core.policy import Policy
from bot.core.record.incident import Incident
from bot.core.record.paging_facts import Paged, PageHeld, PageLost, PageOutcome
from bot.core.record.world import World
from bot.core.signals import EffectDone, EffectRefused

PAGING = Actor.rule("paging")
NOW = timedelta(0)


@dataclass(frozen=True)
class Due:
    """A step not yet taken. `wanted` is when its delay ends; `at` is that moved out of quiet hours."""

    number: int
    step: PageStep
    wanted: datetime
    at: datetime


def waits_for_people(incident: Incident) -> bool:
    """Whether somebody must be found: an open incident is unacknowledged, or a question in it went unanswered.

    Not if it is well and only being monitored, nor for a drill that pages nobody.
    """
    unheard = (incident.people.acknowledged_by is None or bool(incident.paging.again)) and incident.calls_people
    watched = incident.phase is Phase.MONITORING or (incident.phase_by_person and incident.well)
    return unheard and incident.phase.open and not watched


def steps_left(incident: Incident, policy: PagingPolicy) -> list[Due]:
    """The remaining steps of its severity, in order. After a step that reached nobody, the next one is due at once."""
    paging, severity = incident.paging, incident.severity
    steps, done = policy.steps.get(severity, ()), paging.done.get(severity, 0)
    since, left = paging.since or incident.declared_at, []
    for number, step in enumerate(steps, 1):
        at = max(policy.later(severity, since, step.after), paging.held_until or since)
        if number > done and (paging.eased_at is None or at > paging.eased_at):
            left.append(Due(number, step, since + step.after, at))
    if paging.lost_at is None:
        return left
    if left:
        return [Due(left[0].number, left[0].step, paging.lost_at, policy.later(severity, paging.lost_at, NOW)), *left[1:]]
    called_all = bool(steps) and ALL in steps[-1].notify
    if not policy.last_resort or called_all or done != len(steps):
        return []
    step = PageStep(NOW, notify=(ALL,))
    return [Due(done + 1, step, paging.lost_at, policy.later(severity, paging.lost_at, NOW))]


def page_people(draft: Draft, number: int, *, with_alert: bool = False) -> None:
    """Take the step that is due, if any. `with_alert`: the alert is about to be posted and will mention people itself.

    If several are overdue, for instance after downtime of the bot, they are taken as one: a pager in the step before the last
    must ring too.
    """
    incident = draft.incident(number)
    if not waits_for_people(incident):
        return
    left = steps_left(incident, draft.policy.paging)
    overdue = [due for due in left if due.at <= draft.now]
    quiet = draft.policy.paging.quiet_until(incident.severity, draft.now) if overdue else None  # they began in downtime
    if overdue and quiet is None:
        _take(draft, incident, _as_one(overdue), len(overdue) - 1, with_alert)
    elif quiet or (left and _newly_held(incident, left[0]) and left[0].wanted <= draft.now):
        body = PageHeld(incident.severity, left[0].number, quiet or left[0].at, f"quiet hours of {incident.severity}")
        draft.add(incident.stream, body, actor=PAGING)


def _as_one(overdue: Sequence[Due]) -> Due:
    """The last of these steps, for everyone whom any of them calls; each is called once."""
    mention, dm, notify = (
        tuple(dict.fromkeys(name for due in overdue for name in getattr(due.step, way))) for way in ("mention", "dm", "notify")
    )
    return replace(overdue[-1], step=PageStep(overdue[-1].step.after, mention, dm, notify))


def _newly_held(incident: Incident, due: Due) -> bool:
    return due.wanted < due.at and incident.paging.held_until != due.at


def _take(draft: Draft, incident: Incident, due: Due, passed: int, with_alert: bool) -> None:
    severity, step = incident.severity, due.step
    in_alert = with_alert and bool(step.mention)
    body = Paged(
        severity, due.number, step.mention, step.dm, step.notify, in_alert, passed, _why(draft, incident, passed)
    )  # fmt: skip
    fact = draft.add(incident.stream, body, actor=PAGING)
    if step.mention and not in_alert:
        draft.send(PageMention(severity, due.number, step.mention), fact)
    if step.dm:
        draft.send(FindPeople(severity, due.number, step.dm), fact)
    if step.notify:
        draft.send(PageAddresses(severity, due.number, step.notify), fact)


def _why(draft: Draft, incident: Incident, passed: int) -> str:
    if incident.paging.lost_at:
        return "the step before it reached nobody"
    minutes = int((draft.now - incident.declared_at).total_seconds() // 60)
    why = f"nobody has acknowledged it for {minutes} min" if minutes else "nobody has acknowledged it yet"
    if incident.people.acknowledged_by and incident.paging.again:
        why = incident.paging.again
    if passed:
        steps = "step was overdue too and goes" if passed == 1 else "steps were overdue too and go"
        why += f"; {passed} earlier {steps} out with it"
    return why


def on_time(draft: Draft) -> None:
    """Take the steps that are due in every open incident."""
    for incident in draft.world.open_incidents():
        page_people(draft, incident.number)


# --- results


def came_to(draft: Draft, signal: EffectDone | EffectRefused) -> None:
    """Record the result of one way of a step. Name those who could not be called; if nobody could, paging continues at once."""
    body, number = signal.body, signal.incident
    if number is None or not isinstance(body, OfPage | PostAlert):
        return
    incident = draft.incident(number)
    reached, problem = ((), signal.reason) if isinstance(signal, EffectRefused) else (signal.reached, signal.problem)
    if isinstance(body, PostAlert):
        mention = incident.paging.alert
        if mention is None or mention.called is not None:
            return
        outcome = PageOutcome(mention.severity, mention.step, "alert", reached, problem)
    else:
        outcome = PageOutcome(body.severity, body.step, body.way, reached, problem)
    fact = draft.add(incident.stream, outcome, actor=PAGING)
    if isinstance(body, FindPeople) and waits_for_people(incident):
        for user in reached:
            draft.send(PagePerson(body.severity, body.step, user), fact)
    if not _lost(draft, number, outcome) and problem and problem != incident.paging.problem:
        draft.send(PostLine(To.OPS), fact)


def _lost(draft: Draft, number: int, outcome: PageOutcome) -> bool:
    """Whether the newest step is now known to have reached nobody; if so, record and say it."""
    incident = draft.incident(number)
    paging = incident.paging
    newest = paging.newest == f"{outcome.severity}/{outcome.step}"
    if not newest or paging.awaited or paging.reached or paging.lost_at or not waits_for_people(incident):
        return False
    lost = replace(incident, paging=replace(paging, lost_at=draft.now))
    last = not steps_left(lost, draft.policy.paging)
    body = PageLost(outcome.severity, outcome.step, last, outcome.problem or "nobody could be called")
    fact = draft.add(incident.stream, body, actor=PAGING)
    draft.send(PostLine(To.OPS), fact)
    return True


def due(world: World, policy: Policy) -> Iterator[datetime]:
    """When the next step of an open incident is due, or when to say that it waits for the end of quiet hours."""
    for incident in world.open_incidents():
        if waits_for_people(incident):
            left = steps_left(incident, policy.paging)
            yield from (step.at for step in left[:1])
            yield from (step.wanted for step in left[:1] if _newly_held(incident, step))
