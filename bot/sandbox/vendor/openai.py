"""A scripted OpenAI: models, chat completions and responses (whole or streamed), and its errors. Pure."""

from collections.abc import Mapping
from typing import Any

from bot.sandbox.vendor.call import (
    JSON_WORDS,
    MADE_AT,
    TOOL_ARGUMENTS,
    Call,
    Reply,
    Speaker,
    cut,
    json_reply,
    sse,
    sse_reply,
    tokens_of,
)

TYPES = {
    400: ("invalid_request_error", None),
    401: ("invalid_request_error", "invalid_api_key"),
    403: ("invalid_request_error", "unsupported_country_region_territory"),
    404: ("invalid_request_error", "unknown_url"),
    429: ("requests", "rate_limit_exceeded"),
    503: ("service_unavailable_error", "server_is_overloaded"),
}
TOKENS_IN = 8
LEAST_OUTPUT = 16
OVERLOADED = {
    "message": "The server is overloaded",
    "type": "service_unavailable_error",
    "param": None,
    "code": "server_is_overloaded",
}


def healthy(call: Call, words: tuple[str, ...]) -> Reply:
    """What a healthy OpenAI answers, including to a caller's mistakes."""
    if not call.headers.get("authorization", "").startswith("Bearer "):
        return error(401, "a bearer token is missing", call)
    headers = {"x-request-id": call.request_id, "openai-processing-ms": "12"}
    match call.method, call.path:
        case "GET", "/v1/models":
            return json_reply(200, models("gpt-5", "gpt-5-mini"), headers)
        case "POST", "/v1/chat/completions":
            missing = call.missing("model", "messages")
            return error(400, missing, call) if missing else completion(call, words, headers)
        case "POST", "/v1/responses":
            missing = call.missing("model", "input")
            if not missing and 0 < call.asked.get("max_output_tokens", LEAST_OUTPUT) < LEAST_OUTPUT:
                missing = f"max_output_tokens: expected at least {LEAST_OUTPUT}"
            return error(400, missing, call) if missing else response(call, words, headers)
    return error(404, "no such endpoint", call)


def models(*ids: str) -> dict[str, Any]:
    """The list of models."""
    return {
        "object": "list",
        "data": [{"id": id_, "object": "model", "created": MADE_AT, "owned_by": "system"} for id_ in ids],
    }


def error(status: int, message: str, call: Call, type_: str = "", code: str | None = None) -> Reply:
    """An error as OpenAI shapes it."""
    usual_type, usual_code = TYPES.get(status, ("server_error", None))
    inner = {"message": message, "type": type_ or usual_type, "param": None, "code": code or usual_code}
    return json_reply(status, {"error": inner}, {"x-request-id": call.request_id})


def trouble(kind: str, call: Call) -> Reply:
    """The named troubles, each with the type and code that OpenAI uses for it."""
    match kind:
        case "bad_key":
            return error(401, "Incorrect API key provided", call)
        case "spend_limit":
            return error(429, "the quota is used up", call, "insufficient_quota", "insufficient_quota")
        case "capacity":
            return error(503, "The server is overloaded", call)
    return error(404, f"no model {call.asked.get('model', '')!r}", call, code="model_not_found")


def stream_error(call: Call) -> bytes:
    """Overload that is reported after a 200."""
    if call.path.endswith("/responses"):
        return sse({**OVERLOADED, "type": "error", "sequence_number": 3}, "error")
    return sse({"error": OVERLOADED})


def infers(call: Call) -> bool:
    """Whether the call asks for a model's answer."""
    return call.path.endswith(("/chat/completions", "/responses"))


