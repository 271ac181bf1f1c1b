"""The dialect of the Gemini API (ai.google.dev: models, countTokens, streamGenerateContent)."""

import json
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from bot.checks.llm.dialects.shape import (
    UNKNOWN,
    Dialect,
    Event,
    EventContent,
    LlmCheck,
    LlmRequest,
    Rung,
    at_path,
    count_of,
    first,
    in_path,
    obj,
    posted,
    text_of,
    with_more,
)
from bot.checks.llm.dialects.sse import SseFrames

VERSION = "/v1beta"


def asked(check: LlmCheck, rung: Rung, now: datetime) -> LlmRequest:
    """The request of a rung: models, countTokens, or streamed content. A URL ending with a version keeps it."""
    headers = {"x-goog-api-key": check.api_key, **check.headers}
    version = "" if urlsplit(check.url).path.rstrip("/").rpartition("/")[2].startswith("v1") else VERSION
    contents = [{"role": "user", "parts": [{"text": check.prompt}]}]
    model = f"/models/{in_path(check.model.removeprefix('models/'))}"
    match rung:
        case "free":
            return LlmRequest("GET", at_path(check.url, "/models", version, pageSize="1"), headers)
        case "tokens":
            return posted(at_path(check.url, f"{model}:countTokens", version), headers, {"contents": contents})
    url = at_path(check.url, f"{model}:streamGenerateContent", version, alt="sse")
    body = {"contents": contents, "generationConfig": {"maxOutputTokens": check.room()}}
    return posted(url, headers, with_more(body, check.more))


def said(event: Event) -> EventContent:
    """The content of one streamed part. The end mark is the finish reason; a blocked prompt is an answer too."""
    payload = obj(event.payload)
    if "error" in payload:
        return EventContent(error=payload)
    candidates, feedback = payload.get("candidates"), obj(payload.get("promptFeedback"))
    usage = obj(payload.get("usageMetadata"))
    if not isinstance(candidates, list) and not feedback and not usage:
        return UNKNOWN
    candidate = first(candidates)
    parts = obj(candidate.get("content")).get("parts")
    told = [obj(part) for part in parts] if isinstance(parts, list) else []
    calls = [call for part in told if (call := obj(part.get("functionCall")))]
    blocked = text_of(feedback.get("blockReason"))
    stop = text_of(candidate.get("finishReason")) or (f"blocked: {blocked}" if blocked else "")
    written, thought = count_of(usage.get("candidatesTokenCount")), count_of(usage.get("thoughtsTokenCount"))
    return EventContent(
        text="".join(text_of(part.get("text")) for part in told if not part.get("thought")),
        thought="".join(text_of(part.get("text")) for part in told if part.get("thought")),
        stop=stop,
        complete=bool(stop),
        last=bool(stop),
        model=text_of(payload.get("modelVersion")),
        tool=text_of(first(calls).get("name")),
        arguments=json.dumps(first(calls).get("args")) if calls else "",
        tokens_in=count_of(usage.get("promptTokenCount")),
        tokens_cached=count_of(usage.get("cachedContentTokenCount")),
        tokens_out=None if written is None and thought is None else (written or 0) + (thought or 0),
        unseen=thought or 0,
    )


def lists(payload: Any) -> bool:
    """Whether this is a list of models."""
    return isinstance(obj(payload).get("models"), list)


def counted(payload: Any) -> int | None:
    """The number of tokens counted."""
    return count_of(obj(payload).get("totalTokens"))


DIALECT = Dialect("gemini", asked, said, lists, SseFrames, counted)
