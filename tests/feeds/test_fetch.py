"""Reading pages over real sockets: validators, second addresses, and what is kept when a page is away."""

import asyncio
import contextlib
import gzip
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from bot.checks.net.address_guard import Guard
from bot.checks.net.transport import Transport
from bot.core.model import FeedReport, FeedState, Level
from bot.feeds.fetch import FeedReader, FeedSource
from bot.system.clock import ManualClock

START = datetime(2030, 1, 7, 9, 0, tzinfo=UTC)
DOWN = b'{"components": [{"id": "c", "status": "major_outage"}], "incidents": []}'
IDS = {"acme.api": "c"}


@asynccontextmanager
async def serving(*answers: web.Response | str, host: str = "127.0.0.1") -> AsyncIterator[tuple[str, list[web.Request]]]:
    """A page that gives these answers in turn, the last one for ever; `hang` and `drop` are answers too."""
    seen: list[web.Request] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request)
        said = answers[min(len(seen), len(answers)) - 1]
        if said == "hang":
            await asyncio.sleep(60)
        if isinstance(said, str):
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return web.Response(status=said.status, headers=said.headers, body=said.body)

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, host, 0)
    await site.start()
    try:
        yield f"http://{host}:{runner.addresses[0][1]}/summary.json", seen
    finally:
        await runner.cleanup()


def ok(body: bytes = DOWN, **headers: str) -> web.Response:
    return web.Response(body=body, headers={name.replace("_", "-"): value for name, value in headers.items()})


@asynccontextmanager
async def reading(clock: ManualClock | None = None, *, allow: tuple[str, ...] = ("127.0.0.0/8",)) -> AsyncIterator[FeedReader]:
    transport = Transport(guard=Guard(allow))
    reader = FeedReader(clock or ManualClock(START), transport, version="1.2", deadline=timedelta(seconds=0.5))
    try:
        yield reader
    finally:
        await reader.close()


def source(*urls: str, dialect: str = "statuspage") -> FeedSource:
    return FeedSource("acme", dialect, urls, IDS)


async def once(*answers: web.Response | str) -> FeedReport:
    async with serving(*answers) as (url, _), reading() as reader:
        return await reader.read(source(url))


async def test_report_is_fresh_when_the_page_answers() -> None:
    """Levels come through, and the reader says honestly who it is."""
    async with serving(ok()) as (url, seen), reading() as reader:
        report = await reader.read(source(url))
    assert (FeedState.FRESH, {"acme.api": Level.DOWN}) == (report.state, report.levels)
    assert "understudy/1.2 (+status reader)" == seen[0].headers["user-agent"]


async def test_report_is_fresh_again_when_nothing_changed() -> None:
    """The validator is sent back; 304 means the same words, read now."""
    clock = ManualClock(START)
    async with serving(ok(etag='W/"1"'), web.Response(status=304)) as (url, seen), reading(clock) as reader:
        await reader.read(source(url))
        clock.advance(timedelta(minutes=1))
        report = await reader.read(source(url))
    assert [None, 'W/"1"'] == [request.headers.get("if-none-match") for request in seen]
    assert (FeedState.FRESH, {"acme.api": Level.DOWN}) == (report.state, report.levels)
    assert START + timedelta(minutes=1) == report.at


async def test_second_address_is_read_when_the_first_fails() -> None:
    """A page that moved is found, and the report says what was wrong with the first address."""
    async with serving(web.Response(status=503)) as (bad, _), serving(ok()) as (good, _), reading() as reader:
        report = await reader.read(source(bad, good))
    assert (FeedState.FRESH, "127.0.0.1: HTTP 503") == (report.state, report.reason)


async def test_report_is_stale_when_the_page_goes_away() -> None:
    """The last word is kept and dated; it is not taken for well."""
    clock = ManualClock(START)
    async with serving(ok(), "hang") as (url, _), reading(clock) as reader:
        await reader.read(source(url))
        clock.advance(timedelta(minutes=5))
        report = await reader.read(source(url))
    assert (FeedState.STALE, {"acme.api": Level.DOWN}) == (report.state, report.levels)
    assert "last read 2030-01-07 09:00 UTC: 127.0.0.1: no answer within 0.5 s" == report.reason


