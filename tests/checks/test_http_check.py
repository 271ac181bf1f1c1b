"""The HTTP check against real sockets: what a raw server does, and what the sample says."""

import asyncio
import contextlib
import socket
import ssl
import struct
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.checks.guard import Guard
from bot.checks.http import HttpCheck, HttpProber, Statuses
from bot.clock import Clock, ManualClock, ScaledClock
from bot.core.model import Fault, Outcome, Sample

START = datetime(2030, 1, 7, 9, 0, tzinfo=UTC)
Play = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def raw_server(play: Play, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server that reads the request's head and then does as `play` says; yields its port."""
    tasks: set[asyncio.Task[None]] = set()

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await play(reader, writer)
        writer.transport.abort()

    server = await asyncio.start_server(meet, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def saying(*parts: bytes, pause: float = 0.0, then_hang: bool = False) -> Play:
    """Read the request, send the parts, and close (or go silent)."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
        if then_hang:
            await asyncio.sleep(60)
        writer.close()

    return play


def response(status: int, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Whatever", f"content-length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def check(port: int, **changes: object) -> HttpCheck:
    given = {"url": f"http://127.0.0.1:{port}/v1/models", "deadline": timedelta(seconds=0.4)} | changes
    return HttpCheck(id="anthropic.api/models", component="anthropic.api", **given)  # type: ignore[arg-type]


async def probed(wanted: HttpCheck, clock: Clock | None = None, **parts: object) -> Sample:
    """Probe, and see that the deadline was kept. A busy machine makes a sample inconclusive; then it is asked again."""
    prober = HttpProber(clock or ManualClock(START), **parts)  # type: ignore[arg-type]
    loop = asyncio.get_running_loop()
    try:
        for _ in range(5):
            began = loop.time()
            sample = await prober.probe(wanted)
            if sample.error != "stalled":
                break
    finally:
        await prober.close()
    assert loop.time() - began < wanted.deadline.total_seconds() + 1
    return sample


async def refuse_to_read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def endless_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"x" * 16384)
        await writer.drain()


async def endless_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while not writer.is_closing():
        writer.write(b"x-filler: " + b"x" * 1000 + b"\r\n")
        await writer.drain()


OK_HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n"

MATRIX: list[tuple[str, Play, str, Fault, str]] = [
    ("closed after accept", refuse_to_read, "reset", Fault.THEIRS, "the connection was closed before an answer came"),
    ("reset", reset, "reset", Fault.THEIRS, "the connection was closed before an answer came"),
    ("half a head, closed", saying(b"HTTP/1.1 200 OK\r\ncontent-"), "reset", Fault.THEIRS, "the connection was closed"),
    (
        "half a head, silence",
        saying(b"HTTP/1.1 200 OK\r\ncontent-", then_hang=True),
        "deadline",
        Fault.THEIRS,
        "no answer within 400 ms (waited for the first byte)",
    ),
    ("not HTTP", saying(b"220 mail ready\r\n\r\n"), "protocol", Fault.THEIRS, "what came back was not HTTP"),
    ("hang", saying(then_hang=True), "deadline", Fault.THEIRS, "no answer within 400 ms (waited for the first byte)"),
    (
        "stalled body",
        saying(OK_HEAD + b"x" * 10, then_hang=True),
        "deadline",
        Fault.THEIRS,
        "no answer within 400 ms (waited for the rest of the body)",
    ),
    (
        "drip",
        saying(OK_HEAD, *[b"x"] * 100, pause=0.05),
        "deadline",
        Fault.THEIRS,
        "no answer within 400 ms (waited for the rest of the body)",
    ),
    ("short body", saying(OK_HEAD + b"x" * 10), "truncated", Fault.THEIRS, "the answer broke off in the middle"),
    ("endless head", endless_head, "protocol", Fault.THEIRS, "what came back was not HTTP"),
    ("bad gateway", saying(response(502, b"<h1>no</h1>")), "http_5xx", Fault.THEIRS, "HTTP 502 after"),
    ("gateway timeout", saying(response(504, b"")), "http_5xx", Fault.THEIRS, "HTTP 504 after"),
    ("overloaded", saying(response(529, b"{}")), "overloaded", Fault.THEIRS, "the provider says that it is overloaded"),
    ("rate limited", saying(response(429, b"{}")), "rate_limited", Fault.OURS_QUOTA, "we are over our rate limit"),
    ("bad key", saying(response(401, b"{}")), "auth", Fault.OURS_KEY, "our key was not accepted"),
    ("gone", saying(response(404, b"{}")), "bad_request", Fault.OURS_CONFIG, "does not accept what our check asks for"),
    ("redirect", saying(response(302, b"", "location: /other")), "http_unexpected", Fault.UNCLEAR, "HTTP 302 after"),
]


@pytest.mark.parametrize(("play", "error", "fault", "words"), [row[1:] for row in MATRIX], ids=[row[0] for row in MATRIX])
async def test_http_probe_names_the_class_when_the_server_misbehaves(play: Play, error: str, fault: Fault, words: str) -> None:
    """Each way of failing has its own class, its own fault and a sentence, and keeps the deadline."""
    async with raw_server(play) as port:
        sample = await probed(check(port))
    assert (error, fault, Outcome.FAIL) == (sample.error, sample.fault, sample.outcome)
    assert words in sample.reason
    assert sample.phases_ms["total"] > 0


async def test_http_probe_says_refused_when_nobody_listens() -> None:
    """A closed port is a refusal, at once."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        sample = await probed(check(unused.getsockname()[1]))
    assert ("connect_refused", Fault.THEIRS) == (sample.error, sample.fault)
    assert sample.reason.startswith("the connection was refused after ")


async def test_http_probe_says_connect_timeout_when_the_backlog_is_full() -> None:
    """Packets that get no answer are told from an answer that does not come."""
    with socket.socket() as full, contextlib.ExitStack() as stack:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(3):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        sample = await probed(check(full.getsockname()[1]))
    assert ("connect_timeout", Fault.UNCLEAR) == (sample.error, sample.fault)
    assert "no connection could be made within 400 ms" == sample.reason


async def test_http_probe_is_ok_when_the_answer_is_as_expected() -> None:
    """A good answer carries its phases, its status and its request id, and no excerpt."""
    async with raw_server(saying(response(200, b'{"data":[]}', "request-id: req_1"))) as port:
        sample = await probed(check(port))
    assert (Outcome.OK, None, Fault.NONE) == (sample.outcome, sample.error, sample.fault)
    assert {"dns", "connect", "first_byte", "total"} == set(sample.phases_ms)
    assert {"status": "200", "request_id": "req_1"} == sample.evidence
    assert START == sample.at


async def test_http_probe_is_ok_when_a_page_is_longer_than_the_cap() -> None:
    """A front page may be large; the check reads 64 KiB of it and no more."""
    async with raw_server(endless_body) as port:
        sample = await probed(check(port))
    assert Outcome.OK == sample.outcome


async def test_http_probe_is_inconclusive_when_the_wanted_text_may_be_behind_the_cap() -> None:
    """What was not read cannot be held against the provider."""
    async with raw_server(endless_body) as port:
        sample = await probed(check(port, contains="hello"))
    assert (Outcome.INCONCLUSIVE, "too_large") == (sample.outcome, sample.error)


async def test_http_probe_fails_when_the_wanted_text_is_missing() -> None:
    """A 200 that says something else is not well."""
    async with raw_server(saying(response(200, b"<html>sign in to the wifi</html>"))) as port:
        sample = await probed(check(port, contains='"data"'))
    assert (Outcome.FAIL, "body_mismatch") == (sample.outcome, sample.error)
    assert "<html>sign in to the wifi</html>" == sample.evidence["excerpt"]


async def test_http_probe_is_slow_when_the_answer_takes_longer_than_under() -> None:
    """A good answer over the limit is slow, not failed."""
    async with raw_server(saying(response(200, b"ok")[:20], response(200, b"ok")[20:], pause=0.05)) as port:
        sample = await probed(check(port, under=timedelta(milliseconds=10)))
    assert (Outcome.SLOW, None, Fault.THEIRS) == (sample.outcome, sample.error, sample.fault)
    assert sample.reason.endswith(", expected under 10 ms")


async def test_http_probe_takes_other_statuses_when_the_check_says_so() -> None:
    """A front page that answers robots with 403 can be a well one."""
    async with raw_server(saying(response(403, b"no robots"))) as port:
        sample = await probed(check(port, statuses=Statuses.of(200, 403)))
    assert Outcome.OK == sample.outcome


async def test_http_probe_shows_no_secret_when_the_provider_echoes_it() -> None:
    """Neither the excerpt nor the request id repeats what our headers or our query held."""
    body = b'{"error":"bad key sk-secret-123 and ' + b"k" * 300 + b' q-secret-456"}'
    async with raw_server(saying(response(401, body, "request-id: sk-secret-123", "retry-after: 7"))) as port:
        wanted = check(
            port, url=f"http://127.0.0.1:{port}/?key=q-secret-456", headers={"Authorization": "Bearer sk-secret-123"}
        )
        sample = await probed(wanted)
    assert "secret" not in repr(sample)
    assert "secret-123" not in repr(wanted)
    assert "7" == sample.evidence["retry_after"]
    assert 200 == len(sample.evidence["excerpt"])


async def test_http_probe_makes_the_excerpt_inert_when_the_body_holds_control_characters() -> None:
    """Escape codes and direction marks do not reach people's terminals."""
    async with raw_server(saying(response(500, "a\x1b[31m\u202eb\x00\nc".encode()))) as port:
        sample = await probed(check(port))
    assert "a [31m b c" == sample.evidence["excerpt"]


async def test_http_probe_blames_the_check_when_it_cannot_be_sent() -> None:
    """A key with a line break or an address without a host is our configuration, and is not quoted."""
    for changes in ({"headers": {"x-api-key": "sk-1234567\n"}}, {"headers": {"x-api-key": "ключ"}}, {"url": "nonsense"}):
        async with raw_server(saying(response(200, b""))) as port:
            sample = await probed(check(port, **changes))
        assert ("bad_check", Fault.OURS_CONFIG) == (sample.error, sample.fault)
        assert "sk-" not in repr(sample)


class ScriptedResolver:
    """A resolver that knows what it was told; None hangs."""

    def __init__(self, answer: list[str] | Exception | None) -> None:
        self._answer = answer

    async def addresses(self, host: str, port: int) -> list[str]:
        if self._answer is None:
            await asyncio.sleep(60)
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer or []

    def close(self) -> None:
        self._answer = None


@pytest.mark.parametrize(
    "answer", [socket.gaierror(socket.EAI_NONAME, "Name or service not known"), None], ids=["no such name", "silence"]
)
async def test_http_probe_says_dns_when_the_name_does_not_resolve(answer: Exception | None) -> None:
    """A resolver's failure is its own class and nobody's fault yet."""
    wanted = check(1, url="http://api.example.test/")
    sample = await probed(wanted, resolver=ScriptedResolver(answer))
    assert ("dns", Fault.UNCLEAR) == (sample.error, sample.fault)


async def test_http_probe_tries_the_next_address_when_one_refuses() -> None:
    """One dead address of several is not an outage."""
    async with raw_server(saying(response(200, b"ok"))) as port:
        wanted = check(port, url=f"http://api.example.test:{port}/")
        sample = await probed(wanted, resolver=ScriptedResolver(["127.0.0.2", "127.0.0.1"]))
    assert Outcome.OK == sample.outcome


async def test_http_probe_does_not_connect_when_the_guard_refuses_the_address() -> None:
    """A name that turns out to be private is refused at connect time, unless its network is listed."""
    async with raw_server(saying(response(200, b"ok"))) as port:
        wanted = check(port, url=f"http://api.example.test:{port}/")
        there = ScriptedResolver(["127.0.0.1"])
        refused = await probed(wanted, resolver=there, guard=Guard())
        there = ScriptedResolver(["127.0.0.1"])
        allowed = await probed(wanted, resolver=there, guard=Guard(["127.0.0.0/8"]))
    assert ("address_refused", Outcome.INCONCLUSIVE) == (refused.error, refused.outcome)
    assert "list its network under allow_private" in refused.reason
    assert Outcome.OK == allowed.outcome


async def test_http_probe_says_nothing_of_the_provider_when_our_own_loop_stood_still() -> None:
    """A deadline that a blocked loop noticed late is inconclusive."""

    async def block(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        time.sleep(0.3)  # noqa: ASYNC251 # the fault under test: a blocking call on the loop
        await asyncio.sleep(60)

    async with raw_server(block) as port:
        prober = HttpProber(ManualClock(START))
        sample = await prober.probe(check(port, deadline=timedelta(seconds=0.1)))
        await prober.close()
    assert ("stalled", Outcome.INCONCLUSIVE, Fault.LOCAL) == (sample.error, sample.outcome, sample.fault)


async def test_http_probe_counts_domain_time_when_the_clock_runs_fast() -> None:
    """At twenty times the speed a deadline of 10 s passes in half a second, and the phases say 10 s."""
    async with raw_server(saying(then_hang=True)) as port:
        began = asyncio.get_running_loop().time()
        sample = await probed(check(port, deadline=timedelta(seconds=10)), ScaledClock(20, START))
    assert asyncio.get_running_loop().time() - began < 5
    assert "no answer within 10 s (waited for the first byte)" == sample.reason
    assert sample.phases_ms["total"] >= 9_900


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate for localhost, made by the openssl of this machine."""
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(cert)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed, and it makes the certificate")
    return cert, key


async def test_http_probe_says_tls_when_the_certificate_is_not_trusted(certificate: tuple[Path, Path]) -> None:
    """An untrusted certificate is told from an unreachable host; a trusted one is measured."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*certificate)
    there = ["127.0.0.1"]
    async with raw_server(saying(response(200, b"ok")), tls) as port:
        wanted = check(port, url=f"https://localhost:{port}/", deadline=timedelta(seconds=2))
        distrusted = await probed(wanted, resolver=ScriptedResolver(there))
        trusting = ssl.create_default_context(cafile=str(certificate[0]))
        trusted = await probed(wanted, resolver=ScriptedResolver(there), ssl_context=trusting)
        other_name = check(port, url=f"https://example.test:{port}/", deadline=timedelta(seconds=2))
        misnamed = await probed(other_name, resolver=ScriptedResolver(there), ssl_context=trusting)
    assert ("tls", Fault.UNCLEAR) == (distrusted.error, distrusted.fault)
    assert (Outcome.OK, True) == (trusted.outcome, trusted.phases_ms["tls"] > 0)
    assert "tls" == misnamed.error


async def test_http_probe_says_tls_when_a_plain_port_is_asked_for_tls() -> None:
    """TLS to something that does not speak it is a failed handshake."""

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(5)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        await reader.read()

    async with raw_server(plain) as port:
        sample = await probed(check(port, url=f"https://127.0.0.1:{port}/"))
    assert "tls" == sample.error


async def test_http_probe_waits_for_the_handshake_when_tls_hangs() -> None:
    """The deadline says which phase it was in."""

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    async with raw_server(mute) as port:
        sample = await probed(check(port, url=f"https://127.0.0.1:{port}/"))
    assert ("deadline", "tls") == (sample.error, sample.evidence["waited_for"])
    assert "no answer within 400 ms (waited for the TLS handshake)" == sample.reason
