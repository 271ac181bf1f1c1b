"""YAML -> Scenario, with the line of anything that is wrong."""

import re
from collections.abc import Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from bot.sandbox.vendor.parts import Part, compose
from bot.sandbox.vendor.scenario import (
    ANSWER_WORDS,
    DIALECTS,
    MODEL_WORDS,
    PAGE,
    SPANS,
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
SPAN = re.compile(rf"({'|'.join(SPANS)}) (\d+(?:\.\d+)?)(ms|s|m)")
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
    top = compose(text, file)
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


def _provider(id_: str, part: Part) -> ScriptedProvider:
    part.only("name", "dialect", "components", "also_on_page")
    surfaces = [(key, value.text()) for key, value in part.part("components").parts()]
    if not surfaces or any(key == PAGE for key, _ in surfaces):
        raise part.part("components").wrong(f"is empty or names `{PAGE}`", f"name surfaces such as api; `{PAGE}` is built in")
    others = [(key, value.text()) for key, value in part.part("also_on_page").parts()] if "also_on_page" in part.value else []
    listed = {key: PageComponent(f"sim-{id_}-{key}", name) for key, name in [*surfaces, *others]}
    dialect = part.part("dialect").one_of(DIALECTS)
    return ScriptedProvider(id_, part.part("name").text(), dialect, tuple(key for key, _ in surfaces), listed)


def _answer_event(event: Part, providers: Mapping[str, ScriptedProvider]) -> AnswerEvent:
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
    for word in answering.words:
        if word.kind in MODEL_WORDS and any(surface != "api" or providers[id_].dialect == "plain" for id_, surface in targets):
            remedy = "name the component `api` alone, of a provider whose dialect is not plain"
            raise event.part("answer").wrong(f"is {word.kind}, which only the API of a provider of models can answer", remedy)
    return AnswerEvent(
        at=event.part("at").number(),
        lasts=event.part("for").number(above=0) if "for" in event.value else None,
        provider=targets[0][0],
        surfaces=tuple(surface for _, surface in targets),
        answering=answering,
    )


def _component(part: Part, providers: Mapping[str, ScriptedProvider]) -> tuple[str, str]:
    provider, _, surface = part.text().partition(".")
    known = [f"{id_}.{one}" for id_, each in providers.items() for one in (*each.surfaces, PAGE)]
    if part.value not in known:
        raise part.wrong(f"is {part.value!r}", f"choose one of {', '.join(known)}")
    return provider, surface


def _words(part: Part) -> tuple[Word, ...]:
    return tuple(_word(one) for one in (part.rows() if isinstance(part.value, list) and part.value else [part]))


def _word(part: Part) -> Word:
    text = part.text()
    span = SPAN.fullmatch(text)
    if span is not None:
        return Word(span[1], float(span[2]) * SECONDS[span[3]])
    if text not in ANSWER_WORDS or text in SPANS:
        words = [f"{word} 12s" if word in SPANS else word for word in ANSWER_WORDS]
        raise part.wrong(f"is {part.value!r}", f"choose of {', '.join(words)}")
    return Word(text)


def _page_event(event: Part, providers: Mapping[str, ScriptedProvider], posts: dict[str, Post]) -> PageEvent:
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


def _post(part: Part, listed: tuple[str, ...], posts: Mapping[str, Post], *, maintenance: bool) -> Post:
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
