"""Our own pace, in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from bot.ports import ChatError
from bot.sandbox.world import VirtualLoop
from bot.slack.limits import KEEP_AT_MOST, Pacer


def virtually(play: Callable[[], Awaitable[None]]) -> None:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(play())  # type: ignore[arg-type]


async def turns(pacer: Pacer, key: str, count: int) -> list[float]:
    """When each of so many turns came, in seconds from now."""
    loop = asyncio.get_running_loop()
    began, came = loop.time(), []
    for _ in range(count):
        await pacer.turn(key)
        came.append(round(loop.time() - began, 3))
    return came


def test_turns_come_at_once_and_then_in_step_when_many_are_wanted() -> None:
    """A burst of three, then one a second."""

    async def play() -> None:
        assert [0, 0, 0, 1, 2, 3] == await turns(Pacer(1.0, 3), "C1", 6)

    virtually(play)


def test_the_burst_is_saved_up_again_when_it_was_quiet() -> None:
    """But never more than the burst."""

    async def play() -> None:
        pacer = Pacer(1.0, 3)
        await turns(pacer, "C1", 5)
        await asyncio.sleep(100)
        assert [0, 0, 0, 1] == await turns(pacer, "C1", 4)

    virtually(play)


def test_a_minute_never_holds_more_than_its_share_when_nobody_rests() -> None:
    """Edits stay below Slack's fifty a minute, whatever the minute."""

    async def play() -> None:
        came = await turns(Pacer(1.35, 5), "chat.update", 400)
        assert 50 >= max(sum(start <= at < start + 60 for at in came) for start in came)

    virtually(play)


def test_keys_do_not_wait_for_each_other_when_one_is_busy() -> None:
    """A loud channel does not slow another."""

    async def play() -> None:
        pacer = Pacer(1.0, 1)
        await turns(pacer, "C1", 5)
        assert [0] == await turns(pacer, "C2", 1)

    virtually(play)


def test_a_turn_too_far_away_is_refused_when_the_queue_is_long() -> None:
    """With the time to come back; the refusal takes no turn."""

    async def play() -> None:
        pacer = Pacer(1.0, 1, longest_wait_s=2.0)
        pacer.hold("C1", timedelta(seconds=10))
        for _ in range(3):
            with pytest.raises(ChatError) as caught:
                await pacer.turn("C1")
            assert ("paced", False, timedelta(seconds=10)) == (
                caught.value.code, caught.value.permanent, caught.value.retry_after
            )  # fmt: skip
        await asyncio.sleep(9)
        assert [1] == await turns(pacer, "C1", 1)

    virtually(play)


def test_no_channel_is_remembered_for_ever_when_many_come_and_go() -> None:
    """Incident channels live for a day."""

    async def play() -> None:
        pacer = Pacer(1.0, 3)
        for n in range(3 * KEEP_AT_MOST):
            await pacer.turn(f"C{n}")
            await asyncio.sleep(1)
        assert len(pacer._free_at) <= KEEP_AT_MOST

    virtually(play)
