"""Everything that can go wrong on the wire, over real sockets: each fault has its class, its fault and its time, on both loops.

And never a traceback: nothing is logged as an error, no task ends unheard, no socket stays open.
"""

import asyncio
import gc
import logging
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import uvloop

from bot.checks.http import HttpCheck, HttpProber
from bot.checks.net.address_guard import Guard
from bot.checks.net.resolve import Resolved
from bot.core.model import Fault, Outcome, Sample
from bot.system.clock import ManualClock
from tests.checks.net import faults
from tests.checks.net.faults import CHUNKED, LONG, OK, Play, saying

START = datetime(2030, 1, 7, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
AT_ONCE_S = 1.5  # generous, for busy machines; the deadline of these rows is later still
DEADLINE_S = 3.0
SHORT_S = 0.2  # for rows that wait for their deadline
NOTICED_S = 0.7  # how long after a short deadline a busy machine may notice
LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.SelectorEventLoop,
    "uvloop": uvloop.new_event_loop,
}
BROKEN_GZIP = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 9\r\n\r\nnot gzip!"


@dataclass(frozen=True)
class Row:
    """One fault: what the server does, and what must come of it within which time."""

    play: Play
    error: str | None
    fault: Fault
    outcome: Outcome = Outcome.FAIL
    within_s: float = AT_ONCE_S
    deadline_s: float = DEADLINE_S
    tls: str = ""  # a method of faults.Authority that makes the server's certificate
    scheme: str = ""
    check: dict[str, Any] = field(default_factory=dict)
    step: timedelta | None = None  # what the wall clock is set by meanwhile


def at_once(play: Play, error: str, fault: Fault = Fault.THEIRS, **more: Any) -> Row:
    return Row(play, error, fault, **more)


def waits(play: Play, error: str, fault: Fault = Fault.THEIRS, **more: Any) -> Row:
    return Row(play, error, fault, within_s=SHORT_S + NOTICED_S, deadline_s=SHORT_S, **more)


def well(play: Play, **more: Any) -> Row:
    return Row(play, None, Fault.NONE, Outcome.OK, **more)


def tls(certificate: str, play: Play, error: str, fault: Fault) -> Row:
    return Row(play, error, fault, tls=certificate, scheme="https")


