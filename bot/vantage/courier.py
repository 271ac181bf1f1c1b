"""Sends what we measured to other Understudies, in signed batches, without making checks wait."""

import asyncio
import json
import ssl
import uuid
from collections import deque
from collections.abc import Sequence
from dataclasses import field
from datetime import timedelta
from itertools import islice
from typing import Any

import httpx
import structlog

from bot.core.lazy_dataclass import dataclass
from bot.core.model import Sample
from bot.system.clock import Clock
from bot.system.version import understudy_version
from bot.vantage.signing import sign
from bot.vantage.wire import BATCH_SAMPLES, pack
from bot.views.text import plain

log = structlog.get_logger(__name__)

BUFFERED = 20_000  # samples per peer; about a minute of 10,000 checks, an hour of a hundred
STALE_AFTER = timedelta(minutes=10)  # older samples are useless to a peer that returns
SEND_EVERY_S = 3.0
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 60.0
ANSWER_CHARS = 4096
TIMEOUT = httpx.Timeout(10.0, connect=5.0)
SEEN_FIELD = "batch"  # the field named in a refusal if the batch was already taken
TRY_AGAIN = frozenset({408, 425, 429})  # 4xx statuses that mean "later", not "never"


@dataclass(frozen=True)
class Peer:
    """Another Understudy that accepts our samples: its label, its base URL, and our shared secret."""

    vantage: str
    url: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class CourierTiming:
    """How often batches are sent, and how waits grow after a failure; real seconds."""

    every_s: float = SEND_EVERY_S
    first_wait_s: float = FIRST_WAIT_S
    longest_wait_s: float = LONGEST_WAIT_S