def completion(call: Call, words: tuple[str, ...], headers: Mapping[str, str]) -> Reply:
    """A chat completion."""
    asked, tokens_in = call.asked, tokens_of(call, TOKENS_IN)
    if asked.get("response_format"):
        words = JSON_WORDS
    said, cut_short = cut(words, asked.get("max_completion_tokens", asked.get("max_tokens")))
    finish = "length" if cut_short else "stop"
    base = {"id": f"chatcmpl-sim-{call.number:06d}", "created": MADE_AT, "model": asked.get("model", "gpt-5")}
    usage = {"prompt_tokens": tokens_in, "completion_tokens": len(said), "total_tokens": tokens_in + len(said)}
    if not asked.get("stream"):
        choice = {"index": 0, "message": {"role": "assistant", "content": "".join(said)}, "finish_reason": finish}
        return json_reply(200, base | {"object": "chat.completion", "choices": [choice], "usage": usage}, headers)
    deltas: list[tuple[dict[str, Any], str | None]] = [({"role": "assistant", "content": ""}, None)]
    if asked.get("tools"):
        deltas += [({"tool_calls": [piece]}, None) for piece in _tool_call(asked["tools"][0])]
        finish = "tool_calls"
    else:
        deltas += [({"content": text}, None) for text in said]
    deltas.append(({}, finish))
    chunk = base | {"object": "chat.completion.chunk"}
    rows = [chunk | {"choices": [{"index": 0, "delta": delta, "finish_reason": end}]} for delta, end in deltas]
    if (asked.get("stream_options") or {}).get("include_usage"):
        rows.append(chunk | {"choices": [], "usage": usage})
    return sse_reply((*(sse(row) for row in rows), b"data: [DONE]\n\n"), headers, 1)


def _tool_call(tool: dict[str, Any]) -> list[dict[str, Any]]:
    """A call of the first tool, in the pieces in which it is streamed."""
    name = (tool.get("function") or {}).get("name", "")
    head = {"index": 0, "id": "call_sim", "type": "function", "function": {"name": name, "arguments": ""}}
    return [head, *({"index": 0, "function": {"arguments": piece}} for piece in TOOL_ARGUMENTS)]


def response(call: Call, words: tuple[str, ...], headers: Mapping[str, str]) -> Reply:
    """A response of the Responses API."""
    asked, tokens_in = call.asked, tokens_of(call, TOKENS_IN)
    if asked.get("text"):
        words = JSON_WORDS
    said, cut_short = cut(words, asked.get("max_output_tokens"))
    status = "incomplete" if cut_short else "completed"
    content = [{"type": "output_text", "text": "".join(said), "annotations": []}]
    made: dict[str, Any] = {
        "id": f"resp_sim_{call.number:06d}",
        "object": "response",
        "created_at": MADE_AT,
        "status": status,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if cut_short else None,
        "model": asked.get("model", "gpt-5"),
        "output": [{"type": "message", "id": "msg_sim", "status": status, "role": "assistant", "content": content}],
        "usage": {"input_tokens": tokens_in, "output_tokens": len(said), "total_tokens": tokens_in + len(said)},
    }
    if not asked.get("stream"):
        return json_reply(200, made, headers)
    place = {"item_id": "msg_sim", "output_index": 0, "content_index": 0}
    spoken: list[dict[str, Any]] = [
        *({"type": "response.output_text.delta", **place, "delta": text} for text in said),
        {"type": "response.output_text.done", **place, "text": "".join(said)},
    ]
    if asked.get("tools"):
        item = {"type": "function_call", "id": "fc_sim", "call_id": "call_sim", "name": asked["tools"][0].get("name", "")}
        piece = {"type": "response.function_call_arguments.delta", "item_id": "fc_sim", "output_index": 0}
        spoken = [{"type": "response.output_item.added", "output_index": 0, "item": item | {"arguments": ""}}]
        spoken += [piece | {"delta": text} for text in TOOL_ARGUMENTS]
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": made | {"status": "in_progress", "output": []}},
        *spoken,
        {"type": f"response.{status}", "response": made},
    ]
    return sse_reply(tuple(sse(event, event["type"]) for event in events), headers, 1)


SPEAKER = Speaker(healthy, error, trouble, stream_error, infers)
