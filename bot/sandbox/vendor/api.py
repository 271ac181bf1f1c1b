"""What the scripted APIs answer, well or ill, in the shapes of the real ones. Pure: request in, reply out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MADE_AT = 1767225600  # a fixed moment for `created` fields
PONG = ("po", "ng")
ANTHROPIC_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    404: "not_found_error",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
OPENAI_TYPES = {
    400: ("invalid_request_error", None),
    401: ("invalid_request_error", "invalid_api_key"),
    404: ("invalid_request_error", "unknown_url"),
    429: ("requests", "rate_limit_exceeded"),
    503: ("service_unavailable_error", "server_is_overloaded"),
}


@dataclass(frozen=True)
class Call:
    """A request as far as the answers depend on it. Header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    number: int  # counts the requests of the surface


@dataclass(frozen=True)
class Reply:
    """An answer: its parts are sent one by one; `streamed` means chunked, without a length."""

    status: int
    parts: tuple[bytes, ...]
    headers: Mapping[str, str] = field(default_factory=dict)
    streamed: bool = False


def healthy(dialect: str, surface: str, call: Call) -> Reply:
    """What a well provider answers, request errors of the caller included."""
    if surface != "api":
        return _front(surface, call)
    match dialect:
        case "anthropic":
            return _anthropic(call)
        case "openai":
            return _openai(call)
    return _json(200, {"status": "ok"}, {})


def failing(dialect: str, surface: str, status: int, retry_after: int | None, call: Call) -> Reply:
    """An error in the provider's shape: its API speaks JSON, everything else is a gateway's page."""
    extra = {} if retry_after is None else {"retry-after": str(retry_after)}
    if surface == "api" and dialect == "anthropic":
        reply = _anthropic_error(status, f"simulated failure ({status})", call)
    elif surface == "api" and dialect == "openai":
        reply = _openai_error(status, f"simulated failure ({status})", call)
    else:
        reply = _html(status, f"Simulated failure {status}", {})
    return Reply(reply.status, reply.parts, dict(reply.headers) | extra)


def wrong_json() -> Reply:
    """JSON, but not of any shape that a client expects."""
    return _json(200, {"unexpected": ["shape"]}, {})


def _front(surface: str, call: Call) -> Reply:
    if call.method not in ("GET", "HEAD"):
        return _html(405, "Only GET", {})
    if call.path.rstrip("/") not in ("", f"/{surface}"):
        return _html(404, "No such page", {})
    return _html(200, f"Simulated {surface} is well", {})


def _anthropic(call: Call) -> Reply:
    if not call.headers.get("x-api-key") and not call.headers.get("authorization"):
        return _anthropic_error(401, "an API key is missing", call)
    if not call.headers.get("anthropic-version"):
        return _anthropic_error(400, "the header anthropic-version is missing", call)
    headers = {"request-id": _request_id(call)}
    match call.method, call.path:
        case "GET", "/v1/models":
            ids = ("claude-haiku-4-5", "claude-sonnet-4-5")
            models = [{"type": "model", "id": id_, "display_name": id_, "created_at": "2026-01-01T00:00:00Z"} for id_ in ids]
            return _json(200, {"data": models, "has_more": False, "first_id": ids[0], "last_id": ids[-1]}, headers)
        case "POST", "/v1/messages/count_tokens":
            missing = _missing(call.body, "model", "messages")
            return _anthropic_error(400, missing, call) if missing else _json(200, {"input_tokens": 8}, headers)
        case "POST", "/v1/messages":
            missing = _missing(call.body, "model", "max_tokens", "messages")
            return _anthropic_error(400, missing, call) if missing else _message(call, headers)
    return _anthropic_error(404, "no such endpoint", call)


def _message(call: Call, headers: dict[str, str]) -> Reply:
    asked = json.loads(call.body)
    message: dict[str, Any] = {
        "id": f"msg_sim_{call.number:06d}",
        "type": "message",
        "role": "assistant",
        "model": asked["model"],
        "content": [{"type": "text", "text": "".join(PONG)}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 8, "output_tokens": 2},
    }
    if not asked.get("stream"):
        return _json(200, message, headers)
    start = message | {"content": [], "stop_reason": None, "usage": {"input_tokens": 8, "output_tokens": 1}}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        *({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}} for text in PONG),
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 2},
        },
        {"type": "message_stop"},
    ]
    parts = tuple(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events)
    return _stream(parts, headers)