class Courier:
    """One buffer and one task per peer, so that a slow one delays nobody else.

    `offer` never waits. What a peer does not accept in time is dropped, oldest first, and counted. Nothing survives a restart:
    these are second opinions, and the next ones follow within seconds. `tls` is the context to use; by default one with
    httpx's authorities, which takes a megabyte and 25 ms of the loop per peer.
    """

    def __init__(
        self, peers: Sequence[Peer], vantage: str, clock: Clock, *, buffered: int = BUFFERED, pace: CourierTiming | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:  # fmt: skip
        self._vantage = vantage
        pace = pace or CourierTiming()
        self._ways = [_Way(peer, vantage, clock, buffered, pace, tls) for peer in peers if peer.url and peer.secret]
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start sending."""
        self._tasks = [asyncio.create_task(way.run(), name=f"courier to {way.peer.vantage}") for way in self._ways]

    def offer(self, samples: Sequence[Sample]) -> int:
        """Queue our own samples for every peer; returns how many older ones were dropped for them.

        Samples from other vantages are skipped: everybody sends their own, so nothing goes in circles.
        """
        own = [sample for sample in samples if sample.vantage == self._vantage]
        return sum(way.add(own) for way in self._ways) if own else 0

    def troubles(self) -> tuple[str, ...]:
        """One sentence per peer that does not accept our samples at present."""
        return tuple(f"{way.peer.vantage} does not accept our results: {way.trouble}." for way in self._ways if way.trouble)

    async def close(self) -> None:
        """Stop sending; the queue is dropped."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []


@dataclass(frozen=True)
class _Sent:
    """The result of an attempt: `over` means that the batch is not retried, because it was accepted or never will be."""

    over: bool
    trouble: str = ""


class _Way:
    """The connection to one peer."""

    def __init__(
        self, peer: Peer, vantage: str, clock: Clock, buffered: int, pace: CourierTiming, tls: ssl.SSLContext | None
    ) -> None:
        self.peer = peer
        self.trouble = ""
        self._vantage = vantage
        self._clock = clock
        self._pace = pace
        self._trust = tls or True
        self._buffer: deque[Sample] = deque(maxlen=buffered)
        self._dropped = 0
        self._address = f"{peer.url.rstrip('/')}/hooks/samples/{vantage}"

    def add(self, samples: Sequence[Sample]) -> int:
        dropped = max(0, len(self._buffer) + len(samples) - (self._buffer.maxlen or 0))
        self._buffer.extend(samples)
        self._dropped += dropped
        return dropped

    async def run(self) -> None:
        while True:
            try:
                async with self._client() as client:
                    await self._send_for_ever(client)
            except Exception:  # the root of a task: a bug must not stop sending for good
                log.exception("results could not be sent to a peer", peer=self.peer.vantage)
                await asyncio.sleep(self._pace.longest_wait_s)

    def _client(self) -> httpx.AsyncClient:
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1)
        headers = {"user-agent": f"understudy/{understudy_version()}", "content-type": "application/json"}
        return httpx.AsyncClient(
            verify=self._trust, trust_env=False, timeout=TIMEOUT, limits=limits, headers=headers, follow_redirects=False
        )

    async def _send_for_ever(self, client: httpx.AsyncClient) -> None:
        while True:
            await asyncio.sleep(self._pace.every_s)
            self._forget_stale()
            while self._buffer:
                await self._deliver(client)
                await asyncio.sleep(0)  # a full buffer is many batches; let other tasks run

    async def _deliver(self, client: httpx.AsyncClient) -> None:
        """Send one batch until it is accepted, refused for good, or stale."""
        first = list(islice(self._buffer, BATCH_SAMPLES))
        body, count = pack(uuid.uuid4().hex, self._vantage, first)
        oldest = first[0].at
        for _ in range(count):
            self._buffer.popleft()
        wait_s, repeated = self._pace.first_wait_s, False
        while True:
            sent = await self._try(client, body, repeated=repeated)
            self._say(sent.trouble)
            if sent.over:
                if sent.trouble:
                    self._dropped += count
                    await asyncio.sleep(max(wait_s, self._pace.every_s))
                return
            repeated = True
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, self._pace.longest_wait_s)
            if self._clock.now() - oldest > STALE_AFTER:
                self._dropped += count
                return

    async def _try(self, client: httpx.AsyncClient, body: bytes, *, repeated: bool) -> _Sent:
        headers = dict(sign(self.peer.secret, body, self._clock.now()))
        try:
            async with client.stream("POST", self._address, content=body, headers=headers) as response:
                said = await _beginning(response)
        except httpx.TimeoutException:
            return _Sent(False, "it does not answer in time")
        except httpx.ConnectError as error:
            return _Sent(False, f"it cannot be reached ({plain(str(error), 100)})")
        except httpx.HTTPError as error:  # its message may contain the address, which may contain a password
            return _Sent(False, f"the connection failed ({type(error).__name__})")
        return _judged(response, said, repeated=repeated)

    def _say(self, trouble: str) -> None:
        """Log a problem once, and its end, with how many samples were lost meanwhile."""
        if trouble and trouble != self.trouble:
            log.warning("a peer does not accept our results", peer=self.peer.vantage, why=trouble)
        elif not trouble and self.trouble:
            log.info("a peer accepts our results again", peer=self.peer.vantage)
        self.trouble = trouble
        if not trouble and self._dropped:
            log.warning("results for a peer were dropped", peer=self.peer.vantage, dropped=self._dropped)
            self._dropped = 0

    def _forget_stale(self) -> None:
        horizon = self._clock.now() - STALE_AFTER
        while self._buffer and self._buffer[0].at < horizon:
            self._buffer.popleft()
            self._dropped += 1


async def _beginning(response: httpx.Response) -> str:
    """The start of an answer; an endless one is cut off."""
    found = bytearray()
    async for chunk in response.aiter_bytes(ANSWER_CHARS):
        found += chunk
        if len(found) >= ANSWER_CHARS:
            break
    return found[:ANSWER_CHARS].decode("utf-8", "replace")


def _judged(response: httpx.Response, said: str, *, repeated: bool) -> _Sent:
    status = response.status_code
    if response.is_success:
        return _Sent(True)
    if repeated and _field(said) == SEEN_FIELD:  # the previous attempt arrived after all, and only its response was lost
        return _Sent(True)
    if status in TRY_AGAIN or status >= 500:
        return _Sent(False, f"it answers {status}")
    if response.has_redirect_location:
        return _Sent(True, f"it answers {status}, a redirect; write the address that it leads to")
    return _Sent(True, f"it answers {status}: {plain(said, 200) or 'nothing'}")


def _field(said: str) -> str:
    try:
        data: Any = json.loads(said)
    except (ValueError, RecursionError):
        return ""
    return str(data.get("field", "")) if isinstance(data, dict) else ""
