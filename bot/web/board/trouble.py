"""The page shown in place of one that cannot be: what is unknown and why, what is known, and what to do next."""

import asyncio
from collections.abc import Sequence

from aiohttp import web

from bot.ports import StoreError
from bot.views.storage import not_available
from bot.views.text import plain
from bot.web.api.reads import incident_number
from bot.web.board.rendering import page
from bot.web.server.errors import READS, Handler, Refusal, refusal_of
from bot.web.services import SERVICES

SOONEST_S = 5  # seconds; a page does not reload itself earlier
LONGEST = 300
ALONE = "Only open incidents and those of the last 30 days are in memory; older ones are only in the ledger."

Link = tuple[str, str, str]  # text before the link, the link's text, and its address


def for_people(handler: Handler) -> Handler:
    """Wrap a page's handler, so that its refusals and faults are pages too: programs have the API."""

    async def answered(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except Exception as error:  # noqa: BLE001 # the root of a request: uncaught exceptions end here
            refusal = refusal_of(request, error)
            if isinstance(error, StoreError):
                refusal.text = not_available(error, _asked_for(request))
            return await asyncio.to_thread(_page, request, refusal, _known(request) if isinstance(error, StoreError) else ())

    return answered


@web.middleware
async def answer_browsers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Errors are pages for a person who opened any address in a browser."""
    accepted = request.headers.get("Accept", "").lower()
    opened = request.method in READS and "text/html" in accepted and "json" not in accepted
    return await (for_people(handler) if opened else handler)(request)


def _page(request: web.Request, refusal: Refusal, known: Sequence[Link]) -> web.Response:
    waits = refusal.headers.get("Retry-After")
    again = max(int(waits), SOONEST_S) if waits and "format" not in request.query else 0  # a file would be saved repeatedly
    remedy = refusal.remedy
    if refusal.status == 401:
        how = "with any name, and with one of server.read_tokens as the password"
        remedy = (
            f"Reload this page and sign in {how}." if request.path == "/" else f"Sign in on the board {how}. Then come back."
        )
    return page(
        "trouble.html", status=refusal.status, headers=refusal.headers, now=request.app[SERVICES].clock.now(), renews=False,
        again=again, title=plain(refusal.text, LONGEST).rstrip("."), remedy=plain(remedy, LONGEST), known=known,
    )  # fmt: skip


def _asked_for(request: web.Request) -> str:
    number = incident_number(request.query.get("incident", ""))
    if not number:
        return "this list of incidents" if "incidents" in request.query else "this page"
    return f"the export of INC-{number}" if "format" in request.query else f"INC-{number}"


def _known(request: web.Request) -> list[Link]:
    """Links to what is available while the ledger cannot be read."""
    number = incident_number(request.query.get("incident", ""))
    links = [("For the current state see", "the board", "/")]
    if number in request.app[SERVICES].engine.world.incidents:
        return [("What is in memory is on", f"the page of INC-{number}", f"/?incident={number}"), *links]
    if number or "incidents" in request.query:
        links.insert(0, (ALONE, "", ""))
    return links
