"""Facts of an incident besides its phase, as people read them."""

from collections.abc import Mapping

from bot.core.record.course.merge_facts import DuplicateFound, Merged, PartGivenBack, PartSwitched, PartTaken, Unmerged
from bot.core.record.course.mitigation_facts import Mitigated, MitigationLost
from bot.core.record.course.runbook_facts import StepTicked
from bot.core.record.course.served_facts import CustomersServed
from bot.core.record.fact import Fact
from bot.timeline.words import percent


def sentence(fact: Fact, names: Mapping[str, str]) -> str:
    """A fact about merging, mitigation, runbooks and the like; empty for others."""
    match fact.body:
        case Mitigated():
            return "Customers are served again"
        case MitigationLost():
            return "Customers are no longer served"
        case CustomersServed(served=served):
            return f"Customers served so far: {percent(served.share)} of {served.total:,} requests"
        case StepTicked(step=step, text=text, done=done):
            return f"Step {step} of the runbook {'is done' if done else 'is not done after all'}: {text}"
        case Merged(into=into):
            return f"INC-{fact.incident} is part of INC-{into} now"
        case Unmerged(out_of=holder, phase=phase):
            return f"INC-{fact.incident} was taken out of INC-{holder} and is {phase} again"
        case PartTaken(number=number, title=title):
            return f"INC-{number} “{title}” became part of INC-{fact.incident}{_with(fact.body.components, names)}"
        case DuplicateFound(number=number, title=title):
            return f"INC-{number} “{title}” was a duplicate of INC-{fact.incident}"
        case PartGivenBack(number=number, components=components):
            return f"INC-{number} was taken out of INC-{fact.incident}{_with(components, names, 'it took')}"
        case PartSwitched(flag=flag, variant=variant):
            return f"{flag} uses {variant or 'its default'} {'instead' if variant else 'again'}"
    return ""


def _with(components: tuple[str, ...], names: Mapping[str, str], how: str = "it brings") -> str:
    return f"; {how} {', '.join(names.get(id, id) for id in components)}" if components else ""
