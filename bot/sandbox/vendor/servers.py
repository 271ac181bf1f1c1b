"""The scripted providers on real sockets: one port for each surface and for each page, so that one can be closed alone."""

import asyncio
import hashlib
import json
import socket
import struct
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from bot.clock import Clock
from bot.sandbox.vendor.api import Call, Reply, failing, healthy, wrong_json
from bot.sandbox.vendor.page import Page
from bot.sandbox.vendor.scenario import OK, PAGE, Answering, Scenario, Word

DOORS_EVERY_S = 0.05  # how often ports are opened and closed as the script says
BODY_CAP = 1024 * 1024


@dataclass(frozen=True)
class VendorRequest:
    """One request that a scripted provider got, and the word it was answered with."""

    at: datetime
    minute: float
    provider: str
    surface: str
    method: str
    path: str
    answer: str
    user_agent: str


class Vendors:
    """Runs a scenario's providers. Minute 0 is the clock's time at `start`; spans of answers pass at the clock's speed.

    Which requests a `rate` hits depends on the seed and on the surface's count of requests alone, so a run repeats itself.
    """

    def __init__(self, scenario: Scenario, clock: Clock, host: str = "127.0.0.1", seed: int = 0) -> None:
        self.scenario = scenario
        self.requests: list[VendorRequest] = []
        self._clock = clock
        self._host = host
        self._seed = seed
        self._began_at = clock.now()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._doors: dict[tuple[str, str], _Door] = {}
        self._stopping = asyncio.Event()
        self._doorman: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open the ports; returns when all answer, except those that the script refuses from the start."""
        self._began_at = self._clock.now()
        for id_, provider in self.scenario.providers.items():
            for surface in (*provider.surfaces, PAGE):
                door = _Door(self._app(id_, surface), self._host)
                self._doors[id_, surface] = door
                await door.set_up()
        await self._mind_doors()
        self._doorman = asyncio.create_task(self._keep_minding_doors(), name="scripted providers")

    async def stop(self) -> None:
        """Close everything; hanging answers are cut."""
        self._stopping.set()
        if self._doorman is not None:
            self._doorman.cancel()
            await asyncio.gather(self._doorman, return_exceptions=True)
        for door in self._doors.values():
            await door.tear_down()

    @property
    def minute(self) -> float:
        """Minutes of the script that have passed."""
        return (self._clock.now() - self._began_at).total_seconds() / 60

    @property
    def over(self) -> bool:
        """Whether the script has been played to its end; the last answers stay in force."""
        return self.minute >= self.scenario.minutes

    def url(self, provider: str, surface: str) -> str:
        """Where a surface is: the API's base address, or the address of the page itself for any other surface."""
        base = self._doors[provider, surface].base
        return base if surface in ("api", PAGE) else f"{base}/{surface}"

    def status_url(self, provider: str) -> str:
        """The summary of the provider's status page."""
        return f"{self.url(provider, PAGE)}/api/v2/summary.json"

    def answers(self, provider: str, surface: str, minute: float) -> Answering:
        """How a surface answers in a minute."""
        return self.scenario.answers(provider, surface, minute)

    def _app(self, provider: str, surface: str) -> web.Application:
        async def answer(request: web.Request) -> web.StreamResponse:
            return await self._answer(provider, surface, request)

        app = web.Application(client_max_size=BODY_CAP)
        app.router.add_route("*", "/{path:.*}", answer)
        return app

    async def _keep_minding_doors(self) -> None:
        while True:
            await asyncio.sleep(DOORS_EVERY_S)
            await self._mind_doors()

    async def _mind_doors(self) -> None:
        for (provider, surface), door in self._doors.items():
            if _refuses(self.answers(provider, surface, self.minute)):
                await door.close()
            else:
                await door.open()

    async def _answer(self, provider: str, surface: str, request: web.Request) -> web.StreamResponse:
        self._counts[provider, surface] += 1
        number = self._counts[provider, surface]
        minute = self.minute
        answering = self.answers(provider, surface, minute)
        word = self._pick(answering, provider, surface, number)
        headers = {name.lower(): value for name, value in request.headers.items()}
        call = Call(request.method, request.path, headers, await request.read(), number)
        self.requests.append(
            VendorRequest(
                at=self._clock.now(),
                minute=minute,
                provider=provider,
                surface=surface,
                method=call.method,
                path=call.path,
                answer=word.kind,
                user_agent=headers.get("user-agent", ""),
            )
        )
        dialect = self.scenario.providers[provider].dialect
        match word.kind:
            case "hang":
                await self._stopping.wait()
                return _reset(request)
            case "reset" | "refuse":
                return _reset(request)
            case "slow":
                await asyncio.sleep(word.seconds / self._clock.speed)
            case "wrong_json":
                return await _send(request, wrong_json())
            case "ok" | "truncated":
                pass  # answered below
            case status:
                return await _send(request, failing(dialect, surface, int(status), answering.retry_after, call))
        if surface == PAGE:
            reply = self._page(provider, call)
        else:
            reply = healthy(dialect, surface, call)
        return await (_send_half(request, reply) if word.kind == "truncated" else _send(request, reply))

    def _pick(self, answering: Answering, provider: str, surface: str, number: int) -> Word:
        digest = hashlib.sha256(f"{self._seed}/{provider}/{surface}/{number}".encode()).digest()
        chance, choice = int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:16], "big")
        if chance / 2**64 >= answering.rate:
            return OK
        return answering.words[choice % len(answering.words)]

    def _page(self, provider: str, call: Call) -> Reply:
        page = Page(
            self.scenario.providers[provider],
            self.scenario.page(provider, self.minute),
            self._began_at,
            self._doors[provider, PAGE].base,
        )
        made: dict[str, Any]
        match call.path:
            case "/api/v2/summary.json":
                made = page.summary()
            case "/api/v2/status.json":
                made = page.status()
            case "/api/v2/incidents.json":
                made = page.incidents()
            case _:
                return Reply(404, (b"<!doctype html><title>No such page</title>",), {"content-type": "text/html"})
        body = json.dumps(made).encode()
        headers = {
            "content-type": "application/json; charset=utf-8",
            "etag": f'W/"{hashlib.sha256(body).hexdigest()[:32]}"',
            "cache-control": "max-age=0, private, must-revalidate",
        }
        if call.headers.get("if-none-match") == headers["etag"]:
            return Reply(304, (b"",), headers)
        return Reply(200, (body,), headers)


