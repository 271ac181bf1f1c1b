"""All incidents ever, newest first, one page at a time."""

import asyncio
import re
from collections.abc import Sequence
from datetime import UTC
from itertools import groupby

from aiohttp import web

from bot.core.lazy_dataclass import dataclass
from bot.core.record.incident import Incident
from bot.ports import StoreError
from bot.views.storage import not_available
from bot.web.board.rendering import page
from bot.web.board.view import IncidentLine, lines_of
from bot.web.server.auth import check_restored
from bot.web.server.errors import Refusal
from bot.web.services import SERVICES

PAGE = 50  # incidents: the most rows read at once, whatever the request
HERE = "/?incidents=all"

_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


@dataclass(frozen=True)
class Month:
    """The incidents declared in a month."""

    name: str
    lines: tuple[IncidentLine, ...]


async def all_incidents(request: web.Request) -> web.Response:
    """`?incidents=all`; with `&before=120` those before INC-120. Incidents no longer in memory are read from the ledger.

    If the ledger cannot be read, shows what memory holds of the page, or raises StoreError if that is nothing. Other replicas
    may have declared more meanwhile.
    """
    services = request.app[SERVICES]
    check_restored(services)
    below = _below(request)
    world, now, trouble = services.engine.world, services.clock.now(), services.ledger_trouble()
    newest = world.last_incident
    numbers = range(min(below, newest + 1) - 1, 0, -1)[:PAGE]
    try:
        world = await services.engine.world_with(numbers)
    except StoreError as error:
        if not any(number in world.incidents for number in numbers):
            raise
        trouble = not_available(error, "part of this list")
    found = [world.incidents[number] for number in numbers if number in world.incidents]
    policy = services.engine.policy
    return await asyncio.to_thread(
        lambda: page(
            "all_incidents.html", now=now, renews=False, trouble=trouble, newest=newest, numbers=numbers,
            missing=len(numbers) - len(found), ways=_ways(numbers, newest),
            months=_months(found, lines_of(found, world, policy, now)),
        )
    )  # fmt: skip


def _below(request: web.Request) -> int:
    """The number below which the page begins; raises Refusal 400 for a query that no page links to."""
    if request.query["incidents"] != "all":
        raise Refusal(400, "There is no such list of incidents.", field="incidents", remedy=f"{HERE} lists them.")
    before = request.query.get("before", "999999999")
    if not _NUMBER.fullmatch(before):
        text = f"{before[:50]!r} is not the number of an incident."
        raise Refusal(400, text, field="before", remedy=f"{HERE} begins with the newest.")
    return int(before)


def _ways(numbers: Sequence[int], newest: int) -> list[tuple[str, str]]:
    """Links to the other pages: name and address."""
    first, last = (numbers[0], numbers[-1]) if numbers else (0, 1)
    newer = [("Newest", HERE), ("Newer", f"{HERE}&before={first + PAGE + 1}")] if first < newest else []
    older = [("Older", f"{HERE}&before={last}"), ("Oldest", f"{HERE}&before={PAGE + 1}")] if last > 1 else []
    return newer + older


def _months(incidents: Sequence[Incident], lines: Sequence[IncidentLine]) -> list[Month]:
    """Incidents grouped by month. Numbers follow the order of declarations, so each month is one run."""
    names = [f"{one.declared_at.astimezone(UTC):%B %Y}" for one in incidents]
    runs = groupby(zip(names, lines, strict=True), lambda pair: pair[0])
    return [Month(name, tuple(line for _, line in run)) for name, run in runs]
