"""The dialect of Anthropic's Messages API (docs.anthropic.com: messages, streaming, errors)."""

from datetime import datetime
from typing import Any

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
    obj,
    posted,
    text_of,
    with_more,
)
from bot.checks.llm.dialects.sse import SseFrames

VERSION = "2023-06-01"


def asked(check: LlmCheck, rung: Rung, now: datetime) -> LlmRequest:
    """The request of a rung: models, count_tokens, or a message."""
    headers = {"x-api-key": check.api_key, "anthropic-version": check.api_version or VERSION, **check.headers}
    messages = [{"role": "user", "content": check.prompt}]
    match rung:
        case "free":
            return LlmRequest("GET", at_path(check.url, "/models", "/v1", limit="1"), headers)
        case "tokens":
            url = at_path(check.url, "/messages/count_tokens", "/v1")
            return posted(url, headers, {"model": check.model, "messages": messages})
    body = {"model": check.model, "max_tokens": check.room(), "stream": True, "messages": messages}
    return posted(at_path(check.url, "/messages", "/v1"), headers, with_more(body, check.more))


def said(event: Event) -> EventContent:
    """The content of one event in a message's stream."""
    payload = obj(event.payload)
    match payload.get("type"):
        case "message_start":
            message = obj(payload.get("message"))
            usage = obj(message.get("usage"))
            return EventContent(
                model=text_of(message.get("model")),
                tokens_in=_tokens_in(usage),
                tokens_cached=count_of(usage.get("cache_read_input_tokens")),
            )
        case "content_block_delta":
            delta = obj(payload.get("delta"))
            # Signatures and citations are deltas too, but not content.
            return EventContent(
                text=text_of(delta.get("text")), thought=text_of(delta.get("thinking")),
                arguments=text_of(delta.get("partial_json")),
            )  # fmt: skip
        case "message_delta":
            usage = obj(payload.get("usage"))
            stop = text_of(obj(payload.get("delta")).get("stop_reason"))
            return EventContent(stop=stop, tokens_out=count_of(usage.get("output_tokens")))
        case "message_stop":
            return EventContent(complete=True, last=True)
        case "error":
            return EventContent(error=payload)
        case "content_block_start":
            block = obj(payload.get("content_block"))
            return EventContent(tool=text_of(block.get("name")) if block.get("type") == "tool_use" else "")
        case "ping" | "content_block_stop":
            return EventContent()
    return UNKNOWN


def lists(payload: Any) -> bool:
    """Whether this is a list of models."""
    return isinstance(obj(payload).get("data"), list)


def counted(payload: Any) -> int | None:
    """The number of tokens counted."""
    return count_of(obj(payload).get("input_tokens"))


def _tokens_in(usage: dict[str, Any]) -> int | None:
    kinds = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    known = [found for found in (count_of(usage.get(kind)) for kind in kinds) if found is not None]
    return sum(known) if known else None


DIALECT = Dialect("anthropic", asked, said, lists, SseFrames, counted)
