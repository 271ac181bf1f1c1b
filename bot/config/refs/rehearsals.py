"""Checks of rehearsals: prices of components that do not exist, flags with nothing to rehearse."""

from collections.abc import Callable

from bot.config.reading.errors import Report
from bot.config.reading.tree import Map, Node, Path, Scalar, child, entries, items, text


def check_rehearsals(root: Map, refer: Callable[[str | None, Node, Path], None], report: Report) -> None:
    """Report them; `refer` checks a component's id."""
    priced = entries(child(root, "prices"))
    for price in priced:
        refer(price.key, Scalar(price.key, price.mark), ("prices", price.key))
    for flag in entries(child(root, "flags")):
        rehearse = child(flag.value, "rehearse")
        if rehearse is None:
            continue
        where = ("flags", flag.key, "rehearse")
        needs = [name for one in items(child(flag.value, "fallbacks")) if (name := text(child(one, "needs")))]
        if not needs:
            report.warn(rehearse.mark, where, "no fallback `needs` a component, so nothing is rehearsed")
        for name in dict.fromkeys(needs):
            if name not in {price.key for price in priced}:
                words = f"`prices` has no entry for {name}, so the token budget of its llm check limits its rehearsals"
                report.warn(rehearse.mark, where, words)
