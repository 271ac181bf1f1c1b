"""The HTTP check against real sockets: a scripted raw server, and the sample that results."""

import asyncio
import contextlib
import gzip
import json
import socket
import ssl
import time
from datetime import UTC, datetime, timedelta

import pytest
import trustme

from bot.checks.http import HttpCheck, HttpProber, Statuses
from bot.checks.net.address_guard import Guard
from bot.checks.net.resolve import Resolved
from bot.config.checks.json_rules import parse_expectation
from bot.core.model import Fault, Outcome, Sample
from bot.system.clock import Clock, ManualClock, ScaledClock
from bot.system.redaction import HIDDEN
from tests.checks.net.faults import Play
from tests.checks.net.faults import serving as raw_server

START = datetime(2030, 1, 7, 9, 0, tzinfo=UTC)


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
    """Probe, and assert that the deadline was kept. A busy machine makes a sample inconclusive; then it is repeated."""
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


async def endless_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"x" * 16384)
        await writer.drain()


OK_HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n"
THEIRS, UNCLEAR = Fault.THEIRS, Fault.UNCLEAR

# What goes wrong on the wire has a matrix of its own (test_fault_matrix.py); here are the words for people.
MATRIX: list[tuple[str, Play, str, Fault, str]] = [
    ("hang", saying(then_hang=True), "deadline", THEIRS, "no answer within 400 ms"),
    (
        "stalled body",
        saying(OK_HEAD + b"x" * 10, then_hang=True),
        "body_timeout",
        THEIRS,
        "began but did not finish within 400 ms",
    ),
    ("short body", saying(OK_HEAD + b"x" * 10), "truncated", THEIRS, "the answer broke off in the middle after "),
    ("status 999", saying(response(999, b"")), "http_unexpected", UNCLEAR, "HTTP 999 after"),
    ("bad gateway", saying(response(502, b"<h1>no</h1>")), "gateway", THEIRS, "HTTP 502 after"),
    ("gateway timeout", saying(response(504, b"")), "gateway", THEIRS, "HTTP 504 after"),
    ("internal error", saying(response(500, b"")), "http_5xx", THEIRS, "HTTP 500 after"),
    ("overloaded", saying(response(529, b"{}")), "overloaded", THEIRS, "the provider says that it is overloaded"),
    ("rate limited", saying(response(429, b"{}")), "rate_limited", Fault.OURS_QUOTA, "we are over our rate limit"),
    ("bad key", saying(response(401, b"{}")), "auth", Fault.OURS_KEY, "our key was not accepted"),
    ("gone", saying(response(404, b"{}")), "not_found", Fault.OURS_CONFIG, "does not know the path or the model"),
    ("redirect", saying(response(302, b"", "location: /other")), "http_unexpected", UNCLEAR, "HTTP 302 after"),
]


@pytest.mark.parametrize(("play", "error", "fault", "words"), [row[1:] for row in MATRIX], ids=[row[0] for row in MATRIX])
async def test_http_probe_names_the_class_when_the_server_misbehaves(play: Play, error: str, fault: Fault, words: str) -> None:
    """Each failure has its own class, side and sentence, and keeps the deadline."""
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


