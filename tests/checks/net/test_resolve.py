"""The resolver's cache, its single flight, and what dead names may cost the healthy ones."""

import asyncio
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable

import pytest

from bot.checks.net.resolve import Resolved, ThreadResolver
from bot.checks.net.threads import Threads

HANG_S = 0.6  # a scaled-down getaddrinfo that waits for a dead name server: 5 s in life


class Names:
    """A blocking look-up, scripted by name: addresses, an error, or a wait for `release`. Counts, and sees how many run."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.known: dict[str, tuple[str, ...] | OSError] = {}
        self.release = threading.Event()
        self.at_once = 0
        self.most_at_once = 0
        self._lock = threading.Lock()

    def __call__(self, host: str) -> tuple[str, ...]:
        with self._lock:
            self.asked[host] += 1
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if host.startswith("dead"):
                self.release.wait(HANG_S)
                raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
            if host.startswith("stuck"):
                self.release.wait(30)
            answer = self.known.get(host, ("192.0.2.1",))
            if isinstance(answer, OSError):
                raise answer
            return answer
        finally:
            with self._lock:
                self.at_once -= 1


class Hand:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def until(what: Callable[[], bool]) -> None:
    """Wait for a thread to get somewhere, within a bound."""
    async with asyncio.timeout(10):
        while not what():
            await asyncio.sleep(0.002)


async def test_healthy_names_are_untouched_when_twenty_names_are_dead() -> None:
    """Fifty healthy names, asked again and again while twenty dead ones hang: no answer waits for one of those."""
    names = Names()
    resolver = ThreadResolver(names, ttl_s=0.02, negative_ttl_s=0.1, slow_after_s=0.05, stale_after_s=0.2)
    answers: list[tuple[str, ...]] = []

    async def healthy(number: int) -> None:
        for _ in range(20):
            answers.append((await resolver.addresses(f"healthy-{number}", 443)).addresses)
            await asyncio.sleep(0.03)

    doomed = [asyncio.create_task(resolver.addresses(f"stuck-{n}", 443)) for n in range(20)]
    await asyncio.sleep(0)
    async with asyncio.timeout(25):  # before the dead ones give up by themselves
        await asyncio.gather(*(healthy(n) for n in range(50)))
    assert [("192.0.2.1",)] * 1000 == answers
    assert not any(task.done() for task in doomed)
    names.release.set()
    await asyncio.gather(*doomed)
    resolver.close()


async def test_unknown_names_get_through_when_a_hundred_dead_ones_were_asked_first() -> None:
    """At a first start nobody knows which names are dead: one that hangs gives its place to the next."""
    names = Names()
    resolver = ThreadResolver(names, quick=8, slow_after_s=0.02)
    doomed = [asyncio.create_task(resolver.addresses(f"stuck-{n}", 443)) for n in range(100)]
    await asyncio.sleep(0)
    found = await asyncio.wait_for(resolver.addresses("healthy", 443), 5)
    assert Resolved(("192.0.2.1",)) == found
    assert not any(task.done() for task in doomed)
    names.release.set()
    await asyncio.gather(*doomed)
    resolver.close()


async def test_slow_names_wait_for_each_other_when_they_were_slow_before() -> None:
    """What was slow the last time gets few threads; the quick ones have theirs."""
    names, hand = Names(), Hand()
    resolver = ThreadResolver(names, slow=2, slow_after_s=0.02, negative_ttl_s=1, time=hand)
    first = await asyncio.gather(*(resolver.addresses(f"dead-{n}", 443) for n in range(10)), return_exceptions=True)
    assert all(isinstance(one, socket.gaierror) for one in first)
    hand.now += 2
    names.most_at_once = 0
    again = [asyncio.create_task(resolver.addresses(f"dead-{n}", 443)) for n in range(10)]
    await until(lambda: names.at_once == 2)
    assert Resolved(("192.0.2.1",)) == await asyncio.wait_for(resolver.addresses("healthy", 443), 5)
    names.release.set()
    await asyncio.gather(*again, return_exceptions=True)
    resolver.close()
    assert names.most_at_once <= 3, "two slow ones and the healthy one"


async def test_one_thread_is_taken_when_many_checks_ask_for_a_dead_name() -> None:
    """Twenty checks of one name share one look-up, and its failure."""
    names = Names()
    resolver = ThreadResolver(names)
    results = await asyncio.gather(*(resolver.addresses("dead", 443) for _ in range(20)), return_exceptions=True)
    resolver.close()
    assert 1 == names.asked["dead"]
    assert [socket.EAI_AGAIN] * 20 == [result.errno for result in results if isinstance(result, socket.gaierror)]
    assert 20 == len({id(result) for result in results}), "each caller raises its own"


async def test_look_up_goes_on_when_a_caller_is_cancelled() -> None:
    """Who gives up takes nothing from the others."""
    names = Names()
    resolver = ThreadResolver(names)
    impatient = asyncio.create_task(resolver.addresses("stuck", 443))
    patient = asyncio.create_task(resolver.addresses("stuck", 443))
    await until(lambda: names.at_once == 1)
    impatient.cancel()
    names.release.set()
    assert Resolved(("192.0.2.1",)) == await patient
    assert impatient.cancelled()
    assert 1 == names.asked["stuck"]
    resolver.close()


async def test_answer_is_kept_until_its_time_has_passed() -> None:
    """Within the TTL nobody is asked; near its end the next answer is fetched behind the caller's back; then all ask anew."""
    names, hand = Names(), Hand()
    resolver = ThreadResolver(names, ttl_s=30, time=hand)
    names.known["api"] = ("192.0.2.1",)
    await resolver.addresses("api", 443)
    hand.now += 20
    await resolver.addresses("api", 80)
    assert 1 == names.asked["api"]
    names.known["api"] = ("192.0.2.2",)
    hand.now += 5  # 25 of 30: time for the next one
    assert Resolved(("192.0.2.1",)) == await resolver.addresses("api", 443)
    await until(lambda: names.asked["api"] == 2 and names.at_once == 0)
    await asyncio.sleep(0.01)
    hand.now += 10
    assert Resolved(("192.0.2.2",)) == await resolver.addresses("api", 443)
    assert 2 == names.asked["api"]
    hand.now += 40
    await resolver.addresses("api", 443)
    assert 3 == names.asked["api"]
    resolver.close()


