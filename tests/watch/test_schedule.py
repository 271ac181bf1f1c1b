"""Checks start on time, spread over their interval, with early runs on request, and never too many at once."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from bot.system.clock import ManualClock, SystemClock
from bot.watch.schedule import Schedule

START = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)


class Looks:
    """Records which runs were started when, in domain time; `hang` keeps runs under way."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.began: list[tuple[str, float]] = []
        self.hang: asyncio.Event | None = None

    def of(self, name: str) -> "object":
        async def look() -> None:
            self.began.append((name, self.clock.monotonic()))
            if self.hang:
                await self.hang.wait()

        return look


async def passes(clock: ManualClock, schedule: Schedule, seconds: float, step: float = 1.0) -> None:
    for _ in range(round(seconds / step)):
        clock.advance(timedelta(seconds=step))
        schedule.beat()
        await asyncio.sleep(0)
        await asyncio.sleep(0)


async def test_check_keeps_its_offset() -> None:
    """It runs at the same offset of each interval, other checks at other offsets."""
    clock = ManualClock(START)
    looks, schedule = Looks(clock), Schedule(clock)
    for number in range(50):
        schedule.add(f"check {number}", 30.0, looks.of(f"check {number}"))

    await passes(clock, schedule, 90)

    assert 150 == len(looks.began)
    one = [at for name, at in looks.began if name == "check 7"]
    assert [30.0, 30.0] == [later - earlier for earlier, later in pairwise(one)]
    assert 15 < len({at % 30 for _, at in looks.began})


async def test_missed_runs_are_skipped() -> None:
    """After a stall of five minutes a check runs once, and then in its old rhythm."""
    clock = ManualClock(START)
    looks, schedule = Looks(clock), Schedule(clock)
    schedule.add("check", 30.0, looks.of("check"))
    await passes(clock, schedule, 30)
    phase = looks.began[0][1]
    clock.advance(timedelta(minutes=5))

    await passes(clock, schedule, 60)

    assert [phase, 331.0] == [at for _, at in looks.began][:2]
    assert [phase % 30] == sorted({at % 30 for _, at in looks.began[2:]})
    assert 4 == len(looks.began)


async def test_early_run_does_not_change_the_offset() -> None:
    """A doubt is checked after five seconds; two requests give one run."""
    clock = ManualClock(START)
    looks, schedule = Looks(clock), Schedule(clock)
    schedule.add("check", 30.0, looks.of("check"))
    await passes(clock, schedule, 30)
    phase = looks.began[0][1]
    schedule.run_early("check", (phase - clock.monotonic()) % 30 / 2)
    schedule.run_early("check", (phase - clock.monotonic()) % 30 / 2)

    await passes(clock, schedule, 60)

    regular = [at for _, at in looks.began if at % 30 == phase % 30]
    assert 3 == len(regular)
    assert 4 == len(looks.began)


async def test_early_run_is_dropped_if_a_regular_one_comes_first() -> None:
    """No check runs twice in a moment."""
    clock = ManualClock(START)
    looks, schedule = Looks(clock), Schedule(clock)
    schedule.add("check", 5.0, looks.of("check"))
    schedule.run_early("check", 30.0)

    await passes(clock, schedule, 40)

    assert 8 == len(looks.began)


async def test_hanging_check_is_not_started_again() -> None:
    """One run of a check at a time; the others go on."""
    clock = ManualClock(START)
    looks, schedule = Looks(clock), Schedule(clock)
    looks.hang = asyncio.Event()
    schedule.add("check", 5.0, looks.of("check"))

    await passes(clock, schedule, 60)

    assert 1 == len(looks.began)
    looks.hang.set()
    await schedule.idle()
    await passes(clock, schedule, 5)
    assert 2 == len(looks.began)


async def test_early_run_starts_beside_a_hanging_run() -> None:
    """A few at most, and not if one has just begun."""
    clock = ManualClock(START)
    looks, schedule = Looks(clock), Schedule(clock)
    looks.hang = asyncio.Event()
    schedule.add("check", 600.0, looks.of("check"), phase_s=1.0)
    await passes(clock, schedule, 1)
    for _ in range(20):
        schedule.run_early("check", 0.0)
        schedule.run_early("check", 0.0)
        await passes(clock, schedule, 2)

    assert [2.0 + 2 * n for n in range(1, 8)] == [at for _, at in looks.began][1:]  # they note it a step later
    looks.hang.set()
    await schedule.idle()
    schedule.run_early("check", 0.0)
    await schedule.idle()
    assert 9 == len(looks.began)


async def test_early_runs_beside_hanging_ones_are_limited() -> None:
    """To a tenth of all runs: a provider whose checks hang starves no other."""
    clock = ManualClock(START)
    looks, schedule = Looks(clock), Schedule(clock, at_once=20)
    looks.hang = asyncio.Event()
    for number in range(5):
        schedule.add(f"check {number}", 30.0, looks.of(f"check {number}"), phase_s=1.0)
    await passes(clock, schedule, 5)
    for number in range(5):
        schedule.run_early(f"check {number}", 0.0)
    await asyncio.sleep(0)
    await schedule.stop()

    assert 5 + 2 == len(looks.began)


