"""How long what comes from outside holds the loop: status pages at their caps, and bodies at theirs. Nothing over 100 ms."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta

import httpx

from bench.hostile_senders import KINDS, Cost, Stalled
from bench.hostile_sockets import measured
from bot.core.decide.step import step
from bot.core.model import Actor
from bot.core.record.world import World
from bot.core.signals import FeedRead
from bot.feeds.fetch import BODY_CAP, FeedReader, FeedSource
from bot.feeds.statuspage import MOST_MARKS, VALUE_MARKS
from bot.system.clock import ManualClock
from tests.desk import policy

AT = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
MOST_MS = 100.0
BEAT_S = 0.005
SOURCE = FeedSource("anthropic", "statuspage", ("http://page.example/",), {"anthropic.api": "c1"})


def pages() -> Iterator[tuple[str, bytes]]:
    """Pages under 2 MiB, each as hostile as it can be in one way."""
    update = {"id": "u", "status": "investigating", "body": "", "created_at": "2026-03-20T11:00:00Z"}

    def filled(name: str, of: Callable[[int], object]) -> bytes:
        size = len(json.dumps(of(99_999))) + 2
        return json.dumps({name: [of(n) for n in range((BODY_CAP - 100) // size)]}).encode()

    def read(name: str, of: Callable[[int], object]) -> bytes:
        one = json.dumps(of(99_999)).encode() + b","
        most = min((BODY_CAP - 100) // (len(one) + 1), (MOST_MARKS - 10) // sum(map(one.count, VALUE_MARKS)))
        return json.dumps({name: [of(n) for n in range(most)]}).encode()

    def component(n: int) -> object:
        return {"id": f"{n}", "name": f"{n}", "status": "operational"}

    def incident(n: int) -> object:
        return {"id": f"{n}", "incident_updates": [{**update, "id": f"{n}"}]}

    yield "components, as many as are read", read("components", component)
    yield "incidents, as many as are read", read("incidents", incident)

    yield "incidents of one update", filled("incidents", incident)
    yield "components", filled("components", component)
    yield "components {}", b'{"components":[' + b",".join([b"{}"] * (BODY_CAP // 3 - 10)) + b"]}"
    yield "lists, as many as are read", b'{"components":[' + b",".join([b"[]"] * 66_000) + b"]}"
    yield "keys, as many as are read", b'{"components":[],"x":{' + b",".join(b'"%x":1' % n for n in range(99_000)) + b"}}"
    yield "a number of two million digits", b'{"components":[],"x":' + b"9" * (BODY_CAP - 40) + b"}"
    updates = [{**update, "id": f"u{n}", "body": "x" * 900} for n in range(1_900)]
    yield "one incident of 1,900 updates", json.dumps({"incidents": [{"id": "i", "incident_updates": updates}]}).encode()
    named = [{"id": f"c{n}"} for n in range(20_000)]
    many = {"id": "i", "components": named, "incident_updates": [{"id": f"u{n}"} for n in range(2_000)]}
    yield "2,000 updates about 20,000 components", json.dumps({"incidents": [many]}).encode()


async def stalled(work: Callable[[], Awaitable[object]]) -> float:
    """The most that this process computed between two turns of the loop while `work` ran, in ms.

    In processor time, all threads together: a busy machine does not count, and reading JSON in a thread does.
    """
    worst = 0.0

    async def beat() -> None:
        nonlocal worst
        while True:
            before = time.process_time()
            await asyncio.sleep(BEAT_S)
            worst = max(worst, time.process_time() - before)

    beating = asyncio.create_task(beat())
    await asyncio.sleep(0.05)
    worst = 0.0
    await work()
    await asyncio.sleep(0.05)
    beating.cancel()
    await asyncio.gather(beating, return_exceptions=True)
    return worst * 1000


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 65_536):
        yield body[start : start + 65_536]


async def page_stall(body: bytes) -> float:
    """Read the page and decide over it, three times: as history, as news, and as what is known."""
    clock = ManualClock(AT)
    world, rules = World(), policy()
    empty = b'{"incidents": []}'
    answers = iter([empty, body, body])
    reader = FeedReader(clock, httpx.MockTransport(lambda _: httpx.Response(200, content=_pieces(next(answers)))))

    async def work() -> None:
        nonlocal world
        for _ in range(3):
            report = await reader.read(SOURCE)
            world = step(world, FeedRead(actor=Actor.vendor("anthropic"), report=report), clock.now(), rules).world
            clock.advance(timedelta(minutes=1))

    found = await stalled(work)
    await reader.close()
    return found


def main() -> bool:
    """Print what each page, answer and body costs; False when one of them held the loop for too long."""
    print(f"How long what comes from outside holds the loop (claim: under {MOST_MS:.0f} ms)")
    held = True
    for name, body in pages():
        held &= _told(f"page: {name}", len(body), min(asyncio.run(page_stall(body)) for _ in range(3)))
    for kind in KINDS:
        again = zip(*(asyncio.run(_all(kind)) for _ in range(2)), strict=True)
        for one, other in again:
            held &= _told(one[0], one[1], min(one[2], other[2]))
    print("And a real bot over real sockets, by the lag of its loop")
    for name, size, worst in asyncio.run(measured()):
        held &= _told(name, size, worst)
    return held


async def _all(kind: Callable[[Stalled], Awaitable[list[Cost]]]) -> list[Cost]:
    return await kind(stalled)


def _told(name: str, size: int, worst: float) -> bool:
    print(f"  {name:46} {size:>9,} bytes  {worst:6.1f} ms  {'ok' if worst < MOST_MS else 'TOO LONG'}")
    return worst < MOST_MS
