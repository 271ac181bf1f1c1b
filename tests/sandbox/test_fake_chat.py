"""The in-memory chat's faults, in virtual time; its normal behavior is covered by the contract tests."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.ports import ChatError, Message, Place
from bot.sandbox.chat import FakeChat
from bot.sandbox.chat_state import Fault
from bot.sandbox.world import EPOCH, LoopClock, VirtualLoop

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def played(fault: Fault | None, play: Callable[[FakeChat, str], Any]) -> FakeChat:
    """Run `play` in virtual time with a chat whose first post meets this fault."""
    faults = [fault]

    def before(call: str, args: Mapping[str, Any]) -> Fault | None:
        return faults.pop() if call == "post" and faults else None

    async def run() -> FakeChat:
        chat = FakeChat(LoopClock(asyncio.get_running_loop()), before=before)
        await play(chat, chat.add_channel("ops", member=True))
        return chat

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(run())


@pytest.mark.parametrize(
    ("fault", "code", "unclear", "stands"),
    [
        (Fault.down(), "connection", False, 0),
        (Fault.limited(timedelta(seconds=5)), "ratelimited", False, 0),
        (Fault("unclear_before"), "timeout", True, 0),
        (Fault("unclear_after"), "timeout", True, 1),
    ],
)
def test_planned_fault_hits_the_post(fault: Fault, code: str, unclear: bool, stands: int) -> None:
    """The raised error and the channel's content are checked separately."""

    async def play(chat: FakeChat, ops: str) -> None:
        with pytest.raises(ChatError) as caught:
            await chat.post(Place(ops), Message("words"), "k")
        assert (code, unclear) == (caught.value.code, caught.value.unclear)
        assert stands == len(chat.messages(ops))

    played(fault, play)


def test_late_post_appears_only_after_its_delay() -> None:
    """A look-up before that finds nothing; later it is found, with its time of arrival."""

    async def play(chat: FakeChat, ops: str) -> None:
        with pytest.raises(ChatError):
            await chat.post(Place(ops), Message("words"), "k")
        assert await chat.find_post(Place(ops), "k", LONG_AGO) is None
        await asyncio.sleep(20)
        assert await chat.find_post(Place(ops), "k", LONG_AGO) is not None

    chat = played(Fault("late", delay_s=20), play)

    assert 20 == (chat.messages("ops")[0].at - EPOCH).total_seconds()


def test_same_play_gives_the_same_result_twice() -> None:
    """Ids and timestamps come from counters and the clock, so a seed can be replayed."""

    async def play(chat: FakeChat, ops: str) -> None:
        made = await chat.create_channel("inc-0007", False)
        await chat.post(Place(made.id), Message("words"), "k")
        await chat.tell(chat.add_person(), Message("in private"), "t")

    first, second = played(None, play), played(None, play)

    assert first.channels == second.channels
    assert first.calls == second.calls == ["create_channel", "post", "tell"]
