"""Probes a target and prints the CPU seconds that took: `python -m bench.probe_worker WAY URL PROBES CAFILE FOLDER`.

`ours` and `full` are the whole probe; `full` is of checks that run so seldom that they resume no TLS session. `bare` and
`resumed` are blocking handshakes by Python's `ssl` with a request and its answer, and nothing else.
"""

import asyncio
import resource
import socket
import ssl
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import uvloop

from bot.checks.http import HttpCheck, HttpProber
from bot.checks.net.address_guard import Guard
from bot.core.detection.detector import NEW, Track, observe
from bot.core.detection.settings import Rule
from bot.core.model import Outcome, Sample
from bot.store.samples.sqlite import open_samples
from bot.system.clock import SystemClock
from bot.system.garbage import GARBAGE

AT_A_TIME = 20
CHECKS = 200
BATCH = 333  # ten thousand checks every half minute are so many a second
WARM_UP = 300
LOOKED_AT_EVERY = timedelta(milliseconds=5)  # no faster than the looks of one check come here, so that none is an early one
USUALLY, SELDOM = timedelta(seconds=30), timedelta(minutes=5)

Look = Callable[[int], Awaitable[object]]


async def ours(url: str, probes: int, trusted: ssl.SSLContext, folder: Path, every: timedelta) -> float:
    """The whole probe: transport, classification, detector, and batches to disk, each look as one on schedule."""
    prober = HttpProber(SystemClock(), ssl_context=trusted, guard=Guard(["127.0.0.0/8"]))
    samples = await open_samples(folder)
    rule = Rule()
    checks = [HttpCheck(f"local.api.k{n}", "local.api", url, every=every) for n in range(CHECKS)]
    tracks: dict[str, Track] = {check.id: NEW for check in checks}
    batch: list[Sample] = []

    async def look(n: int) -> None:
        check = checks[n % CHECKS]
        sample = await prober.probe(check)
        assert sample.outcome is Outcome.OK, sample.reason
        tracks[check.id] = observe(tracks[check.id], sample, rule, every=LOOKED_AT_EVERY)
        batch.append(sample)
        if len(batch) >= BATCH:
            full, batch[:] = list(batch), []
            await samples.add(full)

    GARBAGE.collect_rarely()  # as `understudy run` does
    GARBAGE.leave_out()
    spent = await _measured(look, probes)
    await prober.close()
    await samples.close()
    return spent


def bare(url: str, probes: int, trusted: ssl.SSLContext, *, resumed: bool) -> float:
    """What the same OpenSSL takes for a verified connection, one after the other, by the simplest program."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 443
    request = f"GET / HTTP/1.1\r\nhost: {parts.netloc}\r\nconnection: close\r\n\r\n".encode()

    def look(session: ssl.SSLSession | None) -> ssl.SSLSession | None:
        raw = socket.create_connection((host, port), timeout=10)
        with trusted.wrap_socket(raw, server_hostname=host, session=session) as line:
            line.sendall(request)
            assert b" 200 " in line.recv(65536)
            assert line.session_reused == (session is not None)
            return line.session if session is None and resumed else None

    session = look(None)
    for _ in range(WARM_UP):
        look(session)
    before = cpu_s()
    for _ in range(probes):
        look(session)
    return cpu_s() - before


async def plain_httpx(url: str, probes: int, trusted: ssl.SSLContext) -> float:
    """What the library does by itself, with a new connection for each request."""
    limits = httpx.Limits(max_connections=AT_A_TIME, max_keepalive_connections=0)
    async with httpx.AsyncClient(limits=limits, verify=trusted, trust_env=False) as client:

        async def look(n: int) -> None:
            response = await client.get(url)
            assert response.status_code == 200

        return await _measured(look, probes)


async def _measured(look: Look, probes: int) -> float:
    await spread(look, WARM_UP)
    before = cpu_s()
    await spread(look, probes)
    return cpu_s() - before


async def spread(look: Look, probes: int) -> None:
    """Look so often, some looks at a time."""
    turns = iter(range(probes))

    async def worker() -> None:
        for n in turns:
            await look(n)

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_A_TIME):
            group.create_task(worker())


def cpu_s() -> float:
    """CPU seconds that this process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main(way: str, url: str, probes: int, authority: str, folder: str) -> None:
    """Run one way and print what it cost. Our bot runs on uvloop; plain httpx on the loop that it comes with."""
    trusted = ssl.create_default_context(cafile=authority)
    if way in ("ours", "full"):
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            print(runner.run(ours(url, probes, trusted, Path(folder), USUALLY if way == "ours" else SELDOM)))
    elif way in ("bare", "resumed"):
        print(bare(url, probes, trusted, resumed=way == "resumed"))
    else:
        print(asyncio.run(plain_httpx(url, probes, trusted)))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], sys.argv[5])
