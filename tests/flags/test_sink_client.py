"""Requests to another flag system over real sockets: the limits on its answers, and the messages on failure."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from aiohttp import web

from bot.checks.net.address_guard import Guard
from bot.checks.net.transport import Transport
from bot.flags.sinks.web import Answer, SinkClient
from bot.ports.sinks import SinkError

MIB = 1024 * 1024
TOKEN = "canary-secret"


@asynccontextmanager
async def flag_system() -> AsyncIterator[tuple[str, list[str]]]:
    """Its address, and the paths that were requested."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        match request.path:
            case "/moved":
                return web.Response(status=307, headers={"location": "/elsewhere"})
            case "/drops":
                assert request.transport is not None
                request.transport.abort()
            case "/large":
                return web.Response(body=b" " * (MIB + 1))
            case "/hangs":
                await asyncio.Event().wait()
            case "/packs":
                packed = web.Response(text="[1]")
                packed.enable_compression()
                return packed
            case "/who":
                return web.Response(text=request.headers["user-agent"])
            case path if path.startswith("/status/"):
                return web.Response(status=int(path.rpartition("/")[2]))
        return web.Response(body=b" " * MIB)

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", asked
    finally:
        await runner.cleanup()


async def refusal(
    address: str, transport: httpx.AsyncBaseTransport | None = None, *, token: str = TOKEN, deadline_s: float = 10.0
) -> tuple[str, bool]:
    """The message for people, and whether the error is permanent."""
    client = SinkClient(transport or httpx.AsyncHTTPTransport(), version="test", deadline_s=deadline_s)
    with pytest.raises(SinkError) as caught:
        await client.ask("GET", address, {"authorization": token})
    await client.close()
    return str(caught.value), caught.value.permanent


async def answer_to(path: str) -> Answer:
    client = SinkClient(httpx.AsyncHTTPTransport(), version="1.2.3")
    async with flag_system() as (address, _):
        found = await client.ask("GET", f"{address}{path}", {})
    await client.close()
    return found


@pytest.mark.parametrize("status", [200, 204, 299, 400, 401, 404, 429, 503])
async def test_other_statuses_are_returned_to_the_sink(status: int) -> None:
    """Each kind of sink knows what they mean."""
    assert status == (await answer_to(f"/status/{status}")).status


@pytest.mark.parametrize("status", [300, 301, 308, 399])
async def test_every_3xx_status_is_a_redirect(status: int) -> None:
    """This includes statuses that no browser follows."""
    async with flag_system() as (address, _):
        said, _ = await refusal(f"{address}/status/{status}")

    assert said.startswith(f"HTTP {status}: it redirects")


async def test_hanging_flag_system_times_out() -> None:
    """It must not delay other sinks, and may answer the next try."""
    async with flag_system() as (address, _):
        assert ("no answer within 0 s", False) == await refusal(f"{address}/hangs", deadline_s=0.05)


async def test_answer_is_requested_without_compression() -> None:
    """A compressed answer could not be read as JSON."""
    assert [1] == (await answer_to("/packs")).json("flags")


async def test_request_names_program_and_version() -> None:
    """The other system's log shows them."""
    assert b"understudy/1.2.3" == (await answer_to("/who")).body


async def test_redirect_is_a_permanent_error_with_a_remedy() -> None:
    """A retry would be redirected too."""
    async with flag_system() as (address, _):
        said = await refusal(f"{address}/moved")

    assert ("HTTP 307: it redirects; write the address that it leads to", True) == said


async def test_token_is_not_sent_to_a_redirect_target() -> None:
    """It is meant for the configured address only."""
    async with flag_system() as (address, asked):
        await refusal(f"{address}/moved")

    assert ["/moved"] == asked


async def test_answer_over_a_mebibyte_is_refused() -> None:
    """It must not fill our memory."""
    async with flag_system() as (address, _):
        assert ("its answer is larger than 1 MiB", False) == await refusal(f"{address}/large")


async def test_answer_of_a_mebibyte_is_read() -> None:
    """A large installation has many flags."""
    client = SinkClient(httpx.AsyncHTTPTransport(), version="test")
    async with flag_system() as (address, _):
        assert len((await client.ask("GET", f"{address}/flags", {})).body) == MIB
    await client.close()


async def test_broken_connection_is_retried() -> None:
    """The error may be temporary."""
    async with flag_system() as (address, _):
        assert ("the connection broke off", False) == await refusal(f"{address}/drops")


async def test_private_address_is_refused_unless_allowed() -> None:
    """The message says how to allow it."""
    async with flag_system() as (address, asked):
        said = await refusal(f"{address}/flags", Transport(guard=Guard(())))

    assert ("its address is a private one; list its network under allow_private", True) == said
    assert [] == asked


@pytest.mark.parametrize("address", [f"http://127.0.0.1:{TOKEN}/", f"http://127.0.0.1:9/{TOKEN}", f"gopher://{TOKEN}/"])
async def test_messages_contain_no_address(address: str) -> None:
    """The address may contain the token."""
    said, _ = await refusal(address)

    assert TOKEN not in said


async def test_token_with_invalid_characters_is_a_permanent_error() -> None:
    """The configuration must be corrected, so a retry cannot help."""
    said, permanent = await refusal("http://127.0.0.1:9/", token="t\u00f6ken")

    assert said.startswith("it cannot be asked as it is configured")
    assert permanent
