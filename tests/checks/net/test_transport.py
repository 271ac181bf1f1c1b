"""The probes' own transport: what goes out, what is read, and what is refused, over real sockets."""

import asyncio
import gc
import gzip
import ssl
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.checks.judging.exceptions import classify_exception
from bot.checks.net.address_guard import Guard
from bot.checks.net.dial import Certificate, dial
from bot.checks.net.http1 import LINE_CAP, AnswerReader, BadAnswer, LineSplitter, Unpacker, request_bytes
from bot.checks.net.resolve import Resolved, ThreadResolver
from bot.checks.net.stopwatch import Stopwatch
from bot.checks.net.transport import FRESH, RefusedAddress, Reply, Transport, Way
from tests.checks.net import faults
from tests.checks.net.faults import CHUNKED, OK, Play, saying, serving

DEADLINE_S = 5.0


class Loopback:
    """Every name is this machine, or what it was told."""

    def __init__(self, *addresses: str, stale: bool = False) -> None:
        self.found = Resolved(addresses or ("127.0.0.1",), stale)
        self.asked: list[str] = []

    async def addresses(self, host: str, port: int) -> Resolved:
        self.asked.append(host)
        return self.found

    def close(self) -> None:
        """Nothing is held."""


@asynccontextmanager
async def transport(**parts: Any) -> AsyncIterator[Transport]:
    given: dict[str, Any] = {"resolver": Loopback(), "version": "1.2.3"} | parts
    made = Transport(**given)
    try:
        async with asyncio.timeout(DEADLINE_S):
            yield made
    finally:
        await made.aclose()


async def asked(
    play: Play, method: str = "GET", *, cap: int = 65536, headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> Reply:
    async with serving(play) as port, transport() as ours:
        prepared = ours.prepare(method, f"http://localhost:{port}/v1?q=1#part", headers or {}, body)
        return await ours.ask(prepared, Stopwatch(1.0), DEADLINE_S, cap=cap)


def heard(requests: list[bytes], answer: bytes = OK) -> Play:
    """Keeps what it was asked, head and body."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next((int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"content-length:")), 0)
        requests.append(head + await reader.readexactly(length))
        writer.write(answer)
        await writer.drain()
        writer.close()

    return play


def answer(body: bytes, *headers: str, status: int = 200) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status} X", f"content-length: {len(body)}", *headers, "", ""]).encode() + body


# What goes out


async def test_request_says_who_asks_and_closes_when_a_check_adds_nothing() -> None:
    """Host and port of the URL, our name, nothing packed wanted, and the connection is not kept."""
    requests: list[bytes] = []
    await asked(heard(requests))
    head, *lines = requests[0].decode().split("\r\n")
    assert "GET /v1?q=1 HTTP/1.1" == head
    assert lines[0].startswith("host: localhost:")
    assert ["user-agent: understudy/1.2.3 (+check)", "accept: */*"] == lines[1:3]
    assert ["accept-encoding: identity", "connection: close", "", ""] == lines[3:]


async def test_request_carries_headers_and_body_when_a_check_has_them() -> None:
    """A check's headers win over ours, except those that say how a message ends."""
    requests: list[bytes] = []
    ours = {"User-Agent": "me", "X-Api-Key": "sk-1", "Content-Length": "99", "Connection": "keep-alive"}
    await asked(heard(requests), "POST", headers=ours, body=b'{"a":1}')
    head, body = requests[0].split(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    assert b'{"a":1}' == body
    assert {b"user-agent: me", b"x-api-key: sk-1", b"content-length: 7", b"connection: close"} <= set(lines)
    assert 1 == sum(line.startswith(b"content-length") for line in lines)


def test_request_has_a_length_when_its_method_usually_has_a_body() -> None:
    """An empty POST says so, or servers wait or refuse; a GET without a body says nothing."""
    assert b"content-length: 0\r\n" in request_bytes("POST", b"/", {}, None)
    assert b"content-length" not in request_bytes("GET", b"/", {}, None)


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", {"x": "sk-secret\r\nevil: 1"}),
        ("GET", {"x": "sk-secret\n"}),
        ("GET", {"x": "ключ-secret"}),
        ("GET", {"x secret": "1"}),
        ("GET / HTTP/1.1\r\nsecret", {}),
    ],
)
def test_request_is_refused_without_quoting_when_it_cannot_be_sent(method: str, headers: dict[str, str]) -> None:
    """Line breaks and letters beyond ASCII make no request, and the error does not repeat a key."""
    with pytest.raises(ValueError, match="HTTP") as caught:
        request_bytes(method, b"/", headers, None)
    assert "secret" not in str(caught.value)
    assert "bad_check" == classify_exception(caught.value).error


