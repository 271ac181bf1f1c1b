"""The courier against a real HTTP peer: what arrives, what is tried again, what is given up, and that nobody waits for it."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import trustme
from aiohttp import web
from structlog.testing import capture_logs

from bot.core.model import Outcome, Sample
from bot.system.clock import ManualClock
from bot.vantage.courier import Courier, CourierTiming, Peer
from bot.vantage.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, distrust
from bot.vantage.wire import Batch, unpack

NOW = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
SECRET = "shared-between-two"
FAST = CourierTiming(every_s=0.01, first_wait_s=0.01, longest_wait_s=0.02)
SOON_S = 5.0


class Other:
    """Another Understudy, as far as the courier meets it: it answers with what `answers` says, then with 200."""

    def __init__(self) -> None:
        self.answers: list[web.Response] = []
        self.batches: list[Batch] = []
        self.trouble: list[str] = []
        self.paths: list[str] = []
        self.clock = ManualClock(NOW)
        self.url = ""
        self.over = asyncio.Event()

    async def take(self, request: web.Request) -> web.Response:
        if "slow" in request.path:
            await self.over.wait()
        body = await request.read()
        timestamp, signature = request.headers[TIMESTAMP_HEADER], request.headers[SIGNATURE_HEADER]
        self.trouble.append(distrust(SECRET, timestamp, signature, body, self.clock.now()))
        self.batches.append(unpack(body))
        self.paths.append(request.path)
        return self.answers.pop(0) if self.answers else web.json_response({"ok": True})

    async def heard(self, count: int) -> Sequence[Batch]:
        """The first so many batches, once they came."""
        await until(lambda: len(self.batches) >= count)
        return self.batches[:count]


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON_S):
        while not holds():
            await asyncio.sleep(0.005)


@asynccontextmanager
async def peer(tls: ssl.SSLContext | None = None) -> AsyncIterator[Other]:
    found = Other()
    app = web.Application()
    app.router.add_post("/{tail:.*}", found.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    found.url = f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}/under/"
    yield found
    found.over.set()
    await runner.cleanup()


@pytest.fixture
async def other() -> AsyncIterator[Other]:
    async with peer() as found:
        yield found


@pytest.fixture
def said() -> Iterator[list[str]]:
    """Every log line, as text."""
    with capture_logs() as events:
        yield Lines(events)


class Lines(list[str]):
    """Log events as lines, read when they are asked for."""

    def __init__(self, events: Sequence[Any]) -> None:
        super().__init__()
        self._events = events

    def __iter__(self) -> Iterator[str]:
        return iter([str(dict(event)) for event in self._events])


@pytest.fixture
async def courier(other: Other) -> AsyncIterator[Courier]:
    found = Courier([Peer("us-1", other.url, SECRET)], "eu-1", other.clock, pace=FAST)
    await found.start()
    yield found
    await found.close()


def sample(name: str = "a.b.c", *, vantage: str = "eu-1", at: datetime = NOW) -> Sample:
    return Sample(check=name, component="a.b", at=at, outcome=Outcome.OK, vantage=vantage)


async def test_samples_arrive_signed_and_under_our_own_label(courier: Courier, other: Other) -> None:
    """The path names the sender, the body too, and the signature holds."""
    assert 0 == courier.offer([sample(), sample("a.b.d")])
    [batch] = await other.heard(1)

    assert ("eu-1", ("a.b.c", "a.b.d")) == (batch.vantage, tuple(one.check for one in batch.samples))
    assert ["/under/hooks/samples/eu-1"] == other.paths
    assert [""] == other.trouble
    assert () == courier.troubles()


async def test_samples_of_others_are_not_passed_on(courier: Courier, other: Other) -> None:
    """Everybody sends their own; else two that know each other would send the same round and round."""
    courier.offer([sample("a.b.x", vantage="us-1"), sample()])
    [batch] = await other.heard(1)

    assert ["a.b.c"] == [one.check for one in batch.samples]


@pytest.mark.parametrize("status", [500, 503, 429, 408])
async def test_batch_is_sent_again_when_the_peer_is_in_trouble(courier: Courier, other: Other, status: int) -> None:
    """The same batch under the same id, so that it counts once; then the trouble is over."""
    other.answers = [web.Response(status=status), web.Response(status=status)]
    courier.offer([sample()])
    batches = await other.heard(3)

    assert 1 == len({batch.id for batch in batches})
    await until(lambda: courier.troubles() == ())


async def test_peer_that_is_away_is_tried_again(other: Other, said: list[str]) -> None:
    """Refused connections hold nobody up; it is said once and not in each try, and without the secret."""
    courier = Courier([Peer("us-1", "http://127.0.0.1:9", SECRET)], "eu-1", other.clock, pace=FAST)
    await courier.start()
    courier.offer([sample()])
    await until(lambda: bool(courier.troubles()))
    await asyncio.sleep(0.1)
    await courier.close()

    assert "us-1 does not accept our results: it cannot be reached" in courier.troubles()[0]
    assert 1 == sum("does not accept" in line for line in said)
    assert not any(SECRET in line for line in said)


@pytest.mark.parametrize("status", [400, 401, 404, 413, 301])
async def test_batch_is_given_up_when_the_peer_refuses_it(courier: Courier, other: Other, said: list[str], status: int) -> None:
    """What is wrong today is wrong in a second; the reason is logged, and the next batch goes its way."""
    headers = {"Location": "http://127.0.0.1:9/"} if status == 301 else {}
    other.answers = [web.Response(status=status, text="no\x00 such secret", headers=headers)]
    courier.offer([sample()])
    await until(lambda: bool(courier.troubles()))
    courier.offer([sample("a.b.d")])
    first, second = await other.heard(2)

    assert first.id != second.id
    assert ["a.b.d"] == [one.check for one in second.samples]
    [why] = [line for line in said if "does not accept" in line]
    assert f"it answers {status}" in why
    assert "\\x00" not in why
    assert SECRET not in why
    await until(lambda: any("were dropped" in line and "'dropped': 1" in line for line in said))


async def test_batch_is_done_when_the_peer_says_that_it_took_it_before(courier: Courier, other: Other, said: list[str]) -> None:
    """The first try arrived and its answer was lost: a refusal of the second one is good news."""
    taken_before = web.json_response({"ok": False, "text": "This batch was taken before.", "field": "batch"}, status=400)
    other.answers = [web.Response(status=502), taken_before]
    courier.offer([sample()])
    await other.heard(2)
    await until(lambda: courier.troubles() == ())

    assert not any("dropped" in line for line in said)


async def test_oldest_are_dropped_when_the_buffer_is_full(other: Other) -> None:
    """`offer` says how many; what is kept is the newest."""
    courier = Courier([Peer("us-1", other.url, SECRET)], "eu-1", other.clock, buffered=3, pace=FAST)
    assert 0 == courier.offer([sample("a.b.1"), sample("a.b.2")])
    assert 2 == courier.offer([sample("a.b.3"), sample("a.b.4"), sample("a.b.5")])
    assert 4 == courier.offer([sample(f"a.b.{n}") for n in range(10, 14)])
    await courier.start()
    [batch] = await other.heard(1)
    await courier.close()

    assert ["a.b.11", "a.b.12", "a.b.13"] == [one.check for one in batch.samples]


async def test_stale_samples_are_not_sent(courier: Courier, other: Other) -> None:
    """A peer that was away for long gets what is new."""
    courier.offer([sample("a.b.old", at=NOW - timedelta(minutes=11)), sample("a.b.new")])
    [batch] = await other.heard(1)

    assert ["a.b.new"] == [one.check for one in batch.samples]


async def test_slow_peer_holds_up_nobody_else(other: Other) -> None:
    """Each peer has a way of its own."""
    peers = [Peer("slow-1", f"{other.url}slow", SECRET), Peer("us-1", other.url, SECRET)]
    courier = Courier(peers, "eu-1", other.clock, pace=FAST)
    await courier.start()
    for n in range(3):
        courier.offer([sample(f"a.b.{n}")])
        heard = await other.heard(n + 1)
    await courier.close()

    assert ["a.b.0", "a.b.1", "a.b.2"] == [one.check for batch in heard for one in batch.samples]


async def test_peer_without_address_or_secret_is_sent_nothing(other: Other) -> None:
    """Such a peer only sends to us, or is off."""
    courier = Courier([Peer("us-1", "", SECRET), Peer("us-2", other.url, "")], "eu-1", other.clock, pace=FAST)
    await courier.start()
    assert 0 == courier.offer([sample()] * 100_000)
    await asyncio.sleep(0.05)
    await courier.close()

    assert [] == other.batches


def test_secret_is_not_in_what_is_printed() -> None:
    """A peer in a log line or a traceback shows no secret."""
    assert SECRET not in repr(Peer("us-1", "http://peer.example", SECRET))


async def test_whom_to_trust_is_told() -> None:
    """A courier reads no authorities of its own where it is given some."""
    authority = trustme.CA()
    serving, trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(serving)
    authority.configure_trust(trusting)
    async with peer(serving) as there:
        courier = Courier([Peer("us-1", there.url, SECRET)], "eu-1", there.clock, pace=FAST, tls=trusting)
        await courier.start()
        courier.offer([sample()])
        try:
            (batch,) = await there.heard(1)
        finally:
            await courier.close()

    assert [sample()] == list(batch.samples)