async def test_failed_name_is_left_alone_when_it_failed_just_now() -> None:
    """Within the negative TTL the failure is repeated without asking."""
    names, hand = Names(), Hand()
    resolver = ThreadResolver(names, negative_ttl_s=5, time=hand)
    names.known["gone"] = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    for after_s, asked in ((0, 1), (4, 1), (2, 2)):
        hand.now += after_s
        with pytest.raises(socket.gaierror, match="not known"):
            await resolver.addresses("gone", 443)
        assert asked == names.asked["gone"]
    resolver.close()


async def test_old_answer_is_served_when_the_resolver_fails() -> None:
    """Nobody can be asked: the last good answer serves on, marked stale, for its time and no longer."""
    names, hand = Names(), Hand()
    resolver = ThreadResolver(names, ttl_s=30, negative_ttl_s=5, stale_for_s=600, time=hand)
    await resolver.addresses("api", 443)
    names.known["api"] = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    hand.now += 40
    assert Resolved(("192.0.2.1",), stale=True) == await resolver.addresses("api", 443)
    assert Resolved(("192.0.2.1",), stale=True) == await resolver.addresses("api", 443)
    assert 2 == names.asked["api"]
    hand.now += 10
    names.known["api"] = ("192.0.2.7",)
    assert Resolved(("192.0.2.7",)) == await resolver.addresses("api", 443)
    names.known["api"] = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    hand.now += 30 + 601
    with pytest.raises(socket.gaierror):
        await resolver.addresses("api", 443)
    resolver.close()


async def test_old_answer_is_served_when_the_look_up_hangs() -> None:
    """Who has an old answer does not wait long for a new one; the next caller does not wait at all."""
    names, hand = Names(), Hand()
    resolver = ThreadResolver(names, ttl_s=30, stale_after_s=0.05, time=hand)
    names.release.set()
    await resolver.addresses("stuck", 443)
    names.release.clear()
    hand.now += 31
    loop = asyncio.get_running_loop()
    assert Resolved(("192.0.2.1",), stale=True) == await resolver.addresses("stuck", 443)
    hand.now += 1
    began = loop.time()
    assert Resolved(("192.0.2.1",), stale=True) == await resolver.addresses("stuck", 443)
    assert loop.time() - began < 0.04
    names.release.set()
    resolver.close()


async def test_old_answer_is_dropped_when_the_name_is_gone() -> None:
    """ "No such name" is an answer, not a failure of the resolver."""
    names, hand = Names(), Hand()
    resolver = ThreadResolver(names, ttl_s=30, time=hand)
    await resolver.addresses("api", 443)
    names.known["api"] = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    hand.now += 31
    with pytest.raises(socket.gaierror):
        await resolver.addresses("api", 443)
    resolver.close()


async def test_cache_stays_small_when_names_keep_coming() -> None:
    """Redirects may name any host; the oldest answers go."""
    names = Names()
    resolver = ThreadResolver(names, names=10)
    for number in range(50):
        await resolver.addresses(f"name-{number}", 443)
    await resolver.addresses("name-45", 443)
    assert 1 == names.asked["name-45"]
    await resolver.addresses("name-3", 443)
    assert 2 == names.asked["name-3"]
    resolver.close()


async def test_waiting_ends_when_the_resolver_is_closed() -> None:
    """Closing waits for no thread and leaves no caller behind; closing twice is harmless."""
    names = Names()
    resolver = ThreadResolver(names)
    waiting = asyncio.create_task(resolver.addresses("stuck", 443))
    await until(lambda: names.at_once == 1)
    began = time.perf_counter()
    resolver.close()
    resolver.close()
    with pytest.raises(socket.gaierror, match="closed"):
        await waiting
    with pytest.raises(socket.gaierror, match="closed"):
        await resolver.addresses("another", 443)
    assert time.perf_counter() - began < 2
    names.release.set()


async def test_threads_stay_few_when_calls_are_many() -> None:
    """Calls behind the bound wait for a thread; what a call raises is raised where it was asked for."""
    threads = Threads(3, "few")
    seen: set[int] = set()

    def work(number: int) -> int:
        seen.add(threading.get_ident())
        if number == 7:
            raise LookupError("seven")
        return number

    results = await asyncio.gather(*(threads.run(work, n) for n in range(200)), return_exceptions=True)
    threads.close()
    assert len(seen) <= 3
    assert list(range(7)) == results[:7]
    assert isinstance(results[7], LookupError)
    with pytest.raises(RuntimeError):
        await threads.run(work, 1)
