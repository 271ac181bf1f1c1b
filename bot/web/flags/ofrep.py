"""OFREP: flags for every OpenFeature client in every language (OpenFeature Remote Evaluation Protocol 0.3.0).

Each client breaks on a different omission, so an answer always has key, value, reason, variant and metadata, an error always
has errorCode, errorDetails and metadata, and all of them are plain `application/json`.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from aiohttp import web

from bot.flags import rules
from bot.flags.audience import Audience
from bot.flags.conversation import targeting_key
from bot.flags.evaluate import NotFound
from bot.flags.serving import Answer
from bot.web.flags.etags import known
from bot.web.server.auth import AUDIENCE
from bot.web.server.bodies import read_json
from bot.web.server.errors import OFREP_FLAGS, Refusal, flag_key
from bot.web.server.immediate import RequestLike
from bot.web.services import SERVICES, WebServices

PATHS = (OFREP_FLAGS, OFREP_FLAGS + "/{key:.*}")
JSON = "application/json"
NO_STORE = {"Content-Type": JSON, "Cache-Control": "no-store"}


class Reply(NamedTuple):
    """What is sent to a reader: status 200 or 304."""

    status: int
    headers: Mapping[str, str]
    body: bytes


async def evaluate(request: web.Request) -> web.Response:
    """One flag, or without a key all of them; a trailing slash is ignored."""
    asked = question(request, request[AUDIENCE], flag_key(request), await read_json(request))
    made = reply(request.app[SERVICES], request, asked)
    return web.Response(status=made.status, body=made.body or None, headers=made.headers)


class Question(NamedTuple):
    """Who asks for what, after validation."""

    audience: Audience
    key: str  # empty for all flags
    data: Any
    context: Mapping[str, Any]
    client: str


def question(request: RequestLike, audience: Audience, key: str, data: Any) -> Question:
    """Parse the question in this body; raises Refusal."""
    context = _context(data)
    return Question(audience, key, data, context, targeting_key(context) or client_of(request))


def reply(services: WebServices, request: RequestLike, asked: Question) -> Reply:
    """The answer, for one flag or for all; raises Refusal."""
    audience, key, data, context, client = asked
    if key:
        return _one(services, audience, key, context, client)
    wanted = request.query.get("rules") if "?" in request.raw_path else None
    if wanted is None:
        return _unless_known(request, services.board.all(context, client, audience))
    if wanted != str(rules.VERSION):
        raise Refusal(400, f"Rules are spoken in version {rules.VERSION} here.", remedy=f"Ask with rules={rules.VERSION}.")
    return _unless_known(request, _rules(services, audience, client, data))


def _one(services: WebServices, audience: Audience, key: str, context: Mapping[str, Any], client: str) -> Reply:
    """One flag; never a 304, which no client understands here."""
    found = services.board.one(key, context, client, audience)
    if isinstance(found, NotFound):
        services.metrics.observe_unknown_flag()
        raise Refusal(404, f"{found.reason}.", code="FLAG_NOT_FOUND")
    return Reply(200, NO_STORE, found.body)


def _rules(services: WebServices, audience: Audience, client: str, data: Any) -> Answer:
    """All flags for a client that evaluates itself: the same bytes for every reader in the audience."""
    for field, fallback in (("drill_fallback", True), ("drill_other", False)):
        keys = data.get(field) if isinstance(data, Mapping) else None
        if isinstance(keys, list):
            services.board.note_in_drill(client, (key for key in keys if isinstance(key, str)), fallback=fallback)
    return services.board.rules(client, audience)


def _unless_known(request: RequestLike, answer: Answer) -> Reply:
    headers = {"ETag": answer.etag, "Cache-Control": "no-cache"}
    return (
        Reply(304, headers, b"") if known(request, answer.etag) else Reply(200, {"Content-Type": JSON, **headers}, answer.body)
    )


def _context(data: Any) -> Mapping[str, Any]:
    """The evaluation context in a body; may be missing, since clients without one send nothing or `{}`."""
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise Refusal(400, "The body must be a JSON object.", remedy='Send {"context": {...}}.', code="PARSE_ERROR")
    context = data.get("context")
    if context is None:
        return {}
    if not isinstance(context, dict):
        raise Refusal(400, "context must be an object.", remedy='Send {"context": {...}}.', code="INVALID_CONTEXT")
    if not isinstance(context.get("targetingKey"), str | None):
        remedy = 'Send {"context": {"targetingKey": "name-of-the-reader"}}.'
        raise Refusal(400, "targetingKey must be a string.", remedy=remedy, code="INVALID_CONTEXT")
    return context


def client_of(request: RequestLike) -> str:
    """The reader's name if there is no targeting key: its address and user agent."""
    return f"{request.remote or 'unknown'} {request.headers.get('User-Agent', '')[:80]}".strip()
