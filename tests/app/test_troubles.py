"""Which of Slack's refusals are worth a call on another way, and what is said then."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from typing import TypeVar

import pytest

from bot.core import signals as s
from bot.core.answers.base import Answer
from bot.core.decide.draft import Step
from bot.core.effects import EditCard, Effect, EffectBody, PostAlert, PostSummary, PostUpdate
from bot.core.model import Actor
from bot.core.policy import Policy
from bot.core.record.world import World
from bot.core.signals import Signal
from bot.delivery.out_of_band import AlertsByOtherWays
from bot.ports import ChatError, NotifyResult, OutboxRow, Store, StoreError, StoreTrouble
from bot.store.sqlite.ledgers import InlineLedger
from bot.system.clock import ManualClock
from tests.desk import ANA, CHAT_FLAG, START, Table

T = TypeVar("T")

AWAY = ChatError("Slack cannot be reached", code="unreachable", permanent=False)


class Pager:
    """A `Notifier` that remembers; `hold` keeps it from answering, `away` from taking anything."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str]] = []
        self.hold = asyncio.Event()
        self.hold.set()
        self.away = False

    async def call(self, title: str, body: str, named: Sequence[str]) -> NotifyResult:
        self.got.append((title, body))
        await self.hold.wait()
        return (
            NotifyResult((), ("notify address 1 (json) did not take the notice",)) if self.away else NotifyResult(tuple(named))
        )


