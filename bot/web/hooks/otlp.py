"""OTLP over HTTP: `/v1/metrics` and `/v1/traces`, so that a service needs only its exporter's environment variables."""

import asyncio
import hashlib
import json

from aiohttp import web

from bot.outcomes.intake import IntakeResult
from bot.outcomes.otlp.reading import OtlpError, Read, read_metrics, read_spans
from bot.web.api.reads import NO_STORE
from bot.web.hooks.outcomes import NAMES, too_much
from bot.web.server.auth import presented
from bot.web.server.bodies import read_bytes
from bot.web.server.errors import Refusal
from bot.web.services import SERVICES

METRICS, TRACES = "/v1/metrics", "/v1/traces"
OTLP_BYTES = 4 * 1024 * 1024  # unpacked
PROTOBUF, JSON = "application/x-protobuf", "application/json"
INVALID, UNAVAILABLE = 3, 14  # values of google.rpc.Code


TURN = web.AppKey("otlp", asyncio.Lock)  # large bodies are parsed one at a time


async def metrics(request: web.Request) -> web.Response:
    """Receive an export of metrics."""
    return await _answered(request, "rejected_data_points")


async def traces(request: web.Request) -> web.Response:
    """Receive an export of spans."""
    return await _answered(request, "rejected_spans")


async def _answered(request: web.Request, rejected: str) -> web.Response:
    """OTLP's own answers: a Status on failure, a partial success if some were rejected."""
    packed = request.content_type == PROTOBUF
    try:
        if request.content_type not in (PROTOBUF, JSON):
            remedy = "Set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf (or http/json)."
            raise Refusal(415, f"{request.content_type[:60]} is not understood here. {remedy}", remedy=remedy)
        count, why = await _taken(request, packed, spans=rejected == "rejected_spans")
    except Refusal as refusal:
        code = UNAVAILABLE if refusal.status == 503 else INVALID
        body = _status(code, refusal.text) if packed else json.dumps({"code": code, "message": refusal.text}).encode()
        return _response(packed, body, refusal.status, refusal.headers)
    if not count:
        return _response(packed, b"" if packed else b"{}")
    if packed:
        return _response(packed, _field(1, _varint_field(1, count) + _field(2, why.encode())))
    name = {"rejected_spans": "rejectedSpans"}.get(rejected, "rejectedDataPoints")
    return _response(packed, json.dumps({"partialSuccess": {name: str(count), "errorMessage": why}}).encode())


async def _taken(request: web.Request, packed: bool, *, spans: bool) -> tuple[int, str]:
    """How many were rejected, and why."""
    services = request.app[SERVICES]
    intake, now = services.hooks.outcomes, services.clock.now()
    if intake is None:
        raise web.HTTPNotFound
    body = await read_bytes(request, OTLP_BYTES)
    known = request.app[NAMES].of(services.engine.policy)
    key = f"otlp/{hashlib.sha256(body).hexdigest()}"  # an exporter that got no response sends the same bytes again
    if await intake.knows(key, sender=presented(request)):
        return 0, ""
    if intake.full:
        raise too_much()
    try:
        async with request.app[TURN]:
            found: Read = await asyncio.to_thread(read_spans if spans else read_metrics, body, packed, known, now)
    except OtlpError as error:
        raise Refusal(400, f"{error}.") from error
    outcomes = found.outcomes
    if spans:
        outcomes = [one for one in outcomes if not intake.measured.includes(one.route.service)]
    else:
        routes = [*(one.route for one in outcomes), *(one.route for one in found.readings)]
        intake.measured.note({route.service for route in routes})
    if outcomes or found.readings:
        taken = await intake.take(outcomes, sender=presented(request), key=key, readings=found.readings)
        if taken is IntakeResult.FULL:
            raise too_much()
    return found.rejected, "; ".join(found.why.values())


def _response(packed: bool, body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        body=body, status=status, content_type=PROTOBUF if packed else JSON, headers={**NO_STORE, **(headers or {})}
    )


def _status(code: int, message: str) -> bytes:
    """A google.rpc.Status."""
    return _varint_field(1, code) + _field(2, message.encode())


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint_field(number: int, value: int) -> bytes:
    return bytes([number << 3]) + _varint(value)


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])