async def test_http_probe_says_proxy_when_our_proxy_is_gone() -> None:
    """A proxy that refuses the connection says nothing about the provider."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        there = f"http://me:pw-secret@127.0.0.1:{unused.getsockname()[1]}"
        wanted = check(1, proxy=there, deadline=timedelta(seconds=5))
        sample = await probed(wanted)
    assert ("proxy_failed", Fault.LOCAL) == (sample.error, sample.fault)
    assert "secret" not in repr((wanted, sample))


async def test_http_probe_says_proxy_when_our_proxy_speaks_something_else() -> None:
    """If the answer to CONNECT is not HTTP, the fault is on our side."""
    async with raw_server(saying(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")) as port:
        wanted = check(1, url="https://127.0.0.1:1/", proxy=f"http://127.0.0.1:{port}", deadline=timedelta(seconds=5))
        sample = await probed(wanted)
    assert ("proxy_failed", Fault.LOCAL) == (sample.error, sample.fault)


async def test_http_probe_says_connect_timeout_when_the_backlog_is_full() -> None:
    """A connection that is never accepted is distinguished from an answer that never comes."""
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


async def test_http_probe_is_inconclusive_when_the_text_may_be_after_the_cap() -> None:
    """The unread part cannot be held against the provider."""
    async with raw_server(endless_body) as port:
        sample = await probed(check(port, contains="hello"))
    assert (Outcome.INCONCLUSIVE, "too_large") == (sample.outcome, sample.error)


async def test_http_probe_fails_when_the_wanted_text_is_missing() -> None:
    """A 200 with the wrong content is a failure."""
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


async def test_http_probe_accepts_configured_statuses() -> None:
    """A healthy front page may answer robots with 403."""
    async with raw_server(saying(response(403, b"no robots"))) as port:
        sample = await probed(check(port, statuses=Statuses.of(200, 403)))
    assert Outcome.OK == sample.outcome


async def test_http_probe_shows_no_secret_when_the_provider_echoes_it() -> None:
    """Neither the excerpt nor the request id repeats a secret from our headers or query."""
    body = b'{"error":"bad key sk-secret-123 and ' + b"k" * 300 + b' q-secret-456"}'
    async with raw_server(saying(response(401, body, "request-id: sk-secret-123", "retry-after: 7"))) as port:
        wanted = check(
            port, url=f"http://127.0.0.1:{port}/?key=q-secret-456", headers={"Authorization": "Bearer sk-secret-123"}
        )
        sample = await probed(wanted)
    assert "secret" not in repr(sample).replace(HIDDEN, "")
    assert "secret-123" not in repr(wanted)
    assert "7" == sample.evidence["retry_after"]
    assert 200 == len(sample.evidence["excerpt"])


@pytest.mark.parametrize(
    "said",
    [
        b'{"error": {"code": "Bad key SK-Secret/1<2+3"}}',
        b"cannot find /?key=Q%2Fsecret%2B9",
        b"cannot find /?KEY=q%2fSECRET%2b9 or Q/secret+9".replace(b"SECRET", b"secret"),
        b'{"sent": "SK-Secret\\/1<2+3"}',
        b"<p>SK-Secret/1&lt;2+3</p>",
    ],
)
async def test_http_probe_shows_no_secret_when_the_provider_re_encodes_it(said: bytes) -> None:
    """In lower case, or escaped for a URL, JSON or HTML."""
    async with raw_server(saying(response(400, said))) as port:
        headers = {"Authorization": "Bearer SK-Secret/1<2+3"}
        sample = await probed(check(port, url=f"http://127.0.0.1:{port}/?key=Q%2Fsecret%2B9", headers=headers))
    assert "secret" not in repr(sample).lower().replace(HIDDEN, "")
    assert "[secret]" in sample.evidence["excerpt"]


async def test_http_probe_shows_no_part_of_a_secret_at_a_cut() -> None:
    """Known secrets are redacted before the excerpt is cut."""
    known = frozenset({"hook-secret-77", "client-secret-88"})
    async with raw_server(saying(response(400, b"x" * 190 + b" client-secret-88 /hook-secret-77"))) as port:
        body = b'{"client_secret": "client-secret-88"}'
        wanted = check(port, url=f"http://127.0.0.1:{port}/hook-secret-77", method="POST", body=body)
        sample = await probed(wanted, known_secrets=known)
    assert "secret" not in repr(sample).replace(HIDDEN, "")
    assert sample.evidence["excerpt"].endswith("x [secret] ")


async def test_http_probe_strips_control_characters_from_the_excerpt() -> None:
    """Escape codes and direction marks must not reach a terminal."""
    async with raw_server(saying(response(500, "a\x1b[31m\u202eb\x00\nc".encode()))) as port:
        sample = await probed(check(port))
    assert "a [31m b c" == sample.evidence["excerpt"]


async def test_http_probe_blames_the_check_when_it_cannot_be_sent() -> None:
    """A key with a line break or a URL without a host is our configuration error, and is not quoted."""
    for changes in ({"headers": {"x-api-key": "sk-1234567\n"}}, {"headers": {"x-api-key": "ключ"}}, {"url": "nonsense"}):
        async with raw_server(saying(response(200, b""))) as port:
            sample = await probed(check(port, **changes))
        assert ("bad_check", Fault.OURS_CONFIG) == (sample.error, sample.fault)
        assert "sk-" not in repr(sample)


class ScriptedResolver:
    """A resolver with fixed answers; None hangs."""

    def __init__(self, answer: list[str] | Exception | None, stale: bool = False) -> None:
        self._answer = answer
        self._stale = stale

    async def addresses(self, host: str, port: int) -> Resolved:
        if self._answer is None:
            await asyncio.sleep(60)
        if isinstance(self._answer, Exception):
            raise self._answer
        return Resolved(tuple(self._answer or ()), self._stale)

    def close(self) -> None:
        self._answer = None


@pytest.mark.parametrize(
    ("answer", "error", "fault"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "dns_nxdomain", Fault.THEIRS),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"), "dns", Fault.UNCLEAR),
        (None, "dns_timeout", Fault.UNCLEAR),
    ],
    ids=["no such name", "a resolver in trouble", "silence"],
)
async def test_http_probe_says_dns_when_the_name_does_not_resolve(answer: Exception | None, error: str, fault: Fault) -> None:
    """A missing name, a failing resolver and a silent resolver are three classes."""
    wanted = check(1, url="http://api.example.test/")
    sample = await probed(wanted, resolver=ScriptedResolver(answer))
    assert (error, fault) == (sample.error, sample.fault)


async def test_http_probe_tries_the_next_address_when_one_refuses() -> None:
    """A single dead address is not an outage; stale addresses are reported."""
    async with raw_server(saying(response(200, b"ok"))) as port:
        wanted = check(port, url=f"http://api.example.test:{port}/")
        sample = await probed(wanted, resolver=ScriptedResolver(["127.0.0.2", "127.0.0.1"], stale=True))
    assert (Outcome.OK, "stale") == (sample.outcome, sample.evidence["dns"])


async def test_http_probe_does_not_connect_to_a_blocked_address() -> None:
    """A name that resolves to a private address is refused on connecting, unless its network is allowed."""
    async with raw_server(saying(response(200, b"ok"))) as port:
        wanted = check(port, url=f"http://api.example.test:{port}/")
        there = ScriptedResolver(["127.0.0.1"])
        refused = await probed(wanted, resolver=there, guard=Guard())
        there = ScriptedResolver(["127.0.0.1"])
        allowed = await probed(wanted, resolver=there, guard=Guard(["127.0.0.0/8"]))
    assert ("address_refused", Outcome.FAIL) == (refused.error, refused.outcome)
    assert "list its network under allow_private" in refused.reason
    assert (Outcome.OK, True) == (allowed.outcome, allowed.inside)


async def test_http_probe_is_inconclusive_when_the_event_loop_stalled() -> None:
    """A deadline that a blocked loop noticed late proves nothing."""

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
    assert "no answer within 10 s" == sample.reason
    assert sample.phases_ms["total"] >= 9_900


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def server_side(issued: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued.configure_cert(context)
    return context


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


async def looked_at(issued: trustme.LeafCert, trust: ssl.SSLContext) -> Sample:
    async with raw_server(saying(response(200, b"ok")), server_side(issued)) as port:
        wanted = check(port, url=f"https://api.example.test:{port}/", deadline=timedelta(seconds=2))
        return await probed(wanted, resolver=ScriptedResolver(["127.0.0.1"]), ssl_context=trust)


async def test_http_probe_measures_tls_when_the_certificate_is_good(authority: trustme.CA) -> None:
    """The handshake has its own phase, and the evidence gives the certificate's expiry."""
    sample = await looked_at(authority.issue_cert("api.example.test"), trusting(authority))
    assert (Outcome.OK, True) == (sample.outcome, sample.phases_ms["tls"] > 0)
    assert datetime.fromisoformat(sample.evidence["certificate_expires"]) > START


