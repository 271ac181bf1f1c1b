"""Keys stay inside: in nothing that an llm check shows, whatever a provider sends back."""

import asyncio
import json
from typing import Any

import pytest

from bot.checks.llm.check import LlmProber
from bot.system.clock import ManualClock
from tests.checks.llm.llm_stage import DIALECTS, START, check, looked

KEY = "sk-canary-key-000111"
OTHERS = {
    "headers": {"x-extra": "canary-header-222"},
    "access_key_id": "AKIACANARY333",
    "secret_access_key": "canary/secret+444",
    "session_token": "canary-session-555",
}
CANARIES = ("sk-canary-key-000111", "canary-header-222", "AKIACANARY333", "canary/secret+444", "canary-session-555")


def wrapped(dialect: str, said: str, how: str) -> bytes:
    """An answer that holds the words: as an error's body, a stream's error, a page, an id in the head."""
    cut_in_a_key = "x" * 70 + " " + CANARIES[2] + " " + said  # readers of words stop at 80 characters
    said = cut_in_a_key if how in ("refusal", "stream") else said
    error = json.dumps({"type": "error", "error": {"type": said, "code": said, "message": said}})
    match how:
        case "refusal":
            return f"HTTP/1.1 401 No\r\ncontent-length: {len(error)}\r\n\r\n{error}".encode()
        case "stream":
            return f"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: {error}\n\n".encode()
        case "page":
            return f"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<html>{said}</html>".encode()
        case "model":
            chunk = {"model": said, "choices": [{"delta": {"content": said}, "finish_reason": said}]}
            said = said[-300:]
            start = {"type": "message_start", "message": {"model": said}}
            events = f"data: {json.dumps(start)}\n\ndata: {json.dumps(chunk)}\n\n"
            return f"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n{events}".encode()
    words = said.replace("\n", " ")
    return f"HTTP/1.1 529 No\r\nrequest-id: {words}\r\nretry-after: {words}\r\nx-ms-region: {words}\r\n\r\n".encode()


@pytest.mark.parametrize("how", ["refusal", "stream", "page", "model", "head"])
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_secret_is_blanked_out_when_a_provider_sends_it_back(dialect: str, how: str) -> None:
    """A server that echoes all that it was sent, in every place that evidence is taken from."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        writer.write(wrapped(dialect, " ".join([head.replace("\r\n", " "), *CANARIES]), how))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    prober = LlmProber(ManualClock(START))
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    changes: dict[str, Any] = {"api_key": KEY, **OTHERS}
    wanted = check(dialect, url, **changes)
    try:
        sample = await looked(prober, wanted)
    finally:
        await prober.close()
        server.close()
        await server.wait_closed()
    shown = repr(sample) + repr(wanted) + repr(prober.book.snapshot())
    assert [] == [canary for canary in CANARIES if canary.lower() in shown.lower()]
    assert "akiaca" not in shown.lower()  # nor the half of one
    assert sample.error is not None