class _Door:
    """One port, kept while its listener comes and goes."""

    def __init__(self, app: web.Application, host: str) -> None:
        # A hanging answer ends with its client.
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        self._host = host
        self._port = 0
        self._site: web.SockSite | None = None

    @property
    def base(self) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    async def set_up(self) -> None:
        await self._runner.setup()
        await self.open()

    async def open(self) -> None:
        if self._site is not None:
            return
        sock = socket.socket(socket.AF_INET6 if ":" in self._host else socket.AF_INET)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((self._host, self._port))
        except OSError:
            sock.close()
            if self._port == 0:
                raise
            return  # somebody took the port while it was closed; the next round tries again
        self._port = sock.getsockname()[1]
        self._site = web.SockSite(self._runner, sock)
        await self._site.start()

    async def close(self) -> None:
        if self._site is not None:
            await self._site.stop()
            self._site = None

    async def tear_down(self) -> None:
        self._site = None
        await self._runner.cleanup()


def _refuses(answering: Answering) -> bool:
    return answering.words[0].kind == "refuse"


def _reset(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        sock = request.transport.get_extra_info("socket")
        # With a lingering time of zero, closing sends RST instead of FIN.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    return web.Response()


async def _send(request: web.Request, reply: Reply) -> web.StreamResponse:
    if not reply.streamed:
        return web.Response(status=reply.status, headers=dict(reply.headers), body=b"".join(reply.parts))
    response = web.StreamResponse(status=reply.status, headers=dict(reply.headers))
    await response.prepare(request)
    for part in reply.parts:
        await response.write(part)
    await response.write_eof()
    return response


async def _send_half(request: web.Request, reply: Reply) -> web.StreamResponse:
    """A stream ends early, in good order; a body with a length breaks off."""
    if reply.streamed:
        return await _send(request, Reply(reply.status, reply.parts[: len(reply.parts) // 2], reply.headers, streamed=True))
    body = b"".join(reply.parts)
    response = web.StreamResponse(status=reply.status, headers=dict(reply.headers) | {"content-length": str(len(body))})
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response
