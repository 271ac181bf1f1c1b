"""OFREP: flags for every OpenFeature client in every language (OpenFeature Remote Evaluation Protocol 0.3.0).

Each client breaks on a different omission, so an answer always has key, value, reason, variant and metadata, an error always
has errorCode, errorDetails and metadata, and all of them are bare `application/json`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.flags import rules
from bot.flags.evaluate import Evaluation, NotFound, Snapshot, targeting_key
from bot.web.ofrep_events import ANNOUNCED
from bot.web.server.bodies import read_json
from bot.web.server.errors import OFREP_FLAGS, Refusal, answer_json, flag_key
from bot.web.server.etags import etag, unless_known
from bot.web.services import SERVICES


@dataclass
class RulesMade:
    """The answer with all rules of one snapshot, in bytes; thousands of readers ask for the same one every second."""

    snapshot: Snapshot | None = None
    body: bytes = b""
    etag: str = ""


RULES = web.AppKey("rules", RulesMade)
PATHS = (OFREP_FLAGS, OFREP_FLAGS + "/{key:.*}")


async def evaluate(request: web.Request) -> web.Response:
    """One flag, or with no key all of them; a trailing slash does not matter."""
    key = flag_key(request)
    data = await read_json(request)
    context = _context(data)
    if key:
        return _one(request, key, context)
    wanted = request.query.get("rules")
    if wanted is None:
        return _all(request, context)
    if wanted != str(rules.VERSION):
        raise Refusal(400, f"Rules are spoken in version {rules.VERSION} here.", remedy=f"Ask with rules={rules.VERSION}.")
    return _rules(request, context, data)


def _one(request: web.Request, key: str, context: Mapping[str, Any]) -> web.Response:
    """Never a 304 here: no client understands one on a single flag."""
    services = request.app[SERVICES]
    found = services.board.evaluate(key, context, client_of(request))
    if isinstance(found, NotFound):
        services.metrics.observe_unknown_flag()
        raise Refusal(404, f"{found.reason}.", code="FLAG_NOT_FOUND")
    services.metrics.observe_evaluation(found)
    return answer_json(_shape(found), headers={"Cache-Control": "no-store"})


def _all(request: web.Request, context: Mapping[str, Any]) -> web.Response:
    services, client = request.app[SERVICES], client_of(request)
    shapes = []
    for key in services.board.snapshot.entries:
        found = services.board.evaluate(key, context, client)
        if isinstance(found, Evaluation):
            services.metrics.observe_evaluation(found)
            shapes.append(_shape(found))
    data = {"flags": shapes, "metadata": {"revision": services.board.snapshot.revision}}
    body = json.dumps(data, allow_nan=False).encode()
    return unless_known(request, body, etag(body))


def _rules(request: web.Request, context: Mapping[str, Any], data: Any) -> web.Response:
    """All flags for a client that evaluates by itself: the same bytes for every reader, made once for each snapshot."""
    board, made = request.app[SERVICES].board, request.app[RULES]
    client = targeting_key(context) or client_of(request)
    board.note_reader(client)
    for field, fallback in (("drill_fallback", True), ("drill_other", False)):
        keys = data.get(field) if isinstance(data, Mapping) else None
        if isinstance(keys, list):
            board.note_in_drill(client, (key for key in keys if isinstance(key, str)), fallback=fallback)
    if made.snapshot is not board.snapshot:
        made.snapshot = board.snapshot
        flags = [_rule_shape(rule) for rule in rules.rules(made.snapshot)]
        body = {
            "rules": rules.VERSION,
            "flags": flags,
            "metadata": {"revision": made.snapshot.revision},
            "eventStreams": ANNOUNCED,
        }
        made.body = json.dumps(body, allow_nan=False).encode()
        made.etag = etag(made.body)
    return unless_known(request, made.body, made.etag)


def _rule_shape(rule: rules.Rule) -> dict[str, Any]:
    shape = _shape(rule.plain)
    if rule.split is not None:
        split = rule.split
        shape["split"] = {"seed": split.seed, "below": split.below, "variant": split.variant, "value": split.value}
    if rule.drill is not None:
        drill = rule.drill
        shape["drill"] = {"variant": drill.variant, "value": drill.value, "metadata": dict(drill.metadata)}
    return shape


def _shape(found: Evaluation) -> dict[str, Any]:
    return {
        "key": found.key,
        "value": found.value,
        "reason": found.reason,
        "variant": found.variant,
        "metadata": dict(found.metadata),
    }


def _context(data: Any) -> Mapping[str, Any]:
    """The evaluation context of a body; none at all is fine, since clients without one send nothing or `{}`."""
    if data is None:
        return {}
    if not isinstance(data, Mapping):
        raise Refusal(400, "The body must be a JSON object.", remedy='Send {"context": {...}}.', code="PARSE_ERROR")
    context = data.get("context")
    if context is None:
        return {}
    if not isinstance(context, Mapping):
        raise Refusal(400, "context must be an object.", remedy='Send {"context": {...}}.', code="INVALID_CONTEXT")
    if not isinstance(context.get("targetingKey"), str | None):
        remedy = 'Send {"context": {"targetingKey": "name-of-the-reader"}}.'
        raise Refusal(400, "targetingKey must be a string.", remedy=remedy, code="INVALID_CONTEXT")
    return context


def client_of(request: web.Request) -> str:
    """Who reads, for those that send no targeting key: where from and with what."""
    return f"{request.remote or 'unknown'} {request.headers.get('User-Agent', '')[:80]}".strip()
