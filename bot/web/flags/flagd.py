"""Flags for flagd: one document, which it polls and evaluates itself."""

from aiohttp import web

from bot.web.flags.etags import known
from bot.web.flags.ofrep import JSON, client_of
from bot.web.server.auth import AUDIENCE
from bot.web.server.errors import Refusal
from bot.web.services import SERVICES

PATH = "/flagd/v1/flags.json"


async def flags(request: web.Request) -> web.Response:
    """All flags in flagd's format; with `overlay=1` only those engaged. A client that polls counts as a reader of each."""
    wanted = request.query.get("overlay", "0")
    if wanted not in ("0", "1"):
        raise Refusal(400, "overlay is 0 or 1.", field="overlay", remedy=f"Ask for {PATH}?overlay=1.")
    answer = request.app[SERVICES].board.definitions(client_of(request), request[AUDIENCE], overlay=wanted == "1")
    headers = {"ETag": answer.etag, "Cache-Control": "no-cache"}
    if known(request, answer.etag):
        return web.Response(status=304, headers=headers)
    return web.Response(body=answer.body, content_type=JSON, headers=headers)
