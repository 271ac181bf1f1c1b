"""Where redirects lead: who is followed, what goes along, and what is refused, by rows and over real sockets."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from bot.checks.http import HttpCheck, HttpProber
from bot.checks.judging.failure import Failure
from bot.checks.net.address_guard import Guard
from bot.checks.net.redirects import Hop, next_hop
from bot.checks.net.resolve import Resolved
from bot.core.model import Outcome, Sample
from bot.system.clock import ManualClock

START = datetime(2030, 1, 7, 9, 0, tzinfo=UTC)
SECRETS = {"x-api-key": "sk-1234567", "Authorization": "Bearer 1", "Host": "other.test", "Accept": "text/plain"}
GET = Hop("GET", "https://api.example.test/v1/a?x=1", SECRETS, None)
POST = Hop("POST", "https://api.example.test/v1/a", SECRETS | {"Content-Type": "application/json"}, b"{}")


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/b", "https://api.example.test/b"),
        ("b?y=2#part", "https://api.example.test/v1/b?y=2"),
        ("//api.example.test/c", "https://api.example.test/c"),
        ("https://api.example.test:443/c", "https://api.example.test/c"),
    ],
)
def test_headers_go_along_when_the_host_stays(location: str, url: str) -> None:
    """The same scheme, host and port may see the key."""
    assert Hop("GET", url, SECRETS, None) == next_hop(GET, 302, location)


@pytest.mark.parametrize(
    "location", ["https://evil.test/", "https://api.example.test:8443/", "https://api.example.test.evil.test/"]
)
def test_credentials_stay_behind_when_the_host_changes(location: str) -> None:
    """Only harmless headers are shown to another host or port."""
    there = next_hop(GET, 307, location)
    assert isinstance(there, Hop)
    assert {"Accept": "text/plain"} == there.headers


def test_credentials_stay_behind_when_the_scheme_changes() -> None:
    """Up to https is fine; the key was for the plain one."""
    there = next_hop(Hop("GET", "http://api.example.test/", SECRETS, None), 301, "https://api.example.test/")
    assert isinstance(there, Hop)
    assert {"Accept": "text/plain"} == there.headers


@pytest.mark.parametrize(
    "location",
    ["http://api.example.test/", "ftp://api.example.test/", "javascript:alert(1)", "file:///etc/passwd", "http://[::1",
     "https://user:pass@api.example.test/", "https://api.example.test:99999/", "https://a\x00b/"],
)  # fmt: skip
def test_redirect_is_refused_when_it_leads_astray(location: str) -> None:
    """No way down from https, no other schemes, no borrowed credentials, no nonsense."""
    there = next_hop(GET, 302, location)
    assert isinstance(there, Failure)
    assert "redirect_refused" == there.error


def test_body_goes_along_only_when_the_method_and_the_host_stay() -> None:
    """A POST becomes a GET as in browsers, unless the status keeps it; a body is not carried to strangers."""
    again = next_hop(POST, 308, "/b")
    other = next_hop(POST, 303, "https://other.test/b")
    assert again == Hop("POST", "https://api.example.test/b", POST.headers, b"{}")
    assert other == Hop("GET", "https://other.test/b", {"Accept": "text/plain"}, None)
    assert Failure("redirect_refused", "it would carry the request's body to another host") == next_hop(
        POST, 307, "https://other.test/b"
    )


class Names:
    """A resolver for `*.test`: everything is on this machine, `inner.test` on another of its addresses."""

    async def addresses(self, host: str, port: int) -> Resolved:
        return Resolved(("127.0.0.2",) if host == "inner.test" else ("127.0.0.1",))

    def close(self) -> None:
        """Nothing is held."""


Route = Callable[[str, Mapping[str, str]], tuple[int, str]]


@asynccontextmanager
async def routed(route: Route) -> AsyncIterator[tuple[int, list[tuple[str, dict[str, str]]]]]:
    """A server that answers a path with a status and a location; yields its port and what it was asked."""
    asked: list[tuple[str, dict[str, str]]] = []

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:] if line)}
        path = lines[0].split()[1]
        asked.append((path, headers))
        status, location = route(path, headers)
        where = f"location: {location}\r\n" if location else ""
        writer.write(f"HTTP/1.1 {status} X\r\n{where}content-length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(meet, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], asked
    finally:
        server.close()


async def followed(port: int, redirects: int, guard: Guard | None = None) -> Sample:
    prober = HttpProber(ManualClock(START), resolver=Names(), guard=guard)
    wanted = HttpCheck(
        "a.b.c", "a.b", f"http://api.test:{port}/0", headers={"x-api-key": "sk-1234567"}, redirects=redirects,
        deadline=timedelta(seconds=5),
    )  # fmt: skip
    try:
        return await prober.probe(wanted)
    finally:
        await prober.close()


def chain(length: int) -> Route:
    """`/0` leads to `/1` and so on; the last one is well."""
    return lambda path, _: (302, f"/{int(path[1:]) + 1}") if int(path[1:]) < length else (200, "")


@pytest.mark.parametrize(
    ("length", "redirects", "error", "asked"),
    [(1, 0, "http_unexpected", 1), (1, 1, None, 2), (5, 5, None, 6), (3, 2, "http_unexpected", 3)],
)
async def test_redirects_are_followed_when_the_check_says_how_many(
    length: int, redirects: int, error: str | None, asked: int
) -> None:
    """Each hop is a request of its own, and the phases are those of all together."""
    async with routed(chain(length)) as (port, seen):
        sample = await followed(port, redirects)
    assert (error, asked) == (sample.error, len(seen))
    assert (str(asked - 1) if asked > 1 else None) == sample.evidence.get("redirects")
    parts = [sample.phases_ms[phase] for phase in ("dns", "connect", "first_byte")]
    assert sum(parts) <= sample.phases_ms["total"] + 0.01


async def test_circle_is_left_when_redirects_lead_back() -> None:
    """It ends at the first repetition, not at the limit."""
    async with routed(lambda path, _: (302, "/1" if path == "/0" else "/0")) as (port, seen):
        sample = await followed(port, 5)
    assert ("redirect_loop", 2) == (sample.error, len(seen))


async def test_guard_judges_again_when_a_redirect_leads_inside() -> None:
    """A public name cannot send us to a private address."""
    async with routed(lambda path, _: (302, "http://inner.test:1/")) as (port, seen):
        sample = await followed(port, 3, Guard(["127.0.0.1/32"]))
    assert ("address_refused", Outcome.FAIL, 1) == (sample.error, sample.outcome, len(seen))


async def test_key_is_not_sent_when_a_redirect_leads_to_another_host() -> None:
    """On the wire, too."""

    def route(path: str, headers: Mapping[str, str]) -> tuple[int, str]:
        return (302, f"http://other.test:{headers['host'].partition(':')[2]}/1") if path == "/0" else (200, "")

    async with routed(route) as (port, seen):
        sample = await followed(port, 1)
    assert Outcome.OK == sample.outcome
    assert [("/0", "sk-1234567"), ("/1", None)] == [(path, headers.get("x-api-key")) for path, headers in seen]
    assert f"other.test:{port}" == seen[1][1]["host"]


async def test_answer_is_judged_as_it_is_when_a_redirect_leads_nowhere() -> None:
    """A redirect without a location is only an unexpected status."""
    async with routed(lambda path, _: (302, "")) as (port, _):
        sample = await followed(port, 3)
    assert ("http_unexpected", None) == (sample.error, sample.evidence.get("redirects"))
