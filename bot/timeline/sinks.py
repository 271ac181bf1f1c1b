"""Facts of sinks, as people read them."""

from collections.abc import Mapping

from bot.core.record.fact import Fact
from bot.core.record.sinks.sink_facts import SinkAgreed, SinkDrifted, SinkFailed, SinkFollowed, SinkLeft, SinkOrdered


def sentence(fact: Fact, names: Mapping[str, str]) -> str:
    """A fact of a sink; empty for others."""
    match fact.body:
        case SinkOrdered() as b:
            return f"{b.sink} is told that {b.flag} {_has(b.variant, b.share_back)}"
        case SinkFollowed() as b:
            return f"{b.sink} has it that {b.flag} {_has(b.variant, b.share_back)}"
        case SinkFailed() as b:
            return f"{b.sink} does not follow {b.flag}"
        case SinkDrifted() as b:
            then = "; it is put back" if b.repaired else ""
            return f"Somebody else changed {b.sink}, which follows {b.flag}: {b.found} instead of {b.expected}{then}"
        case SinkLeft() as b:
            has = "" if not b.variant else f", with {b.variant}" if b.sure else f", perhaps with {b.variant}"
            return f"{b.sink} of {b.flag} left the configuration, and is left as it is{has}"
        case SinkAgreed() as b:
            return f"{b.sink} has again what {b.flag} serves"
    return ""


def _has(variant: str, share_back: int) -> str:
    if not variant:
        return "is on its default"
    return f"is on {variant}" + (f", {share_back} % on its default" if share_back else "")
