"""Facts of paging, as people read them."""

from collections.abc import Mapping

from bot.core.effects import ALL
from bot.core.record.fact import Fact
from bot.core.record.paging_facts import Paged, PageHeld, PageLost, PageOutcome, PagingResumed, PagingSettled

WAYS = {"alert": "by a mention in the alert", "mention": "by a mention", "notify": "by notify"}


def sentence(fact: Fact, names: Mapping[str, str]) -> str:
    """A fact of paging; empty for others."""
    match fact.body:
        case Paged() as b:
            return f"Page {b.step} of {b.severity} goes out: {_ways(b)}"
        case PageOutcome() as b:
            whom = ", ".join(b.reached) or "nobody"
            problem = f" ({b.problem})" if b.problem else ""
            if b.way == "dm":
                return f"Page {b.step} of {b.severity}, who gets a direct message: {whom}{problem}"
            return f"Page {b.step} of {b.severity} reached {whom} {WAYS.get(b.way, 'by a direct message')}{problem}"
        case PageLost() as b:
            then = "no further step is configured" if b.last else "the next step comes at once"
            return f"Page {b.step} of {b.severity} reached nobody; {then}"
        case PagingResumed():
            return "People are called again, although somebody acknowledged it"
        case PagingSettled():
            return "What people were called again for is settled"
        case PageHeld() as b:
            return f"Page {b.step} of {b.severity} waits until {b.until:%Y-%m-%d %H:%M} UTC"
    return ""


def _ways(body: Paged) -> str:
    addresses = ("every address",) if ALL in body.notify else body.notify
    ways = {"mention of": body.mention, "direct message to": body.dm, "notify": addresses}
    return "; ".join(f"{way} {', '.join(names)}" for way, names in ways.items() if names)
