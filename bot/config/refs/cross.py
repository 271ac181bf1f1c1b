"""Checks across sections: names that must exist elsewhere in the file, and settings that contradict each other.

These rules read the tree, not the models, so that they work even if some other value is wrong.
"""

import re
from datetime import timedelta

from pydantic_core import PydanticCustomError

from bot.config.checks.kinds import CHECK_MODELS, CONTROL
from bot.config.exposure import check_exposure
from bot.config.reading.errors import Report, suggest
from bot.config.reading.tree import Map, Node, Path, Scalar, child, entries, entry, items, text
from bot.config.refs.paging import check_paging
from bot.config.refs.rehearsals import check_rehearsals
from bot.config.refs.sinks import check_sinks
from bot.config.scalars import parse_duration, show
from bot.core.ids import ComponentId

LEVELS = ("viewers", "responders", "commanders", "admins")  # of `people`, lowest first
_SLACK_ID = re.compile(r"[UWS][A-Z0-9]{2,}")


def cross_check(root: Map, report: Report, lenient_credentials: bool) -> None:
    """Report every broken reference as an error, and contradictory settings as errors or warnings."""
    components, unsure = _component_ids(root)
    _check_slack(root, report, lenient_credentials)
    _check_people(root, report)
    _check_levels(root, report)
    _check_broadcast(root, report)
    check_paging(root, report)
    check_exposure(root, report)
    for provider in entries(child(root, "providers")):
        _check_provider(provider.value, ("providers", provider.key), report)
    for index, check in enumerate(items(child(root, "control_group"))):
        _check_deadline(check, ("control_group", index), report)
    _check_names(items(child(root, "control_group")), ("control_group",), report)
    references = _References(components, unsure, report)
    _check_quiet(root, references, report)
    _check_peers(root, report)
    for flag in entries(child(root, "flags")):
        _check_flag(flag.value, ("flags", flag.key), references, report)
    _check_flag_cases(root, report)
    check_rehearsals(root, references.check, report)
    check_sinks(root, report)
    for runbook in entries(child(root, "runbooks")):
        references.check(runbook.key, Scalar(runbook.key, runbook.mark), ("runbooks", runbook.key))


class _References:
    """Component ids that the file may name. Those of a provider with an unknown preset cannot be judged."""

    def __init__(self, known: list[str], unsure: set[str], report: Report) -> None:
        self._known, self._unsure, self._report = dict.fromkeys(known), unsure, report

    def check(self, name: str | None, node: Node, path: Path) -> None:
        if name is None or name in self._known or ComponentId(name).provider in self._unsure:
            return
        remedy = suggest(name, self._known, "components")
        self._report.error(node.mark, path, f"there is no component {_short(name, node)}", remedy)


def _short(name: str, node: Node) -> str:
    """A name for a message: not if it came from a variable, and shortened."""
    return "of this name" if isinstance(node, Scalar) and node.variables else repr(name[:80])


def _component_ids(root: Map) -> tuple[list[str], set[str]]:
    known: list[str] = []
    unsure: set[str] = set()
    for provider in entries(child(root, "providers")):
        found = entries(child(provider.value, "components"))
        known += [f"{provider.key}.{component.key}" for component in found]
        if not found and child(provider.value, "preset") is not None:
            unsure.add(provider.key)  # its preset is unknown, which was reported already
    return known, unsure


def _check_quiet(root: Map, references: _References, report: Report) -> None:
    """What holds alerts back: components that others depend on, and maintenance windows."""
    for provider in entries(child(root, "providers")):
        if provider.key == CONTROL:
            report.error(provider.mark, ("providers", provider.key), "the name belongs to the control group", "choose another")
        for component in entries(child(provider.value, "components")):
            where = ("providers", provider.key, "components", component.key, "depends_on")
            for index, item in enumerate(items(child(component.value, "depends_on"))):
                references.check(text(item), item, (*where, index))
                if text(item) == f"{provider.key}.{component.key}":
                    report.error(item.mark, (*where, index), "a component cannot depend on itself", "take it out")
    for number, window in enumerate(items(child(root, "maintenance"))):
        for index, item in enumerate(items(child(window, "components"))):
            if child(root, "providers", text(item) or "") is None:  # it may mean all components of a provider
                references.check(text(item), item, ("maintenance", number, "components", index))