MATRIX: dict[str, Row] = {
    # the connection
    "reset": at_once(faults.reset, "reset"),
    "close after accept": at_once(faults.close_after_accept, "closed"),
    "close before the request is read": at_once(faults.close_at_once, "reset"),
    "empty reply": at_once(saying(), "closed"),
    # the head
    "half headers": at_once(saying(b"HTTP/1.1 200 OK\r\ncontent-"), "truncated"),
    "half headers, then silence": waits(saying(b"HTTP/1.1 200 OK\r\ncontent-", then_hang=True), "deadline"),
    "headers at a byte a second": waits(faults.drip(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 50), "deadline"),
    "not HTTP": at_once(faults.speaks_first, "protocol"),
    "not HTTP, asked first": at_once(saying(b"220 mail ready\r\n\r\n"), "protocol"),
    "a status of four digits": at_once(saying(b"HTTP/1.1 2000 OK\r\n\r\n"), "protocol"),
    "two lengths": at_once(saying(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nok"), "protocol"),
    "100,000 headers": at_once(saying(faults.many_headers(100_000)), "head_too_large"),
    "501 headers": at_once(saying(faults.many_headers(501)), "head_too_large"),
    "one header without end": at_once(saying(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 1_000_000), "head_too_large"),
    "hints without end": at_once(faults.endless_hints, "head_too_large"),
    "103, then the answer": well(saying(b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n", OK, pause_s=0.02)),
    "103, then silence": waits(saying(b"HTTP/1.1 103 Early Hints\r\n\r\n", then_hang=True), "deadline"),
    "status 999": at_once(saying(b"HTTP/1.1 999 No\r\ncontent-length: 0\r\n\r\n"), "http_unexpected", Fault.UNCLEAR),
    "old line ends": well(saying(OK.replace(b"\r\n", b"\n"))),
    "redirect loop": at_once(
        saying(b"HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n"), "redirect_loop", check={"redirects": 5}
    ),
    # the body
    "hang": waits(faults.silence, "deadline"),
    "stalled body": waits(saying(LONG + b"x" * 10, then_hang=True), "body_timeout"),
    "body at a byte a second": waits(saying(LONG, *[b"x"] * 1000, pause_s=0.02), "body_timeout"),
    "short body": at_once(saying(LONG + b"x" * 10), "truncated"),
    "reset within the body": at_once(faults.reset_within_body, "reset"),
    "cut chunk": at_once(saying(CHUNKED + b"5\r\nhel"), "truncated"),
    "no last chunk": at_once(saying(CHUNKED + b"5\r\nhello\r\n"), "truncated"),
    "not a chunk": at_once(saying(CHUNKED + b"hello\r\n"), "protocol"),
    "endless body": well(faults.endless_body),
    "endless body, a text in it wanted": at_once(
        faults.endless_body, "too_large", Fault.UNCLEAR, outcome=Outcome.INCONCLUSIVE, check={"contains": "hello"}
    ),
    "gzip bomb": at_once(saying(faults.gzip_bomb()), "inflates_too_far"),
    "not gzip after all": at_once(saying(BROKEN_GZIP), "bad_encoding"),
    # TLS
    "a good certificate": Row(saying(OK), None, Fault.NONE, Outcome.OK, tls="server", scheme="https"),
    "expired": tls("expired", saying(OK), "tls_expired", Fault.THEIRS),
    "self-signed": tls("self_signed", saying(OK), "tls_untrusted", Fault.UNCLEAR),
    "for another host": tls("for_another_host", saying(OK), "tls_wrong_host", Fault.UNCLEAR),
    "TLS to a plain port": at_once(faults.plain, "tls", Fault.UNCLEAR, scheme="https"),
    "closed within the handshake": at_once(faults.hang_up_on_handshake, "tls", Fault.UNCLEAR, scheme="https"),
    "handshake hang": waits(faults.mute, "tls_timeout", Fault.UNCLEAR, scheme="https"),
    "hang behind TLS": waits(faults.silence, "deadline", tls="server", scheme="https"),
    # our own side
    "the clock is set an hour ahead": well(saying(OK[:20], OK[20:], pause_s=0.05), step=HOUR),
    "the clock is set an hour back": well(saying(OK[:20], OK[20:], pause_s=0.05), step=-HOUR),
    "a hang while the clock is set ahead": waits(faults.silence, "deadline", step=HOUR),
    "our loop stands still": Row(
        faults.blocking(SHORT_S * 2, faults.silence), "stalled", Fault.LOCAL, Outcome.INCONCLUSIVE, 2.0, SHORT_S
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def authority() -> faults.Authority:
    return faults.Authority()


@pytest.fixture(scope="module", autouse=True)
def quick_collection() -> Iterator[None]:
    """Leaks show when garbage is collected; what was there before does not need to be looked through each time."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("name", MATRIX)
def test_probe_names_the_fault_when_the_wire_goes_wrong(
    name: str, loop: str, authority: faults.Authority, caplog: pytest.LogCaptureFixture
) -> None:
    """Class, fault and outcome are the row's, in the row's time, and nothing is left behind."""
    row = MATRIX[name]
    unheard: list[dict[str, Any]] = []
    caplog.set_level(logging.DEBUG)
    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.get_loop().set_exception_handler(lambda _, context: unheard.append(context))
        sample = runner.run(_probed(row, authority))
    gc.collect()
    assert (row.error, row.fault, row.outcome) == (sample.error, sample.fault, sample.outcome)
    assert 0 < sample.phases_ms["total"] <= row.within_s * 1000
    assert all(0 <= ms <= sample.phases_ms["total"] for ms in sample.phases_ms.values())
    assert START == sample.at
    assert [] == unheard
    assert [] == [record for record in caplog.records if record.levelno >= logging.ERROR]


async def _probed(row: Row, authority: faults.Authority) -> Sample:
    clock = ManualClock(START)
    prober = HttpProber(clock, ssl_context=authority.client(), resolver=Loopback(), guard=Guard(["127.0.0.0/8"]))
    loop = asyncio.get_running_loop()
    async with faults.serving(row.play, _certificate(row, authority)) as port:
        sockets = _sockets()
        wanted = _check(row, f"{row.scheme or 'http'}://localhost:{port}/")
        looks = 0
        while looks < 3:  # a busy machine can stall for real
            looks += 1
            if row.step is not None:
                loop.call_later(0.02, clock.step_wall, row.step)
            sample = await prober.probe(wanted)
            if sample.error == row.error or sample.error != "stalled":
                break
        await prober.close()
        async with asyncio.timeout(2):
            while _sockets() > sockets + looks * _held_by_server(row):
                await asyncio.sleep(0.005)
    return sample


async def _never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Nobody comes here."""


def _certificate(row: Row, authority: faults.Authority) -> Any:
    if row.tls == "for_another_host":
        return authority.server("other.test")
    return getattr(authority, row.tls)() if row.tls else None


def _check(row: Row, url: str) -> HttpCheck:
    deadline = timedelta(seconds=row.deadline_s)
    return HttpCheck("anthropic.api/models", "anthropic.api", url, deadline=deadline, **row.check)


def _sockets() -> int:
    """How many sockets this process has open."""
    found = 0
    for entry in Path("/proc/self/fd").iterdir():
        try:
            found += str(entry.readlink()).startswith("socket:")
        except OSError:
            continue
    return found


def _held_by_server(row: Row) -> int:
    """Plays that hang keep their end of the connection until the server is closed."""
    return 1 if row.deadline_s == SHORT_S else 0


class Loopback:
    """Every name is this machine."""

    async def addresses(self, host: str, port: int) -> Resolved:
        return Resolved(("127.0.0.1",))

    def close(self) -> None:
        """Nothing is held."""


@pytest.mark.parametrize("loop", LOOPS)
def test_probe_says_refused_when_nobody_listens(loop: str) -> None:
    """A closed port is a refusal, at once."""

    async def probed() -> Sample:
        prober = HttpProber(ManualClock(START), resolver=Loopback())
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            sample = await prober.probe(_check(Row(_never, None, Fault.NONE), f"http://localhost:{unused.getsockname()[1]}/"))
        await prober.close()
        return sample

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        sample = runner.run(probed())
    assert ("connect_refused", Fault.THEIRS, Outcome.FAIL) == (sample.error, sample.fault, sample.outcome)
    assert sample.phases_ms["total"] <= AT_ONCE_S * 1000


@pytest.mark.parametrize("loop", LOOPS)
def test_probe_reaches_the_second_address_when_the_first_one_is_silent(loop: str) -> None:
    """A dead address of several does not eat the time of the next: the handshake that hangs there is given up early."""

    class Both(Loopback):
        async def addresses(self, host: str, port: int) -> Resolved:
            return Resolved(("127.0.0.2", "127.0.0.1"))

    async def probed() -> Sample:
        async with faults.serving(saying(OK)) as port, asyncio.timeout(10):
            with socket.socket() as full:
                full.bind(("127.0.0.2", port))
                full.listen(0)
                fillers = [socket.socket() for _ in range(3)]
                for filler in fillers:
                    filler.setblocking(False)
                    filler.connect_ex(full.getsockname())
                prober = HttpProber(ManualClock(START), resolver=Both())
                row = Row(_never, None, Fault.NONE, deadline_s=1.2)
                sample = await prober.probe(_check(row, f"http://localhost:{port}/"))
                await prober.close()
                for filler in fillers:
                    filler.close()
        return sample

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        sample = runner.run(probed())
    assert (Outcome.OK, None) == (sample.outcome, sample.error)
    assert sample.phases_ms["connect"] >= 390  # a third of the deadline, less what timers are early
