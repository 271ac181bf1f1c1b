"""The board and the page of one incident, readable in any browser and by a screen reader; a script of ours keeps them new."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache, partial
from importlib import resources
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.core.policy import Policy
from bot.core.record.fact import Fact
from bot.core.record.incident import Incident
from bot.flags.board import Reader
from bot.ports import StoreError
from bot.system.garbage import GARBAGE
from bot.timeline.story import story
from bot.views.names import plain_names
from bot.views.storage import as_seen, not_known
from bot.views.text import plain, span
from bot.web.api.reads import exported, incident_called, known_flags
from bot.web.api.shapes import flag_shape
from bot.web.board.history import HISTORY
from bot.web.board.view import facts_of, view
from bot.web.server.auth import check_restored
from bot.web.services import SERVICES, WebServices

if TYPE_CHECKING:
    import jinja2

CONTENT_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {"Content-Security-Policy": CONTENT_POLICY, "Cache-Control": "no-store"}
MOST_READERS = 12  # by name
MOST_ROWS = 500


async def board(request: web.Request) -> web.Response:
    """What is wrong, every component with its history, flags and who reads them, incidents; with `?incident=7` its timeline."""
    if "incident" in request.query:
        return await _incident(request)
    services = request.app[SERVICES]
    now, policy = services.clock.now(), services.engine.policy
    past = await request.app[HISTORY].past(now)
    world, on_record = as_seen(services.engine.world, services.unwritten())
    known = known_flags(services).values() if services.board.ready else ()
    flags = [_flag(services, flag_shape(world, services.board, one)) for one in known]
    around = {
        "now": now,
        "renews": True,
        "ready": services.board.ready,
        "ledger_trouble": services.ledger_trouble(),
        "sight": world.sight,
        "replicas": services.health().parts.get("replicas"),
        "flags": sorted(flags, key=lambda flag: flag["calm"]),
        "history_trouble": past.trouble,
    }
    with GARBAGE.held_off():
        return await asyncio.to_thread(
            lambda: _page("board.html", view=view(world, policy, now, on_record, past), **around)
        )  # fmt: skip


async def _incident(request: web.Request) -> web.Response:
    services = request.app[SERVICES]
    now, trouble = services.clock.now(), ""
    facts: list[Fact] = []
    check_restored(services)
    incident = await incident_called(services, request.query["incident"])
    if "format" in request.query:  # by the board's own door: a browser's password opens no other
        return await exported(services, incident.number, request.query["format"])
    try:
        with GARBAGE.held_off():
            facts = await services.ledger.read(lambda store: store.facts_about(incident.number))
    except StoreError as error:
        trouble = not_known(error)
    policy = services.engine.policy
    with GARBAGE.held_off():
        return await asyncio.to_thread(partial(_timeline, incident, facts, policy, now, trouble))


def _timeline(incident: Incident, facts: Sequence[Fact], policy: Policy, now: datetime, trouble: str) -> web.Response:
    rows = story(facts, plain_names(policy))
    lasts = span((incident.ending.at or now) - incident.began_at)
    more = max(len(rows) - MOST_ROWS, 0)
    return _page(
        "incident.html", now=now, renews=incident.phase.open, incident=incident, facts=facts_of(incident, policy),
        rows=rows[more:], more=more, trouble=trouble, lasts=lasts,
    )  # fmt: skip


async def style(request: web.Request) -> web.Response:
    """The pages' style sheet."""
    return _asset("board.css", "text/css")


async def script(request: web.Request) -> web.Response:
    """What keeps the pages new."""
    return _asset("board.js", "text/javascript")


def _asset(name: str, content_type: str) -> web.Response:
    return web.Response(text=_file(name), content_type=content_type, headers={"Cache-Control": "max-age=3600"})


def _flag(services: WebServices, shape: dict[str, Any]) -> dict[str, Any]:
    """A flag with the names of those who read it, as long as they are few."""
    few = 0 < shape["readers"] <= MOST_READERS
    readers: Sequence[Reader] = services.board.readers_of(shape["key"]) if few else ()
    calm = not shape["engagement"] and not shape["scopes"]
    return {**shape, "calm": calm, "names": [plain(one.name, 60) for one in readers]}


def _page(name: str, **values: Any) -> web.Response:
    text = _templates().get_template(name).render(**values).encode("utf-8", "replace")
    return web.Response(body=text, content_type="text/html", charset="utf-8", headers=HEADERS)


@cache
def _templates() -> "jinja2.Environment":
    import jinja2  # here, so that no start waits for it

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_file), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"moment": _moment, "clean": plain}
    return environment


@cache
def _file(name: str) -> str:
    return resources.files("bot.web.board").joinpath(name).read_text("utf-8")


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
