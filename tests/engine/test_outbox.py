"""The outbox by itself: it knows only what an effect says of itself and what its performer returns, and nothing of Slack."""

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
    """The history of one effect: which calls at which second, how its row ended, which trouble was reported."""

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
    """Queue one effect and let the outbox work for an hour, with these results of its performer."""
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


def test_done_effect_is_not_repeated() -> None:
    """Its position is recorded."""
    post = carried_out(PostLine(), [DONE])

    assert post.row is not None
    assert ["perform"] == post.calls
    assert "done" == post.row.state
    assert {"channel": "C1", "ts": "1.2", "name": ""} == post.row.result


def test_effect_that_waits_for_another_reports_no_trouble() -> None:
    """Nobody is paged because a reply's alert is still on its way."""
    post = carried_out(PostLine(), [Wait("the alert is not posted yet"), Wait("the alert is not posted yet"), DONE])

    assert ["perform"] * 3 == post.calls
    assert "done" == post.end[0]
    assert [] == post.troubles


def test_wait_ends_when_the_performer_says() -> None:
    """A known time is not guessed."""
    later = datetime(2026, 3, 20, 3, 5, tzinfo=UTC)  # virtual time begins at 3:00

    assert [("perform", 0.0), ("perform", 300.0)] == carried_out(PostLine(), [Wait("limited", later), DONE]).called


def test_unclear_post_without_a_known_place_is_looked_up_and_not_sent() -> None:
    """Waiting does not make its result certain."""
    post = carried_out(PostLine(), [UNCLEAR], [Wait("the alert is not posted yet"), DONE])

    assert ["perform", "find", "find"] == post.calls
    assert "done" == post.end[0]


def test_unclear_post_is_looked_up_after_the_settle_time() -> None:
    """It may arrive late, and an immediate retry would double it."""
    post = carried_out(PostLine(), [UNCLEAR], [DONE])

    assert [("perform", 0.0), ("find", SETTLE_FOR.total_seconds())] == post.called


def test_missing_post_is_sent_again() -> None:
    """After the search found nothing."""
    assert ["perform", "find", "perform"] == carried_out(PostLine(), [UNCLEAR, DONE], [None]).calls


def test_retry_after_is_honoured() -> None:
    """To the second."""
    limited = EffectError("slow down", permanent=False, retry_after=timedelta(seconds=42))

    assert [("perform", 0.0), ("perform", 42.0)] == carried_out(PostLine(), [limited, DONE]).called


def test_permanently_refused_effect_is_given_up_with_its_reason() -> None:
    """And reported once."""
    post = carried_out(PostLine(), [REFUSED])

    assert ["perform"] == post.calls
    assert ("dead", "not allowed") == post.end
    assert ["not allowed"] == post.troubles


def test_repeatable_effect_is_repeated_without_a_look_up() -> None:
    """Editing twice is the same as once."""
    assert ["perform", "perform"] == carried_out(EditCard(), [UNCLEAR, DONE]).calls


def test_repeated_effect_reports_its_final_refusal() -> None:
    """The second answer was clear, so nothing is unknown."""
    assert ("dead", "not allowed") == carried_out(EditCard(), [UNCLEAR, REFUSED]).end


def test_possibly_sent_direct_message_is_not_sent_again() -> None:
    """It cannot be looked up, so it is given up with that reason."""
    post = carried_out(TellPerson("U0ANA"), [UNCLEAR])

    reason = "it may have been posted, and cannot be looked up: the bot may not read what it sends there"
    assert ["perform"] == post.calls
    assert ("dead", reason) == post.end
    assert 2 == len(post.troubles)  # the lost answer, and that nobody can find out


@pytest.mark.parametrize("body", [PostAlert(), PostSummary()], ids=lambda body: type(body).__name__)
def test_alert_that_cannot_be_looked_up_is_sent_again(body: EffectBody) -> None:
    """Twice is better than never."""
    assert ["perform", "find", "find", "find", "perform"] == carried_out(body, [UNCLEAR, DONE], [BLIND] * 3).calls


def test_update_that_cannot_be_looked_up_is_given_up() -> None:
    """The next one comes within the hour and says how many were missed."""
    post = carried_out(PostUpdate(SINCE, 1), [UNCLEAR], [BLIND] * 3)

    reason = "it may have been posted, and cannot be looked up: history may not be read"
    assert ["perform", "find", "find", "find"] == post.calls
    assert ("dead", reason) == post.end


def test_effect_without_a_performer_is_given_up_by_name() -> None:
    """For instance after a sink was removed while something waited for it."""

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
    """A new effect without one would wait until it is given up."""
    clock, ledger = ManualClock(SINCE), InlineLedger.open()
    chat, engine = FakeChat(clock), CommittingEngine(ledger, clock, policy())

    performers = Delivery(chat, engine, ledger, clock, MessageContext()).performers()

    assert set(EFFECTS.values()) - {FeedSink} == set(performers), "a sink is told by `bot.delivery.sinks`, and has no chat"


def test_two_performers_for_one_effect_are_refused() -> None:
    """It would be a matter of luck which one acts."""
    with pytest.raises(ValueError, match="EditCard has two performers"):
        together({EditCard: Performer(nothing)}, {EditCard: Performer(nothing)})


def test_performer_without_a_required_look_up_is_refused() -> None:
    """At the start, not when an answer gets lost."""
    with pytest.raises(ValueError, match="PostLine is to be looked up, and its performer cannot"):
        together({PostLine: Performer(nothing)})


def test_tables_of_performers_are_combined() -> None:
    """Those of the chat, and those of other parts."""
    edits, posts = Performer(nothing), Performer(nothing, nothing)

    assert {EditCard: edits, PostLine: posts} == together({EditCard: edits}, {PostLine: posts})
