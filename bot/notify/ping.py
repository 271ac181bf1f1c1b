"""A heartbeat to another monitor: sent every minute while the bot is well, so that its silence wakes somebody."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

import httpx
import structlog

from bot.system.clock import Clock
from bot.system.rhythm import until_next_round

log = structlog.get_logger(__name__)

EVERY_S = 60.0
DEADLINE_S = 10.0
LOOK_EVERY_S = 1.0  # real seconds


class PingOutcome(StrEnum):
    """The result of a ping that was due."""

    TAKEN = "taken"
    FAILED = "failed"
    HELD_BACK = "held_back"  # the bot itself is not well


class Ping:
    """Requests `url` through `transport`, which limits the addresses that can be reached; closing the ping closes it.

    `unwell` returns what is wrong with the bot itself, empty if nothing is; until then the ping is held back, and sent as soon
    as it is over. The URL is a secret and appears in no text.
    """

    def __init__(
        self, url: str, transport: httpx.AsyncBaseTransport, clock: Clock, *, version: str, unwell: Callable[[], str],
        on_outcome: Callable[[PingOutcome], None],
    ) -> None:  # fmt: skip
        self._url = url
        self._clock = clock
        self._unwell = unwell
        self._on_outcome = on_outcome
        self._client = httpx.AsyncClient(
            transport=transport, trust_env=False, timeout=DEADLINE_S, headers={"user-agent": f"understudy/{version}"}
        )
        self._due_at = clock.monotonic()
        self._held_back = ""
        self._task: asyncio.Task[None] | None = None
        self.trouble = ""  # why the last one failed
        self.since: datetime | None = None  # since when they fail

    def start(self) -> None:
        """Start."""
        self._task = asyncio.create_task(self._run(), name="ping")

    async def close(self) -> None:
        """Stop."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._client.aclose()

    async def look(self) -> None:
        """Ping if it is due and the bot is well. Never raises because of the other side."""
        now = self._clock.monotonic()
        if now < self._due_at:
            return
        if unwell := self._unwell():
            if unwell != self._held_back:
                log.warning("no ping is sent: the bot is not healthy", why=unwell)
                self._on_outcome(PingOutcome.HELD_BACK)
            self._held_back = unwell
            return
        self._held_back = ""
        self._due_at = now + EVERY_S
        self._say(await self._ask())

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
            except Exception:  # the root of a task: a bug in one ping must not end them all
                log.exception("the ping could not be sent")
            await until_next_round(LOOK_EVERY_S)

    async def _ask(self) -> str:
        """Why it failed; empty if it succeeded."""
        try:
            async with asyncio.timeout(DEADLINE_S), self._client.stream("GET", self._url) as response:
                if response.is_success:
                    return ""
                redirect = ", a redirect; write the address that it leads to" if response.has_redirect_location else ""
                return f"it answers {response.status_code}{redirect}"
        except (TimeoutError, httpx.TimeoutException):
            return f"no answer within {DEADLINE_S:.0f} s"
        except httpx.ConnectError:
            return "no connection could be made"
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            return f"the connection failed ({type(error).__name__})"  # the error's message may contain the address

    def _say(self, trouble: str) -> None:
        self._on_outcome(PingOutcome.FAILED if trouble else PingOutcome.TAKEN)
        if trouble and trouble != self.trouble:
            log.error("server.ping_url does not accept our ping", why=trouble)
        elif self.trouble and not trouble:
            log.info("server.ping_url accepts our ping again")
        self.since = (self.since or self._clock.now()) if trouble else None
        self.trouble = trouble
