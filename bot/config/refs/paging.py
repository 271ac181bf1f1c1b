"""Checks of paging across settings: names that must exist, steps in order, and ways that are configured."""

import re
from datetime import timedelta

from pydantic_core import PydanticCustomError

from bot.config.paging import SEVERITIES
from bot.config.reading.errors import Report, suggest
from bot.config.reading.tree import Node, Path, Scalar, child, entries, items, plain, text
from bot.config.scalars import parse_duration

HERE, ALL = "here", "all"
WAYS = ("mention", "dm", "notify")
_ID = re.compile(r"[UWS][A-Z0-9]{2,}")


def check_paging(root: Node, report: Report) -> None:
    """Report whatever would leave nobody paged at night."""
    on_call = {one.key: one for one in entries(child(root, "people", "on_call"))}
    for name, one in on_call.items():
        if name in (HERE, ALL):
            report.error(one.mark, ("people", "on_call", name), "the name already means something else", "choose another")
    addresses = [text(one) or "" for one in items(child(root, "notify"))]
    for severity in SEVERITIES:
        before: timedelta | None = None
        for index, step in enumerate(items(child(root, "paging", severity))):
            where: Path = ("paging", severity, index)
            _check_names(step, where, list(on_call), report)
            _check_addresses(step, where, addresses, report)
            ways = [plain(way) for key in WAYS if (way := child(step, key)) is not None]
            if all(way in (False, "false", [], None) for way in ways):
                report.error(step.mark, where, "the step calls nobody", "give it `mention`, `dm` or `notify`")
            before = _check_order(step, where, before, report)
    begins, ends = child(root, "paging", "quiet", "from"), child(root, "paging", "quiet", "to")
    if begins is not None and ends is not None and text(begins) and text(begins) == text(ends):
        remedy = "to page nobody, leave the severity out of `paging`"
        report.error(ends.mark, ("paging", "quiet", "to"), "the hours end when they begin", remedy)


def _check_names(step: Node, where: Path, known: list[str], report: Report) -> None:
    for way in ("mention", "dm"):
        for index, item in enumerate(items(child(step, way))):
            name = text(item)
            if name is None or name in known or _ID.fullmatch(name) or (name == HERE and way == "mention"):
                continue
            quoted = "of this name" if isinstance(item, Scalar) and item.variables else repr(name[:80])
            if name == HERE:
                message, remedy = "`here` is not a person", "it can be mentioned only"
            elif name.lstrip("@!") in ("channel", "everyone"):
                message, remedy = f"{quoted} wakes everybody in the channel", "name who is on call, or `here`"
            else:
                message, remedy = f"there is nobody {quoted} in people.on_call", suggest(name, known, "names there")
                remedy += "; a user's ID (U...) or a user group's (S...) works too"
            report.error(item.mark, (*where, way, index), message, remedy)


def _check_addresses(step: Node, where: Path, addresses: list[str], report: Report) -> None:
    node = child(step, "notify")
    wanted = plain(node) if node is not None else None
    if node is None or wanted in (False, "false", [], None):
        return
    if not addresses:
        report.error(node.mark, (*where, "notify"), "there is no address to call", "write `notify:` with Apprise URLs")
        return
    schemes = [address.partition("://")[0] for address in addresses]
    for index, item in enumerate(items(node)):
        named = str(plain(item))
        if named in schemes or (named.isdecimal() and 1 <= int(named) <= len(addresses)):
            continue
        known = f"`notify:` has {len(addresses)}: {', '.join(f'{n} ({s})' for n, s in enumerate(schemes, 1))}"
        report.error(item.mark, (*where, "notify", index), "there is no such address", known)


def _check_order(step: Node, where: Path, before: timedelta | None, report: Report) -> timedelta | None:
    node = child(step, "after")
    try:
        after = parse_duration(text(node))
    except PydanticCustomError:
        return before  # validation reports this one
    if node is not None and before is not None and after <= before:
        remedy = "write the steps in the order of time, each later than the one before"
        report.error(node.mark, (*where, "after"), "the step does not come after the one before it", remedy)
    return max(after, before) if before is not None else after
