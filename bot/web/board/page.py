"""The board and the pages of incidents, for any browser and screen reader; a script of ours keeps them up to date."""

import asyncio
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from bot.core.record.fact import Fact
from bot.flags.board import Reader
from bot.ports import StoreError
from bot.system.garbage import GARBAGE
from bot.views.storage import as_seen, not_available
from bot.views.text import plain
from bot.web.api.reads import exported, incident_called, known_flags
from bot.web.api.shapes import flag_shape
from bot.web.board.all_incidents import all_incidents
from bot.web.board.history import HISTORY
from bot.web.board.incident import incident_view
from bot.web.board.rendering import file, page
from bot.web.board.view import view
from bot.web.server.auth import check_restored
from bot.web.services import SERVICES, WebServices

MOST_READERS = 12  # by name


async def board(request: web.Request) -> web.Response:
    """Problems, every component with its history, flags with their readers, incidents.

    With `?incident=7` one incident's timeline, with `?incidents=all` every incident.
    """
    if "incident" in request.query:
        return await _incident(request)
    if "incidents" in request.query:
        return await all_incidents(request)
    services = request.app[SERVICES]
    now, policy = services.clock.now(), services.engine.policy
    past = await request.app[HISTORY].past(now)
    world, on_record = as_seen(services.engine.world, services.unwritten())
    known = known_flags(services).values() if services.board.ready else ()
    flags = [_flag(services, flag_shape(world, services.board, one)) for one in known]
    around: dict[str, Any] = {
        "now": now,
        "renews": True,
        "ready": services.board.ready,
        "ledger_trouble": services.ledger_trouble(),
        "sight": world.sight,
        "replicas": services.health().parts.get("replicas"),
        "flags": sorted(flags, key=lambda flag: flag["calm"]),
        "history_trouble": past.trouble,
    }
    with GARBAGE.paused():
        return await asyncio.to_thread(
            lambda: page("board.html", view=view(world, policy, now, on_record, past), **around)
        )  # fmt: skip


async def _incident(request: web.Request) -> web.Response:
    services = request.app[SERVICES]
    now, trouble = services.clock.now(), ""
    facts: list[Fact] = []
    check_restored(services)
    incident = await incident_called(services, request.query["incident"])
    if "format" in request.query:  # on the board itself, since a browser's password is valid only here
        return await exported(services, incident.number, request.query["format"])
    try:
        with GARBAGE.paused():
            facts = await services.ledger.read(lambda store: store.facts_about(incident.number))
    except StoreError as error:
        trouble = not_available(error, "the timeline")
    policy = services.engine.policy
    world, _ = as_seen(services.engine.world, services.unwritten())
    beside = [n for n in (incident.number - 1, incident.number + 1) if 0 < n <= world.last_incident]
    with GARBAGE.paused():
        return await asyncio.to_thread(
            lambda: page(
                "incident.html", now=now, renews=incident.phase.open, incident=incident, trouble=trouble,
                beside=beside, view=incident_view(incident, facts, world, policy, now),
            )
        )  # fmt: skip


async def style(request: web.Request) -> web.Response:
    """The pages' style sheet."""
    return _asset("board.css", "text/css")


async def script(request: web.Request) -> web.Response:
    """The script that keeps the pages up to date."""
    return _asset("board.js", "text/javascript")


def _asset(name: str, content_type: str) -> web.Response:
    return web.Response(text=file(name), content_type=content_type, headers={"Cache-Control": "max-age=3600"})


def _flag(services: WebServices, shape: dict[str, Any]) -> dict[str, Any]:
    """A flag with its readers' names, if there are few."""
    few = 0 < shape["readers"] <= MOST_READERS
    readers: Sequence[Reader] = services.board.readers_of(shape["key"]) if few else ()
    calm = not shape["engagement"] and not shape["scopes"]
    return {**shape, "calm": calm, "names": [plain(one.name, 60) for one in readers]}
