"""/api/v1, the reading half: status, incidents, timelines, exports, flags."""

import asyncio
import difflib
import re
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from bot.core.policy import FlagPolicy
from bot.core.record.incident import Incident
from bot.core.scope import scope_of
from bot.engine.latencies import latencies_lately
from bot.system.garbage import GARBAGE
from bot.views.storage import as_seen
from bot.web.api.shapes import (
    attempt_shape,
    component_shape,
    drill_shape,
    fact_shape,
    flag_shape,
    freeze_shape,
    incident_shape,
    provider_shape,
    reader_shape,
    sight_shape,
)
from bot.web.server.errors import Refusal, answer_json
from bot.web.services import SERVICES, WebServices

CONTENT_TYPES = {"md": "text/markdown", "json": "application/json", "csv": "text/csv"}
NO_STORE = {"Cache-Control": "no-store"}

PAGE = 50  # incidents; takes some milliseconds
HIGHEST = 999_999_999
MOST_READERS = 200

_CURSOR = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
_REFERENCE = re.compile(r"(?:INC-)?0*([1-9][0-9]{0,8})", re.IGNORECASE | re.ASCII)


async def status(request: web.Request) -> web.Response:
    """Everything at a glance: components, what vendors say, open incidents, flags, and whether we are blind."""
    services = request.app[SERVICES]
    policy = services.engine.policy
    world, on_record = as_seen(services.engine.world, services.unwritten())
    ids = [*policy.components, *(id for id in world.components if id not in policy.components)]
    pictures = await latencies_lately(services.samples, ids, services.clock.now())
    names = {c.provider: c.provider_name for c in policy.components.values()}
    providers = [*names, *(id for id in world.providers if id not in names)]
    data = {
        "at": services.clock.now().isoformat(),
        "zone": policy.incidents.zone,
        "ledger_trouble": services.ledger_trouble() or None,
        "sight": sight_shape(world.sight),
        "components": [component_shape(world, policy, id, pictures.get(id), on_record.get(id)) for id in ids],
        "providers": [provider_shape(world.provider(id), names.get(id, id)) for id in providers],
        "incidents": [incident_shape(incident, policy) for incident in world.open_incidents()],
        "freeze": freeze_shape(world),
        "flags": [flag_shape(world, services.board, flag) for flag in known_flags(services).values()],
    }
    return answer_json(data, headers=NO_STORE)


async def incidents(request: web.Request) -> web.Response:
    """A page of open incidents, or of all with `?state=all`, newest first. `next` is the cursor of the next page."""
    services = request.app[SERVICES]
    state = request.query.get("state", "open")
    if state not in ("open", "all"):
        raise Refusal(400, "state is not one of the known values.", field="state", remedy="One of: open, all.")
    known = services.engine.world
    below = min(_cursor(request), known.last_incident + 1)
    left: Sequence[int] = range(below - 1, 0, -1)
    if state == "open":
        left = [number for number in sorted(known.running, reverse=True) if number < below]
    page = left[:PAGE]
    world = await services.engine.world_with(page)
    shapes = [incident_shape(world.incidents[n], services.engine.policy) for n in page if n in world.incidents]
    return answer_json({"incidents": shapes, "next": str(page[-1]) if len(left) > PAGE else None}, headers=NO_STORE)


def _cursor(request: web.Request) -> int:
    """The number below which to continue; raises Refusal 400 if it is not a cursor of ours."""
    cursor = request.query.get("cursor", str(HIGHEST))
    if not _CURSOR.fullmatch(cursor):
        remedy = "Send what `next` of the page before said, or no cursor for the first page."
        raise Refusal(400, "cursor is not one that a page gave.", field="cursor", remedy=remedy)
    return int(cursor)


async def incident(request: web.Request) -> web.Response:
    """One incident."""
    services = request.app[SERVICES]
    return answer_json(incident_shape(await the_incident(request), services.engine.policy), headers=NO_STORE)


async def timeline(request: web.Request) -> web.Response:
    """Every fact about one incident, in commit order."""
    number = (await the_incident(request)).number
    with GARBAGE.paused():
        facts = await request.app[SERVICES].ledger.read(lambda store: store.facts_about(number))
        return await asyncio.to_thread(  # ten thousand take a third of a second
            lambda: answer_json({"incident": number, "facts": [fact_shape(fact) for fact in facts]}, headers=NO_STORE)
        )


async def export(request: web.Request) -> web.Response:
    """The incident as a file, `?format=md|json|csv`, markdown by default."""
    number = (await the_incident(request)).number
    return await exported(request.app[SERVICES], number, request.query.get("format", "md"))


async def exported(services: WebServices, number: int, format: str) -> web.Response:
    """The incident with that number as a file; raises Refusal 400 for an unknown format."""
    if format not in CONTENT_TYPES:
        raise Refusal(
            400, "format is not one of the known values.", field="format", remedy=f"One of: {', '.join(CONTENT_TYPES)}."
        )
    filename, content = await services.export(number, format)
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", filename).strip("-.") or f"INC-{number}.{format}"
    headers = {
        **NO_STORE,
        "Content-Disposition": f'attachment; filename="{plain}"',
        "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:",
    }
    return web.Response(body=content, content_type=CONTENT_TYPES[format], charset="utf-8", headers=headers)


