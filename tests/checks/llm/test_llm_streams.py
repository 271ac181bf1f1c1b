"""The llm check against a raw server: streams that are odd, cut, slow, hostile, or no streams at all."""

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from bot.checks.llm.check import LlmProber
from bot.core.model import Fault, Outcome, Sample
from bot.sandbox.vendor.bedrock import message
from bot.system.clock import ManualClock
from tests.checks.llm.llm_stage import START, check, looked

Play = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nrequest-id: req_1\r\n\r\n"
START_EVENT = {"type": "message_start", "message": {"model": "claude-haiku-4-5-20251001", "usage": {"input_tokens": 9}}}
STOP_EVENT = {"type": "message_stop"}


@asynccontextmanager
async def server(play: Play) -> AsyncIterator[str]:
    tasks: set[asyncio.Task[None]] = set()

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await reader.readuntil(b"\r\n\r\n")
                await play(reader, writer)
                writer.write_eof()
                await reader.read()
        finally:
            writer.transport.abort()

    served = await asyncio.start_server(meet, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{served.sockets[0].getsockname()[1]}"
    finally:
        served.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await served.wait_closed()


def sse(*events: Any) -> bytes:
    return b"".join(b"data: " + (one if isinstance(one, bytes) else json.dumps(one).encode()) + b"\n\n" for one in events)


def text(words: str) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": words}}


def thought(words: str) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": words}}


def ended(stop: str, tokens: int = 1) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": stop}, "usage": {"output_tokens": tokens}}


async def seen(*parts: bytes | float, dialect: str = "anthropic", head: bytes = OK_HEAD, **changes: Any) -> Sample:
    """The sample of a server that sends these parts; a number is a pause in seconds."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        for part in parts:
            if isinstance(part, float):
                await asyncio.sleep(part)
            else:
                writer.write(part)
                await writer.drain()

    return await met(play, dialect, **changes)


async def met(play: Play, dialect: str = "anthropic", **changes: Any) -> Sample:
    async with server(play) as url:
        prober = LlmProber(ManualClock(START))
        try:
            return await looked(prober, check(dialect, url, **changes))
        finally:
            await prober.close()


@pytest.mark.parametrize(
    ("events", "error"),
    [
        ([START_EVENT, text("hi"), ended("end_turn"), STOP_EVENT], None),
        ([START_EVENT, ended("max_tokens"), STOP_EVENT], None),
        ([START_EVENT, ended("refusal"), STOP_EVENT], None),
        ([START_EVENT, ended("end_turn"), STOP_EVENT], "empty_answer"),
        ([START_EVENT, text(" \n"), ended("end_turn"), STOP_EVENT], "empty_answer"),
        ([START_EVENT, thought("hm"), ended("end_turn"), STOP_EVENT], "empty_answer"),
        ([START_EVENT, text("hi"), ended("end_turn")], "stream_truncated"),
        ([START_EVENT], "stream_truncated"),
        ([], "stream_truncated"),
        ([{"type": "error", "error": {"type": "api_error", "message": "no"}}], "stream_error"),
        ([START_EVENT, {"type": "error", "error": {"type": "rate_limit_error", "message": "no"}}], "rate_limited"),
        ([START_EVENT, {"type": "error", "error": {"type": "brand_new", "message": "no"}}], "unexpected_shape"),
        ([START_EVENT, text("hi"), STOP_EVENT, {"type": "error", "error": {"type": "api_error"}}], None),
        ([START_EVENT, text("hi"), {"type": "error", "error": {"type": "overloaded_error"}}, STOP_EVENT], "overloaded"),
        ([{"type": "from_the_future"}], "unexpected_shape"),
        ([b"not json"], "unexpected_shape"),
    ],
)
async def test_stream_is_judged_by_its_end_when_http_was_fine(events: list[Any], error: str | None) -> None:
    """Status 200 says nothing of what follows; only the provider's own end mark, and something said before it, is well."""
    sample = await seen(sse(*events))
    assert error == sample.error
    assert ("200", "req_1") == (sample.evidence["status"], sample.evidence["request_id"])


@pytest.mark.parametrize(
    ("head", "body", "error", "fault"),
    [
        (b"text/html", b"<html>Sign in</html>", "html_instead", Fault.UNCLEAR),
        (b"application/json", b'{"error": {"type": "overloaded_error", "message": "no"}}', "overloaded", Fault.THEIRS),
        (b"application/json", b'{"type": "message", "content": []}', "unexpected_shape", Fault.UNCLEAR),
        (b"text/plain", b"upstream says hello", "unexpected_shape", Fault.UNCLEAR),
        (b"application/octet-stream", bytes(range(256)) * 20, "unexpected_shape", Fault.UNCLEAR),
    ],
)
@pytest.mark.parametrize("dialect", ["anthropic", "openai", "gemini", "bedrock"])
async def test_something_else_is_kept_when_it_comes_in_place_of_a_stream(
    dialect: str, head: bytes, body: bytes, error: str, fault: Fault
) -> None:
    """A page, an error in the body of a 200, an unknown shape: each is named, and shown as it came."""
    sample = await seen(body, dialect=dialect, head=b"HTTP/1.1 200 OK\r\ncontent-type: " + head + b"\r\n\r\n")
    assert (error, fault) == (sample.error, sample.fault)
    assert 0 < len(sample.evidence["excerpt"]) <= 600


async def test_first_token_is_the_first_content_when_other_events_come_before() -> None:
    """Starts, pings and thoughts do not count; the first thought is told apart."""
    sample = await seen(
        sse(START_EVENT, {"type": "ping"}), 0.1, sse(thought("hm")), 0.15, sse(text("ok"), ended("end_turn"), STOP_EVENT)
    )
    assert Outcome.OK == sample.outcome
    assert 250 <= sample.phases_ms["first_token"] <= sample.phases_ms["total"]
    assert sample.phases_ms["first_byte"] <= sample.phases_ms["first_token"] - 250
    assert "first_thought" in sample.evidence
    assert "claude-haiku-4-5-20251001" == sample.evidence["answered_by"]


async def test_rate_makes_an_answer_slow_when_it_is_below_the_least() -> None:
    """Tokens after the first, by the provider's count, over the time from the first to the last."""
    parts: list[bytes | float] = [
        sse(START_EVENT, text("a")),
        0.1,
        sse(text("b")),
        0.1,
        sse(text("c"), ended("end_turn", 21), STOP_EVENT),
    ]
    slow = await seen(*parts, tokens_per_second=500.0, max_tokens=32)
    fine = await seen(*parts, tokens_per_second=0.1, max_tokens=32)
    assert (Outcome.SLOW, Fault.THEIRS) == (slow.outcome, slow.fault)
    assert "tokens a second where 500 are expected" in slow.reason
    assert Outcome.OK == fine.outcome
    assert 0.1 <= float(fine.evidence["tokens_per_second"]) <= 100  # less where the machine is busy


async def test_rate_is_not_told_when_there_are_too_few_tokens() -> None:
    """One token has no speed."""
    sample = await seen(sse(START_EVENT, text("a"), ended("max_tokens", 1), STOP_EVENT), tokens_per_second=1e6)
    assert (Outcome.OK, False) == (sample.outcome, "tokens_per_second" in sample.evidence)


@pytest.mark.parametrize(
    ("answer", "words", "stop", "error"),
    [
        ("Paris", "It is PARIS.", "end_turn", None),
        ("Paris", "It is 7.", "end_turn", "wrong_answer"),
        ("Paris", "It is", "max_tokens", "wrong_answer"),
        ("Paris", "", "max_tokens", None),
        ("Paris", "I would rather not", "refusal", None),
        (r"/^\s*4\b/", " 4.", "end_turn", None),
        (r"/^\s*4\b/", "44", "end_turn", "wrong_answer"),
        (r"/(a|aa)+$/", "a" * 4000 + "b", "end_turn", "pattern_timeout"),
    ],
)
async def test_answer_is_compared_when_one_is_expected(answer: str, words: str, stop: str, error: str | None) -> None:
    """Text whatever its case, or a pattern under a time limit; refusals and a lack of room are not held against the model."""
    sample = await seen(sse(START_EVENT, text(words), ended(stop), STOP_EVENT), answer=answer)
    assert error == sample.error
    if error == "wrong_answer":
        assert (Fault.THEIRS, words.strip()) == (sample.fault, sample.evidence["answer"])


async def test_stream_is_truncated_when_the_connection_breaks() -> None:
    """A reset and a cut chunk are as bad as an early end: the answer is not whole."""

    async def breaks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK_HEAD + sse(START_EVENT, text("hi")))
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    head = OK_HEAD.replace(b"\r\n\r\n", b"\r\ntransfer-encoding: chunked\r\n\r\n")
    chunk = sse(START_EVENT, text("hi"))
    cut = await seen(b"%x\r\n" % len(chunk) + chunk + b"\r\n40\r\ndata: {", head=head)
    broken = await met(breaks)
    assert ("stream_truncated", "stream_truncated") == (cut.error, broken.error)
    assert ("hi", "hi") == (cut.evidence["answer"], broken.evidence["answer"])


