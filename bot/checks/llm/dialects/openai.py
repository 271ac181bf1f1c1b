"""The dialect of OpenAI: chat completions, which many others support too, and responses."""

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
    obj,
    posted,
    text_of,
    with_more,
)
from bot.checks.llm.dialects.sse import SseFrames

LEAST = 16  # the minimum of `max_output_tokens`
DONE = "[DONE]"
NO_ROOM = "max_tokens or model output limit was reached"
# These refuse `max_tokens`, whoever serves them.
REASONING_MODELS = ("gpt-5", "gpt-6", "o1", "o3", "o4")


def asked(check: LlmCheck, rung: Rung, now: datetime) -> LlmRequest:
    """The request: the list of models, or one streamed answer. Tokens cannot be counted for free here.

    A URL without a path gets `/v1`; one with a path is used as it is, as OpenAI's own clients do.
    """
    headers = {"authorization": f"Bearer {check.api_key}", **check.headers}
    version = "" if urlsplit(check.url).path.strip("/") else "/v1"
    if rung != "inference":
        return LlmRequest("GET", at_path(check.url, "/models", version), headers)
    if check.api == "responses":
        return posted(at_path(check.url, "/responses", version), headers, response_body(check))
    return posted(at_path(check.url, "/chat/completions", version), headers, chat_body(check, modern=_modern(check)))


def chat_body(check: LlmCheck, *, modern: bool) -> dict[str, Any]:
    """A chat completion. `modern` servers support `max_completion_tokens` and usage in streams; others may refuse both."""
    body: dict[str, Any] = {
        "model": check.model,
        "stream": True,
        "messages": [{"role": "user", "content": check.prompt}],
    }
    if modern:
        # Reasoning models spend from the same allowance, and answer 400 if it leaves no room for a word.
        body |= {"max_completion_tokens": check.room(LEAST), "stream_options": {"include_usage": True}}
    else:
        body |= {"max_tokens": check.room()}
    return with_more(body, check.more)


def response_body(check: LlmCheck) -> dict[str, Any]:
    """A response; `store` is off, so that the provider keeps nothing."""
    body = {
        "model": check.model,
        "input": check.prompt,
        "max_output_tokens": check.room(LEAST),
        "stream": True,
        "store": False,
    }
    return with_more(body, check.more)


def said(event: Event) -> EventContent:
    """The content of one event, of either API."""
    if event.text.strip() == DONE:
        return EventContent(complete=True, last=True)
    payload = obj(event.payload)
    kind = text_of(payload.get("type"))
    if kind == "error" or isinstance(payload.get("error"), dict | str):
        return EventContent(error=payload)
    if kind.startswith("response."):
        return _response(kind, payload)
    return _chunk(payload) if isinstance(payload.get("choices"), list) else UNKNOWN


def lists(payload: Any) -> bool:
    """Whether this is a list of models."""
    return isinstance(obj(payload).get("data"), list)


def ran_out(status: int, body: bytes) -> bool:
    """Whether a reasoning model used up all its room: it ran, which is all that was asked."""
    return status == 400 and NO_ROOM.encode() in body


def _chunk(payload: dict[str, Any]) -> EventContent:
    choice, usage = first(payload["choices"]), obj(payload.get("usage"))
    delta = obj(choice.get("delta"))
    thought = text_of(delta.get("reasoning_content")) or text_of(delta.get("reasoning"))
    called = obj(first(delta.get("tool_calls")).get("function"))
    return EventContent(
        text=text_of(delta.get("content")) or text_of(delta.get("refusal")),
        thought=thought,
        stop=text_of(choice.get("finish_reason")),
        model=text_of(payload.get("model")),
        tool=text_of(called.get("name")),
        arguments=text_of(called.get("arguments")),
        tokens_in=count_of(usage.get("prompt_tokens")),
        tokens_cached=count_of(obj(usage.get("prompt_tokens_details")).get("cached_tokens")),
        tokens_out=count_of(usage.get("completion_tokens")),
        unseen=count_of(obj(usage.get("completion_tokens_details")).get("reasoning_tokens")) or 0,
    )


def _response(kind: str, payload: dict[str, Any]) -> EventContent:
    match kind:
        case "response.output_text.delta" | "response.refusal.delta":
            return EventContent(text=text_of(payload.get("delta")), stop="refusal" if "refusal" in kind else "")
        case "response.reasoning_text.delta" | "response.reasoning_summary_text.delta":
            return EventContent(thought=text_of(payload.get("delta")))
        case "response.output_item.added":
            item = obj(payload.get("item"))
            return EventContent(tool=text_of(item.get("name")) if item.get("type") == "function_call" else "")
        case "response.function_call_arguments.delta":
            return EventContent(arguments=text_of(payload.get("delta")))
        case "response.failed":
            return EventContent(error=payload)
        case "response.completed" | "response.incomplete":
            return _ended(obj(payload.get("response")))
    # Created, in progress, an item or part added or done: nothing to measure.
    return EventContent(model=text_of(obj(payload.get("response")).get("model")))


def _ended(response: dict[str, Any]) -> EventContent:
    usage = obj(response.get("usage"))
    return EventContent(
        stop=text_of(obj(response.get("incomplete_details")).get("reason")),
        complete=True,
        last=True,
        model=text_of(response.get("model")),
        tokens_in=count_of(usage.get("input_tokens")),
        tokens_cached=count_of(obj(usage.get("input_tokens_details")).get("cached_tokens")),
        tokens_out=count_of(usage.get("output_tokens")),
        unseen=count_of(obj(usage.get("output_tokens_details")).get("reasoning_tokens")) or 0,
    )


def _modern(check: LlmCheck) -> bool:
    host = urlsplit(check.url).hostname or ""
    return host.endswith("openai.com") or check.model.rpartition("/")[2].startswith(REASONING_MODELS)


DIALECT = Dialect("openai", asked, said, lists, SseFrames, ran_out=ran_out)