async def test_report_is_fresh_when_the_page_comes_back() -> None:
    """One failure is not remembered longer than it lasts."""
    async with serving(ok(), "drop", ok()) as (url, _), reading() as reader:
        states = [(await reader.read(source(url))).state for _ in range(3)]
    assert [FeedState.FRESH, FeedState.STALE, FeedState.FRESH] == states


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (web.Response(status=404), "HTTP 404"),
        (web.Response(status=304), "HTTP 304"),
        (ok(b"<html>one moment"), "HTML instead of JSON"),
        (ok(b"{}"), "another dialect"),
        (ok(b" " * (2 * 1024 * 1024 + 1)), "larger than 2 MiB"),
        (ok(gzip.compress(b" " * (2 * 1024 * 1024 + 1), mtime=0), content_encoding="gzip"), "larger than 2 MiB"),
        (ok(DOWN, content_encoding="gzip"), "not the gzip it claims"),
        (ok(DOWN, content_encoding="br"), "packed as 'br'"),
        ("drop", "the connection broke off"),
        ("hang", "no answer within 0.5 s"),
    ],
)
async def test_report_is_unknown_with_a_reason_when_the_first_reading_fails(answer: web.Response | str, words: str) -> None:
    """Nothing is made up of a page that was never read."""
    report = await once(answer)
    assert (FeedState.UNKNOWN, {}, ()) == (report.state, report.levels, report.notices)
    assert "never read: " in report.reason
    assert words in report.reason


async def test_packed_answer_is_read_when_the_page_sends_gzip() -> None:
    """gzip is asked for, and understood."""
    report = await once(ok(gzip.compress(DOWN, mtime=0), content_encoding="gzip"))
    assert FeedState.FRESH == report.state


async def test_no_more_is_unpacked_than_any_page_holds() -> None:
    """64 MiB in 64 KiB: the rest stays packed, and the memory of the bot is its own."""
    bomb = ok(gzip.compress(bytes(64 * 1024 * 1024), mtime=0), content_encoding="gzip")
    tracemalloc.start()
    try:
        report = await once(bomb)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert "larger than 2 MiB" in report.reason
    assert most < 16 * 1024 * 1024


async def test_redirect_is_followed_when_the_page_moved() -> None:
    """Vendors move their pages; a circle ends."""
    async with (
        reading() as reader,
        serving(ok()) as (there, _),
        serving(web.Response(status=302, headers={"location": there})) as (here, _),
    ):
        moved = await reader.read(source(here))
    async with serving(web.Response(status=302, headers={"location": "/again"})) as (url, _), reading() as reader:
        circle = await reader.read(source(url))
    assert FeedState.FRESH == moved.state
    assert "redirects more than 3 times" in circle.reason


async def test_no_inner_address_is_reached_when_a_page_redirects_there() -> None:
    """Whoever owns a page cannot have us ask our own machine; only what `allow_private` lists is reached."""
    async with (
        reading(allow=("127.0.0.1/32",)) as reader,
        serving(ok(), host="127.0.0.2") as (inner, asked),
        serving(web.Response(status=302, headers={"location": inner})) as (page, _),
    ):
        report = await reader.read(source(page))
    assert (FeedState.UNKNOWN, []) == (report.state, asked)
    assert "127.0.0.2 is loopback; list its network under allow_private" in report.reason


@pytest.mark.parametrize(
    "address", ["http://169.254.169.254/latest/meta-data/", "http://[::ffff:169.254.169.254]/", "http://2130706434/"]
)
async def test_no_metadata_service_is_reached_when_a_page_redirects_there(address: str) -> None:
    """Not in another notation either, and not at the second hop."""
    async with (
        reading(allow=("127.0.0.1/32",)) as reader,
        serving(web.Response(status=302, headers={"location": address})) as (second, _),
        serving(web.Response(status=307, headers={"location": second})) as (first, _),
    ):
        report = await reader.read(source(first))
    assert FeedState.UNKNOWN is report.state
    assert "list its network under allow_private" in report.reason


async def test_an_inner_page_is_not_read_unless_its_network_is_listed() -> None:
    """A page of ours is configured like a check of ours."""
    async with reading(allow=()) as reader, serving(ok()) as (page, asked):
        report = await reader.read(source(page))
    assert ([], "list its network under allow_private" in report.reason) == (asked, True)


async def test_report_is_unknown_when_the_source_is_misconfigured() -> None:
    """Odd addresses and dialects are told, without the query, which may hold a token."""
    async with reading() as reader:
        nowhere = await reader.read(source())
        odd = await reader.read(source("ftp://example.com/x?token=secret", "::", dialect="statuspage"))
        unknown = await reader.read(source("http://example.com/", dialect="carrier pigeon"))
        closed = await reader.read(source("http://127.0.0.1:1/"))
    assert "never read: no address is configured" == nowhere.reason
    assert "secret" not in odd.reason
    assert "dialect 'carrier pigeon' is not known; known are statuspage, incidentio" in unknown.reason
    assert "no connection could be made" in closed.reason


async def test_socket_is_given_back_when_tls_hangs() -> None:
    """The deadline also ends a handshake, and leaves nothing open."""
    tasks: set[asyncio.Task[None]] = set()

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with contextlib.suppress(ConnectionError):
            await reader.read()
            await reader.read()
        writer.close()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    async with reading() as reader:
        report = await reader.read(source(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"))
    await asyncio.wait_for(asyncio.gather(*tasks), 5)
    server.close()
    assert "no answer within 0.5 s" in report.reason