async def test_endless_stream_is_left_when_it_has_no_shape() -> None:
    """Neither the deadline nor the memory is used up by a flood."""

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK_HEAD)
        while not writer.is_closing():
            writer.write(b"x" * 65536)
            await writer.drain()

    assert "unexpected_shape" == (await met(flood)).error
    assert "unexpected_shape" == (await met(flood, "bedrock")).error


async def test_answer_counts_when_what_follows_it_does_not_come() -> None:
    """Bedrock tells usage behind its end mark; a connection that stays open there costs a second and nothing else."""
    events: list[tuple[str, dict[str, Any]]] = [
        ("messageStart", {}),
        ("contentBlockDelta", {"delta": {"text": "hi"}}),
        ("messageStop", {"stopReason": "end_turn"}),
    ]
    stream = b"".join(message("event", name, payload) for name, payload in events)
    sample = await seen(stream, 2.0, dialect="bedrock", deadline=timedelta(seconds=5))
    assert (Outcome.OK, "end_turn") == (sample.outcome, sample.evidence["stop"])
    assert sample.phases_ms["total"] < 1_900


async def test_bedrock_stream_is_cut_when_a_checksum_is_wrong() -> None:
    """A damaged message is not read."""
    good = message("event", "messageStart", {})
    bad = bytearray(message("event", "contentBlockDelta", {"delta": {"text": "hi"}}))
    bad[-1] ^= 1
    assert "unexpected_shape" == (await seen(good, bytes(bad), dialect="bedrock")).error