async def test_run_cancelled_before_its_start_is_not_waited_for() -> None:
    """It never ran, so it cannot report its own end."""
    clock = ManualClock(START)
    schedule = Schedule(clock)
    schedule.add("check", 30.0, Looks(clock).of("check"), phase_s=1.0)
    clock.advance(timedelta(seconds=1))
    schedule.beat()
    await schedule.stop()

    idle = asyncio.create_task(schedule.idle())
    done, _ = await asyncio.wait({idle}, timeout=1)
    idle.cancel()

    assert {idle} == done


async def test_regular_run_in_place_of_an_early_one_does_not_wait_either() -> None:
    """An early run was requested, and the regular one came first: it must not be swallowed."""
    clock = ManualClock(START)
    looks, schedule = Looks(clock), Schedule(clock)
    looks.hang = asyncio.Event()
    schedule.add("check", 5.0, looks.of("check"), phase_s=1.0)
    await passes(clock, schedule, 1)
    schedule.run_early("check", 6.0)
    await passes(clock, schedule, 12)

    assert [1.0, 6.0] == [at for _, at in looks.began]
    looks.hang.set()
    await schedule.idle()


async def test_cancelled_early_run_does_not_start() -> None:
    """The doubt was gone before."""
    clock = ManualClock(START)
    looks, schedule = Looks(clock), Schedule(clock)
    schedule.add("check", 60.0, looks.of("check"), phase_s=50.0)
    schedule.run_early("check", 4.0)
    schedule.cancel_early("check")
    await passes(clock, schedule, 40)

    assert [] == looks.began


async def test_nothing_starts_after_the_end() -> None:
    """A late result requests an early run when nobody is there any more."""
    clock = ManualClock(START)
    looks, schedule = Looks(clock), Schedule(clock)
    schedule.add("check", 60.0, looks.of("check"))
    await schedule.stop()
    schedule.run_early("check", 0.0)
    await passes(clock, schedule, 90)

    assert [] == looks.began


async def test_number_of_runs_at_once_is_limited() -> None:
    """Further runs wait and are not lost."""
    clock = ManualClock(START)
    looks, schedule = Looks(clock), Schedule(clock, at_once=3)
    looks.hang = asyncio.Event()
    for number in range(10):
        schedule.add(f"check {number}", 5.0, looks.of(f"check {number}"))

    await passes(clock, schedule, 6)
    assert 3 == len(looks.began)

    looks.hang.set()
    await schedule.idle()
    assert {f"check {number}" for number in range(10)} == {name for name, _ in looks.began}


async def test_provider_whose_checks_hang_leaves_places_for_others() -> None:
    """It gets half of the places, the next one half of the rest, and the third runs on time."""
    clock = ManualClock(START)
    looks, schedule = Looks(clock), Schedule(clock, at_once=16)
    looks.hang = asyncio.Event()
    for second, provider in enumerate(("one", "other", "third"), 1):
        for number in range(12):
            schedule.add(f"{provider} {number}", 30.0, looks.of(provider), owner=provider, phase_s=float(second))

    await passes(clock, schedule, 3)
    await schedule.stop()

    assert {"one": 8, "other": 4, "third": 2} == dict(Counter(name for name, _ in looks.began))


async def test_free_place_goes_to_a_provider_that_may_use_it() -> None:
    """Not to one that has more than its share; within a provider, to the check that waits longest."""
    clock = ManualClock(START)
    looks, schedule = Looks(clock), Schedule(clock, at_once=4)
    hangs, ends = asyncio.Event(), asyncio.Event()
    looks.hang = hangs
    for number in range(4):
        schedule.add(f"big {number}", 30.0, looks.of(f"big {number}"), owner="big", phase_s=1.0)
    await passes(clock, schedule, 1)
    looks.hang = ends
    schedule.add("small 0", 30.0, looks.of("small 0"), owner="small", phase_s=1.0)
    schedule.add("small 1", 30.0, looks.of("small 1"), owner="small", phase_s=2.0)
    await passes(clock, schedule, 3)
    assert ["big 0", "big 1", "small 0"] == [name for name, _ in looks.began]

    looks.hang = None
    ends.set()
    await passes(clock, schedule, 0.1, step=0.1)
    assert ["small 1"] == [name for name, _ in looks.began[3:]]

    hangs.set()
    await schedule.idle()
    assert ["big 2", "big 3"] == [name for name, _ in looks.began[4:]]

    looks.hang = asyncio.Event()
    await passes(clock, schedule, 30)
    await schedule.stop()
    assert 2 == sum("big" in name for name, _ in looks.began[6:])


