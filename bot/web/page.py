"""The board: one plain page for people, without script, readable in any browser and by a screen reader."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from aiohttp import web

from bot.core.model import Level
from bot.core.policy import Policy
from bot.core.record.world import World
from bot.views.storage import as_seen
from bot.views.text import words
from bot.web.api.reads import known_flags
from bot.web.api.shapes import flag_shape
from bot.web.services import SERVICES

if TYPE_CHECKING:
    import jinja2

POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
HEADERS = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}


async def board(request: web.Request) -> web.Response:
    """Every component with verdict, since when and why; open incidents; flags and what they serve."""
    services = request.app[SERVICES]
    policy = services.engine.policy
    world, on_record = as_seen(services.engine.world, services.unwritten())
    flags = known_flags(services).values() if services.board.ready else ()
    template = await asyncio.to_thread(_template)  # the first one takes a quarter of a second to load and compile
    html = template.render(
        at=services.clock.now(),
        ready=services.board.ready,
        ledger_trouble=services.ledger_trouble(),
        sight=world.sight,
        replicas=services.health().parts.get("replicas"),
        components=[(policy.components[id].name, world.component(id), on_record.get(id)) for id in policy.components],
        trouble=_trouble(world, policy),
        unknown=_of_level(world, policy, Level.UNKNOWN),
        incidents=world.open_incidents(),
        flags=[flag_shape(world, services.board, flag) for flag in flags],
    )
    return web.Response(text=html, content_type="text/html", headers=HEADERS)


async def style(request: web.Request) -> web.Response:
    """The page's style sheet."""
    return web.Response(text=_file("board.css"), content_type="text/css", headers={"Cache-Control": "max-age=3600"})


@cache
def _template() -> "jinja2.Template":
    import jinja2  # here, so that no start waits for it

    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"moment": _moment, "listed": words}
    return environment.from_string(_file("board.html"))


@cache
def _file(name: str) -> str:
    return resources.files("bot.web").joinpath(name).read_text("utf-8")


def _trouble(world: World, policy: Policy) -> list[tuple[str, list[str]]]:
    """What is bad, by name, the worst level first."""
    bad = sorted((level for level in Level if level.bad), key=lambda level: -level.rank)
    return [(level.value, names) for level in bad if (names := _of_level(world, policy, level))]


def _of_level(world: World, policy: Policy, level: Level) -> list[str]:
    """The components of this level by name, with their provider where two have one name."""
    often = Counter(one.name for one in policy.components.values())
    found = (one for id, one in policy.components.items() if world.component(id).level is level)
    return [one.name if often[one.name] == 1 else f"{one.provider_name} {one.name}" for one in found]


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
