"""Carries out the faults: for each call it asks whether this one goes wrong, and how."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from bot.sandbox.slack.errors import RateLimited, SlackError
from bot.sandbox.slack.faults import Faults, Rule
from bot.sandbox.slack.records import Json


@dataclass(frozen=True)
class Work:
    """One call: what it does, what a refusal looks like, and how a call that went wrong is recorded."""

    method: str
    args: Json
    run: Callable[[], web.Response]
    refuse: Callable[[SlackError], web.Response]
    note: Callable[[str, int], None]


@dataclass
class Mischief:
    """Runs calls, with or without faults."""

    faults: Faults
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _closing: asyncio.Event = field(default_factory=asyncio.Event)

    async def around(self, request: web.Request, work: Work) -> web.StreamResponse:
        """The reply to one call, or what the faults put in its place."""
        rule = self.faults.take(work.method, work.args)
        early = await self._before(request, work, rule) if rule else None
        if early is not None:
            return early
        reply = await self._effect(work)
        match rule:
            case Rule(kind="500_after"):
                return _broken()
            case Rule(kind="drop_after"):
                _abort(request)
            case Rule(kind="hang_after"):
                await self._closing.wait()
        return reply

    async def stop(self) -> None:
        """Drop the effects that were still to come and release the calls that hang."""
        self._closing.set()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _before(self, request: web.Request, work: Work, rule: Rule) -> web.StreamResponse | None:
        """The outcome of a fault that comes before the effect; None for the others."""
        match rule.kind:
            case "429":
                return work.refuse(RateLimited(rule.retry_after))
            case "500_before":
                work.note("http_500", 500)
                return _broken()
            case "hang":
                work.note("hangs", 0)
                await self._closing.wait()
            case "drop_before":
                work.note("dropped", 0)
                _abort(request)
            case "late":
                work.note("dropped", 0)
                self._land_later(rule.delay, work)
                _abort(request)
            case kind if kind.startswith("error:"):
                return work.refuse(SlackError(kind.removeprefix("error:")))
            case _:
                return None
        return web.Response()  # nobody is left to read it

    async def _effect(self, work: Work) -> web.Response:
        await self.faults.tell(work.method, "before", work.args)
        reply = work.run()
        await self.faults.tell(work.method, "after", work.args)
        return reply

    def _land_later(self, delay: float, work: Work) -> None:
        async def land() -> None:
            await asyncio.sleep(delay)
            await self._effect(work)

        task = asyncio.get_running_loop().create_task(land())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _broken() -> web.Response:
    return web.Response(status=500, text="internal error")


def _abort(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
