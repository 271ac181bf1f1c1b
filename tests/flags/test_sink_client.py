"""Asking another flag system over real sockets: what it may not do to us, and what people read where it fails."""

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
    """Its address, and the paths that it was asked for."""
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
    """What people read, and whether it is over with trying."""
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
async def test_every_other_status_is_an_answer(status: int) -> None:
    """What it means, each kind of sink knows by itself."""
    assert status == (await answer_to(f"/status/{status}")).status


@pytest.mark.parametrize("status", [300, 301, 308, 399])
async def test_every_redirect_is_one(status: int) -> None:
    """Also those that no browser follows."""
    async with flag_system() as (address, _):
        said, _ = await refusal(f"{address}/status/{status}")

    assert said.startswith(f"HTTP {status}: it redirects")


async def test_who_does_not_answer_is_given_up() -> None:
    """One that hangs does not keep the others waiting; it may be back at the next try."""
    async with flag_system() as (address, _):
        assert ("no answer within 0 s", False) == await refusal(f"{address}/hangs", deadline_s=0.05)


async def test_an_answer_comes_as_it_is_read() -> None:
    """One that is packed would be read as no JSON."""
    assert [1] == (await answer_to("/packs")).json("flags")


async def test_the_other_side_sees_who_asks() -> None:
    """Its log says which program, and which version."""
    assert b"understudy/1.2.3" == (await answer_to("/who")).body


async def test_a_redirect_is_named_and_waits_for_somebodys_hand() -> None:
    """It will redirect the next time as well."""
    async with flag_system() as (address, _):
        said = await refusal(f"{address}/moved")

    assert ("HTTP 307: it redirects; write the address that it leads to", True) == said


async def test_the_token_does_not_follow_a_redirect() -> None:
    """It is for the address that somebody wrote."""
    async with flag_system() as (address, asked):
        await refusal(f"{address}/moved")

    assert ["/moved"] == asked


async def test_an_answer_of_more_than_a_mebibyte_is_not_read() -> None:
    """It cannot fill our memory."""
    async with flag_system() as (address, _):
        assert ("its answer is larger than 1 MiB", False) == await refusal(f"{address}/large")


async def test_an_answer_of_a_mebibyte_is_read() -> None:
    """A large installation has many flags."""
    client = SinkClient(httpx.AsyncHTTPTransport(), version="test")
    async with flag_system() as (address, _):
        assert len((await client.ask("GET", f"{address}/flags", {})).body) == MIB
    await client.close()


async def test_a_connection_that_breaks_off_is_tried_again() -> None:
    """It may pass by itself."""
    async with flag_system() as (address, _):
        assert ("the connection broke off", False) == await refusal(f"{address}/drops")


async def test_a_private_address_is_asked_only_where_it_is_allowed() -> None:
    """The configuration says how."""
    async with flag_system() as (address, asked):
        said = await refusal(f"{address}/flags", Transport(guard=Guard(())))

    assert ("its address is a private one; list its network under allow_private", True) == said
    assert [] == asked


@pytest.mark.parametrize("address", [f"http://127.0.0.1:{TOKEN}/", f"http://127.0.0.1:9/{TOKEN}", f"gopher://{TOKEN}/"])
async def test_what_people_read_holds_no_address(address: str) -> None:
    """The token may stand in it."""
    said, _ = await refusal(address)

    assert TOKEN not in said


async def test_a_token_that_no_header_can_hold_waits_for_somebodys_hand() -> None:
    """Somebody copied it with something else; trying again alone cannot help."""
    said, permanent = await refusal("http://127.0.0.1:9/", token="t\u00f6ken")

    assert said.startswith("it cannot be asked as it is configured")
    assert permanent