@pytest.mark.parametrize("address", ["nonsense", "ftp://host/", "http://", "http://[::1", "http://host:99999/"])
async def test_request_is_refused_when_the_address_is_none(address: str) -> None:
    """Only http and https addresses with a host are asked for."""
    async with transport() as ours:
        with pytest.raises((httpx.InvalidURL, ValueError)) as caught:
            ours.prepare("GET", address, {})
    assert "bad_check" == classify_exception(caught.value).error


def test_prepared_request_shows_no_key_when_it_is_printed() -> None:
    """Its bytes and headers stay out of its repr."""

    async def shown() -> str:
        async with transport() as ours:
            way = Way(proxy="http://me:pw-secret@proxy:3128")
            return repr(ours.prepare("GET", "http://host/?k=q-secret", {"x-api-key": "sk-secret"}, way=way))

    assert "secret" not in asyncio.run(shown())


# What is read


@pytest.mark.parametrize(
    ("method", "said", "body"),
    [
        ("GET", OK, b"ok"),
        ("GET", OK + b"HTTP/1.1 500 what comes behind\r\n\r\n", b"ok"),
        ("GET", b"HTTP/1.1 200 OK\r\n\r\nuntil it closes", b"until it closes"),
        ("GET", b"HTTP/1.0 200 OK\r\n\r\nold", b"old"),
        ("GET", CHUNKED + b"2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\nx-trailer: 1\r\n\r\n", b"hello"),
        ("HEAD", b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n", b""),
        ("GET", b"HTTP/1.1 204 No\r\ncontent-length: 5\r\n\r\n", b""),
        ("GET", b"HTTP/1.1 304 No\r\ncontent-length: 5\r\n\r\n", b""),
        ("GET", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nconnection: close\r\n\r\n" + OK, b"ok"),
        ("GET", answer(gzip.compress(b"hello", mtime=0), "content-encoding: gzip"), b"hello"),
        ("GET", answer(gzip.compress(b"hel", mtime=0) + gzip.compress(b"lo", mtime=0), "content-encoding: x-gzip"), b"hello"),
        ("GET", answer(gzip.compress(b"hello", mtime=0) + bytes(8), "content-encoding: gzip"), b"hello"),
        ("GET", answer(zlib.compress(b"hello"), "content-encoding: deflate"), b"hello"),
        ("GET", answer(zlib.compress(b"hello")[2:-4], "content-encoding: deflate"), b"hello"),
        ("GET", answer(b"\x0b\x02", "content-encoding: br"), b"\x0b\x02"),
        ("GET", answer(b"", "content-encoding: gzip"), b""),
    ],
)
@pytest.mark.parametrize("piecewise", [False, True], ids=["at once", "byte by byte"])
async def test_body_is_whole_however_it_is_framed_when_it_arrives(
    method: str, said: bytes, body: bytes, piecewise: bool
) -> None:
    """Lengths, chunks, closing, no body at all; packed or not; in one piece or in many."""
    play = faults.drip(said, 0) if piecewise else saying(said)
    reply = await asked(play, method)
    assert (body, True) == (reply.body, reply.whole)


async def test_reply_has_lower_case_headers_when_several_have_one_name() -> None:
    """What is said twice is joined; trailers are no headers."""
    reply = await asked(saying(answer(b"", "X-A: 1", "x-a: 2", "Request-ID: req_é", status=999)))
    assert (999, "1, 2") == (reply.status, reply.headers["x-a"])
    assert "request-id" in reply.headers


async def test_reply_is_cut_when_the_body_goes_on_behind_the_cap() -> None:
    """Exactly the cap is whole, one byte more is not."""
    whole = await asked(saying(answer(b"x" * 100)), cap=100)
    cut = await asked(saying(answer(b"x" * 101)), cap=100)
    packed = await asked(saying(answer(gzip.compress(bytes(range(256)), mtime=0), "content-encoding: gzip")), cap=100)
    assert (100, True) == (len(whole.body), whole.whole)
    assert (100, False) == (len(cut.body), cut.whole)
    assert (bytes(range(100)), False) == (packed.body, packed.whole)


async def test_body_is_cut_when_what_is_behind_the_cap_comes_later() -> None:
    """Not taken for whole because all that had come so far was just as long."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        said = answer(b"x" * 101)
        for part in (said[:-1], said[-1:]):
            writer.write(part)
            await asyncio.sleep(0.05)  # two packets
        writer.close()

    assert not (await asked(play, cap=100)).whole


async def test_phases_are_measured_when_an_answer_comes() -> None:
    """dns, connect, first byte; a stale name is noted on the stopwatch."""
    watch = Stopwatch(1000.0)
    async with serving(saying(OK)) as port, transport(resolver=Loopback(stale=True)) as ours:
        await ours.ask(ours.prepare("GET", f"http://localhost:{port}/", {}), watch, DEADLINE_S)
    watch.stop()
    assert ["dns", "connect", "first_byte", "total"] == list(watch.phases_ms)
    assert watch.stale_dns
    assert watch.phases_ms["total"] >= watch.phases_ms["first_byte"] > 0


ANSWERS = [
    answer(b"hello", "x-a: 1"),
    CHUNKED + b"5\r\nhello\r\n0\r\n\r\n",
    answer(gzip.compress(b"hello" * 50, mtime=0), "content-encoding: gzip"),
]


@given(st.sampled_from(ANSWERS), st.lists(st.tuples(st.integers(0, 200), st.binary(max_size=8)), max_size=4))
def test_reader_has_a_class_for_everything_when_an_answer_is_garbled(said: bytes, garbles: list[tuple[int, bytes]]) -> None:
    """Whatever comes in is an answer or a BadAnswer, never another error."""
    for at, garble in garbles:
        said = said[:at] + garble + said[at + len(garble) :]
    reader = AnswerReader("GET")
    try:
        for at in range(0, len(said), 7):
            reader.feed(said[at : at + 7])
        reader.finish()
        unpacker = Unpacker(reader.headers.get("content-encoding", ""))
        assert len(unpacker.unpack(reader.take(), 300)) <= 301
        unpacker.finish()
    except BadAnswer as bad:
        assert bad.failure.sentence


def test_reader_keeps_nothing_when_a_server_makes_up_names_of_headers() -> None:
    """The usual names are kept; ones that are long and always new would fill the memory, at up to 100 KB an answer."""
    tracemalloc.start()
    try:
        for number in range(100):
            reader = AnswerReader("GET")
            reader.feed(b"HTTP/1.1 200 OK\r\nx-%d-%s: a\r\ncontent-length: 0\r\n\r\n" % (number, b"n" * 50_000))
            assert 200 == reader.status
            reader.close()
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 1_000_000


# Streams


@pytest.mark.parametrize("way", [FRESH, Way(reuse=True)], ids=["ours", "httpx"])
async def test_stream_gives_raw_and_unpacked_pieces_when_it_is_read(way: Way) -> None:
    """aiter_raw is what came over the wire, aiter_bytes is what it says."""
    packed = gzip.compress(b"data: 1\n\n" * 10, mtime=0)
    async with serving(saying(answer(packed, "content-encoding: gzip"))) as port, transport() as ours:
        for unpack, expected in ((False, packed), (True, b"data: 1\n\n" * 10)):
            watch = Stopwatch(1.0)
            async with ours.answer("GET", f"http://localhost:{port}/", {}, None, watch, DEADLINE_S, way=way) as response:
                pieces = response.aiter_bytes() if unpack else response.aiter_raw()
                assert expected == b"".join([piece async for piece in pieces])
                assert (200, None) == (response.status_code, response.extensions["certificate"])
            assert {"dns", "connect", "first_byte"} <= set(watch.phases_ms)


@pytest.mark.parametrize("way", [FRESH, Way(reuse=True)], ids=["ours", "httpx"])
@pytest.mark.parametrize(
    ("said", "error"),
    [
        (answer(b"x" * 70_000), "too_large"),
        (answer(gzip.compress(bytes(range(256)) * 300, 0, mtime=0), "content-encoding: gzip"), "too_large"),
        (faults.gzip_bomb(), "inflates_too_far"),
        (answer(gzip.compress(b"hello", mtime=0)[:-9], "content-encoding: gzip"), "truncated"),
    ],
    ids=["long", "long when unpacked", "bomb", "cut"],
)
async def test_stream_ends_with_its_class_when_it_is_too_much_or_too_little(way: Way, said: bytes, error: str) -> None:
    """Nothing beyond the cap is passed on, whichever transport reads."""
    async with serving(saying(said)) as port, transport() as ours:
        got = 0
        with pytest.raises(BadAnswer) as caught:
            address = f"http://localhost:{port}/"
            async with ours.answer("GET", address, {}, None, Stopwatch(1.0), DEADLINE_S, way=way, cap=65_536) as response:
                async for piece in response.aiter_bytes():
                    got += len(piece)
    assert error == classify_exception(caught.value).error
    assert got <= 65_536


async def test_stream_is_pulled_when_the_server_sends_faster_than_it_is_read() -> None:
    """What nobody reads stays in the kernel: an endless body does not grow our memory."""
    async with serving(faults.endless_body) as port:
        line = await dial(
            "localhost", port, watch=Stopwatch(1.0), deadline_s=DEADLINE_S, resolver=Loopback(), guard=None
        )  # fmt: skip
        line.write(b"GET / HTTP/1.1\r\n\r\n")
        first = await line.read()
        await asyncio.sleep(0.2)
        second = await line.read()
        line.close()
    assert first.startswith(b"HTTP/1.1 200")
    assert len(second) < 2 * 1024 * 1024


# TLS


async def test_certificate_is_read_from_the_handshake_when_it_is_verified() -> None:
    """Names and end come with the answer, and stay the same object while the certificate does."""
    authority = faults.Authority()
    until = datetime(2199, 5, 6, 7, 8, 9, tzinfo=UTC)
    play = saying(OK)
    async with (
        serving(play, authority.server("api.test", not_after=until)) as port,
        transport(ssl_context=authority.client()) as ours,
    ):
        prepared = ours.prepare("GET", f"https://api.test:{port}/", {})
        first = await ours.ask(prepared, Stopwatch(1.0), DEADLINE_S)
        second = await ours.ask(prepared, Stopwatch(1.0), DEADLINE_S)
    assert isinstance(first.certificate, Certificate)
    assert (until, ("api.test",)) == (first.certificate.expires_at, first.certificate.names)
    assert ("api.test", "trustme v" in first.certificate.issuer) == (first.certificate.subject, True)
    assert first.certificate is second.certificate


async def test_handshake_names_the_host_when_the_connection_goes_to_an_address() -> None:
    """SNI and Host are the name's, whatever address was judged and connected to."""
    named: list[str | None] = []
    requests: list[bytes] = []
    authority = faults.Authority()
    server = authority.server("api.test")
    server.sni_callback = lambda tls, name, context: named.append(name)
    async with (
        serving(heard(requests), server) as port,
        transport(ssl_context=authority.client(), guard=Guard(["127.0.0.0/8"])) as ours,
    ):
        await ours.ask(ours.prepare("GET", f"https://api.test:{port}/", {}), Stopwatch(1.0), DEADLINE_S)
    assert ["api.test"] == named
    assert b"host: api.test:%d\r\n" % port in requests[0]


@pytest.mark.parametrize("way", [FRESH, Way(reuse=True)])
async def test_certificate_is_for_the_name_when_its_root_is_written(way: Way) -> None:
    """`api.test.` is looked up as it stands, and shows the certificate of `api.test`."""
    authority = faults.Authority()
    async with (
        serving(saying(OK), authority.server("api.test")) as port,
        transport(ssl_context=authority.client(), resolver=ThreadResolver(lambda name: ("127.0.0.1",))) as ours,
    ):
        prepared = ours.prepare("GET", f"https://api.test.:{port}/", {}, way=way)
        assert b"ok" == (await ours.ask(prepared, Stopwatch(1.0), DEADLINE_S)).body


async def test_line_carries_much_in_both_directions_when_it_is_encrypted() -> None:
    """Requests larger than a TLS record and answers larger than a buffer arrive whole."""
    authority = faults.Authority()
    requests: list[bytes] = []
    text = bytes(range(256)) * 4096
    async with (
        serving(heard(requests, answer(text)), authority.server()) as port,
        transport(ssl_context=authority.client()) as ours,
    ):
        prepared = ours.prepare("POST", f"https://localhost:{port}/", {}, text)
        reply = await ours.ask(prepared, Stopwatch(1.0), DEADLINE_S, cap=2 * len(text))
    assert requests[0].endswith(text)
    assert text == reply.body


# The guard


@pytest.mark.parametrize("way", [FRESH, Way(reuse=True), Way(proxy="http://127.0.0.1:9")], ids=["ours", "httpx", "proxy"])
async def test_nothing_is_connected_when_one_address_of_a_name_is_refused(way: Way) -> None:
    """Every address must pass, behind a proxy too, or a name could lead inside with its second one."""
    met: list[bytes] = []
    async with (
        serving(heard(met)) as port,
        transport(resolver=Loopback("127.0.0.1", "10.0.0.1"), guard=Guard(["127.0.0.0/8"])) as ours,
    ):
        with pytest.raises(RefusedAddress):
            await ours.ask(ours.prepare("GET", f"http://a.test:{port}/", {}, way=way), Stopwatch(1.0), DEADLINE_S)
    assert [] == met


async def test_environment_plays_no_part_when_it_names_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A probe measures the provider and not what a shell was told."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for way in (FRESH, Way(reuse=True)):
        async with serving(saying(OK)) as port, transport() as ours:
            prepared = ours.prepare("GET", f"http://localhost:{port}/", {}, way=way)
            assert b"ok" == (await ours.ask(prepared, Stopwatch(1.0), DEADLINE_S)).body


# httpx's own ways


def keeping(met: list[int], *, hang_up_after: int = 1000) -> Play:
    """Answers again and again on one connection; says in `met` how many each connection had."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met.append(0)
        mine = len(met) - 1
        while met[mine] < hang_up_after:
            await reader.readuntil(b"\r\n\r\n")
            met[mine] += 1
            writer.write(OK)
            await writer.drain()
        writer.close()

    return play


async def test_connection_is_kept_when_a_check_reuses_it() -> None:
    """Three looks, one connection; no phase is reported that did not happen."""
    met: list[int] = []
    async with serving(keeping(met)) as port, transport() as ours:
        prepared = ours.prepare("GET", f"http://localhost:{port}/", {}, way=Way(reuse=True))
        for _ in range(3):
            watch = Stopwatch(1.0)
            assert b"ok" == (await ours.ask(prepared, watch, DEADLINE_S)).body
    assert [3] == met
    assert {"dns", "first_byte"} == set(watch.phases_ms)


async def test_new_connection_is_made_when_the_kept_one_was_given_up() -> None:
    """An idle connection that the peer closed is no outage."""
    met: list[int] = []
    async with serving(keeping(met, hang_up_after=1)) as port, transport() as ours:
        prepared = ours.prepare("GET", f"http://localhost:{port}/", {}, way=Way(reuse=True))
        for _ in range(3):
            assert b"ok" == (await ours.ask(prepared, Stopwatch(1.0), DEADLINE_S)).body
    assert [1, 1, 1] == met


async def test_kept_connection_is_dropped_when_a_look_runs_out_of_time() -> None:
    """The next look starts afresh instead of waiting behind the one that hung."""
    turns: list[Play] = [faults.silence, saying(OK)]

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await turns.pop(0)(reader, writer)

    async with serving(play) as port, transport() as ours:
        prepared = ours.prepare("GET", f"http://localhost:{port}/", {}, way=Way(reuse=True))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await ours.ask(prepared, Stopwatch(1.0), DEADLINE_S)
        assert b"ok" == (await ours.ask(prepared, Stopwatch(1.0), DEADLINE_S)).body


async def test_kept_connection_is_for_one_look_at_a_time_when_two_ask_the_same() -> None:
    """A look that hangs holds up no other one; of the two connections one is kept, and one look uses it."""
    met: list[int] = []
    hung = asyncio.Event()

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met.append(0)
        mine = len(met) - 1
        while head := await reader.readuntil(b"\r\n\r\n"):
            met[mine] += 1
            if b"slow" in head:
                hung.set()
                await asyncio.sleep(faults.FOR_EVER_S)
            writer.write(OK)
            await writer.drain()

    async with serving(play) as port, transport() as ours:
        slow, quick = (
            ours.prepare("GET", f"http://localhost:{port}/", headers, way=Way(reuse=True)) for headers in ({"x-a": "slow"}, {})
        )
        hanging = asyncio.create_task(ours.ask(slow, Stopwatch(1.0), DEADLINE_S))
        await hung.wait()
        for _ in range(2):
            assert b"ok" == (await ours.ask(quick, Stopwatch(1.0), DEADLINE_S)).body
        assert not hanging.done()
        hanging.cancel()
        await asyncio.gather(hanging, return_exceptions=True)
        assert b"ok" == (await ours.ask(quick, Stopwatch(1.0), DEADLINE_S)).body
    assert [1, 3] == met


def tunnelling(asked_for: list[bytes], refuse: bytes = b"") -> Play:
    """An HTTP proxy: relays a CONNECT to this machine, whatever its name says, and answers plain requests itself."""

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        first = head.split(b"\r\n")[0]
        asked_for.append(first)
        if refuse or not first.startswith(b"CONNECT"):
            writer.write(refuse or OK)
            await writer.drain()
            return
        port = int(first.split()[1].rpartition(b":")[2])
        there, back = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        try:
            await asyncio.gather(relay(reader, back), relay(there, writer))
        finally:
            back.close()

    return play


async def test_probe_goes_through_its_proxy_when_it_has_one() -> None:
    """The proxy resolves the name; TLS is verified end to end, and the phases are those of the target."""
    asked_for: list[bytes] = []
    authority = faults.Authority()
    async with (
        serving(saying(OK), authority.server("api.test")) as port,
        serving(tunnelling(asked_for)) as proxy,
        transport(ssl_context=authority.client(), guard=Guard(["127.0.0.0/8"])) as ours,
    ):
        way = Way(proxy=f"http://127.0.0.1:{proxy}")
        watch = Stopwatch(1.0)
        reply = await ours.ask(ours.prepare("GET", f"https://api.test:{port}/", {}, way=way), watch, DEADLINE_S)
        plain = await ours.ask(ours.prepare("GET", "http://other.test/x", {}, way=way), Stopwatch(1.0), DEADLINE_S)
    assert (b"ok", b"ok") == (reply.body, plain.body)
    assert reply.certificate is not None
    assert [b"CONNECT api.test:%d HTTP/1.1" % port, b"GET http://other.test/x HTTP/1.1"] == asked_for
    assert {"dns", "connect", "tls", "first_byte"} == set(watch.phases_ms)


async def test_probe_blames_our_side_when_the_proxy_refuses() -> None:
    """What the proxy says of us is not the provider's fault."""
    async with serving(tunnelling([], b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")) as proxy, transport() as ours:
        prepared = ours.prepare("GET", "https://api.test/", {}, way=Way(proxy=f"http://127.0.0.1:{proxy}"))
        with pytest.raises(httpx.ProxyError) as caught:
            await ours.ask(prepared, Stopwatch(1.0), DEADLINE_S)
    assert "proxy_failed" == classify_exception(caught.value).error


async def test_probe_speaks_http2_when_it_is_asked_to() -> None:
    """Over ALPN, to the judged address, with the name as authority; and our own way still offers HTTP/1.1 only."""
    pytest.importorskip("h2")
    from h2.config import H2Configuration
    from h2.connection import H2Connection
    from h2.events import RequestReceived

    met: list[dict[bytes, bytes]] = []

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tls: ssl.SSLObject = writer.get_extra_info("ssl_object")
        if tls.selected_alpn_protocol() != "h2":
            return await saying(OK)(reader, writer)
        conn = H2Connection(H2Configuration(client_side=False))
        conn.initiate_connection()
        while True:
            writer.write(conn.data_to_send())
            data = await reader.read(65536)
            if not data:
                return None
            for event in conn.receive_data(data):
                if isinstance(event, RequestReceived):
                    met.append(dict(event.headers))
                    conn.send_headers(event.stream_id, [(":status", "200"), ("content-length", "2")])
                    conn.send_data(event.stream_id, b"h2", end_stream=True)

    authority = faults.Authority()
    server = authority.server("api.test")
    server.set_alpn_protocols(["h2", "http/1.1"])
    async with serving(play, server) as port, transport(ssl_context=authority.client()) as ours:
        address = f"https://api.test:{port}/v1"
        second = await ours.ask(ours.prepare("GET", address, {}, way=Way(http2=True)), Stopwatch(1.0), DEADLINE_S)
        first = await ours.ask(ours.prepare("GET", address, {}), Stopwatch(1.0), DEADLINE_S)
    assert (b"h2", b"ok") == (second.body, first.body)
    assert second.certificate is not None
    assert b"api.test:%d" % port == met[0][b":authority"]


# As a transport of httpx


async def test_client_of_httpx_works_when_it_is_given_this_transport() -> None:
    """The card says httpx transport: a plain client can use it, and finds the phases in the extensions."""
    requests: list[bytes] = []
    said = answer(gzip.compress(b"hello", mtime=0), "content-encoding: gzip")
    async with serving(heard(requests, said)) as port, transport() as ours, httpx.AsyncClient(transport=ours) as client:
        response = await client.post(f"http://localhost:{port}/", content=b"abc")
    assert (200, "hello") == (response.status_code, response.text)
    assert requests[0].endswith(b"\r\n\r\nabc")
    assert response.extensions["phases_ms"]["first_byte"] > 0


@pytest.mark.parametrize(
    ("play", "raised"),
    [
        (faults.silence, httpx.ReadTimeout),
        (saying(faults.LONG, then_hang=True), httpx.ReadTimeout),
        (faults.reset, httpx.ReadError),
        (saying(), httpx.RemoteProtocolError),
    ],
    ids=["hang", "stalled body", "reset", "empty"],
)
async def test_client_of_httpx_gets_its_own_errors_when_the_wire_goes_wrong(
    play: Play, raised: type[httpx.TransportError]
) -> None:
    """Who speaks httpx hears httpx; the total is bounded by the longest of its timeouts."""
    async with serving(play) as port, transport() as ours, httpx.AsyncClient(transport=ours, timeout=0.2) as client:
        with pytest.raises(raised):
            await client.get(f"http://localhost:{port}/")


async def test_client_of_httpx_cannot_connect_when_nobody_listens_or_the_guard_refuses() -> None:
    """Both are a ConnectError for it, and still tell themselves apart."""
    async with transport(guard=Guard()) as ours, httpx.AsyncClient(transport=ours) as client:
        with pytest.raises(httpx.ConnectError) as refused:
            await client.get("http://localhost:9/")
    async with transport() as ours, httpx.AsyncClient(transport=ours) as client:
        with pytest.raises(httpx.ConnectError) as closed:
            await client.get("http://localhost:9/")
    assert ("address_refused", "connect_refused") == (
        classify_exception(refused.value).error,
        classify_exception(closed.value).error,
    )


# Lines


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_lines_are_the_same_when_they_are_cut_anywhere(size: int) -> None:
    """LF, CRLF and CR end lines, wherever the pieces end."""
    stream = "event: a\r\ndata: é\n\ndata: 2\rdata: 3\r\n\r\nlast".encode()
    splitter = LineSplitter()
    lines = [line for at in range(0, len(stream), size) for line in splitter.feed(stream[at : at + size])]
    assert ["event: a", "data: é", "", "data: 2", "data: 3", ""] == lines
    assert ["last"] == splitter.finish()
    assert [] == splitter.finish()


def test_line_is_refused_when_it_does_not_end() -> None:
    """A line over the cap is not kept in memory."""
    splitter = LineSplitter()
    with pytest.raises(BadAnswer):
        for _ in range(LINE_CAP // 65536 + 1):
            splitter.feed(b"x" * 65536)


# The stopwatch


async def test_stopwatch_counts_domain_time_when_the_clock_runs_fast() -> None:
    """At a thousand times the speed, ten real milliseconds are ten seconds; a phase keeps its first start."""
    watch = Stopwatch(1000.0)
    watch.begin("connect")
    await asyncio.sleep(0.01)
    watch.begin("connect")
    watch.end("connect")
    watch.stop()
    assert timedelta(seconds=9) < timedelta(milliseconds=watch.phases_ms["connect"]) < timedelta(seconds=60)
    assert watch.phases_ms["connect"] <= watch.phases_ms["total"]
    assert "connect" == watch.waits_for


@pytest.mark.parametrize("said", [OK, CHUNKED + b"9\r\ntoo long!\r\n", b"HTTP/1.1 2 OK\r\n\r\n"], ids=["good", "cut", "broken"])
async def test_probe_leaves_no_garbage_when_it_is_over(said: bytes) -> None:
    """Collecting garbage stops everything; what ten thousand probes used is free without it."""
    gc.collect()
    gc.disable()
    try:
        async with serving(saying(said, then_hang=True)) as port, transport() as ours:
            with suppress(BadAnswer):
                await ours.ask(ours.prepare("GET", f"http://localhost:{port}/", {}), Stopwatch(1.0), DEADLINE_S, cap=4)
        assert [] == [one for one in gc.get_objects() if isinstance(one, AnswerReader)]
    finally:
        gc.enable()