def _openai(call: Call) -> Reply:
    if not call.headers.get("authorization", "").startswith("Bearer "):
        return _openai_error(401, "a bearer token is missing", call)
    headers = {"x-request-id": _request_id(call), "openai-processing-ms": "12"}
    match call.method, call.path:
        case "GET", "/v1/models":
            models = [
                {"id": id_, "object": "model", "created": MADE_AT, "owned_by": "system"} for id_ in ("gpt-5", "gpt-5-mini")
            ]
            return _json(200, {"object": "list", "data": models}, headers)
        case "POST", "/v1/chat/completions":
            missing = _missing(call.body, "model", "messages")
            return _openai_error(400, missing, call) if missing else _completion(call, headers)
        case "POST", "/v1/responses":
            missing = _missing(call.body, "model", "input")
            return _openai_error(400, missing, call) if missing else _response(call, headers)
    return _openai_error(404, "no such endpoint", call)


def _completion(call: Call, headers: dict[str, str]) -> Reply:
    asked = json.loads(call.body)
    base = {"id": f"chatcmpl-sim-{call.number:06d}", "created": MADE_AT, "model": asked["model"]}
    if not asked.get("stream"):
        choice = {"index": 0, "message": {"role": "assistant", "content": "".join(PONG)}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 8, "completion_tokens": 2, "total_tokens": 10}
        return _json(200, base | {"object": "chat.completion", "choices": [choice], "usage": usage}, headers)
    deltas: list[tuple[dict[str, str], str | None]] = [({"role": "assistant", "content": ""}, None)]
    deltas += [({"content": text}, None) for text in PONG]
    deltas.append(({}, "stop"))
    parts = [
        base | {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
        for delta, finish in deltas
    ]
    return _stream((*(f"data: {json.dumps(part)}\n\n".encode() for part in parts), b"data: [DONE]\n\n"), headers)


def _response(call: Call, headers: dict[str, str]) -> Reply:
    asked = json.loads(call.body)
    content = [{"type": "output_text", "text": "".join(PONG), "annotations": []}]
    response: dict[str, Any] = {
        "id": f"resp_sim_{call.number:06d}",
        "object": "response",
        "created_at": MADE_AT,
        "status": "completed",
        "error": None,
        "model": asked["model"],
        "output": [{"type": "message", "id": "msg_sim", "status": "completed", "role": "assistant", "content": content}],
        "usage": {"input_tokens": 8, "output_tokens": 2, "total_tokens": 10},
    }
    if not asked.get("stream"):
        return _json(200, response, headers)
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": response | {"status": "in_progress", "output": []}},
        *({"type": "response.output_text.delta", "item_id": "msg_sim", "output_index": 0, "delta": text} for text in PONG),
        {"type": "response.output_text.done", "item_id": "msg_sim", "output_index": 0, "text": "".join(PONG)},
        {"type": "response.completed", "response": response},
    ]
    return _stream(tuple(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events), headers)


def _anthropic_error(status: int, message: str, call: Call) -> Reply:
    id_ = _request_id(call)
    error = {"type": ANTHROPIC_TYPES.get(status, "api_error"), "message": message}
    return _json(status, {"type": "error", "error": error, "request_id": id_}, {"request-id": id_})


def _openai_error(status: int, message: str, call: Call) -> Reply:
    type_, code = OPENAI_TYPES.get(status, ("server_error", None))
    error = {"message": message, "type": type_, "param": None, "code": code}
    return _json(status, {"error": error}, {"x-request-id": _request_id(call)})


def _missing(body: bytes, *keys: str) -> str:
    """What is wrong with a request's body; empty when nothing is."""
    try:
        asked = json.loads(body)
    except ValueError:
        return "the body is not JSON"
    if not isinstance(asked, dict):
        return "the body is not an object"
    return next((f"{key}: field required" for key in keys if key not in asked), "")


def _request_id(call: Call) -> str:
    return f"req_sim_{call.number:06d}"


def _json(status: int, payload: dict[str, Any], headers: dict[str, str]) -> Reply:
    return Reply(status, (json.dumps(payload).encode(),), {"content-type": "application/json"} | headers)


def _html(status: int, text: str, headers: dict[str, str]) -> Reply:
    body = f"<!doctype html><html><head><title>{text}</title></head><body><h1>{text}</h1></body></html>"
    return Reply(status, (body.encode(),), {"content-type": "text/html; charset=utf-8"} | headers)


def _stream(parts: tuple[bytes, ...], headers: dict[str, str]) -> Reply:
    return Reply(200, parts, {"content-type": "text/event-stream; charset=utf-8"} | headers, streamed=True)
