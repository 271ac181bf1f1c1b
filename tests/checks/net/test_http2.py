"""What goes wrong over HTTP/2 is the peer's doing, in the same classes as over HTTP/1.1."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.checks.http import HttpCheck, HttpProber
from bot.checks.net.resolve import ThreadResolver
from bot.core.model import Fault
from bot.system.clock import ManualClock
from tests.checks.net.faults import Authority, Play, serving

pytest.importorskip("h2")

Act = Callable[[Any, int, asyncio.StreamWriter], None]  # connection, stream, writer


def speaking(act: Act) -> Play:
    """A server that does one thing when it is asked something."""
    from h2.config import H2Configuration
    from h2.connection import H2Connection
    from h2.events import RequestReceived

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conn = H2Connection(H2Configuration(client_side=False, validate_outbound_headers=False))
        conn.initiate_connection()
        while not writer.is_closing():
            writer.write(conn.data_to_send())
            data = await reader.read(65536)
            if not data:
                return
            for event in conn.receive_data(data):
                if isinstance(event, RequestReceived):
                    act(conn, event.stream_id or 1, writer)

    return play


def headers(*more: tuple[str, str], status: str = "200") -> Act:
    return lambda conn, stream, writer: conn.send_headers(stream, [(":status", status), *more], end_stream=True)


@pytest.mark.parametrize("reuse", [False, True])
@pytest.mark.parametrize(
    ("act", "error"),
    [
        (headers(), None),
        (headers(status="abc"), "protocol"),
        (headers(*((f"x-{n}", "v" * 50) for n in range(5000))), "protocol"),
        (lambda conn, stream, writer: conn.reset_stream(stream, error_code=7), "reset"),
        (lambda conn, stream, writer: writer.write(bytes(500)), "protocol"),
        (lambda conn, stream, writer: writer.close(), "closed"),
    ],
)
async def test_http2_fault_has_a_class_that_blames_the_peer(act: Act, error: str | None, reuse: bool) -> None:
    """Our check was looked through before it went out, so nothing of this is a mistake in it."""
    authority = Authority()
    server = authority.server("api.test")
    server.set_alpn_protocols(["h2"])
    resolver = ThreadResolver(lambda name: ("127.0.0.1",))
    prober = HttpProber(ManualClock(datetime(2030, 1, 7, tzinfo=UTC)), resolver=resolver, ssl_context=authority.client())
    async with serving(speaking(act), server) as port:
        wanted = HttpCheck("a.b.c", "a.b", f"https://api.test:{port}/", http2=True, reuse=reuse, deadline=timedelta(seconds=5))
        sample = await prober.probe(wanted)
        await prober.close()
    assert (error, Fault.THEIRS if error else Fault.NONE) == (sample.error, sample.fault)
