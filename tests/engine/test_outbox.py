"""The outbox by itself: it knows what an effect states of itself and what its performer says, and nothing of Slack."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.core.effects import (
    EFFECTS,
    EditCard,
    Effect,
    EffectBody,
    FeedSink,
    PostAlert,
    PostLine,
    PostSummary,
    PostUpdate,
    TellPerson,
)
from bot.delivery.chat import Delivery, MessageContext
from bot.engine.engine import CommittingEngine
from bot.engine.outbox import SETTLE_FOR, Outbox
from bot.ports import EffectError, OutboxRow, Performed, Performer, Wait, together
from bot.sandbox.chat import FakeChat
from bot.sandbox.world import LoopClock, VirtualLoop
from bot.store.sqlite.ledgers import InlineLedger
from bot.system.clock import ManualClock
from tests.desk import policy
from tests.ledger_facts import queued

UNCLEAR = EffectError("no answer in time", permanent=False, unclear=True)
REFUSED = EffectError("not allowed", permanent=True)
BLIND = EffectError("history may not be read", permanent=True)
DONE = Performed("C1", "1.2")
SINCE = datetime(2026, 3, 20, tzinfo=UTC)

Script = list[Performed | Wait | EffectError | None]


@dataclass
class Post:
    """What became of one effect: what was called when, in seconds, how its row ended, what trouble was told."""

    called: list[tuple[str, float]] = field(default_factory=list)
    row: OutboxRow | None = None
    troubles: list[str] = field(default_factory=list)

    @property
    def calls(self) -> list[str]:
        return [name for name, _ in self.called]

    @property
    def end(self) -> tuple[str, str]:
        assert self.row is not None
        return self.row.state, self.row.error


def carried_out(body: EffectBody, performing: Script, finding: Script | None = None) -> Post:
    """Queue one effect and let the outbox work for an hour; its performer says these things, one after the other."""
    post = Post()

    async def play() -> None:
        loop = asyncio.get_running_loop()
        clock, ledger = LoopClock(loop), InlineLedger.open()
        engine = CommittingEngine(ledger, clock, policy())
        await engine.load()

        def saying(name: str, script: Script) -> Callable[[Any, OutboxRow], Awaitable[Any]]:
            left = list(script)

            async def say(body: Any, row: OutboxRow) -> Any:
                post.called.append((name, round(loop.time() - began, 1)))
                said = left.pop(0)
                if isinstance(said, EffectError):
                    raise said
                return said

            return say

        performer = Performer(saying("perform", performing), saying("find", finding) if finding else None)
        outbox = Outbox(
            ledger, engine, {type(body): performer}, clock, on_trouble=lambda row, error: post.troubles.append(str(error))
        )
        await ledger.write(lambda store: store.commit(queued(Effect("k", "ops", body))))
        began = loop.time()
        await outbox.start()
        await asyncio.sleep(3_600)
        await outbox.stop()
        [post.row] = await ledger.read(lambda store: store.outbox())

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(play())
    return post


def test_what_is_done_is_done_once() -> None:
    """Where it stands is on record."""
    post = carried_out(PostLine(), [DONE])

    assert post.row is not None
    assert ["perform"] == post.calls
    assert "done" == post.row.state
    assert {"channel": "C1", "ts": "1.2", "name": ""} == post.row.result


def test_whose_turn_has_not_come_waits_without_trouble() -> None:
    """Nobody is paged because the alert that a line answers to is still on its way."""
    post = carried_out(PostLine(), [Wait("the alert is not posted yet"), Wait("the alert is not posted yet"), DONE])

    assert ["perform"] * 3 == post.calls
    assert "done" == post.end[0]
    assert [] == post.troubles


def test_a_wait_ends_when_its_performer_says() -> None:
    """A time that is known is not guessed at."""
    later = datetime(2026, 3, 20, 3, 5, tzinfo=UTC)  # virtual time begins at 3:00

    assert [("perform", 0.0), ("perform", 300.0)] == carried_out(PostLine(), [Wait("limited", later), DONE]).called


def test_an_unclear_post_whose_place_is_not_known_yet_is_looked_up_and_not_sent() -> None:
    """Waiting does not make it certain."""
    post = carried_out(PostLine(), [UNCLEAR], [Wait("the alert is not posted yet"), DONE])

    assert ["perform", "find", "find"] == post.calls
    assert "done" == post.end[0]


def test_an_unclear_post_is_looked_up_after_the_settle_time() -> None:
    """It may land late; sent again at once it would stand there twice."""
    post = carried_out(PostLine(), [UNCLEAR], [DONE])

    assert [("perform", 0.0), ("find", SETTLE_FOR.total_seconds())] == post.called


def test_a_post_that_is_not_there_is_sent_again() -> None:
    """The look-up said so."""
    assert ["perform", "find", "perform"] == carried_out(PostLine(), [UNCLEAR, DONE], [None]).calls


def test_a_pause_that_was_asked_for_is_kept() -> None:
    """Retry-After is honoured to the second."""
    limited = EffectError("slow down", permanent=False, retry_after=timedelta(seconds=42))

    assert [("perform", 0.0), ("perform", 42.0)] == carried_out(PostLine(), [limited, DONE]).called


def test_what_is_refused_for_good_is_given_up_with_its_reason() -> None:
    """And told as trouble, once."""
    post = carried_out(PostLine(), [REFUSED])

    assert ["perform"] == post.calls
    assert ("dead", "not allowed") == post.end
    assert ["not allowed"] == post.troubles


def test_what_may_be_repeated_is_repeated_without_a_look_up() -> None:
    """An edit made twice is an edit made once."""
    assert ["perform", "perform"] == carried_out(EditCard(), [UNCLEAR, DONE]).calls


def test_what_may_be_repeated_says_why_it_was_refused_in_the_end() -> None:
    """The second answer was clear; nothing about it is unknown."""
    assert ("dead", "not allowed") == carried_out(EditCard(), [UNCLEAR, REFUSED]).end


def test_a_direct_message_that_may_have_arrived_is_not_sent_again() -> None:
    """Nobody can read it there, so nobody asks; it is given up with that reason."""
    post = carried_out(TellPerson("U0ANA"), [UNCLEAR])

    reason = "it may have been posted, and cannot be looked up: the bot may not read what it sends there"
    assert ["perform"] == post.calls
    assert ("dead", reason) == post.end
    assert 2 == len(post.troubles)  # the lost answer, and that nobody can find out


@pytest.mark.parametrize("body", [PostAlert(), PostSummary()], ids=lambda body: type(body).__name__)
def test_an_alert_that_cannot_be_looked_up_is_said_again(body: EffectBody) -> None:
    """Twice is better than never."""
    assert ["perform", "find", "find", "find", "perform"] == carried_out(body, [UNCLEAR, DONE], [BLIND] * 3).calls


def test_an_update_that_cannot_be_looked_up_is_given_up() -> None:
    """The next one comes within the hour and says how many did not get through."""
    post = carried_out(PostUpdate(SINCE, 1), [UNCLEAR], [BLIND] * 3)

    reason = "it may have been posted, and cannot be looked up: history may not be read"
    assert ["perform", "find", "find", "find"] == post.calls
    assert ("dead", reason) == post.end


def test_an_effect_that_nobody_carries_out_is_given_up_by_name() -> None:
    """As after a sink was taken out of the configuration while something waited for it."""

    async def play() -> tuple[str, str]:
        clock, ledger = LoopClock(asyncio.get_running_loop()), InlineLedger.open()
        engine = CommittingEngine(ledger, clock, policy())
        await engine.load()
        outbox = Outbox(ledger, engine, {}, clock)
        await ledger.write(lambda store: store.commit(queued(Effect("k", "ops", PostLine()))))
        await outbox.start()
        await asyncio.sleep(60)
        await outbox.stop()
        [row] = await ledger.read(lambda store: store.outbox())
        return row.state, row.error

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        assert ("dead", "nothing here carries out fact.post") == runner.run(play())


# --- the table of performers


async def nothing(body: Any, row: OutboxRow) -> Performed:
    return Performed()


def test_every_effect_has_one_performer() -> None:
    """A new effect that nobody carries out would wait until it is given up."""
    clock, ledger = ManualClock(SINCE), InlineLedger.open()
    chat, engine = FakeChat(clock), CommittingEngine(ledger, clock, policy())

    performers = Delivery(chat, engine, ledger, clock, MessageContext()).performers()

    assert set(EFFECTS.values()) - {FeedSink} == set(performers), "a sink is told by `bot.delivery.sinks`, and has no chat"


def test_two_performers_of_one_effect_are_refused() -> None:
    """It would be a matter of luck which of them does it."""
    with pytest.raises(ValueError, match="EditCard has two performers"):
        together({EditCard: Performer(nothing)}, {EditCard: Performer(nothing)})


def test_a_performer_that_cannot_look_up_what_must_be_is_refused() -> None:
    """Found out at the start, not when an answer gets lost."""
    with pytest.raises(ValueError, match="PostLine is to be looked up, and its performer cannot"):
        together({PostLine: Performer(nothing)})


def test_performers_of_several_places_stand_in_one_table() -> None:
    """What is done in the chat, and what is done elsewhere."""
    edits, posts = Performer(nothing), Performer(nothing, nothing)

    assert {EditCard: edits, PostLine: posts} == together({EditCard: edits}, {PostLine: posts})
