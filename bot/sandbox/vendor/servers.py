"""The scripted providers on real sockets, a port for each surface and each page, so that each can be closed alone."""

import asyncio
import hashlib
import json
from collections import Counter
from datetime import datetime
from typing import Any

from aiohttp import web

from bot.core.lazy_dataclass import dataclass
from bot.sandbox.vendor.api import challenge, failing, healthy, page_instead, troubled, wrong_json
from bot.sandbox.vendor.call import Call, Reply
from bot.sandbox.vendor.doors import Door
from bot.sandbox.vendor.page import Page
from bot.sandbox.vendor.scenario import MODEL_WORDS, OK, PAGE, Answering, Scenario, Word
from bot.sandbox.vendor.sending import reset, send, send_half, send_pings, send_slowly
from bot.system.clock import Clock

DOORS_EVERY_S = 0.05  # how often ports are opened or closed as the script says
BODY_CAP = 1024 * 1024
GONE = 499  # nginx's code for "the client closed the connection"; nobody reads it


@dataclass(frozen=True)
class VendorRequest:
    """One request that a scripted provider received, and the word it was answered with."""

    at: datetime
    minute: float
    provider: str
    surface: str
    method: str
    path: str
    answer: str
    user_agent: str


class Vendors:
    """Runs a scenario's providers. Minute 0 is the clock's time at `start`; durations in answers pass at the clock's speed.

    Which requests a `rate` hits depends only on the seed and on the surface's request count, so runs are repeatable.
    """

    def __init__(self, scenario: Scenario, clock: Clock, host: str = "127.0.0.1", seed: int = 0) -> None:
        self.scenario = scenario
        self.requests: list[VendorRequest] = []
        self._clock = clock
        self._host = host
        self._seed = seed
        self._began_at = clock.now()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._doors: dict[tuple[str, str], Door] = {}
        self._stopping = asyncio.Event()
        self._doorman: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open the ports; returns when all answer, except those that the script refuses from the start."""
        self._began_at = self._clock.now()
        for id_, provider in self.scenario.providers.items():
            for surface in (*provider.surfaces, PAGE):
                door = Door(self._app(id_, surface), self._host)
                self._doors[id_, surface] = door
                await door.set_up()
        await self._follow_script()
        self._doorman = asyncio.create_task(self._keep_following_script(), name="scripted providers")

    async def stop(self) -> None:
        """Close everything; hanging answers are cut off."""
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
        """The URL of a surface: the API's base address, or the address of the page itself for any other surface."""
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
            try:
                return await self._answer(provider, surface, request)
            except ConnectionResetError:  # the client stopped waiting
                return web.Response(status=GONE)

        app = web.Application(client_max_size=BODY_CAP)
        app.router.add_route("*", "/{path:.*}", answer)
        return app

    async def _keep_following_script(self) -> None:
        while True:
            await asyncio.sleep(DOORS_EVERY_S)
            await self._follow_script()

    async def _follow_script(self) -> None:
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
        return await self._play(provider, surface, word, answering, call, request)

    async def _play(
        self, provider: str, surface: str, word: Word, answering: Answering, call: Call, request: web.Request
    ) -> web.StreamResponse:
        dialect = self.scenario.providers[provider].dialect
        match word.kind:
            case "ok":
                return await send(request, self._well(provider, surface, call))
            case "truncated":
                return await send_half(request, self._well(provider, surface, call))
            case "hang":
                await self._stopping.wait()
                return reset(request)
            case "reset" | "refuse":
                return reset(request)
            case "slow":
                await asyncio.sleep(word.seconds / self._clock.speed)
                return await send(request, self._well(provider, surface, call))
            case "slow_token" | "pings":
                return await self._halting(provider, surface, word, call, request)
            case "wrong_json":
                return await send(request, wrong_json())
            case "html":
                return await send(request, page_instead())
            case "challenge":
                return await send(request, challenge())
            case kind if kind in MODEL_WORDS:
                return await send(request, troubled(dialect, kind, answering.retry_after, call))
            case status:
                return await send(request, failing(dialect, surface, int(status), answering.retry_after, call))

    async def _halting(self, provider: str, surface: str, word: Word, call: Call, request: web.Request) -> web.StreamResponse:
        """Halt, if the answer is a stream of words; other requests get a healthy answer."""
        reply = self._well(provider, surface, call)
        if not reply.streamed:
            return await send(request, reply)
        if word.kind == "pings":
            return await send_pings(request, reply, self._stopping)
        return await send_slowly(request, reply, word.seconds / self._clock.speed)

    def _well(self, provider: str, surface: str, call: Call) -> Reply:
        if surface == PAGE:
            return self._page(provider, call)
        return healthy(self.scenario.providers[provider].dialect, surface, call)

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


def _refuses(answering: Answering) -> bool:
    return answering.words[0].kind == "refuse"
