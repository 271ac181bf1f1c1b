"""What each dialect asks and how it reads events, as pure values."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest

from bot.checks.judging.exceptions import Failure
from bot.checks.judging.failure import CheckError
from bot.checks.llm.dialects import anthropic, azure, bedrock, gemini, openai
from bot.checks.llm.dialects.known import DIALECTS
from bot.checks.llm.dialects.shape import Event, EventContent, Rung
from bot.checks.llm.dialects.sse import SseFrames
from bot.checks.net.http1 import BadAnswer
from tests.checks.llm.llm_stage import KEY, MODELS, check

NOW = datetime(2030, 1, 7, 9, 0, tzinfo=UTC)
ANTHROPIC, OPENAI = "https://api.anthropic.com", "https://api.openai.com"
GEMINI, AZURE = "https://generativelanguage.googleapis.com", "https://ours.openai.azure.com"
RUNTIME = "https://bedrock-runtime.eu-west-1.amazonaws.com"


@pytest.mark.parametrize(
    ("dialect", "url", "rung", "changes", "address"),
    [
        ("anthropic", ANTHROPIC, "inference", {}, f"{ANTHROPIC}/v1/messages"),
        ("anthropic", f"{ANTHROPIC}/v1/", "inference", {}, f"{ANTHROPIC}/v1/messages"),
        ("anthropic", "https://proxy.test/anthropic", "free", {}, "https://proxy.test/anthropic/v1/models?limit=1"),
        ("anthropic", ANTHROPIC, "tokens", {}, f"{ANTHROPIC}/v1/messages/count_tokens"),
        ("openai", OPENAI, "inference", {}, f"{OPENAI}/v1/chat/completions"),
        ("openai", f"{OPENAI}/v1", "inference", {"api": "responses"}, f"{OPENAI}/v1/responses"),
        ("openai", "https://api.groq.com/openai/v1", "free", {}, "https://api.groq.com/openai/v1/models"),
        ("openai", "http://[::1]:8000", "free", {}, "http://[::1]:8000/v1/models"),
        ("azure", AZURE, "free", {}, f"{AZURE}/openai/models?api-version=2024-10-21"),
        (
            "azure", f"{AZURE}/openai/", "inference", {"model": "our gpt", "api_version": "2025-04-01-preview"},
            f"{AZURE}/openai/deployments/our%20gpt/chat/completions?api-version=2025-04-01-preview",
        ),
        ("gemini", GEMINI, "inference", {}, f"{GEMINI}/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"),
        ("gemini", GEMINI, "tokens", {"model": "models/gemini-x"}, f"{GEMINI}/v1beta/models/gemini-x:countTokens"),
        ("gemini", f"{GEMINI}/v1", "free", {}, f"{GEMINI}/v1/models?pageSize=1"),
        (
            "bedrock", "", "inference", {},
            "https://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.claude-haiku-4-5-20251001-v1%3A0/converse-stream",
        ),
        ("bedrock", "", "free", {}, "https://bedrock.us-east-1.amazonaws.com/foundation-models?byOutputModality=TEXT"),
        ("bedrock", RUNTIME, "free", {}, "https://bedrock.eu-west-1.amazonaws.com/foundation-models?byOutputModality=TEXT"),
        ("bedrock", "http://127.0.0.1:9", "free", {}, "http://127.0.0.1:9/foundation-models?byOutputModality=TEXT"),
    ],
)  # fmt: skip
def test_address_is_the_documented_one_when_a_rung_is_asked(
    dialect: str, url: str, rung: Rung, changes: dict[str, Any], address: str
) -> None:
    """With or without the version in the URL, as people copy it."""
    wanted = check(dialect, url, **changes)
    assert address == DIALECTS[wanted.dialect].asked(wanted, rung, NOW).url


@pytest.mark.parametrize(
    ("dialect", "url", "changes", "body"),
    [
        ("anthropic", ANTHROPIC, {}, {"max_tokens": 1, "stream": True}),
        ("anthropic", ANTHROPIC, {"answer": "4"}, {"max_tokens": 64}),
        ("openai", OPENAI, {}, {"max_completion_tokens": 16, "stream_options": {"include_usage": True}}),
        ("openai", OPENAI, {"model": "gpt-4o", "max_tokens": 5}, {"max_completion_tokens": 16}),
        ("openai", OPENAI, {"api": "responses", "max_tokens": 1}, {"max_output_tokens": 16, "store": False}),
        ("openai", "https://api.mistral.test", {"model": "small"}, {"max_tokens": 1, "stream_options": None}),
        ("openai", "https://gateway.test/v1", {"model": "openai/gpt-5"}, {"max_completion_tokens": 16, "max_tokens": None}),
        ("azure", AZURE, {}, {"max_completion_tokens": 16}),
        ("azure", AZURE, {"api_version": "2024-02-01"}, {"max_tokens": 1, "max_completion_tokens": None}),
        ("gemini", GEMINI, {"max_tokens": 9}, {"generationConfig": {"maxOutputTokens": 9}}),
        ("bedrock", RUNTIME, {}, {"inferenceConfig": {"maxTokens": 1}}),
    ],
)
def test_room_is_the_least_that_is_taken_when_none_is_set(
    dialect: str, url: str, changes: dict[str, Any], body: dict[str, Any]
) -> None:
    """One token where that is allowed, more where the provider insists or an answer is expected."""
    wanted = check(dialect, url, **changes)
    asked = DIALECTS[wanted.dialect].asked(wanted, "inference", NOW)
    sent = json.loads(asked.body or b"")
    assert body == {key: sent.get(key) for key in body}
    assert "application/json" == asked.headers["content-type"]


def test_key_travels_in_the_header_of_each_provider_when_it_is_sent() -> None:
    """Never in the address, and never in a repr; what the operator adds comes along."""
    told = {}
    for name, module in {
        "anthropic": anthropic,
        "openai": openai,
        "azure": azure,
        "gemini": gemini,
        "bedrock": bedrock,
    }.items():
        asked = module.asked(check(name, "https://host.test", headers={"x-team": "health"}), "inference", NOW)
        told[name] = [key for key, value in asked.headers.items() if KEY in value]
        assert KEY not in repr(asked) + asked.url
        assert "health" == asked.headers["x-team"]
    bearer = ["authorization"]
    assert {
        "anthropic": ["x-api-key"], "openai": bearer, "azure": ["api-key"], "gemini": ["x-goog-api-key"], "bedrock": bearer,
    } == told  # fmt: skip


@pytest.mark.parametrize("rung", ["inference", "free"])
def test_bedrock_signature_is_the_published_algorithm_when_an_access_key_is_given(rung: Rung) -> None:
    """Recomputed here step by step from AWS's description of Signature Version 4, with the model's colon encoded twice."""
    wanted = check(
        "bedrock", "", access_key_id="AKIDEXAMPLE", secret_access_key="wJalrXUtnFEMI/K7MDENG", session_token="token-1"
    )
    asked = bedrock.asked(wanted, rung, NOW)
    assert ("20300107T090000Z", "token-1") == (asked.headers["x-amz-date"], asked.headers["x-amz-security-token"])
    parts = urlsplit(asked.url)
    signed = {name: value for name, value in {**asked.headers, "host": parts.netloc}.items() if name != "authorization"}
    names = ";".join(sorted(signed))
    lines = [asked.method, parts.path.replace("%", "%25"), parts.query, *(f"{name}:{signed[name]}" for name in sorted(signed))]
    canonical = "\n".join([*lines, "", names, hashlib.sha256(asked.body or b"").hexdigest()])
    scope = "20300107/us-east-1/bedrock/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", "20300107T090000Z", scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = b"AWS4wJalrXUtnFEMI/K7MDENG"
    for step in scope.split("/"):
        key = hmac.digest(key, step.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    assert (
        f"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{scope}, SignedHeaders={names}, Signature={signature}"
        == asked.headers["authorization"]
    )


def test_bedrock_finds_its_region_or_says_so_when_none_is_given() -> None:
    """The runtime's own host names it; another host does not."""
    keys = {"access_key_id": "AKIDEXAMPLE", "secret_access_key": "secret", "region": None}
    asked = bedrock.asked(check("bedrock", RUNTIME, **keys), "inference", NOW)
    assert "/eu-west-1/bedrock/" in asked.headers["authorization"]
    for wanted in (check("bedrock", "http://127.0.0.1:9", **keys), check("bedrock", "", region=None)):
        with pytest.raises(CheckError, match="region"):
            bedrock.asked(wanted, "inference", NOW)