async def test_http_probe_names_the_class_when_the_certificate_is_bad(authority: trustme.CA) -> None:
    """Expired, issued for another name and untrusted are three classes."""
    trust = trusting(authority)
    expired = authority.issue_cert("api.example.test", not_after=datetime(2020, 1, 1, tzinfo=UTC))
    good = authority.issue_cert("api.example.test")
    samples = [
        await looked_at(expired, trust),
        await looked_at(authority.issue_cert("www.example.test"), trust),
        await looked_at(good, ssl.create_default_context()),
    ]
    assert ["tls_expired", "tls_wrong_host", "tls_untrusted"] == [sample.error for sample in samples]
    assert [Fault.THEIRS, Fault.UNCLEAR, Fault.UNCLEAR] == [sample.fault for sample in samples]


async def test_http_probe_says_tls_when_a_plain_port_is_asked_for_tls() -> None:
    """A TLS handshake with a plain-text server fails."""

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(5)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        await reader.read()

    async with raw_server(plain) as port:
        sample = await probed(check(port, url=f"https://127.0.0.1:{port}/"))
    assert "tls" == sample.error


async def test_http_probe_names_the_handshake_when_tls_hangs() -> None:
    """The timeout says in which phase it happened."""

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    async with raw_server(mute) as port:
        sample = await probed(check(port, url=f"https://127.0.0.1:{port}/"))
    assert ("tls_timeout", "tls") == (sample.error, sample.evidence["waited_for"])
    assert "the TLS handshake did not finish within 400 ms" == sample.reason


