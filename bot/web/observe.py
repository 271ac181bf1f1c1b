"""Endpoints for monitoring the bot itself: /healthz, /readyz, /metrics."""

import asyncio
from typing import Any

from aiohttp import web
from prometheus_client.exposition import choose_encoder

from bot.system.garbage import GARBAGE
from bot.web.health import Part
from bot.web.server.errors import answer_json
from bot.web.services import SERVICES

RESTORING = Part(False, "restoring", None, "Flags are served once the state is restored.")


async def healthz(request: web.Request) -> web.Response:
    """200 while the process works; 503 if a restart would help. It would not for a full disk, which is named instead."""
    health = request.app[SERVICES].health()
    troubles = {name: part.sentence for name, part in health.parts.items() if not part.ok}
    return answer_json({"live": health.live, "troubles": troubles}, status=200 if health.live else 503)


async def readyz(request: web.Request) -> web.Response:
    """200 while state is restored and changes can be committed; else 503 and what is missing.

    With `?for=flags` only whether flags are served, which they are even while nothing can be committed.
    """
    services = request.app[SERVICES]
    health = services.health()
    parts = dict(health.parts)
    if not services.board.ready:
        parts["flags"] = RESTORING
    elif services.board.snapshot.complaints:  # reported, but no reason to refuse requests
        parts["flags"] = Part(False, "incomplete", None, " ".join(services.board.snapshot.complaints))
    data = {
        "ready": health.ready and services.board.ready,
        "missing": [name for name, part in parts.items() if not part.ok],
        "parts": {name: part_shape(part) for name, part in parts.items()},
    }
    good = services.board.ready if request.query.get("for") == "flags" else data["ready"]
    return answer_json(data, status=200 if good else 503)


async def metrics(request: web.Request) -> web.Response:
    """All metrics, in the text format that the scraper accepts; states are read now."""
    services = request.app[SERVICES]
    services.metrics.set_world(services.engine.world, services.engine.policy)
    services.metrics.set_seen(services.engine.world, services.engine.policy, services.live_verdicts())
    services.metrics.set_readers(services.board)
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    with GARBAGE.paused():  # 45,000 checks create a hundred thousand objects, all freed at once
        body = await asyncio.to_thread(encode, services.metrics.registry)  # and take a third of a second
    return web.Response(body=body, headers={"Content-Type": content_type})


def part_shape(part: Part) -> dict[str, Any]:
    """A part as JSON."""
    since = part.since.isoformat() if part.since else None
    return {"ok": part.ok, "state": part.state, "since": since, "sentence": part.sentence}
