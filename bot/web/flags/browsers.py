"""Web pages in `server.browsers` that read flags themselves: the headers that their browsers need (CORS)."""

from aiohttp import hdrs, web

from bot.web.server.errors import Refusal
from bot.web.server.origins import PAGE

ASKED_ANEW_S = 600  # for how long a browser need not ask again
MAY_SEND = "Content-Type, Authorization, X-API-Key, If-None-Match"
MAY_SEE = "ETag, Retry-After"


async def before(request: web.Request) -> web.Response:
    """Answer a browser's preflight request; it carries no token, and learns nothing else."""
    if PAGE not in request:
        remedy = "Name the page's origin in server.browsers; programs ask with POST."
        raise Refusal(403, "No web page of that origin may read flags here.", remedy=remedy)
    headers = {
        hdrs.ACCESS_CONTROL_ALLOW_METHODS: "GET, POST",
        hdrs.ACCESS_CONTROL_ALLOW_HEADERS: MAY_SEND,
        hdrs.ACCESS_CONTROL_MAX_AGE: str(ASKED_ANEW_S),
    }
    return web.Response(status=204, headers=headers)


async def let_page_read(request: web.Request, response: web.StreamResponse) -> None:
    """Let the page that asked see the answer, whatever it is."""
    if PAGE in request:
        response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = request[PAGE]
        response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = MAY_SEE
        response.headers[hdrs.VARY] = "Origin"
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