class TableEngine:
    """An `Engine` over a tabletop."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self.policy: Policy = table.policy

    @property
    def world(self) -> World:
        return self._table.world

    async def world_with(self, incidents: Collection[int]) -> World:
        return self.world

    async def caught_up(self) -> None:
        return

    async def handle(self, signal: Signal) -> Answer:
        done: Step = self._table.send(signal)
        return done.answer


class Gone(InlineLedger):
    """A ledger that takes nothing."""

    async def write(self, work: Callable[[Store], T]) -> T:
        raise StoreError("the database is away", kind=StoreTrouble.AWAY, permanent=False)


ALERT = PostAlert()


def in_trouble(key: str = "alert/1", body: EffectBody = ALERT, incident: int | None = 1) -> OutboxRow:
    effect = Effect(key, "incident/1", body, incident, "incident/1", 1)
    return OutboxRow(1, effect, "sending", 1, START, START, START, START, 0, {}, "")


@pytest.fixture
def table() -> Table:
    """An incident is open and a flag is engaged."""
    made = Table().all_well()
    made.send(s.Declare(actor=ANA, title="Claude is slow", components=("anthropic.api",)))
    made.send(s.EngageFlag(actor=ANA, flag=CHAT_FLAG.key, variant="gpt", reason="slow"))
    return made


@pytest.fixture
def ways(table: Table) -> tuple[AlertsByOtherWays, Pager]:
    pager = Pager()
    return AlertsByOtherWays(pager, TableEngine(table), ManualClock(START), InlineLedger.open()), pager


async def test_alert_that_slack_did_not_take_is_told_once(ways: tuple[AlertsByOtherWays, Pager]) -> None:
    """What it is, what serves meanwhile, why it comes this way, and where to go on; tries after the first are quiet."""
    troubles, pager = ways
    for _ in range(3):
        troubles.on_trouble(in_trouble(), AWAY)
    await troubles.close()

    assert 1 == len(pager.got)
    title, body = pager.got[0]
    assert "INC-1 SEV2: Claude is slow" == title
    for words in (
        "declared by ana",
        "support-chat.llm serves gpt.",
        "Slack cannot be reached",
        "understudy incident show INC-1",
    ):
        assert words in body


async def test_alert_that_no_address_took_is_told_again_when_slack_is_tried_again(
    ways: tuple[AlertsByOtherWays, Pager], table: Table
) -> None:
    """The network that Slack cannot be reached over is often the one to the pager as well, and comes back first."""
    troubles, pager = ways
    for away in (True, True, False, False):
        pager.away = away
        troubles.on_trouble(in_trouble(), AWAY)
        await troubles.close()

    assert 3 == len(pager.got), "twice in vain, once with success, and then no more"


async def test_alert_that_no_address_took_is_told_by_the_next_start(table: Table) -> None:
    """Or by another replica: what was tried in vain is not told."""
    pager, ledger = Pager(), InlineLedger.open()
    for away in (True, False, False):
        pager.away = away
        troubles = AlertsByOtherWays(pager, TableEngine(table), ManualClock(START), ledger)
        troubles.on_trouble(in_trouble(), AWAY)
        await troubles.close()

    assert 2 == len(pager.got)


REFUSED = ChatError("the channel is archived", code="is_archived", permanent=True)


def refused_for_good(table: Table) -> OutboxRow:
    """The row of an alert that the outbox gave up."""
    row = in_trouble("INC-1/alert")
    effect = row.effect
    signal = s.EffectRefused(
        actor=Actor.rule("outbox"), id="refused/1", key=effect.key, kind=PostAlert, incident=1, body=ALERT,
        stream=effect.stream, seq=effect.seq, reason=str(REFUSED),
    )  # fmt: skip
    table.send(signal)
    return row


async def test_alert_that_slack_refused_for_good_is_told_until_an_address_takes_it(
    ways: tuple[AlertsByOtherWays, Pager], table: Table
) -> None:
    """The outbox does not try it again, so nothing else would."""
    troubles, pager = ways
    row, pager.away = refused_for_good(table), True
    troubles.on_trouble(row, REFUSED)
    await troubles.close()
    for away in (True, False, False):
        pager.away = away
        troubles.retry_refused()
        await troubles.close()

    assert 3 == len(pager.got), "twice in vain, once with success, and then no more"
    assert "Slack did not accept this (the channel is archived)." in pager.got[-1][1]


@pytest.mark.parametrize(("away", "calls"), [(True, 2), (False, 1)])
async def test_alert_that_slack_refused_for_good_is_told_by_the_next_start(table: Table, away: bool, calls: int) -> None:
    """Unless somebody was told of it before."""
    pager, ledger = Pager(), InlineLedger.open()
    row, pager.away = refused_for_good(table), away
    troubles = AlertsByOtherWays(pager, TableEngine(table), ManualClock(START), ledger)
    troubles.on_trouble(row, REFUSED)
    await troubles.close()
    pager.away = False
    troubles = AlertsByOtherWays(pager, TableEngine(table), ManualClock(START), ledger)
    troubles.retry_refused()
    await troubles.close()

    assert calls == len(pager.got)


async def test_alert_that_slack_refused_for_good_calls_nobody_who_knows(
    ways: tuple[AlertsByOtherWays, Pager], table: Table
) -> None:
    """Somebody acknowledged it on the board or in a terminal."""
    troubles, pager = ways
    refused_for_good(table)
    table.send(s.Acknowledge(actor=ANA, incident=1))
    troubles.retry_refused()
    await troubles.close()

    assert [] == pager.got


async def test_alert_is_told_once_whichever_replica_tries_it(table: Table) -> None:
    """Each of them claims the row in turn while Slack is away; and so does the next start."""
    pager, ledger = Pager(), InlineLedger.open()
    for _ in range(3):
        troubles = AlertsByOtherWays(pager, TableEngine(table), ManualClock(START), ledger)
        troubles.on_trouble(in_trouble(), AWAY)
        await troubles.close()

    assert 1 == len(pager.got)


async def test_alert_is_told_while_the_ledger_is_away(table: Table) -> None:
    """Nobody knows then whether another one told it: twice is better than never."""
    pager, ledger = Pager(), InlineLedger.open()
    troubles = AlertsByOtherWays(pager, TableEngine(table), ManualClock(START), Gone(ledger.conn))
    troubles.on_trouble(in_trouble(), AWAY)
    await troubles.close()

    assert 1 == len(pager.got)


async def test_alert_is_told_once_by_one_that_tries_it_again_while_the_ledger_is_away(table: Table) -> None:
    """It knows by itself what it told."""
    pager = Pager()
    troubles = AlertsByOtherWays(pager, TableEngine(table), ManualClock(START), Gone(InlineLedger.open().conn))
    for _ in range(3):
        troubles.on_trouble(in_trouble(), AWAY)
    await troubles.close()

    assert 1 == len(pager.got)


@pytest.mark.parametrize("paging", [False, True])
async def test_a_drill_calls_people_where_whoever_began_it_wanted_that(paging: bool) -> None:
    """Else Slack may be away, and nobody is woken."""
    table, pager = Table().all_well(), Pager()
    table.send(s.StartDrill(ANA, components=("anthropic.api",), paging=paging))
    table.passes(5)
    troubles = AlertsByOtherWays(pager, TableEngine(table), ManualClock(START), InlineLedger.open())
    troubles.on_trouble(in_trouble(), AWAY)
    await troubles.close()

    assert paging == bool(pager.got)


async def test_alert_is_told_where_slack_asks_for_a_long_wait(ways: tuple[AlertsByOtherWays, Pager]) -> None:
    """Nobody would hear of an outage for an hour."""
    troubles, pager = ways
    asks = ChatError("slow down", code="ratelimited", permanent=False, retry_after=timedelta(hours=1))
    troubles.on_trouble(in_trouble(), asks)
    await troubles.close()

    assert 1 == len(pager.got)


async def test_a_lost_channel_is_told_once_by_all_replicas(table: Table) -> None:
    """Each notices by a post of its own. Lost again some hours later, it is told again."""
    pager, ledger, clock = Pager(), InlineLedger.open(), ManualClock(START)
    told = []
    for hours in (0, 0, 3):
        clock.advance(timedelta(hours=hours))
        troubles = AlertsByOtherWays(pager, TableEngine(table), clock, ledger)
        troubles.on_lost_channel("The alerts channel #ops takes no posts")
        await troubles.close()
        told.append(len(pager.got))

    assert [1, 1, 2] == told


async def test_a_channel_that_was_found_and_is_lost_again_is_told_again(table: Table) -> None:
    """Twenty minutes later, which would otherwise count as the same loss."""
    pager, clock = Pager(), ManualClock(START)
    troubles = AlertsByOtherWays(pager, TableEngine(table), clock, InlineLedger.open())
    troubles.on_lost_channel("The alerts channel #ops takes no posts")
    await troubles.close()
    troubles.on_found_channel()
    await troubles.close()
    clock.advance(timedelta(minutes=20))
    troubles.on_lost_channel("The alerts channel #ops takes no posts")
    await troubles.close()

    assert 2 == len(pager.got)


@pytest.mark.parametrize(
    ("row", "error"),
    [
        (lambda: in_trouble(body=EditCard()), AWAY),
        (lambda: in_trouble(incident=None), AWAY),
        (lambda: in_trouble(incident=9), AWAY),
        (in_trouble, ChatError("slow down", code="ratelimited", permanent=False, retry_after=timedelta(seconds=5))),
    ],
)
async def test_what_is_no_emergency_is_not_told(
    row: Callable[[], OutboxRow], error: ChatError, ways: tuple[AlertsByOtherWays, Pager]
) -> None:
    """Cards, pacing and things that wait for their turn wake nobody."""
    troubles, pager = ways
    troubles.on_trouble(row(), error)
    await troubles.close()

    assert [] == pager.got


@pytest.mark.parametrize("body", [PostUpdate(START), PostSummary()])
async def test_each_urgent_post_is_told_by_itself(body: EffectBody, ways: tuple[AlertsByOtherWays, Pager]) -> None:
    """Whoever was called for the alert is called again when it is over."""
    troubles, pager = ways
    troubles.on_trouble(in_trouble(), AWAY)
    troubles.on_trouble(in_trouble("other/1", body), AWAY)
    await troubles.close()

    assert 2 == len(pager.got)


async def test_nobody_waits_for_a_pager_that_hangs(ways: tuple[AlertsByOtherWays, Pager]) -> None:
    """The outbox goes on; the end of the bot gives what is on its way a moment."""
    troubles, pager = ways
    pager.hold.clear()
    troubles.tell("Understudy cannot speak in Slack", "why")
    await asyncio.sleep(0)
    closing = asyncio.create_task(troubles.close())
    await asyncio.sleep(0)

    assert not closing.done()
    pager.hold.set()
    await closing
    assert [("Understudy cannot speak in Slack", "why")] == pager.got