def _check_peers(root: Map, report: Report) -> None:
    seen: dict[str, int] = {text(child(root, "vantage")) or "local": 0}
    for index, peer in enumerate(items(child(root, "peers"))):
        node = child(peer, "vantage")
        label = text(node)
        if node is None or label is None:
            continue
        if label in seen:
            whose = f"another peer's, in line {seen[label]}" if seen[label] else "our own"
            report.error(node.mark, ("peers", index, "vantage"), f"this label is {whose}", "give each vantage its own label")
        seen.setdefault(label, node.mark.line)


def _check_slack(root: Map, report: Report, lenient: bool) -> None:
    section = entry(root, "slack")
    slack, mark = (section.value, section.mark) if section else (None, root.mark)
    if "none" in (text(slack), text(child(slack, "mode"))):
        if not any(isinstance(one, Scalar) and (one.broken or text(one)) for one in items(child(root, "notify"))):
            words = "neither Slack nor `notify` is set, so nobody is told anything; only the board and the API show it"
            report.warn(mark, ("slack",), words)
        return
    needed = ("bot_token", "signing_secret" if text(child(slack, "mode")) == "http" else "app_token")
    for key in needed:
        found = child(slack, key)
        value = text(found)
        if found is not None and (value or not isinstance(found, Scalar) or found.broken or not isinstance(found.value, str)):
            continue
        at, what = (found.mark, "is empty") if found is not None else (mark, "is missing")
        if not lenient:
            remedy = f"write `{key}: ${{SLACK_{key.upper()}}}` below `slack:` and set that variable"
            report.error(at, ("slack", key), what, remedy)
        elif not (isinstance(found, Scalar) and found.variables):  # a missing variable has its warning already
            report.warn(at, ("slack", key), f"{what}; Slack cannot be reached")
    backup = child(slack, "backup_channel")
    if backup is not None and text(backup) and text(backup) == (text(child(slack, "alerts_channel")) or "#ops"):
        report.error(
            backup.mark, ("slack", "backup_channel"), "is the alerts channel itself", "name another channel, or leave it out"
        )
    _check_token_kinds(slack, report)
    for key in ("alerts_channel", "backup_channel"):
        channel = child(slack, key)
        name = text(channel) or ""
        remedy = 'name the channel, such as "#ops", or give its ID; the bot posts with its own token'
        if channel is not None and "://" in name:
            report.error(channel.mark, ("slack", key), "an address is not a channel", remedy)
        elif channel is not None and name.startswith("@"):
            report.error(channel.mark, ("slack", key), "a person is not a channel", remedy)


def _check_broadcast(root: Map, report: Report) -> None:
    """Each channel only once, and none in which the incident is told anyway."""
    alerts, seen = text(child(root, "slack", "alerts_channel")) or "#ops", set[str]()
    for index, one in enumerate(items(child(root, "broadcast"))):
        channel = child(one, "channel")
        name, path = text(channel), ("broadcast", index, "channel")
        if channel is None or not name:
            continue
        if name == alerts:
            report.error(channel.mark, path, "is the alerts channel, where the alert stands", "name another channel")
        elif name in seen:
            report.error(channel.mark, path, "this channel is named twice", "put its severities into one entry")
        seen.add(name)


def _check_token_kinds(slack: Node | None, report: Report) -> None:
    """Tokens in each other's place; exchanging them helps only if both are."""
    bot, app = child(slack, "bot_token"), child(slack, "app_token")
    bot_is_app = (text(bot) or "").startswith("xapp-")
    app_is_bot = (text(app) or "").startswith("xoxb-")
    both = "exchange the two tokens: " if bot_is_app and app_is_bot else "from api.slack.com/apps, "
    if bot and bot_is_app:
        report.error(
            bot.mark, ("slack", "bot_token"), "this is the app-level token", f"{both}put in the one that begins with xoxb-"
        )
    if app and app_is_bot:
        report.error(app.mark, ("slack", "app_token"), "this is the bot token", f"{both}put in the one that begins with xapp-")
    signing = child(slack, "signing_secret")
    if signing and (text(signing) or "").startswith(("xoxb-", "xapp-")):
        remedy = "from api.slack.com/apps, Basic Information, put in the Signing Secret, 32 hexadecimal characters"
        report.error(signing.mark, ("slack", "signing_secret"), "this is a token", remedy)