async def test_thinking_model_is_well_when_it_uses_up_the_room() -> None:
    """OpenAI refuses with 400 when nothing was left for a word; the model ran, and that is what was asked."""
    told = {
        "error": {"message": "Could not finish: max_tokens or model output limit was reached.", "type": "invalid_request_error"}
    }
    body = json.dumps(told).encode()
    sample = await seen(body, dialect="openai", head=b"HTTP/1.1 400 Bad\r\ncontent-length: %d\r\n\r\n" % len(body))
    assert (Outcome.OK, "no room left for an answer") == (sample.outcome, sample.evidence["stop"])


async def test_refusal_keeps_its_class_when_its_body_breaks_off() -> None:
    """The status has been told; half of its explanation changes nothing."""
    head = b"HTTP/1.1 401 No\r\ncontent-length: 900\r\n\r\n"
    sample = await seen(b'{"type": "error"', head=head)
    assert ("auth", Fault.OURS_KEY) == (sample.error, sample.fault)


async def test_look_is_a_bad_check_when_it_cannot_be_sent() -> None:
    """Nothing goes out, and the reason says what to set."""
    prober = LlmProber(ManualClock(START))
    odd = await prober.probe(check("anthropic", "gopher://host"))
    no_region = await prober.probe(check("bedrock", "", region=None))
    await prober.close()
    assert ("bad_check", "bad_check") == (odd.error, no_region.error)
    assert "bedrock needs a region or a URL" in no_region.reason
    assert 0 == prober.book.spent("anthropic.api.inference").calls
