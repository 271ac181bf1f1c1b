"""The end of a look: only its own end is a TimeoutError, and nothing of it is left behind."""

import asyncio

import pytest

from bot.checks.deadline import Deadline

SOON_S, NEVER_S = 0.01, 60.0


async def forever() -> None:
    await asyncio.get_running_loop().create_future()


async def test_look_ends_with_a_timeout_when_its_deadline_passes() -> None:
    """Whatever is waited for is given up, and the task goes on uncancelled."""
    with pytest.raises(TimeoutError), Deadline(SOON_S) as limit:
        await forever()
    assert limit.over
    assert 0 == asyncio.current_task().cancelling()  # type: ignore[union-attr]


async def test_look_goes_on_when_it_ends_before_its_deadline() -> None:
    """A deadline that is behind us cancels nothing later."""
    with Deadline(SOON_S) as limit:
        pass
    await asyncio.sleep(2 * SOON_S)
    assert not limit.over


async def test_look_is_cancelled_when_somebody_else_cancels_it() -> None:
    """A bot that ends is not told that a provider was slow."""

    async def look() -> None:
        with Deadline(NEVER_S):
            await forever()

    looking = asyncio.create_task(look())
    await asyncio.sleep(0)
    looking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await looking


async def test_look_is_cancelled_when_its_deadline_passes_at_the_same_time() -> None:
    """Who cancels is heard even where the deadline came first."""

    async def look() -> None:
        with Deadline(0.0):
            await forever()

    looking = asyncio.create_task(look())
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_later(0.0, looking.cancel)  # behind the deadline's own, in the same turn
    with pytest.raises(asyncio.CancelledError):
        await looking


async def test_failure_stays_itself_when_the_deadline_has_not_passed() -> None:
    """What went wrong inside is raised as it is."""
    with pytest.raises(ConnectionResetError), Deadline(NEVER_S):
        raise ConnectionResetError


async def test_failure_stays_itself_when_the_deadline_passes_in_its_last_moment() -> None:
    """What a look makes of its own end is what it came to."""
    with pytest.raises(ConnectionResetError), Deadline(SOON_S):
        try:
            await forever()
        except asyncio.CancelledError as exc:
            raise ConnectionResetError from exc