def _check_people(root: Map, report: Report) -> None:
    on_call = {one.key for one in entries(child(root, "people", "on_call"))}
    runbooks = [("runbooks", one.key, "invite") for one in entries(child(root, "runbooks"))]
    invitations = [(path, on_call) for path in (("slack", "invite"), *runbooks)]
    for path, names in (*invitations, *((("people", level), set[str]()) for level in LEVELS)):
        for index, item in enumerate(items(child(root, *path))):
            if (text(item) is not None) and text(item) not in names and not _SLACK_ID.fullmatch(text(item) or ""):
                report.warn(
                    item.mark, (*path, index), "not a user or user-group ID (U..., W... or S...); names do not work here"
                )


def _check_levels(root: Map, report: Report) -> None:
    """Lists that admit more or fewer people than their author may think."""
    lists = {level: node for level in LEVELS if (node := child(root, "people", level)) is not None and items(node)}
    for level in ("viewers", "responders"):
        if list(lists)[-1:] == [level]:
            sentence = f"no commanders are named, so all of these {level} may run incidents, switch flags and mute"
            report.warn(lists[level].mark, ("people", level), sentence)
    external = child(root, "people", "external")
    if external is not None and text(external) == "read" and "viewers" in lists:
        sentence = "viewers are named, so only outsiders on that list may ask"
        report.warn(external.mark, ("people", "external"), sentence)


def _check_provider(provider: Node, path: Path, report: Report) -> None:
    components = entries(child(provider, "components"))
    mapped = child(provider, "status_page", "components")
    keys = [component.key for component in components]
    for one in entries(mapped):
        if one.key not in keys:
            remedy = suggest(one.key, keys, "components of this provider")
            where = (*path, "status_page", "components", one.key)
            report.error(one.mark, where, "there is no such component in this provider", remedy)
    for component in components:
        where = (*path, "components", component.key)
        checks = items(child(component.value, "checks"))
        _check_names(checks, (*where, "checks"), report)
        for index, check in enumerate(checks):
            _check_deadline(check, (*where, "checks", index), report)
        if not checks and entry(mapped, component.key) is None:
            report.warn(component.mark, where, "nothing watches it: it has no checks, and the status page does not map it")


def _check_names(checks: tuple[Node, ...], path: Path, report: Report) -> None:
    seen: dict[str, int] = {}
    for index, check in enumerate(checks):
        named = child(check, "name")
        name = text(named)
        if named is None or not name:
            continue
        if name in seen:
            message = f"two checks have this name; the other is in line {seen[name]}"
            report.error(named.mark, (*path, index, "name"), message, "give each check of a component its own name")
        seen.setdefault(name, named.mark.line)


def _check_deadline(check: Node, path: Path, report: Report) -> None:
    every, deadline = _duration(check, "every"), _duration(check, "deadline")
    if every is None or deadline is None or text(child(check, "type")) == "heartbeat":
        return
    mark = (child(check, "deadline") or child(check, "every") or check).mark
    if deadline > every:
        longer = f"the deadline ({show(deadline)}) is longer than the interval ({show(every)})"
        sentence = f"{longer}; while a run hangs, the next ones are skipped"
        report.warn(mark, (*path, "deadline"), sentence)
    for keys in (("expect", "under"), ("expect", "first_token"), ("under",)):
        place = child(check, *keys)
        span = _parsed(place) if place is not None else None
        if place is not None and span is not None and span > deadline:
            report.warn(place.mark, (*path, *keys), "it is longer than the deadline, so nothing ever counts as slow")


def _duration(check: Node, key: str) -> timedelta | None:
    """The duration in the file, or the default of the check's type; None if neither is known."""
    written = child(check, key)
    if written is not None:
        return _parsed(written)
    model = CHECK_MODELS.get(text(child(check, "type")) or "")
    default = model.model_fields[key].default if model else None
    return default if isinstance(default, timedelta) else None


