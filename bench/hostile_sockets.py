"""A real bot, attacked over real sockets, measured by its loop's lag: `python -m bench hostile` runs this too."""

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from bench.bot import ready
from bench.hostile_senders import filled, keys
from bot.sandbox.slack import CommandSpec, LocalWorkspace
from bot.system.clock import SystemClock
from bot.vantage.signing import sign
from bot.vantage.wire import BATCH_BYTES, BATCH_SAMPLES
from bot.web.server.bodies import BODY_BYTES
from commands.table import words
from tests.checks.net.faults import serving

SECRET = "s" * 40
LOOKS = 3  # at each answer
EVERY = "250ms"
MIB = 1024 * 1024
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
HEAD = b"HTTP/1.1 200 OK\r\n"
STREAM = HEAD + b"content-type: text/event-stream\r\n\r\n"
FLAGS = {f"f{n}": {"variants": {"a": 1, "b": 2}, "default": "a", "fallbacks": [{"variant": "b"}]} for n in range(200)}

Row = tuple[str, int, float]


@dataclass
class Vendor:
    """Answers every check with the same bytes, in pieces."""

    says: tuple[bytes, ...] = (OK,)
    asked: int = 0

    async def play(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One exchange."""
        await reader.readuntil(b"\r\n\r\n")
        for piece in self.says:
            writer.write(piece)
            await writer.drain()
        self.asked += 1


@dataclass
class Victim:
    """The bot, its side door, and what it talks to."""

    url: str
    pid: int
    token: str
    workspace: LocalWorkspace
    http: Vendor
    llm: Vendor
    meter: tuple[asyncio.StreamReader, asyncio.StreamWriter]
    rows: list[Row] = field(default_factory=list)

    async def worst(self) -> float:
        """The longest hold since the last question, in ms."""
        reader, writer = self.meter
        writer.write(b"\n")
        return float(await reader.readline())

    async def suffers(self, name: str, size: int, attack: Callable[[], Awaitable[object]]) -> None:
        """One row: the smaller of two tries, since what is slow by nature is slow twice."""
        tries = []
        for _ in range(2):
            await asyncio.sleep(0.1)
            await self.worst()
            await attack()
            await asyncio.sleep(0.1)
            tries.append(await self.worst())
        self.rows.append((name, size, min(tries)))


@asynccontextmanager
async def victim(folder: Path) -> AsyncIterator[Victim]:
    """A bot with two checks that look four times a second, a heartbeat, a peer and 200 flags."""
    http, llm = Vendor(), Vendor()
    async with (
        serving(http.play) as http_port,
        serving(llm.play) as llm_port,
        LocalWorkspace(commands=[CommandSpec(*word) for word in words()]) as workspace,
    ):
        workspace.add_user("ana")
        workspace.add_channel("ops", members=("ana",))
        config, data = folder / "understudy.yaml", folder / "data"
        data.mkdir(mode=0o700, exist_ok=True)
        config.write_text(yaml.safe_dump(_settings(workspace, http_port, llm_port)), encoding="utf-8")
        process = await asyncio.create_subprocess_exec(sys.executable, "-m", "bench.hostile_bot", str(config), str(data))
        try:
            url = await ready(data / "control.json")
            await workspace.connected(within=30)
            token = json.loads((data / "control.json").read_text(encoding="utf-8"))["token"]
            meter = await asyncio.open_unix_connection(data / "meter")
            await asyncio.sleep(1)
            yield Victim(url, process.pid, token, workspace, http, llm, meter)
            meter[1].close()
        finally:
            process.terminate()
            await process.wait()


def _settings(workspace: LocalWorkspace, http: int, llm: int) -> dict[str, object]:
    plain = {"type": "http", "name": "h", "url": f"http://127.0.0.1:{http}/", "every": EVERY, "deadline": "5s"}
    model = {
        "type": "llm", "name": "m", "dialect": "openai", "url": f"http://127.0.0.1:{llm}", "model": "x", "api_key": "k" * 20,
        "every": EVERY, "deadline": "5s", "budget": {"calls_per_day": 1_000_000},
    }  # fmt: skip
    beat = {"type": "heartbeat", "name": "job", "every": "1h"}
    slack = {"bot_token": workspace.bot_token, "app_token": workspace.app_token, "api_url": workspace.api_url}
    components = {"http": {"checks": [plain]}, "llm": {"checks": [model]}, "job": {"checks": [beat]}}
    return {
        "slack": slack, "server": {"listen": "127.0.0.1:0", "open_to_loopback": True}, "allow_private": ["127.0.0.0/8"],
        "control_group": [], "providers": {"local": {"components": components}}, "flags": FLAGS,
        "peers": [{"vantage": "far", "secret": SECRET}],
    }  # fmt: skip


# --- what checks are answered


def heads() -> Iterator[tuple[str, bytes]]:
    """Heads of answers."""
    yield "headers: 60,000 short ones", HEAD + b"a:b\r\n" * 60_000 + b"\r\n"
    yield "headers: 499 of one name", HEAD + b"a: " + b"b" * 190 + b"\r\n" + (b"a: " + b"b" * 190 + b"\r\n") * 498 + b"\r\n"
    yield "headers: one of 2 MiB", HEAD + b"a: " + b"b" * 2 * MIB + b"\r\n\r\n"
    yield "headers: none end", HEAD + b"a" * 2 * MIB
    yield "headers: bytes of all kinds", HEAD + b"a: " + bytes(range(128, 256)) * 700 + b"\r\n\r\n"
    yield "headers: 20 interim answers, 4,000 more", b"HTTP/1.1 103 Hint\r\na: b\r\n\r\n" * 4_000 + OK
    yield "headers: chunks of a byte", HEAD + b"transfer-encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 300_000 + b"0\r\n\r\n"
    yield "headers: 60,000 trailers", HEAD + b"transfer-encoding: chunked\r\n\r\n0\r\n" + b"a:b\r\n" * 60_000 + b"\r\n"


def streams() -> Iterator[tuple[str, tuple[bytes, ...]]]:
    """Streams of a model."""
    delta = b'data: {"choices":[{"delta":{"content":"x"}}]}\n\n'
    yield "stream: 8 MiB of deltas", (STREAM, *[delta * 2_000] * 87)
    yield "stream: a million events of a byte", (STREAM, *[b"data:1\n\n" * 10_000] * 100)
    yield "stream: events of {}", (STREAM, *[b"data:{}\n\n" * 10_000] * 60)
    yield "stream: four million empty lines", (STREAM, b"\n" * 4 * MIB)
    yield "stream: chunks of a byte", (STREAM, *[delta[n : n + 1] for n in range(len(delta))] * 400)
    yield "stream: one line of a byte each", (STREAM, *[b"x"] * 30_000)
    yield "stream: one event of 256 KiB in bytes", (STREAM, b"data: ", *[b"[" * 64] * 4_000, b"\n\n")
    yield "stream: deep JSON", (STREAM, *[b"data: " + b"[" * 200_000 + b"\n\n"] * 10)
    yield "stream: deep objects", (STREAM, *[b"data: " + b'{"a":' * 40_000 + b"\n\n"] * 10)
    yield "stream: wide JSON", (STREAM, *[filled(b"data: [", b"[]", b"]\n\n", 256 * 1024 - 20)] * 10)
    yield "stream: keys", (STREAM, *[b"data: " + keys(256 * 1024 - 20) + b"\n\n"] * 10)
    yield "stream: 250,000 lines of one event", (STREAM, b"data:\n" * 250_000 + b"\n")
    yield "stream: no stream, deep", (STREAM, b"[" * MIB)
    texts = b'data: {"choices":[{"delta":{"content":"' + b"x" * 200_000 + b'"}}]}\n\n'
    yield "stream: long texts", (STREAM, *[texts] * 20)


async def _look(vendor: Vendor, says: tuple[bytes, ...]) -> None:
    vendor.says, before = says, vendor.asked
    loop = asyncio.get_running_loop()
    until = loop.time() + 6
    while vendor.asked < before + LOOKS and loop.time() < until:  # noqa: ASYNC110 # the count, or the time
        await asyncio.sleep(0.05)
    vendor.says = (OK,)


# --- what senders send


async def _post(bot: Victim, path: str, body: Any, **headers: str) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(bot.url + path, data=body, headers={"Authorization": f"Bearer {bot.token}", **headers}) as answer,
    ):
        await answer.read()


async def _trickle() -> AsyncIterator[bytes]:
    for _ in range(3_000):
        yield b"x"


async def _much() -> AsyncIterator[bytes]:
    for _ in range(160):
        yield b"x" * 65_536


def bodies() -> Iterator[tuple[str, str, bytes]]:
    """Name, path, body."""
    deep = b'{"context":' + b"[" * (BODY_BYTES - 20)
    yield "bulk flags: too deep", "/ofrep/v1/evaluate/flags", deep
    nested = b'{"context":{"targetingKey":"u","a":' + b'{"a":' * 900 + b"1" + b"}" * 900 + b"}}"
    yield "bulk flags: 900 deep, read", "/ofrep/v1/evaluate/flags", nested
    yield "bulk flags: wide", "/ofrep/v1/evaluate/flags", filled(b'{"context":{"a":[', b"{}", b"]}}", BODY_BYTES)
    yield "bulk flags: keys", "/ofrep/v1/evaluate/flags", b'{"context":' + keys(BODY_BYTES - 20) + b"}"
    one = b'{"state":"firing","key":"k","source":"s"}'
    yield "alerts: 1,500 in a list", "/hooks/alert/local.http", filled(b"[", one, b"]", BODY_BYTES)
    yield "alerts: 1,500 in a field", "/hooks/alert/local.http", filled(b'{"alerts":[', one, b"]}", BODY_BYTES)
    yield "alerts: keys", "/hooks/alert/local.http", keys(BODY_BYTES)
    yield "alerts: 20,000 in a body too large", "/hooks/alert/local.http", filled(b"[", one, b"]", MIB)
    yield "beat: 10 KiB of controls", "/hooks/heartbeat/job/fail", b"\xc2\x85" * 5_000
    yield "beat: 1 MiB of text", "/hooks/heartbeat/job/fail", b"word " * 200_000


async def senders(bot: Victim) -> None:
    """Bodies that come to us."""
    for name, path, body in bodies():

        async def send(path: str = path, body: bytes = body) -> None:
            await asyncio.sleep(1.05 if "heartbeat" in path else 0)  # one sign a second is taken
            await _post(bot, path, body, **{"Content-Type": "application/json"})

        await bot.suffers(name, len(body), send)
    await bot.suffers("beat: 10 MiB in pieces", 160 * 65_536, lambda: _apart(bot, _much()))
    await bot.suffers("beat: a body that trickles", 3_000, lambda: _apart(bot, _trickle()))
    row = {"check": "local.http.h", "component": "local.http", "outcome": "fail", "error": "status", "reason": "é" * 300,
           "evidence": {f"k{n}": "é" * 5 for n in range(12)}, "phases_ms": {"total": 5.0}}  # fmt: skip
    await bot.suffers("peer: 1,000 samples that fit", 0, lambda: _batch(bot, [row] * BATCH_SAMPLES))
    await bot.suffers("peer: 1,000 samples of nobody", 0, lambda: _batch(bot, [row | {"check": "x.y.z"}] * BATCH_SAMPLES))
    alerts = [json.dumps({"state": "firing", "key": f"k{n}", "source": f"s{n % 9}", "title": "x" * 300}) for n in range(2_000)]
    await bot.suffers("alerts: 2,000 at once, one each", 2_000 * 350, lambda: _crowd(bot, alerts))


async def _apart(bot: Victim, body: AsyncIterator[bytes]) -> None:
    await asyncio.sleep(1.05)
    try:
        await _post(bot, "/hooks/heartbeat/job/fail", body)
    except aiohttp.ClientError:
        return  # hung up on


async def _crowd(bot: Victim, alerts: list[str]) -> None:
    headers = {"Authorization": f"Bearer {bot.token}", "Content-Type": "application/json"}
    connector = aiohttp.TCPConnector(limit=30)
    async with aiohttp.ClientSession(bot.url, headers=headers, connector=connector) as session:

        async def send(alert: str) -> None:
            async with session.post("/hooks/alert/local.http", data=alert) as answer:
                await answer.read()

        await asyncio.gather(*map(send, alerts))


async def _batch(bot: Victim, rows: list[dict[str, object]]) -> None:
    now = SystemClock().now()
    stamped = [row | {"at": (now - timedelta(milliseconds=5 * n)).isoformat()} for n, row in enumerate(reversed(rows))]
    id = f"batch{now.timestamp():.6f}".replace(".", "-")
    body = json.dumps({"v": 1, "batch": id, "vantage": "far", "samples": stamped}, ensure_ascii=False).encode()
    assert len(body) <= BATCH_BYTES  # or nothing would be measured
    await _post(bot, "/hooks/samples/far", body, **sign(SECRET, body, now))


# --- what Slack sends


def envelopes() -> Iterator[tuple[str, str, int]]:
    """Name, one raw envelope, how often at once."""

    def envelope(payload: str, kind: str = "interactive") -> str:
        return f'{{"envelope_id":"%s","type":"{kind}","accepts_response_payload":true,"payload":{payload}}}'

    press = '"type":"block_actions","user":{"id":"U1"},"trigger_id":"t","actions":[{"action_id":"a","value":"1"}]'
    deep = "[" * 900 + "]" * 900
    yield "Slack: blocks 900 deep", envelope(f'{{{press},"message":{{"blocks":{deep}}}}}'), 1
    yield "Slack: blocks too deep", envelope(f'{{{press},"message":{{"blocks":{"[" * 100_000}'), 1
    wide = "[" + ",".join(["[]"] * 1_300_000) + "]"
    yield "Slack: 4 MiB of lists", envelope(f'{{{press},"message":{{"blocks":{wide}}}}}'), 1
    yield "Slack: 4 MiB of numbers", envelope(f'{{{press},"message":{{"blocks":[{",".join("1" * 2_000_000)}]}}}}'), 1
    fits = "[" + ",".join(["[]"] * 49_000) + "]"
    yield "Slack: as many lists as are read", envelope(f'{{{press},"message":{{"blocks":{fits}}}}}'), 1
    block = '{"type":"section","text":{"type":"mrkdwn","text":"x"}}'
    many = "[" + ",".join([block] * 70_000) + "]"
    yield "Slack: 70,000 blocks", envelope(f'{{{press},"message":{{"blocks":{many}}}}}'), 1
    yield "Slack: a text of 4 MiB", envelope(f'{{{press},"message":{{"text":"{"x" * 4_100_000}"}}}}'), 1
    yield "Slack: 500 presses at once", envelope(f"{{{press}}}"), 500
    command = '{"command":"/health","text":"","user_id":"U1","user_name":"a","channel_id":"C1","channel_name":"c",'
    rest = '"trigger_id":"t","response_url":"http://127.0.0.1:9/","team_id":"T1","api_app_id":"A1"}'
    yield "Slack: 500 commands at once", envelope(command + rest, "slash_commands"), 500
    event = '{"type":"event_callback","event_id":"%s","event":{"type":"app_mention","user":"U1","text":"is it down?",'
    yield "Slack: 500 mentions at once", envelope(event + '"channel":"C1","ts":"1.2"}}', "events_api"), 500
    yield "Slack: 500 envelopes without a payload", '{"envelope_id":"%s","type":"events_api"}', 500
    yield "Slack: 2,000 lines that are not JSON", "{" + "x" * 500, 2_000


async def slack(bot: Victim) -> None:
    """Envelopes on the websocket, as fast as it takes them."""
    for name, text, times in envelopes():

        async def send(text: str = text, times: int = times) -> None:
            for n in range(times):
                open_ = [link for link in bot.workspace.links.links if not link.socket.closed]
                if open_:
                    await open_[0].socket.send_str(text.replace("%s", f"e-{n}-{id(open_)}"))
            await asyncio.sleep(1.5)

        await bot.suffers(name, len(text) * times, send)
        await bot.workspace.connected(within=30)


async def measured() -> list[Row]:
    """Every row, of one bot."""
    with tempfile.TemporaryDirectory() as folder:
        async with victim(Path(folder)) as bot:
            await bot.suffers("nothing, for two seconds", 0, lambda: asyncio.sleep(2))
            await senders(bot)
            await slack(bot)
            for name, body in heads():
                await bot.suffers(name, len(body), lambda b=body: _look(bot.http, (b,)))
            for name, pieces in streams():
                await bot.suffers(name, sum(map(len, pieces)), lambda p=pieces: _look(bot.llm, p))
            return bot.rows
