"""Which runbook steps people have ticked off."""

from dataclasses import replace

from bot.core.lazy_dataclass import dataclass
from bot.core.record.fact import Body, Fact, OfComponent
from bot.core.record.incident import Incident


@dataclass(frozen=True)
class StepTicked(OfComponent, Body):
    """A person ticked off a step of a component's runbook, or (not `done`) unticked it."""

    KIND = "incident.runbook_step"
    ANNOUNCED = True
    component: str
    step: int  # its number across the incident's runbooks, from 1
    text: str
    done: bool = True

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """Keep who did it."""
        others = {step: by for step, by in state.steps.items() if step != self.step}
        return replace(state, steps={**others, self.step: fact.actor} if self.done else others)
