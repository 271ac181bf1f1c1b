"""People tick off runbook steps. Numbering runs through all runbooks, in the order in which components joined."""

from collections.abc import Sequence

from bot.core.answers.base import Done, Refused
from bot.core.decide.draft import Draft, Handlers, Step
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Actor
from bot.core.policy import Policy
from bot.core.record.course.runbook_facts import StepTicked
from bot.core.record.incident import Incident
from bot.core.signals.incident import TickStep


@dataclass(frozen=True)
class RunbookStep:
    """One step, by its number in the incident."""

    number: int
    component: str
    text: str


@dataclass(frozen=True, kw_only=True)
class StepIsTicked(Done):
    """A step is done, or (not `done`) it is not."""

    KIND = "step_ticked"
    step: int
    text: str
    done: bool


@dataclass(frozen=True, kw_only=True)
class NoStep(Refused):
    """The incident's runbooks have no such step; `most` is the last number, 0 if there are no steps."""

    KIND = "no_step"
    step: int
    most: int


@dataclass(frozen=True, kw_only=True)
class StepAsBefore(Refused):
    """Nothing to change: `by` already ticked it off; None = it is not ticked."""

    KIND = "step_as_before"
    step: int
    by: Actor | None


def runbook_steps(incident: Incident, policy: Policy) -> Sequence[RunbookStep]:
    """All steps of its components' runbooks, numbered from 1."""
    steps = [(id, step) for id in incident.affected if (one := policy.component(id)) for step in one.runbook_steps]
    return [RunbookStep(number, id, text) for number, (id, text) in enumerate(steps, 1)]


def on_tick(draft: Draft, signal: TickStep) -> Step:
    """Tick a step once; also after the end, since people remember later."""
    incident, steps = draft.incident(signal.incident), runbook_steps(draft.incident(signal.incident), draft.policy)
    meant = next((one for one in steps if one.number == signal.step), None)
    if meant is None:
        return draft.refuse(NoStep(incident=incident.number, step=signal.step, most=len(steps)))
    by = incident.steps.get(meant.number)
    if (by is None) is signal.off:
        return draft.refuse(StepAsBefore(incident=incident.number, step=meant.number, by=by))
    draft.add(incident.stream, StepTicked(meant.component, meant.number, meant.text, not signal.off))
    return draft.done(StepIsTicked(incident=incident.number, step=meant.number, text=meant.text, done=not signal.off))


HANDLERS: Handlers = {TickStep: on_tick}