# --- what the check expects


JSON = "content-type: application/json"


async def answered(said: bytes, **changes: object) -> Sample:
    async with raw_server(saying(said)) as port:
        return await probed(check(port, **changes))


@pytest.mark.parametrize(
    ("said", "changes", "error"),
    [
        (response(200, b"{}", "x-region: eu-1"), {"header": {"X-Region": "^eu-"}}, None),
        (response(200, b"{}", "x-region: us-1"), {"header": {"X-Region": "^eu-"}}, "header_mismatch"),
        (response(200, b"{}"), {"header": {"X-Region": "^eu-"}}, "header_mismatch"),
        (response(200, b"all good"), {"excludes": "sorry", "contains": "good", "matches": "a(l+)"}, None),
        (response(200, b"sorry, all good"), {"excludes": "sorry"}, "body_mismatch"),
        (response(200, b"all bad"), {"matches": "^go+d"}, "body_mismatch"),
        (response(200, b'{"status":"ok"}', JSON), {"json": ("$.status == 'ok'",)}, None),
        (response(200, b'{"status":"bad"}', JSON), {"json": ("$.status exists", "$.status == 'ok'")}, "json_mismatch"),
        (response(200, b"plain", JSON), {"json": ("$.status exists",)}, "not_json"),
        (response(200, b"<html>wifi</html>"), {"json": ("$.status exists",)}, "html_instead"),
        (response(200, b"[" * 60_000, JSON), {"json": ("$.status exists",)}, "not_json"),
        (response(202, b"", "x-amzn-waf-action: challenge"), {}, "challenge"),
        (response(405, b"<html>prove it</html>"), {}, "challenge"),
        (response(200, b"{}", "content-encoding: gzip")[:-2] + gzip.compress(b"{}", mtime=0), {}, "truncated"),
    ],
)
async def test_http_probe_names_the_unmet_expectation(said: bytes, changes: dict[str, object], error: str | None) -> None:
    """Headers, text, patterns and JSON each have their own class."""
    if "json" in changes:
        changes = {"json": tuple(parse_expectation(text) for text in changes["json"])}  # type: ignore[attr-defined]
    assert error == (await answered(said, **changes)).error


