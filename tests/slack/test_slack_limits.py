"""Our own pacing of calls, in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from bot.ports import ChatError
from bot.sandbox.slack.api.catalogue import catalogue
from bot.sandbox.slack.records import tiers_per_minute
from bot.sandbox.world import VirtualLoop
from bot.slack.limits import KEEP_AT_MOST, LONGEST_WAIT_S, PER_MINUTE, Pacer, Tiers


def virtually(play: Callable[[], Awaitable[None]]) -> None:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(play())  # type: ignore[arg-type]


async def turns(pacer: Pacer, key: str, count: int) -> list[float]:
    """When each of that many turns was granted, in seconds from now."""
    loop = asyncio.get_running_loop()
    began, came = loop.time(), []
    for _ in range(count):
        await pacer.turn(key)
        came.append(round(loop.time() - began, 3))
    return came


def test_turns_come_in_a_burst_and_then_at_the_pace() -> None:
    """A burst of three, then one a second."""

    async def play() -> None:
        assert [0, 0, 0, 1, 2, 3] == await turns(Pacer(1.0, 3), "C1", 6)

    virtually(play)


def test_burst_recovers_after_a_quiet_time() -> None:
    """But never beyond the full burst."""

    async def play() -> None:
        pacer = Pacer(1.0, 3)
        await turns(pacer, "C1", 5)
        await asyncio.sleep(100)
        assert [0, 0, 0, 1] == await turns(pacer, "C1", 4)

    virtually(play)


def test_no_minute_exceeds_its_limit() -> None:
    """Edits stay below Slack's fifty a minute, in any minute."""

    async def play() -> None:
        came = await turns(Pacer(1.35, 5), "chat.update", 400)
        assert 50 >= max(sum(start <= at < start + 60 for at in came) for start in came)

    virtually(play)


def test_busy_key_does_not_delay_others() -> None:
    """A loud channel does not slow another."""

    async def play() -> None:
        pacer = Pacer(1.0, 1)
        await turns(pacer, "C1", 5)
        assert [0] == await turns(pacer, "C2", 1)

    virtually(play)


def test_turn_too_far_away_is_refused() -> None:
    """With the time to come back; the refusal uses up no turn."""

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


def test_unused_channels_are_forgotten() -> None:
    """Incident channels live for a day."""

    async def play() -> None:
        pacer = Pacer(1.0, 3)
        for n in range(3 * KEEP_AT_MOST):
            await pacer.turn(f"C{n}")
            await asyncio.sleep(1)
        assert len(pacer._free_at) <= KEEP_AT_MOST

    virtually(play)


def test_no_method_is_called_more_often_than_its_tier_allows() -> None:
    """Fifty incidents at once get their channels over three minutes, and Slack refuses none."""

    async def play() -> None:
        tiers, loop = Tiers(longest_wait_s=1000.0), asyncio.get_running_loop()
        came = []
        for _ in range(50):
            await tiers.turn("conversations.create")
            came.append(loop.time())
        assert 20 == max(sum(start <= at < start + 60 for at in came) for start in came)
        assert 120 < came[-1] - came[0] < 125

    virtually(play)


def test_methods_do_not_wait_for_each_other() -> None:
    """An update goes out while channels wait."""

    async def play() -> None:
        tiers = Tiers(longest_wait_s=1000.0)
        for _ in range(20):
            await tiers.turn("conversations.create")
        began = asyncio.get_running_loop().time()
        for method in ("chat.postMessage", "chat.update", "views.open", "views.open"):
            await tiers.turn(method)
        assert began == asyncio.get_running_loop().time()

    virtually(play)


def test_call_too_far_away_is_refused_with_the_time_to_come_back() -> None:
    """The row returns to the outbox, and the refusal uses up no turn."""

    async def play() -> None:
        tiers = Tiers()
        for _ in range(20):
            await tiers.turn("conversations.create")
        for _ in range(3):
            with pytest.raises(ChatError) as caught:
                await tiers.turn("conversations.create")
            assert ("paced", False, timedelta(seconds=61)) == (
                caught.value.code, caught.value.permanent, caught.value.retry_after
            )  # fmt: skip
        await asyncio.sleep(61 - LONGEST_WAIT_S)
        await tiers.turn("conversations.create")

    virtually(play)


def test_paces_match_slacks_tiers() -> None:
    """Every method that we pace, by Slack's reference."""
    allowed = tiers_per_minute()

    assert {method: allowed[facts.tier] for method, facts in catalogue().items() if method in PER_MINUTE} == {
        method: most for method, most in PER_MINUTE.items() if method in catalogue()
    }
