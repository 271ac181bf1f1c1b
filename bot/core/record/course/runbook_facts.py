"""Which steps of runbooks are done: what people tick off."""

from dataclasses import replace

from bot.core.lazy_dataclass import dataclass
from bot.core.record.fact import Body, Fact, OfComponent
from bot.core.record.incident import Incident


@dataclass(frozen=True)
class StepTicked(OfComponent, Body):
    """A person did a step of a component's runbook, or (not `done`) has not after all."""

    KIND = "incident.runbook_step"
    ANNOUNCED = True
    component: str
    step: int  # its number in the runbooks of the incident, from 1
    text: str
    done: bool = True

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """Who did it is kept."""
        others = {step: by for step, by in state.steps.items() if step != self.step}
        return replace(state, steps={**others, self.step: fact.actor} if self.done else others)
