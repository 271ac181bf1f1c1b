"""Checks across sinks: two that write to the same place, and variants that the flag does not have."""

from bot.config.reading.errors import Report, suggest
from bot.config.reading.tree import Map, Mark, Node, Path, child, entries, items, text

# The keys that say where each type writes to.
PLACES = {
    "webhook": ("url",),
    "flagd_file": ("path",),
    "envoy_rds": ("path",),
    "unleash": ("url", "project", "environment", "feature"),
}


def check_sinks(root: Map, report: Report) -> None:
    """Report every place shared by two sinks, and every unknown variant."""
    seen: dict[tuple[str | None, ...], int] = {}
    for flag in entries(child(root, "flags")):
        variants = [one.key for one in entries(child(flag.value, "variants"))]
        for index, sink in enumerate(items(child(flag.value, "sinks"))):
            where = ("flags", flag.key, "sinks", index)
            _check_place(flag.key, sink, where, seen, report)
            _check_variants(sink, variants, where, report)


def _check_place(flag: str, sink: Node, where: Path, seen: dict[tuple[str | None, ...], int], report: Report) -> None:
    kind = text(child(sink, "type")) or ""
    keys = PLACES.get(kind, ())
    # Several flags may use one webhook receiver, which can tell them apart.
    place = (kind, *(text(child(sink, key)) for key in keys), *([flag] if kind == "webhook" else []))
    if keys and text(child(sink, keys[0])) and place in seen:
        message = f"the sink in line {seen[place]} writes to the same place"
        report.error(sink.mark, where, message, "give each sink a place of its own, or take one out")
    seen.setdefault(place, sink.mark.line)


def _check_variants(sink: Node, variants: list[str], where: Path, report: Report) -> None:
    named: list[tuple[str, Mark, Path]] = [
        (one.key, one.mark, ("clusters", one.key)) for one in entries(child(sink, "clusters"))
    ]
    named += [(text(one) or "", one.mark, ("on", number)) for number, one in enumerate(items(child(sink, "on")))]
    for name, mark, rest in named:
        if name and variants and name not in variants:
            report.error(mark, (*where, *rest), f"there is no variant {name[:80]!r}", suggest(name, variants, "variants"))
    clusters = [one.key for one in entries(child(sink, "clusters"))]
    lacking = [name for name in variants if clusters and name not in clusters]
    if lacking:
        report.error(sink.mark, (*where, "clusters"), f"{lacking[0]!r} has no cluster", "name one for each variant of the flag")
