"""What senders and vendors may send at most, over real sockets: answers to checks, bodies to the API, payloads of Slack."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta

from bot.checks.http import HttpCheck, HttpProber
from bot.checks.judging.expect import OPENED_AT_MOST
from bot.checks.llm.dialects.sse import SseFrames
from bot.config.checks.json_rules import parse_expectation
from bot.ports import payloads
from bot.system.clock import ManualClock
from bot.vantage.wire import BATCH_BYTES, WireError, unpack
from bot.web.server.bodies import BODY_BYTES
from tests.checks.net.faults import saying, serving
from tests.web.web_house import CONTROL, READ, House

Stalled = Callable[[Callable[[], Awaitable[object]]], Awaitable[float]]
Cost = tuple[str, int, float]  # what was sent, its bytes, ms
AT = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
MIB = 1024 * 1024
TEXT, JSON = 64 * 1024, MIB - 100
READ_OF = OPENED_AT_MOST - 10


def filled(start: bytes, piece: bytes, end: bytes, most: int, count: int = MIB) -> bytes:
    """As many pieces, with commas between them, as fit, and no more than `count`."""
    return start + b",".join([piece] * min(count, (most - len(start) - len(end)) // (len(piece) + 1))) + end


def keys(most: int) -> bytes:
    """An object of as many keys as fit."""
    return b"{" + b",".join(b'"%05x":1' % n for n in range((most - 2) // 10)) + b"}"


def answers() -> Iterator[tuple[str, str, bytes, HttpCheck]]:
    """Name, content type, body, and the check that reads it."""

    def check(**expected: object) -> HttpCheck:
        return HttpCheck("a.b.c", "a.b", "", deadline=timedelta(seconds=20), **expected)  # type: ignore[arg-type]

    path = (parse_expectation("len($..x) >= 1"),)
    yield "a pattern that explodes", "text/plain", b"a" * TEXT, check(matches="(a|aa)+$b")
    yield "text in Punycode", "text/plain; charset=punycode", b"x-" + b"0" * TEXT, check(contains="y")
    yield "JSON in Punycode", "text/plain; charset=punycode", b'"x-' + b"0" * JSON + b'"', check(json=path)
    yield "JSON of lists", "application/json", filled(b"[", b"[]", b"]", JSON), check(json=path)
    yield "JSON of lists, as many as are read", "application/json", filled(b"[", b"[]", b"]", JSON, READ_OF), check(json=path)
    yield "JSON of objects, as many", "application/json", filled(b"[", b'{"x":1}', b"]", JSON, READ_OF), check(json=path)
    yield "JSON of numbers", "application/json", filled(b"[", b"1", b"]", JSON), check(json=path)
    yield "JSON of keys", "application/json", keys(JSON), check(json=path)
    yield "JSON too deep", "application/json", b"[" * JSON, check(json=path)
    yield "controls in a failure", "text/plain", b"\xc2\x85" * (JSON // 2), check(json=path)


def bodies() -> Iterator[tuple[str, bytes]]:
    """Evaluation contexts, and whatever else is JSON, at the cap."""
    yield "too deep", b'{"context":' + b"[" * (BODY_BYTES - 20)
    yield "keys", b'{"context":' + keys(BODY_BYTES - 20) + b"}"
    yield "lists", filled(b'{"context":{"a":[', b"[]", b"]}}", BODY_BYTES)
    yield "a targeting key", b'{"context":{"targetingKey":"' + b"x" * (BODY_BYTES - 40) + b'"}}'
    yield "digits", filled(b'{"context":{"a":[', b"9" * 4_000, b"]}}", BODY_BYTES)
    yield "a fraction", b'{"context":{"a":0.' + b"9" * (BODY_BYTES - 30) + b"}}"


async def answer_stalls(stalled: Stalled) -> list[Cost]:
    """What each answer costs."""
    found: list[Cost] = []
    for name, kind, body, check in answers():
        head = f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n".encode()
        async with serving(saying(head + body)) as port:
            prober = HttpProber(ManualClock(AT))
            asked = HttpCheck(**{**vars(check), "url": f"http://127.0.0.1:{port}/"})
            found.append((f"answer: {name}", len(body), await stalled(lambda p=prober, a=asked: p.probe(a))))
            await prober.close()
    return found


async def body_stalls(stalled: Stalled) -> list[Cost]:
    """What each body costs, sent to a flag, to all flags, as an alert and as a declaration."""
    house = await House(read_tokens=(READ,), control_tokens=(CONTROL,)).open()
    found: list[Cost] = []
    paths = ("/ofrep/v1/evaluate/flags/on", "/ofrep/v1/evaluate/flags", "/hooks/alert/anthropic.api", "/api/v1/incidents")
    try:
        for name, body in bodies():
            for path in paths:
                cost = await stalled(lambda p=path, b=body: _post(house.port, p, b))
                found.append((f"{path.split('/')[-1]}: {name}", len(body), cost))
    finally:
        await house.close()
    return found


async def _post(port: int, path: str, body: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {CONTROL}\r\nConnection: close\r\n"
    writer.write(f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    answer = await reader.read()
    writer.close()
    if not answer.startswith(b"HTTP/1.1 ") or answer[9:12] in (b"401", b"404"):
        raise AssertionError(answer[:200])
    return answer


async def value_stalls(stalled: Stalled) -> list[Cost]:
    """What is read in one go: payloads of Slack, a piece of an LLM's stream, a peer's batch (in a thread, as the hook does)."""
    press = {"type": "block_actions", "user": {"id": "U1"}, "trigger_id": "t", "actions": [{"action_id": "a", "value": ""}]}
    values = {"deep": '{"a":' * 8_000, "lists": "[" + "[]," * 16_000 + "1]"}
    found: list[Cost] = []
    for name, value in values.items():
        payload = {**press, "actions": [{"action_id": "a", "value": value}]}
        found.append((f"Slack, a button's value: {name}", len(value), await stalled(lambda p=payload: _read(p))))
    wide = {**press, "view": {"private_metadata": "[" * 50_000}, "x": [[] for _ in range(1_300_000)]}
    found.append(("Slack, a payload of a million parts", 4 * MIB, await stalled(lambda: _read(wide))))
    for event in (b"data:1\n\n", b"data:{}\n\n", b"\n"):
        piece = event * (TEXT // len(event))
        found.append((f"a piece of a stream of {event!r}", len(piece), await stalled(lambda p=piece: _frames(p))))
    start = b'{"v":1,"batch":"abcdefgh","vantage":"v","samples":['
    for inner, count in ((b"{}", MIB), (b"1", MIB), (b"[]", MIB), (b"[]", READ_OF), (b"{}", READ_OF)):
        batch = filled(start, inner, b"]}", BATCH_BYTES, count)
        found.append((f"a batch of {inner.decode()}", len(batch), await stalled(lambda b=batch: _unpacked(b))))
    row = {"check": "a.b.c", "component": "a.b", "at": AT.isoformat(), "outcome": "ok", "reason": "é" * 300}
    rows = [{**row, "evidence": {f"k{n}": "é" * 5 for n in range(12)}}] * 1_000
    batch = json.dumps({"v": 1, "batch": "abcdefgh", "vantage": "v", "samples": rows}, ensure_ascii=False).encode()
    found.append(("a batch of 1,000 samples", len(batch), await stalled(lambda: _unpacked(batch))))
    return found


async def _read(payload: dict[str, object]) -> None:
    try:
        payloads.parse(payload)
    except payloads.Unreadable:
        return


async def _frames(piece: bytes) -> None:
    SseFrames().feed(piece)


async def _unpacked(batch: bytes) -> None:
    try:
        await asyncio.to_thread(unpack, batch)
    except WireError:
        return


KINDS: tuple[Callable[[Stalled], Awaitable[list[Cost]]], ...] = (answer_stalls, body_stalls, value_stalls)