HIDDEN = {"prompt_tokens": 3, "completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 7}}
THINKING = {"type": "content_block_delta", "delta": {"type": "thinking_delta", "thinking": "hm"}}
PARTS = {"parts": [{"text": "hm", "thought": True}, {"text": "ok"}]}


def event(payload: Any, name: str = "") -> Event:
    return Event(name, json.dumps(payload), payload)


@pytest.mark.parametrize(
    ("dialect", "payload", "said"),
    [
        ("anthropic", {"type": "ping"}, EventContent()),
        ("anthropic", THINKING, EventContent(thought="hm")),
        ("anthropic", {"type": "content_block_delta", "delta": {"type": "signature_delta", "signature": "x"}}, EventContent()),
        ("anthropic", {"type": "message_stop"}, EventContent(complete=True, last=True)),
        ("anthropic", {"type": "message_start", "message": 7}, EventContent()),
        ("anthropic", {"type": "from_the_future"}, EventContent(known=False)),
        ("anthropic", ["not", "an", "object"], EventContent(known=False)),
        ("openai", {"choices": [{"delta": {"role": "assistant", "content": ""}}]}, EventContent()),
        ("openai", {"choices": [{"delta": {"reasoning_content": "hm"}}]}, EventContent(thought="hm")),
        ("openai", {"choices": [], "prompt_filter_results": []}, EventContent()),
        (
            "openai",
            {"choices": [], "usage": HIDDEN},
            EventContent(tokens_in=3, tokens_out=9, unseen=7),
        ),
        ("openai", {"choices": [{"delta": {}, "finish_reason": "content_filter"}]}, EventContent(stop="content_filter")),
        ("openai", {"type": "response.reasoning_summary_text.delta", "delta": "hm"}, EventContent(thought="hm")),
        ("openai", {"type": "response.refusal.delta", "delta": "no"}, EventContent(text="no", stop="refusal")),
        (
            "openai",
            {"type": "response.incomplete", "response": {"incomplete_details": {"reason": "max_output_tokens"}}},
            EventContent(stop="max_output_tokens", complete=True, last=True),
        ),
        ("openai", {"hello": 1}, EventContent(known=False)),
        (
            "gemini",
            {"promptFeedback": {"blockReason": "SAFETY"}},
            EventContent(stop="blocked: SAFETY", complete=True, last=True),
        ),
        ("gemini", {"candidates": [{"content": PARTS}]}, EventContent(text="ok", thought="hm")),
        ("gemini", {"candidates": [{"finishReason": "MAX_TOKENS"}]}, EventContent(stop="MAX_TOKENS", complete=True, last=True)),
        (
            "gemini",
            {"candidates": [], "usageMetadata": {"promptTokenCount": 2, "thoughtsTokenCount": 5}},
            EventContent(tokens_in=2, tokens_out=5, unseen=5),
        ),
        ("gemini", {"candidates": 7}, EventContent(known=False)),
    ],
)  # fmt: skip
def test_event_says_what_it_says_when_its_shape_is_odd(dialect: str, payload: Any, said: EventContent) -> None:
    """Roles, pings, thoughts, filters and usage are told apart; a wrong shape is never a crash."""
    assert said == {"anthropic": anthropic, "openai": openai, "gemini": gemini}[dialect].said(event(payload))


@pytest.mark.parametrize(
    ("name", "payload", "said"),
    [
        ("contentBlockDelta", {"delta": {"reasoningContent": {"text": "hm"}}}, EventContent(thought="hm")),
        ("messageStop", {"stopReason": "guardrail_intervened"}, EventContent(stop="guardrail_intervened", complete=True)),
        ("metadata", {"usage": {"inputTokens": 3, "outputTokens": 1}}, EventContent(last=True, tokens_in=3, tokens_out=1)),
        ("throttlingException", {"message": "slow"}, EventContent(error={"__type": "throttlingException", "message": "slow"})),
        ("somethingNew", {}, EventContent(known=False)),
    ],
)
def test_bedrock_event_says_what_it_says_when_it_has_a_name(name: str, payload: Any, said: EventContent) -> None:
    """Bedrock names its events in a header; exceptions are among them."""
    assert said == bedrock.said(event(payload, name))


def test_sse_is_cut_the_same_when_it_comes_in_any_pieces() -> None:
    """Line ends, comments, several data lines, and a last event without its empty line."""
    stream = (
        b'\xef\xbb\xbfevent: a\r\ndata: {"x":\r\ndata: 1}\r\n\r\n: keep-alive\n\nid: 7\ndata:[DONE]\n\nevent: b\ndata: {"y": 2}'
    )
    wanted = [Event("a", '{"x":\n1}', {"x": 1}), Event("", "[DONE]", None), Event("b", '{"y": 2}', {"y": 2})]
    for size in (1, 2, 7, len(stream)):
        frames = SseFrames()
        found = [one for start in range(0, len(stream), size) for one in frames.feed(stream[start : start + size])]
        assert wanted == found + frames.finish()


@pytest.mark.parametrize("flood", [b"data: " + b"x" * 300_000, b"data: 0123456789\n" * 30_000])
def test_sse_is_refused_when_one_event_never_ends(flood: bytes) -> None:
    """Neither a line nor an event grows without bounds."""
    with pytest.raises(BadAnswer) as caught:
        SseFrames().feed(flood)
    assert Failure("too_large").error == caught.value.failure.error


def test_deeply_nested_json_is_no_payload_when_it_comes() -> None:
    """A hostile depth is an unknown event, not a crash."""
    (deep,) = SseFrames().feed(b"data: " + b"[" * 60_000 + b"\n\n")
    assert None is deep.payload


def test_every_dialect_has_a_model_and_a_check_when_one_is_added() -> None:
    """The tables of these tests cover every dialect there is."""
    assert set(DIALECTS) == set(MODELS)