async def drills(request: web.Request) -> web.Response:
    """The open drills, each with its report so far."""
    services = request.app[SERVICES]
    running = [incident for incident in services.engine.world.open_incidents() if incident.drill]
    return answer_json({"drills": [await _drill(services, incident) for incident in running]}, headers=NO_STORE)


async def drill(request: web.Request) -> web.Response:
    """One drill with its report, even after its end; 404 if the incident is not a drill."""
    found = await the_incident(request)
    if found.drill is None:
        raise Refusal(404, f"{found.name} is not a drill.", field="incident", remedy="GET /api/v1/drills lists those that run.")
    return answer_json(await _drill(request.app[SERVICES], found), headers=NO_STORE)


async def _drill(services: WebServices, incident: Incident) -> dict[str, Any]:
    facts = await services.ledger.read(lambda store: store.facts_about(incident.number))
    return drill_shape(incident, facts, services.engine.policy)


async def flags(request: web.Request) -> web.Response:
    """Every flag with what it serves and who reads it."""
    services = request.app[SERVICES]
    world = services.engine.world
    data = {
        "revision": services.board.snapshot.revision,
        "freeze": freeze_shape(world),
        "flags": [flag_shape(world, services.board, flag) for flag in known_flags(services).values()],
    }
    return answer_json(data, headers=NO_STORE)


async def flag_readers(request: web.Request) -> web.Response:
    """Who reads a flag: first readers whose copy is older than its last change, then the most recent; at most 200 names."""
    services, key = request.app[SERVICES], the_flag(request)
    readers = services.board.readers_of(key)
    shapes = [reader_shape(one) for one in readers[:MOST_READERS]]
    copies = [one for one in readers if one.copy]
    counts = {"count": len(readers), "copies": len(copies), "current": sum(one.current for one in copies)}
    data = {"flag": key, "revision": services.board.snapshot.revision, **counts, "readers": shapes}
    return answer_json(data, headers=NO_STORE)


async def denied(request: web.Request) -> web.Response:
    """Recent refusals, newest first; they name people, so this needs the right to change."""
    services = request.app[SERVICES]
    denials, zone = services.denials, services.engine.policy.incidents.zone
    attempts = [attempt_shape(one) for one in (await denials.newest() if denials else ())]
    return answer_json({"attempts": attempts, "zone": zone}, headers=NO_STORE)


async def the_incident(request: web.Request) -> Incident:
    """The incident in the path, `INC-7` or `7`; raises Refusal 400 or 404."""
    return await incident_called(request.app[SERVICES], request.match_info["incident"])


async def incident_called(services: WebServices, reference: str) -> Incident:
    """The incident called `INC-7` or `7`; raises Refusal 400 or 404."""
    number = incident_number(reference)
    if not number:
        text = f"{reference[:50]!r} does not name an incident."
        raise Refusal(400, text, field="incident", remedy="Write INC-7 or 7.")
    world = await services.engine.world_with([number])
    found = world.incidents.get(number)
    if found is None:
        newest = f"The newest is INC-{world.last_incident}." if world.last_incident else "None was declared so far."
        raise Refusal(404, f"There is no INC-{number}.", field="incident", remedy=newest)
    return found


def incident_number(reference: str) -> int:
    """The number that `INC-7` or `7` names; 0 for what names none."""
    match = _REFERENCE.fullmatch(reference)
    return int(match[1]) if match else 0


def the_flag(request: web.Request) -> str:
    """The key of the flag in the path; raises Refusal 404."""
    key, known = request.match_info["key"], known_flags(request.app[SERVICES])
    if key not in known:
        near = difflib.get_close_matches(key[:100], known, n=1)
        remedy = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(known) or 'none'}."
        raise Refusal(404, f"There is no flag {key[:100]!r}.", field="key", remedy=remedy)
    return key


def the_component(request: web.Request) -> str:
    """The id of the configured component in the path; raises Refusal 404."""
    id, known = request.match_info["component"], request.app[SERVICES].engine.policy.components
    if id not in known:
        near = difflib.get_close_matches(id[:100], known, n=1)
        remedy = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(known) or 'none'}."
        raise Refusal(404, f"There is no component {id[:100]!r}.", field="component", remedy=remedy)
    return id


def known_flags(services: WebServices) -> dict[str, FlagPolicy]:
    """The configured flags, and those that were removed but are still engaged and therefore served."""
    served = {key: entry.policy for key, entry in services.board.snapshot.entries.items()}
    engaged = {
        key: FlagPolicy(key=key, variants={}, default="")
        for key, state in services.engine.world.flags.items()
        if state.engagement is not None and not scope_of(key)
    }
    return engaged | served | dict(services.engine.policy.flags)
