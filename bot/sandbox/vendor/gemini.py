"""A scripted Gemini API: models, countTokens, content (whole or streamed), and its errors. Pure."""

import re
from typing import Any

from bot.sandbox.vendor.call import JSON_WORDS, Call, Reply, Speaker, cut, json_reply, sse, sse_reply, tokens_of

STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
ON_MODEL = re.compile(r"/v1(?:beta)?/models/([^/:]+):(countTokens|generateContent|streamGenerateContent)")
TOKENS_IN = 8


def healthy(call: Call, words: tuple[str, ...]) -> Reply:
    """What a healthy Gemini answers, including to a caller's mistakes."""
    if not call.headers.get("x-goog-api-key"):
        return error(403, "no identity was established: an API key is missing", call)
    if call.method == "GET" and call.path in ("/v1beta/models", "/v1/models"):
        names = ("gemini-2.5-flash", "gemini-2.5-pro")
        return json_reply(200, {"models": [{"name": f"models/{name}", "displayName": name} for name in names]})
    wanted = ON_MODEL.fullmatch(call.path) if call.method == "POST" else None
    if wanted is None:
        return error(404, "no such endpoint", call)
    missing = call.missing("contents")
    if missing:
        return error(400, missing, call)
    if wanted[2] == "countTokens":
        return json_reply(200, {"totalTokens": TOKENS_IN})
    return _content(call, wanted[1], wanted[2] == "streamGenerateContent", words)


def error(status: int, message: str, call: Call, reason: str = "") -> Reply:
    """An error as Google shapes it."""
    inner: dict[str, Any] = {"code": status, "message": message, "status": STATUSES.get(status, "UNKNOWN")}
    if reason:
        info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"}
        inner["details"] = [info]
    return json_reply(status, {"error": inner})


def trouble(kind: str, call: Call) -> Reply:
    """The named troubles. A bad key is a 400 here."""
    match kind:
        case "bad_key":
            return error(400, "API key not valid. Please pass a valid API key.", call, "API_KEY_INVALID")
        case "spend_limit":
            return error(429, "Your prepayment credits are depleted", call)
        case "capacity":
            return error(503, "The model is overloaded. Please try again later.", call)
    return error(404, "the model is not found for this version of the API", call)


def stream_error(call: Call) -> bytes:
    """Overload that is reported after a 200."""
    return sse({"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}})


def infers(call: Call) -> bool:
    """Whether the call asks for content."""
    return call.path.endswith("enerateContent")


def _content(call: Call, model: str, streamed: bool, words: tuple[str, ...]) -> Reply:
    limits = call.asked.get("generationConfig") or {}
    words = JSON_WORDS if limits.get("responseMimeType") == "application/json" else words
    said, cut_short = cut(words, limits.get("maxOutputTokens"))
    tokens_in = tokens_of(call, TOKENS_IN)
    finish = "MAX_TOKENS" if cut_short else "STOP"
    usage = {
        "promptTokenCount": tokens_in,
        "candidatesTokenCount": len(said),
        "totalTokenCount": tokens_in + len(said),
    }
    about = {"modelVersion": model, "responseId": call.request_id}
    if not streamed:
        return json_reply(200, {"candidates": [_candidate("".join(said), finish)], "usageMetadata": usage, **about})
    rows = [{"candidates": [_candidate(text, None)], "usageMetadata": usage, **about} for text in said]
    if call.asked.get("tools"):
        name = call.asked["tools"][0]["functionDeclarations"][0]["name"]
        made = {
            "content": {"parts": [{"functionCall": {"name": name, "args": {"city": "Paris"}}}], "role": "model"},
            "index": 0,
        }
        rows = [{"candidates": [made], "usageMetadata": usage, **about}]
    rows.append({"candidates": [_candidate("", finish)], "usageMetadata": usage, **about})
    return sse_reply(tuple(sse(row) for row in rows), {}, 0)


def _candidate(text: str, finish: str | None) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}
    return candidate | ({"finishReason": finish} if finish else {})


SPEAKER = Speaker(healthy, error, trouble, stream_error, infers)
