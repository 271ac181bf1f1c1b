"""A scripted Anthropic: models, messages (whole or streamed), count_tokens, and its errors. Pure."""

from collections.abc import Mapping
from typing import Any

from bot.sandbox.vendor.call import TOOL_ARGUMENTS, Call, Reply, Speaker, cut, json_reply, sse, sse_reply, tokens_of

TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
TOKENS_IN = 8


def healthy(call: Call, words: tuple[str, ...]) -> Reply:
    """What a healthy Anthropic answers, including to a caller's mistakes."""
    if not call.headers.get("x-api-key") and not call.headers.get("authorization"):
        return error(401, "an API key is missing", call)
    if not call.headers.get("anthropic-version"):
        return error(400, "the header anthropic-version is missing", call)
    headers = {"request-id": call.request_id}
    match call.method, call.path:
        case "GET", "/v1/models":
            ids = ("claude-haiku-4-5", "claude-sonnet-4-5")
            models = [{"type": "model", "id": id_, "display_name": id_, "created_at": "2026-01-01T00:00:00Z"} for id_ in ids]
            return json_reply(200, {"data": models, "has_more": False, "first_id": ids[0], "last_id": ids[-1]}, headers)
        case "POST", "/v1/messages/count_tokens":
            missing = call.missing("model", "messages")
            return error(400, missing, call) if missing else json_reply(200, {"input_tokens": TOKENS_IN}, headers)
        case "POST", "/v1/messages":
            missing = call.missing("model", "max_tokens", "messages")
            return error(400, missing, call) if missing else _message(call, words, headers)
    return error(404, "no such endpoint", call)


def error(status: int, message: str, call: Call, details: Mapping[str, str] | None = None) -> Reply:
    """An error as Anthropic shapes it, with the request id in header and body."""
    inner: dict[str, Any] = {"type": TYPES.get(status, "api_error"), "message": message}
    if details:
        inner["details"] = dict(details)
    body = {"type": "error", "error": inner, "request_id": call.request_id}
    return json_reply(status, body, {"request-id": call.request_id})


def trouble(kind: str, call: Call) -> Reply:
    """The named troubles, each with the type and status that Anthropic uses for it."""
    match kind:
        case "bad_key":
            return error(401, "invalid x-api-key", call)
        case "spend_limit":  # no retry-after: it will not help to wait
            return error(429, "the spend limit is reached", call, {"error_code": "enforced_spend_limit_reached"})
        case "capacity":
            return error(529, "Overloaded", call)
    return error(404, f"model: {call.asked.get('model', '')}", call)


def stream_error(call: Call) -> bytes:
    """Overload that is reported after a 200."""
    return sse({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "error")


def infers(call: Call) -> bool:
    """Whether the call asks for a message."""
    return call.path == "/v1/messages"


def _message(call: Call, words: tuple[str, ...], headers: dict[str, str]) -> Reply:
    said, cut_short = cut(words, call.asked["max_tokens"])
    tools, tokens_in = call.asked.get("tools"), tokens_of(call, TOKENS_IN)
    stop = "tool_use" if tools else "max_tokens" if cut_short else "end_turn"
    message: dict[str, Any] = {
        "id": f"msg_sim_{call.number:06d}",
        "type": "message",
        "role": "assistant",
        "model": call.asked["model"],
        "content": [{"type": "text", "text": "".join(said)}],
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": {"input_tokens": tokens_in, "output_tokens": len(said)},
    }
    if not call.asked.get("stream"):
        return json_reply(200, message, headers)
    start = message | {"content": [], "stop_reason": None, "usage": {"input_tokens": tokens_in, "output_tokens": 1}}
    block: dict[str, Any] = {"type": "text", "text": ""}
    pieces = [{"type": "text_delta", "text": text} for text in said]
    if tools:
        block = {"type": "tool_use", "id": "toolu_sim", "name": tools[0]["name"], "input": {}}
        pieces = [{"type": "input_json_delta", "partial_json": text} for text in TOOL_ARGUMENTS]
    deltas = ({"type": "content_block_delta", "index": 0, "delta": piece} for piece in pieces)
    before: list[dict[str, Any]] = [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": block},
        {"type": "ping"},
    ]
    after: list[dict[str, Any]] = [
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": stop, "stop_sequence": None},
            "usage": {"output_tokens": len(said)},
        },
        {"type": "message_stop"},
    ]
    parts = tuple(sse(event, event["type"]) for event in (*before, *deltas, *after))
    return sse_reply(parts, headers, len(before), sse({"type": "ping"}, "ping"))


SPEAKER = Speaker(healthy, error, trouble, stream_error, infers)
