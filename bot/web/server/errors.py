"""Every error that leaves the server: JSON with a sentence and a remedy, in OFREP's format for flag readers.

The board renders its own errors as pages, and all of those that a person meets in a browser.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from aiohttp import web

from bot.ports import StoreError
from bot.views.storage import meanwhile, not_known, nothing_changed
from bot.web.server.immediate import RequestLike

READS = ("GET", "HEAD")
OFREP = "/ofrep/"
OFREP_FLAGS = "/ofrep/v1/evaluate/flags"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = structlog.get_logger(__name__)


class Refusal(Exception):  # noqa: N818 # an answer to a client, not a bug of ours
    """A request that cannot be fulfilled: HTTP status, a sentence, the field it concerns, and what to do.

    `code` is OFREP's error code, used for requests about flags.
    """

    def __init__(
        self,
        status: int,
        text: str,
        *,
        remedy: str = "",
        field: str = "",
        code: str = "GENERAL",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.remedy = remedy
        self.field = field
        self.code = code
        self.headers = dict(headers or {})


def answer_json(data: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """`data` as a JSON response. The content type is plain: some flag clients compare it with `application/json`."""
    body = json.dumps(data, allow_nan=False).encode()
    return web.Response(body=body, status=status, content_type="application/json", headers=headers)


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn any exception raised below into a JSON answer; unforeseen ones are logged and answered without details."""
    try:
        return await handler(request)
    except Exception as error:  # noqa: BLE001 # the root of a request: uncaught exceptions end here
        return refused(request, refusal_of(request, error))


def refusal_of(request: web.Request, error: Exception) -> Refusal:
    """The answer to an exception; unforeseen ones are logged with a traceback. A redirect is raised again."""
    match error:
        case Refusal():
            return error
        case web.HTTPException():
            if error.status < 400:
                raise error
            return _translated(request, error)
        case StoreError():  # whoever monitors the ledger logs it once
            said = not_known(error) if request.method in READS else nothing_changed(error)
            return Refusal(503, said, remedy=meanwhile(error), headers={"Retry-After": "30"})
    log.error("http.failed", method=request.method, route=_route(request), exc_info=error)
    return unforeseen()


def unforeseen() -> Refusal:
    """The answer for a bug of ours; the log has the details."""
    remedy = "Try again; if you were changing something, with the same Idempotency-Key. The bot's log has the details."
    return Refusal(500, "Something went wrong on our side.", remedy=remedy)


def refused(request: RequestLike, refusal: Refusal) -> web.Response:
    """The refusal as a response, in the format that clients of this path understand."""
    if request.path.startswith(OFREP):
        details = f"{refusal.text} {refusal.remedy}".strip()
        data: dict[str, Any] = {"errorCode": refusal.code, "errorDetails": details, "metadata": {}}
        key = flag_key(request)
        if key:
            data = {"key": key, **data}
    else:
        data = {"ok": False, "text": refusal.text}
        data |= {"field": refusal.field} if refusal.field else {}
        data |= {"remedy": refusal.remedy} if refusal.remedy else {}
    return answer_json(data, status=refusal.status, headers=refusal.headers)


def flag_key(request: RequestLike) -> str:
    """The flag in an OFREP path; empty for all flags. A trailing slash is ignored."""
    start = OFREP_FLAGS + "/"
    return request.path.removeprefix(start).strip("/") if request.path.startswith(start) else ""


def _translated(request: web.Request, error: web.HTTPException) -> Refusal:
    match error:
        case web.HTTPNotFound():
            return Refusal(404, f"There is nothing at {request.path[:200]}.", remedy="docs/http-api.md lists what there is.")
        case web.HTTPMethodNotAllowed():
            allowed = ", ".join(sorted(error.allowed_methods))
            text = f"{request.method[:20]} is not possible here."
            return Refusal(405, text, remedy=f"Use {allowed}.", headers={"Allow": allowed})
        case web.HTTPRequestEntityTooLarge():
            return Refusal(413, "The body is too large.", remedy="Send less.")
    return Refusal(error.status, f"The request cannot be answered: {error.reason}.")


def _route(request: web.Request) -> str:
    """The route's pattern: paths and query strings may contain what must not be logged."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else "unknown"
