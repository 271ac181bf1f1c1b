"""The deadline of a check: only its own expiry is a TimeoutError, and nothing of it outlives the check."""

import asyncio

import pytest

from bot.checks.deadline import Deadline

SOON_S, NEVER_S = 0.01, 60.0


async def forever() -> None:
    await asyncio.get_running_loop().create_future()


async def test_check_times_out_when_its_deadline_passes() -> None:
    """The pending await is cancelled, and the task goes on uncancelled."""
    with pytest.raises(TimeoutError), Deadline(SOON_S) as limit:
        await forever()
    assert limit.over
    assert 0 == asyncio.current_task().cancelling()  # type: ignore[union-attr]


async def test_finished_check_is_not_cancelled_by_its_deadline() -> None:
    """A deadline that is no longer needed cancels nothing later."""
    with Deadline(SOON_S) as limit:
        pass
    await asyncio.sleep(2 * SOON_S)
    assert not limit.over


async def test_check_cancelled_from_outside_is_cancelled() -> None:
    """Shutting the bot down must not count as a slow provider."""

    async def look() -> None:
        with Deadline(NEVER_S):
            await forever()

    looking = asyncio.create_task(look())
    await asyncio.sleep(0)
    looking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await looking


async def test_outside_cancellation_wins_over_a_deadline() -> None:
    """The cancellation counts even if the deadline passed first."""

    async def look() -> None:
        with Deadline(0.0):
            await forever()

    looking = asyncio.create_task(look())
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_later(0.0, looking.cancel)  # behind the deadline's own, in the same turn
    with pytest.raises(asyncio.CancelledError):
        await looking


async def test_error_before_the_deadline_is_raised_unchanged() -> None:
    """An error inside the check is not turned into a timeout."""
    with pytest.raises(ConnectionResetError), Deadline(NEVER_S):
        raise ConnectionResetError


async def test_error_raised_on_expiry_is_raised_unchanged() -> None:
    """If the check turns its own expiry into another error, that error is the result."""
    with pytest.raises(ConnectionResetError), Deadline(SOON_S):
        try:
            await forever()
        except asyncio.CancelledError as exc:
            raise ConnectionResetError from exc