async def test_http_probe_shows_what_was_found_when_json_differs() -> None:
    """The reason contains only our words, the evidence the provider's."""
    said = response(200, json.dumps({"status": "down\u202e" + "x" * 500}).encode(), JSON)
    sample = await answered(said, json=(parse_expectation("$.status == 'ok'"),))
    assert sample.reason.endswith("the JSON is not as expected ($.status == 'ok')")
    assert sample.evidence["said"].startswith('"down x')
    assert len(sample.evidence["said"]) <= 100


async def test_http_probe_reads_more_when_json_is_expected() -> None:
    """Lists of models are longer than 64 KiB; JSON that is longer than a MiB is not read."""
    rule = (parse_expectation("len($.data) == 3"),)
    long = json.dumps({"data": ["x" * 100_000] * 3}).encode()
    assert None is (await answered(response(200, long, JSON), json=rule, deadline=timedelta(seconds=2))).error
    longer = json.dumps({"data": ["x" * 500_000] * 3}).encode()
    assert "too_large" == (await answered(response(200, longer, JSON), json=rule, deadline=timedelta(seconds=2))).error


async def test_http_probe_is_inconclusive_when_a_pattern_takes_too_long() -> None:
    """A pattern with exponential backtracking is stopped in time and says nothing about the provider."""
    sample = await answered(response(200, b"a" * 60_000 + b"!"), matches="(a+)+$")
    assert ("pattern_timeout", Outcome.INCONCLUSIVE, Fault.OURS_CONFIG) == (sample.error, sample.outcome, sample.fault)
    assert sample.phases_ms["total"] < 400


async def test_http_probe_keeps_the_providers_error_code() -> None:
    """The code is escaped and does not contain our key."""
    said = json.dumps({"error": {"type": "overloaded_error", "message": "m"}}).encode()
    sample = await answered(response(529, said, "retry-after: 30", "request-id: req_2"))
    assert {"status": "529", "request_id": "req_2", "retry_after": "30", "said": "overloaded_error"} == {
        name: value for name, value in sample.evidence.items() if name != "excerpt"
    }


async def test_http_probe_keeps_a_longer_excerpt_of_an_unknown_error() -> None:
    """An unclear body is worth a long excerpt."""
    sample = await answered(response(451, b"z" * 5000))
    assert 600 == len(sample.evidence["excerpt"])


async def test_http_probe_skips_early_hints() -> None:
    """A 103 is no final answer; the real one follows."""
    sample = await answered(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" + response(200, b"ok"))
    assert (Outcome.OK, "200") == (sample.outcome, sample.evidence["status"])


async def test_http_probe_suspects_the_provider_when_a_key_that_worked_is_refused() -> None:
    """A key refused from the start is ours; one that worked a minute ago is not silently ours, and hours later it is again."""
    clock = ManualClock(START)
    prober = HttpProber(clock)
    statuses = iter([401, 200, 401, 401])

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(response(next(statuses), b"{}"))
        await writer.drain()

    seen = []
    async with raw_server(play) as port:
        wanted = check(port, headers={"x-api-key": "sk-1234567"}, deadline=timedelta(seconds=5))
        for wait in (timedelta(minutes=1), timedelta(minutes=1), timedelta(days=1), timedelta(0)):
            sample = await prober.probe(wanted)
            seen.append((sample.error, sample.fault))
            clock.advance(wait)
        await prober.close()
    ours = ("auth", Fault.OURS_KEY)
    assert [ours, (None, Fault.NONE), ("auth_sudden", Fault.UNCLEAR), ours] == seen
