"""Known vendors: `preset: anthropic` adds names, components, checks and the status page; keys beside it override them."""

from functools import cache
from importlib.resources import files

from bot.config.reading.errors import Report, suggest
from bot.config.reading.expand import Expansion
from bot.config.reading.lines import parse
from bot.config.reading.tree import (
    Entry,
    Map,
    Mark,
    Node,
    Path,
    Scalar,
    Seq,
    child,
    entries,
    entry,
    items,
    put,
    text,
    with_values,
)

NEEDED_EVERY = "needed_every"  # of a check; only in presets.yaml


def preset_names() -> tuple[str, ...]:
    """The names that `preset` takes."""
    return tuple(one.key for one in entries(_presets()))


def apply_presets(root: Map, report: Report) -> Map:
    """The tree with each provider's preset merged beneath the provider's own keys.

    Mappings merge key by key; lists and values are replaced as a whole. For messages, everything from a preset is at the line
    of `preset`.
    """

    needed = _needed(root)

    def of_provider(provider: Entry) -> Node:
        if not isinstance(provider.value, Map):
            return provider.value
        return _merge_preset(provider.value, ("providers", provider.key), needed, report)

    def of_root(section: Entry) -> Node:
        return with_values(section.value, of_provider) if section.key == "providers" else section.value

    return Map(tuple(Entry(one.key, one.mark, of_root(one)) for one in root.entries), root.mark)


def _needed(root: Map) -> frozenset[str]:
    """The components that flags depend on, by id: for their default variant, or for a fallback."""
    ids: set[str | None] = set()
    for flag in entries(child(root, "flags")):
        ids |= {text(item) for item in items(child(flag.value, "depends_on"))}
        ids |= {text(child(fallback, "needs")) for fallback in items(child(flag.value, "fallbacks"))}
    return frozenset(id for id in ids if id)


def _merge_preset(provider: Map, path: Path, needed: frozenset[str], report: Report) -> Map:
    chosen = entry(provider, "preset")
    key = entry(provider, "api_key")
    if chosen is None:
        if key is not None:
            report.warn(key.mark, (*path, "api_key"), "it is only used with `preset`; set it on the checks that need it")
        return provider
    name = text(chosen.value)
    if name is None:
        return provider  # a wrong type, or a missing variable: reported elsewhere
    preset = child(_presets(), name)
    if preset is None:
        remedy = suggest(name, preset_names(), "presets")
        report.error(chosen.value.mark, (*path, "preset"), "there is no such preset", remedy)
        return provider
    preset = _paced(preset, path[-1], needed)
    filled = _fill(preset, key.value if key else None, chosen.value.mark, report)
    merged = _merge(filled, provider)
    return merged if isinstance(merged, Map) else provider


@cache
def _presets() -> Node:
    report = Report("presets.yaml")
    root = parse(files("bot.config").joinpath("presets.yaml").read_text(encoding="utf-8"), report)
    if root is None or report.errors:
        raise ValueError(f"the packaged presets are damaged: {[str(error) for error in report.errors]}")
    return root


def _paced(preset: Node, provider: str | int, needed: frozenset[str]) -> Node:
    """The preset with each check's interval adapted: shorter if a flag depends on its component."""

    def of_check(check: Node, *, often: bool) -> Node:
        every = child(check, NEEDED_EVERY)
        if not isinstance(check, Map) or every is None:
            return check
        rest = Map(tuple(one for one in check.entries if one.key != NEEDED_EVERY), check.mark)
        return put(rest, "every", every) if often else rest

    def of_component(component: Entry) -> Node:
        checks = child(component.value, "checks")
        if not isinstance(component.value, Map) or not isinstance(checks, Seq):
            return component.value
        often = f"{provider}.{component.key}" in needed
        return put(component.value, "checks", Seq(tuple(of_check(one, often=often) for one in checks.items), checks.mark))

    components = child(preset, "components")
    if not isinstance(preset, Map) or not isinstance(components, Map):
        return preset
    return put(preset, "components", with_values(components, of_component))


def _fill(preset: Node, key: Node | None, mark: Mark, report: Report) -> Node:
    """The preset with the key inserted, and everything at the line of `preset`."""
    credential = text(key) or ""
    variables = key.variables if isinstance(key, Scalar) else ()
    broken = isinstance(key, Scalar) and key.broken
    expanded = Expansion({"api_key": credential}, report).run(preset)
    return _placed(expanded, mark, variables, broken)


def _placed(node: Node, mark: Mark, variables: tuple[str, ...], broken: bool) -> Node:
    match node:
        case Scalar(value):
            uses_key = "api_key" in node.variables
            return Scalar(value, mark, variables if uses_key else (), broken and uses_key)
        case Seq(items):
            return Seq(tuple(_placed(item, mark, variables, broken) for item in items), mark)
        case Map(found):
            return Map(tuple(Entry(one.key, mark, _placed(one.value, mark, variables, broken)) for one in found), mark)


def _merge(below: Node, above: Node) -> Node:
    if not isinstance(below, Map) or not isinstance(above, Map):
        return above
    kept = tuple(
        Entry(one.key, own.mark, _merge(one.value, own.value)) if (own := entry(above, one.key)) else one
        for one in below.entries
    )
    return Map((*kept, *(one for one in above.entries if entry(below, one.key) is None)), above.mark)
