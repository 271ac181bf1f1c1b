"""YAML -> Scenario, with the line of whatever is wrong."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml

from bot.sandbox.vendor.scenario import (
    ANSWER_WORDS,
    DIALECTS,
    PAGE,
    AnswerEvent,
    Answering,
    PageComponent,
    PageEvent,
    Post,
    Scenario,
    ScenarioError,
    ScriptedProvider,
    Word,
)

STATUSES = ("operational", "degraded_performance", "partial_outage", "major_outage", "under_maintenance")
IMPACTS = ("none", "minor", "major", "critical", "maintenance")
POST_STATUSES = ("investigating", "identified", "monitoring", "resolved", "postmortem")
MAINTENANCE_STATUSES = ("scheduled", "in_progress", "verifying", "completed")
SLOW = re.compile(r"slow (\d+(?:\.\d+)?)(ms|s|m)")
SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0}


def shipped() -> dict[str, Traversable]:
    """The scenarios that come with the package, by name."""
    folder = resources.files("bot.sandbox").joinpath("scenarios")
    return {entry.name.removesuffix(".yaml"): entry for entry in folder.iterdir() if entry.name.endswith(".yaml")}


def load(path_or_name: str | Path) -> Scenario:
    """Read and check a scenario; ScenarioError names file, line, key and remedy."""
    wanted = str(path_or_name)
    source: Traversable = Path(wanted)
    if "/" not in wanted and not wanted.endswith((".yaml", ".yml")):
        known = shipped()
        if wanted not in known:
            raise ScenarioError(f"no scenario {wanted!r}: choose one of {', '.join(sorted(known))}, or give a file's path")
        source = known[wanted]
    try:
        text = source.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        why = exc.strerror if isinstance(exc, OSError) else "not UTF-8 text"
        raise ScenarioError(f"{wanted}: cannot be read ({why}); give the path of a scenario file") from exc
    return read(text, wanted)


def read(text: str, file: str) -> Scenario:
    """A scenario from YAML text; `file` is for the errors."""
    top = _compose(text, file)
    top.only("name", "title", "minutes", "providers", "events")
    providers = {key: _provider(key, part) for key, part in top.part("providers").parts()}
    if not providers:
        raise top.part("providers").wrong("is empty", "name at least one provider")
    answers: list[AnswerEvent] = []
    pages: list[PageEvent] = []
    posts: dict[str, Post] = {}
    for event in top.part("events").rows() if "events" in top.value else ():
        if PAGE in event.value:
            pages.append(_page_event(event, providers, posts))
        else:
            answers.append(_answer_event(event, providers))
    return Scenario(
        name=top.part("name").text(),
        title=top.part("title").text(),
        minutes=top.part("minutes").number(above=0),
        providers=providers,
        answer_events=tuple(sorted(answers, key=lambda event: event.at)),
        page_events=tuple(sorted(pages, key=lambda event: event.at)),
    )


@dataclass(frozen=True)
class _Part:
    """A value of the file with its place."""

    value: Any
    path: str
    file: str
    lines: Mapping[str, int]

    def wrong(self, what: str, remedy: str) -> ScenarioError:
        return ScenarioError(f"{self.file}:{self.lines.get(self.path, 1)}: {self.path or 'the file'} {what}; {remedy}")

    def part(self, key: str) -> "_Part":
        if key not in self.mapping():
            raise self.wrong(f"has no `{key}`", f"add `{key}:`")
        return self._at(key, self.value[key])

    def parts(self) -> list[tuple[str, "_Part"]]:
        return [(key, self._at(key, value)) for key, value in self.mapping().items()]

    def rows(self) -> list["_Part"]:
        if not isinstance(self.value, list):
            raise self.wrong("is not a list", "write its entries with dashes")
        return [self._at(str(index), value) for index, value in enumerate(self.value)]

    def only(self, *keys: str) -> None:
        for key in self.mapping():
            if key not in keys:
                raise self._at(key, None).wrong("is not a known key", f"use {', '.join(keys)}")

    def mapping(self) -> dict[str, Any]:
        if not isinstance(self.value, dict):
            raise self.wrong("is not a mapping", "write `key: value` lines under it")
        return self.value

    def text(self) -> str:
        if isinstance(self.value, bool) or not isinstance(self.value, str | int | float) or not str(self.value).strip():
            raise self.wrong("is not a text", "write one, in quotes if need be")
        return str(self.value)

    def number(self, *, above: float | None = None, up_to: float | None = None) -> float:
        if isinstance(self.value, bool) or not isinstance(self.value, int | float) or not math.isfinite(self.value):
            raise self.wrong(f"is {self.value!r}, not a number", "write minutes as a number, such as 45 or 0.5")
        if (above is not None and self.value <= above) or (up_to is not None and self.value > up_to) or self.value < 0:
            bounds = " and ".join(
                words
                for words in (
                    f"above {above:g}" if above is not None else "not below 0",
                    f"at most {up_to:g}" if up_to is not None else "",
                )
                if words
            )
            raise self.wrong(f"is {self.value:g}", f"it must be {bounds}")
        return float(self.value)

    def one_of(self, known: tuple[str, ...]) -> str:
        if self.text() not in known:
            raise self.wrong(f"is {self.value!r}", f"choose one of {', '.join(known)}")
        return self.text()

    def _at(self, key: str, value: Any) -> "_Part":
        return _Part(value, f"{self.path}.{key}" if self.path else key, self.file, self.lines)


def _compose(text: str, file: str) -> _Part:
    lines: dict[str, int] = {}
    try:
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)):
            raise ScenarioError(f"{file}: uses a YAML alias (*name); write the value out")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if not isinstance(node, yaml.MappingNode):
            raise ScenarioError(f"{file}:1: the file is not a mapping; it needs name, title, minutes, providers and events")
        return _Part(_plain(node, "", lines, file), "", file, lines)
    except (yaml.YAMLError, ValueError) as exc:  # a ValueError is a date that is none
        mark = getattr(exc, "problem_mark", None)
        where = f"{file}:{mark.line + 1}" if mark else file
        raise ScenarioError(f"{where}: not YAML ({getattr(exc, 'problem', exc)}); check indentation and quotes") from exc


def _plain(node: yaml.Node, path: str, lines: dict[str, int], file: str) -> Any:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            here = f"{path}.{key}" if path else key
            lines[here] = key_node.start_mark.line + 1
            if key in found:
                raise ScenarioError(f"{file}:{lines[here]}: {here} is there twice; keep one")
            found[key] = _plain(value_node, here, lines, file)
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, f"{path}.{index}", lines, file) for index, item in enumerate(node.value)]
    return yaml.SafeLoader("").construct_object(node)


def _provider(id_: str, part: _Part) -> ScriptedProvider:
    part.only("name", "dialect", "components", "also_on_page")
    surfaces = [(key, value.text()) for key, value in part.part("components").parts()]
    if not surfaces or any(key == PAGE for key, _ in surfaces):
        raise part.part("components").wrong(f"is empty or names `{PAGE}`", f"name surfaces such as api; `{PAGE}` is built in")
    others = [(key, value.text()) for key, value in part.part("also_on_page").parts()] if "also_on_page" in part.value else []
    listed = {key: PageComponent(f"sim-{id_}-{key}", name) for key, name in [*surfaces, *others]}
    dialect = part.part("dialect").one_of(DIALECTS)
    return ScriptedProvider(id_, part.part("name").text(), dialect, tuple(key for key, _ in surfaces), listed)


def _answer_event(event: _Part, providers: Mapping[str, ScriptedProvider]) -> AnswerEvent:
    event.only("at", "for", "component", "answer", "rate", "retry_after")
    part = event.part("component")
    wanted = part.rows() if isinstance(part.value, list) else [part]
    targets = [_component(one, providers) for one in wanted]
    if len({provider for provider, _ in targets}) != 1:
        raise part.wrong("names components of several providers, or none", "write one event for each provider")
    answering = Answering(
        words=_words(event.part("answer")),
        rate=event.part("rate").number(above=0, up_to=1) if "rate" in event.value else 1.0,
        retry_after=int(event.part("retry_after").number()) if "retry_after" in event.value else None,
    )
    if any(word.kind == "refuse" for word in answering.words) and (len(answering.words) > 1 or answering.rate < 1):
        raise event.part("answer").wrong("refuses only some requests", "a port is open or closed: let `refuse` stand alone")
    return AnswerEvent(
        at=event.part("at").number(),
        lasts=event.part("for").number(above=0) if "for" in event.value else None,
        provider=targets[0][0],
        surfaces=tuple(surface for _, surface in targets),
        answering=answering,
    )


def _component(part: _Part, providers: Mapping[str, ScriptedProvider]) -> tuple[str, str]:
    provider, _, surface = part.text().partition(".")
    known = [f"{id_}.{one}" for id_, each in providers.items() for one in (*each.surfaces, PAGE)]
    if part.value not in known:
        raise part.wrong(f"is {part.value!r}", f"choose one of {', '.join(known)}")
    return provider, surface


def _words(part: _Part) -> tuple[Word, ...]:
    return tuple(_word(one) for one in (part.rows() if isinstance(part.value, list) and part.value else [part]))


def _word(part: _Part) -> Word:
    text = part.text()
    slow = SLOW.fullmatch(text)
    if slow is not None:
        return Word("slow", float(slow[1]) * SECONDS[slow[2]])
    if text not in ANSWER_WORDS or text == "slow":
        words = [word if word != "slow" else "slow 12s" for word in ANSWER_WORDS]
        raise part.wrong(f"is {part.value!r}", f"choose of {', '.join(words)}")
    return Word(text)


def _page_event(event: _Part, providers: Mapping[str, ScriptedProvider], posts: dict[str, Post]) -> PageEvent:
    event.only("at", PAGE, "components", "incident", "maintenance")
    provider = event.part(PAGE).one_of(tuple(providers))
    listed = tuple(providers[provider].listed)
    statuses: dict[str, str] = {}
    for key, status in event.part("components").parts() if "components" in event.value else ():
        if key not in listed:
            raise status.wrong("is not on this page", f"choose of {', '.join(listed)}")
        statuses[key] = status.one_of(STATUSES)
    post = None
    for key in ("incident", "maintenance"):
        if key in event.value:
            post = _post(event.part(key), listed, posts, maintenance=key == "maintenance")
            posts.setdefault(post.incident, post)
    return PageEvent(event.part("at").number(), provider, statuses, post)


def _post(part: _Part, listed: tuple[str, ...], posts: Mapping[str, Post], *, maintenance: bool) -> Post:
    part.only("id", "name", "impact", "status", "body", "components")
    incident = part.part("id").text()
    first = posts.get(incident)  # later posts need not repeat name and impact
    named = part.part("components").rows() if "components" in part.value else []
    impact = "maintenance" if maintenance else first.impact if first and "impact" not in part.value else ""
    return Post(
        incident=incident,
        name=first.name if first and "name" not in part.value else part.part("name").text(),
        impact=impact or part.part("impact").one_of(IMPACTS),
        status=part.part("status").one_of(MAINTENANCE_STATUSES if maintenance else POST_STATUSES),
        body=part.part("body").text(),
        surfaces=tuple(one.one_of(listed) for one in named),
        maintenance=maintenance,
    )
