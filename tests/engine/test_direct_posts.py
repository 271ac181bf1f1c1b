"""Posts in the alerts channel while nothing can be committed and Slack misbehaves too; in virtual time."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.delivery.direct_posts import DirectPosts, Note
from bot.delivery.ops_channel import OpsChannel
from bot.ports import ChatError, Message
from bot.sandbox.chat import FakeChat
from bot.sandbox.chat_state import Fault
from bot.sandbox.world import EPOCH, LoopClock
from tests.engine.test_bad_days import in_virtual_time

NO_RIGHT = ChatError("missing_scope: channels:history", code="missing_scope", permanent=True)
FULL = Note("ledger/1", Message("The disk is full"), EPOCH)
OVER = Note("ledger/1/over", Message("Written again"), EPOCH, follows=FULL.key)


class Channel:
    """#ops, a bot that posts there, and the faults of Slack's next calls."""

    def __init__(self) -> None:
        self.clock = LoopClock(asyncio.get_running_loop())
        self.chat = FakeChat(self.clock, before=self._before)
        self.chat.add_channel("ops")
        self.faults: dict[str, list[Fault]] = {}
        self.posts = self.anew()

    def anew(self) -> DirectPosts:
        """The bot started anew."""
        self.posts = DirectPosts(OpsChannel(self.chat, self.clock, "#ops", "", lambda trouble: None))
        self.posts.start()
        return self.posts

    def _before(self, call: str, args: Mapping[str, Any]) -> Fault | None:
        waiting = self.faults.get(call)
        return waiting.pop(0) if waiting else None

    def shows(self) -> list[str]:
        return [message.text for message in self.chat.messages("#ops")]


def play(*steps: Note | float, **faults: list[Fault]) -> Channel:
    """Show notes and let seconds pass, in this order, while these calls fail."""

    async def run() -> Channel:
        channel = Channel()
        channel.faults = faults
        for step in steps:
            if isinstance(step, Note):
                channel.posts.show(step)
            else:
                await asyncio.sleep(step)
        await channel.posts.close()
        return channel

    return in_virtual_time(run)


def test_note_is_posted_when_slack_returns() -> None:
    """After some minutes of retries with growing pauses."""
    channel = play(FULL, 300.0, find_post=[Fault.down()] * 7)

    assert [FULL.message.text] == channel.shows()
    assert 8 == channel.chat.calls.count("find_post")


def test_note_with_a_lost_answer_is_not_posted_twice() -> None:
    """It arrived twenty seconds later; an immediate retry would double it."""
    channel = play(FULL, 120.0, post=[Fault("late", delay_s=20.0)])

    assert [FULL.message.text] == channel.shows()


def test_restarted_bot_finds_its_own_post() -> None:
    """Three starts on the same full disk post it once."""

    async def run() -> Channel:
        channel = Channel()
        for _ in range(3):
            channel.posts.show(FULL)
            await asyncio.sleep(5)
            await channel.posts.close()
            channel.anew()
        return channel

    assert [FULL.message.text] == in_virtual_time(run).shows()


def test_note_is_edited_when_its_text_changes() -> None:
    """Edits notify nobody."""
    channel = play(FULL, 5.0, replace(FULL, message=Message("It was full")), 5.0)

    assert ["It was full"] == channel.shows()


def test_end_is_posted_after_the_beginning() -> None:
    """In the same place, and in this order."""
    channel = play(FULL, 5.0, OVER, 5.0)

    assert [FULL.message.text, OVER.message.text] == channel.shows()


def test_end_is_not_posted_without_its_beginning() -> None:
    """Slack was away throughout: "written again" would be a riddle."""
    was = replace(FULL, message=Message("It was full"), follows=FULL.key)
    channel = play(FULL, 5.0, was, OVER, 300.0, find_post=[Fault.down()] * 4)

    assert [] == channel.shows()


def test_note_of_an_earlier_process_is_only_edited_if_it_exists() -> None:
    """Nobody is told of a recovery without having been told of the failure."""
    well = Note("ledger/1/claude", Message("Claude is well"), EPOCH, follows=FULL.key, may_post=False)
    red = replace(well, message=Message("Claude is down"), may_post=True)

    assert [FULL.message.text] == play(FULL, 5.0, well, 5.0).shows()
    assert [FULL.message.text, "Claude is well"] == play(FULL, red, 5.0, well, 5.0).shows()


def test_notes_about_a_missing_post_search_slack_once() -> None:
    """Each start searches for what an earlier process may have posted about each provider; mostly there is nothing."""
    follow = [Note(f"ledger/1/{n}", Message("well"), EPOCH, follows=FULL.key, may_post=False) for n in range(9)]

    assert 1 == play(*follow, 5.0).chat.calls.count("find_post")


def test_note_is_posted_if_slack_cannot_be_searched() -> None:
    """Twice is better than not at all."""
    channel = play(FULL, 5.0, find_post=[Fault("refused", NO_RIGHT)])

    assert [FULL.message.text] == channel.shows()


def test_note_that_cannot_be_edited_blocks_no_other() -> None:
    """Somebody deleted it, or the workspace's time limit for edits is over."""
    locked = ChatError("the time for edits is over", code="edit_window_closed", permanent=True)
    changed = replace(FULL, message=Message("It was full"))
    channel = play(FULL, 5.0, changed, OVER, 5.0, edit=[Fault("refused", locked)])

    assert [FULL.message.text, OVER.message.text] == channel.shows()
