"""Results of rehearsals, as people read them."""

from collections.abc import Mapping

from bot.core.decide.flags.readiness import causes
from bot.core.record.fact import Fact
from bot.core.record.rehearsals.rehearsal_facts import RehearsalAsked, RehearsalSkipped, Rehearsed
from bot.core.rehearsal import Rehearsal


def sentence(fact: Fact, names: Mapping[str, str]) -> str:
    """A fact of a rehearsal; empty for others."""
    match fact.body:
        case RehearsalAsked(flag=flag):
            return f"Asked for a rehearsal of the fallbacks of {flag}"
        case Rehearsed() as b:
            last = Rehearsal(fact.at, b.model, b.answered, b.results)
            came = "failed" if last.failed else "passed"
            why = f": {causes(last)}" if causes(last) else ""
            return f"{b.variant} of {b.flag} {came} its rehearsal{why}"
        case RehearsalSkipped() as b:
            return f"{b.variant} of {b.flag} was not rehearsed"
    return ""
