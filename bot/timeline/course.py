"""What happened to an incident beside its phase, as people read it."""

from collections.abc import Mapping

from bot.core.record.course.mitigation_facts import Mitigated, MitigationLost
from bot.core.record.fact import Fact


def sentence(fact: Fact, names: Mapping[str, str]) -> str:
    """A fact of an incident's course; empty for others."""
    match fact.body:
        case Mitigated():
            return f"INC-{fact.incident} is mitigated"
        case MitigationLost():
            return f"INC-{fact.incident} is not mitigated any more"
    return ""