def _parsed(node: Node | None) -> timedelta | None:
    try:
        return parse_duration(text(node))
    except PydanticCustomError:
        return None  # validation reports this one


def _check_flag(flag: Node, path: Path, references: _References, report: Report) -> None:
    variants = [one.key for one in entries(child(flag, "variants"))]
    _check_variant_types(flag, path, report)
    default = child(flag, "default")
    _check_variant(default, variants, (*path, "default"), report)
    for alias in entries(child(flag, "aliases")):
        if variants and alias.key not in variants:
            where = (*path, "aliases", alias.key)
            report.error(
                alias.mark, where, f"there is no variant {_short(alias.key, flag)}", suggest(alias.key, variants, "variants")
            )
    depends_on = items(child(flag, "depends_on"))
    for index, item in enumerate(depends_on):
        references.check(text(item), item, (*path, "depends_on", index))
    fallbacks = items(child(flag, "fallbacks"))
    _check_fallbacks(fallbacks, text(default), variants, (*path, "fallbacks"), report)
    own = {text(item) for item in depends_on} - {None}
    for index, fallback in enumerate(fallbacks):
        needs = child(fallback, "needs")
        if needs is not None:
            references.check(text(needs), needs, (*path, "fallbacks", index, "needs"))
            if text(needs) in own:
                sentence = "the default depends on this component too: when it fails, this fallback does not help"
                report.warn(needs.mark, (*path, "fallbacks", index, "needs"), sentence)
    automation = child(flag, "automation")
    if text(automation) == "auto" and automation is not None and not (depends_on and fallbacks):
        lacking = "fallbacks" if depends_on else "depends_on"
        report.warn(automation.mark, (*path, "automation"), f"without {lacking} nothing ever switches by itself")


def _check_fallbacks(fallbacks: tuple[Node, ...], default: str | None, variants: list[str], path: Path, report: Report) -> None:
    seen: set[str] = set()
    for index, fallback in enumerate(fallbacks):
        node = child(fallback, "variant")
        name, where = text(node), (*path, index, "variant")
        _check_variant(node, variants, where, report)
        if node is None or name is None:
            continue
        if name == default:
            report.error(node.mark, where, "the fallback is the default itself", "name another variant")
        elif name in seen:
            report.error(node.mark, where, "the variant is listed twice among the fallbacks", "keep the first")
        seen.add(name)


def _check_variant(node: Node | None, variants: list[str], path: Path, report: Report) -> None:
    name = text(node)
    if node is not None and name is not None and variants and name not in variants:
        message = f"there is no variant {_short(name, node)}"
        report.error(node.mark, path, message, suggest(name, variants, "variants"))


def _check_variant_types(flag: Node, path: Path, report: Report) -> None:
    first: tuple[str, str] | None = None
    for one in entries(child(flag, "variants")):
        kind = _json_type(one.value)
        where = (*path, "variants", one.key)
        if kind is None:
            remedy = "write an object, a string, a number or a Boolean"
            report.error(one.mark, where, "a variant cannot have this type of value", remedy)
        elif first is not None and kind != first[1]:
            message = f"its value is {kind}, but that of `{first[0]}` is {first[1]}"
            report.error(one.mark, where, message, "give all variants of a flag one type of value")
        first = first or ((one.key, kind) if kind else None)


def _json_type(node: Node) -> str | None:
    if isinstance(node, Map):
        return "an object"
    value = node.value if isinstance(node, Scalar) else None
    match value:
        case bool():
            return "a Boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case _:
            return None


def _check_flag_cases(root: Map, report: Report) -> None:
    seen: dict[str, tuple[str, int]] = {}
    for flag in entries(child(root, "flags")):
        other = seen.setdefault(flag.key.lower(), (flag.key, flag.mark.line))
        if other[0] != flag.key:
            message = f"it differs from `{other[0]}` in line {other[1]} only in upper and lower case"
            report.error(flag.mark, ("flags", flag.key), message, "give the flags names that people can tell apart")
