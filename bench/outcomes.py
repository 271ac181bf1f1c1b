"""What services tell of their requests, as JSON and as OTLP, and what it costs the bot: `python -m bench outcomes`."""

import asyncio
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from bench.bot import Running, running
from bench.report import line

FLAG = {"chat": {"variants": {"a": 1, "b": 2}, "default": "a", "fallbacks": [{"variant": "b"}], "depends_on": ["local.c0"]}}
SECONDS = 10
BATCH = 500
OUTCOMES_A_SECOND, POINTS_A_SECOND = 5_000, 10_000
SAID = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "local"}
MOST_OF_A_CORE = 30.0  # per cent, for outcomes as JSON


@dataclass
class Told:
    """How many were taken, in how many seconds, and what the bot's process needed."""

    taken: int
    took_s: float
    cpu_s: float

    @property
    def a_second(self) -> float:
        """The rate that was reached."""
        return self.taken / self.took_s

    @property
    def of_a_core(self) -> float:
        """Per cent of a core."""
        return 100 * self.cpu_s / self.took_s


def main() -> bool:
    """One bot with five checks; batches of five hundred at an even pace, each of its own bytes."""
    print(f"outcomes: {OUTCOMES_A_SECOND} a second as JSON, {POINTS_A_SECOND} a second as OTLP, in batches of {BATCH}")
    with tempfile.TemporaryDirectory() as folder:
        idle, told, points = asyncio.run(_run(Path(folder)))
    line("CPU of the bot alone", idle, "% of a core")
    line("outcomes short of the rate", OUTCOMES_A_SECOND - told.a_second, "a second", OUTCOMES_A_SECOND * 0.05)
    holds = line("CPU of the bot for outcomes", told.of_a_core, "% of a core", MOST_OF_A_CORE)
    short = line("OTLP points short of the rate", POINTS_A_SECOND - points.a_second, "a second", POINTS_A_SECOND * 0.05)
    line("CPU of the bot for OTLP points", points.of_a_core, "% of a core")
    return holds and short


async def _run(folder: Path) -> tuple[float, Told, Told]:
    async with running(folder, 5, flags=FLAG) as bot:
        token = json.loads((folder / "data" / "control.json").read_text(encoding="utf-8"))["token"]
        async with aiohttp.ClientSession(bot.url, headers={"Authorization": f"Bearer {token}"}) as session:
            cpu = bot.cpu_s()
            await asyncio.sleep(3)
            idle = 100 * (bot.cpu_s() - cpu) / 3
            as_json = await _told(session, bot, "/api/v1/outcomes", OUTCOMES_A_SECOND, outcomes, "application/json")
            as_otlp = await _told(session, bot, "/v1/metrics", POINTS_A_SECOND, _points, "application/x-protobuf")
            return idle, as_json, as_otlp


async def _told(
    session: aiohttp.ClientSession, bot: Running, path: str, rate: int, make: Callable[[int], bytes], kind: str
) -> Told:
    bodies = [make(number) for number in range(rate * SECONDS // BATCH)]  # made before, so that senders need little
    loop, taken = asyncio.get_running_loop(), 0
    began, cpu = loop.time(), bot.cpu_s()
    for number, body in enumerate(bodies):
        await asyncio.sleep(max(0.0, began + number * BATCH / rate - loop.time()))
        async with session.post(path, data=body, headers={"Content-Type": kind}) as answer:
            await answer.read()
        taken += BATCH * (answer.status == 200)
    return Told(taken, loop.time() - began, bot.cpu_s() - cpu)


def outcomes(number: int) -> bytes:
    """A batch as JSON."""
    told = [
        {
            "service": f"service-{n % 5}", "flag": "chat", "variant": "ab"[n % 2], "ok": n % 50 > 0, "error": "HTTP 529",
            "latency_ms": 200.0 + n,
        }
        for n in range(BATCH)
    ]  # fmt: skip
    return json.dumps({"outcomes": told}).encode()


def _points(number: int) -> bytes:
    """Data points of the duration of requests, of a hundred models each, as a delta of the last second."""
    now = int(time.time() * 1e9) - 10**9
    points = [
        {
            "startTimeUnixNano": now, "timeUnixNano": now + number, "count": 3, "sum": 1.2,
            "bucketCounts": [0, 1, 2, 0, 0, 0, 0], "explicitBounds": [0.16, 0.32, 0.64, 1.28, 2.56, 5.12],
            "attributes": [
                {"key": key, "value": {"stringValue": value}}
                for key, value in {**SAID, "gen_ai.response.model": f"model-{n % 100}"}.items()
            ],
        }
        for n in range(BATCH)
    ]  # fmt: skip
    metric = {"name": "gen_ai.client.operation.duration", "histogram": {"aggregationTemporality": 1, "dataPoints": points}}
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "service-0"}}]}
    export = {"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": [metric]}]}]}
    return bytes(ParseDict(export, ExportMetricsServiceRequest()).SerializeToString())