async def test_waiting_check_that_left_is_not_run() -> None:
    """Another replica took the component over meanwhile; if it returns, it runs again."""
    clock, mine = ManualClock(START), True
    looks, schedule = Looks(clock), Schedule(clock, at_once=1)
    looks.hang = asyncio.Event()
    schedule.add("hangs", 30.0, looks.of("hangs"), phase_s=1.0)
    schedule.add("goes", 30.0, looks.of("goes"), phase_s=2.0, mine=lambda: mine)
    await passes(clock, schedule, 5)
    mine = False
    looks.hang.set()
    await schedule.idle()
    assert ["hangs"] == [name for name, _ in looks.began]

    mine = True
    await passes(clock, schedule, 30)
    await schedule.stop()
    assert ["hangs", "hangs", "goes"] == [name for name, _ in looks.began]


async def test_waiting_for_a_place_counts_as_lateness() -> None:
    """The lag shows that hanging checks keep others from running."""
    clock, late = ManualClock(START), list[float]()
    schedule = Schedule(clock, at_once=1, on_start=late.append)
    looks = Looks(clock)
    looks.hang = asyncio.Event()
    for name in ("one", "other"):
        schedule.add(name, 30.0, looks.of(name), phase_s=1.0)
    await passes(clock, schedule, 5)

    looks.hang.set()
    await asyncio.sleep(0.01)

    assert [0.0, 4.0] == late


async def test_own_bug_in_a_run_is_logged_and_the_check_runs_again(caplog: object) -> None:
    """Once, by name; the check runs in its next interval."""
    clock = ManualClock(START)
    schedule, began = Schedule(clock), []

    async def look() -> None:
        began.append(clock.monotonic())
        raise RuntimeError("ours")

    schedule.add("check", 5.0, look)
    await passes(clock, schedule, 10)

    assert 2 == len(began)


async def test_runs_before_the_next_beat_start_at_their_exact_time() -> None:
    """In real time a beat schedules what is due before the next one."""
    clock = SystemClock()
    late: list[float] = []
    schedule = Schedule(clock, ahead_s=1.0, on_start=late.append)
    began: list[str] = []

    def look(name: str) -> object:
        async def one() -> None:
            began.append(name)

        return one

    for number in range(20):
        schedule.add(f"check {number}", 0.5, look(f"check {number}"))
    schedule.beat()
    await asyncio.sleep(0.6)
    await schedule.stop()

    assert {f"check {number}" for number in range(20)} == set(began)
    assert 20 <= len(late)


async def test_runs_start_on_time_although_the_next_beat_is_late() -> None:
    """The metronome beats at whole multiples, so a late beat is followed by one up to one and a half away."""
    began = asyncio.Event()

    async def look() -> None:
        began.set()

    schedule = Schedule(SystemClock(), ahead_s=0.2)
    schedule.add("check", 3600.0, look, phase_s=0.25)
    schedule.beat()
    await asyncio.wait_for(began.wait(), 10)
    await schedule.stop()

    assert began.is_set()


async def test_early_run_does_not_wait_for_the_next_beat() -> None:
    """It is scheduled at once within the span that the last beat covers."""
    began = asyncio.Event()

    async def look() -> None:
        began.set()

    schedule = Schedule(SystemClock(), ahead_s=60.0)
    schedule.add("check", 3600.0, look, phase_s=1800.0)
    schedule.beat()
    schedule.run_early("check", 0.01)
    await asyncio.wait_for(began.wait(), 10)
    await schedule.stop()

    assert began.is_set()


async def test_runs_of_one_moment_start_together_and_never_early() -> None:
    """The loop wakes up once for everything due within 20 ms, because each wake-up costs more than a run."""
    clock = ManualClock(START)
    looks, schedule = Looks(clock), Schedule(clock)
    for number in range(1, 20):
        schedule.add(f"check {number}", 30.0, looks.of(f"check {number}"), phase_s=1.0 + number / 1000)

    await passes(clock, schedule, 1.015, step=0.005)
    assert [] == looks.began
    await passes(clock, schedule, 0.005, step=0.005)

    assert 19 == len(looks.began)


async def test_late_runs_start_without_blocking_the_loop() -> None:
    """A thousand are late at once, and others get turns between them."""
    clock = ManualClock(START)
    looks, schedule = Looks(clock), Schedule(clock, ahead_s=1.0, at_once=2_000)
    for number in range(1_000):
        schedule.add(f"check {number}", 30.0, looks.of(f"check {number}"))
    clock.advance(timedelta(seconds=30))

    schedule.beat()
    begun_before_another: list[int] = []
    asyncio.get_running_loop().call_soon(lambda: begun_before_another.append(len(looks.began)))
    while len(looks.began) < 1_000:
        await asyncio.sleep(0)
    await schedule.stop()

    assert begun_before_another[0] < 100
