"""The database goes away under several replicas: the alerts channel is told once, and once when it returns; in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from bot.core.model import Level, Verdict
from bot.delivery.direct_posts import DirectPosts
from bot.delivery.ops_channel import OpsChannel
from bot.engine.engine import CommittingEngine
from bot.ledger_care.notices import LedgerNotices
from bot.ledger_care.watch import LedgerWatch
from bot.ports import ChatError, Store, StoreError, StoreTrouble
from bot.sandbox.chat import FakeChat
from bot.sandbox.chat_state import Fault
from bot.sandbox.world import LoopClock
from bot.store.sqlite.ledgers import InlineLedger
from tests.desk import policy
from tests.engine.test_bad_days import in_virtual_time

T = TypeVar("T")

FAILS = Verdict("anthropic.api", Level.DOWN, "HTTP 502, 3 of 3 checks")
BACK = "🟢 The database can be written again"


class Way:
    """One replica's connection to the database, which may be cut alone."""

    def __init__(self, inner: InlineLedger) -> None:
        self._inner = inner
        self.cut = False
        self.loses = False  # the answer to the next claim of the end that is granted

    async def write(self, work: Callable[[Store], T]) -> T:
        if self.cut:
            raise StoreError("the database does not answer", kind=StoreTrouble.AWAY, permanent=False)
        found = await self._inner.write(work)
        if self.loses and found is True:
            self.loses = False
            raise StoreError("the connection broke", kind=StoreTrouble.AWAY, permanent=False)
        return found

    async def read(self, work: Callable[[Store], T]) -> T:
        return await self._inner.read(work)


class Seat:
    """One replica, as far as it tells people about the ledger."""

    def __init__(self, scene: "Replicas", name: str, place: int) -> None:
        self.place = place
        self.way = Way(scene.ledger)
        self.calls: list[str] = []
        self.seen: dict[str, Verdict] = {}
        self._posts = DirectPosts(OpsChannel(scene.chat, scene.clock, "#ops", "", lambda trouble: None))
        engine = CommittingEngine(self.way, scene.clock, policy())  # type: ignore[arg-type]
        notices = LedgerNotices(
            engine, tell=lambda title, text: self.calls.append(title), show=self._posts.show,
            place=lambda: self.place, replica=name,
        )  # fmt: skip
        self._watch = LedgerWatch(
            self.way, None, engine, scene.clock, live_verdicts=lambda: self.seen, unchecked=set,  # type: ignore[arg-type]
            notices=notices, on_change=lambda well: None,
        )  # fmt: skip
        self._posts.start()
        self._watch.start()

    async def dies(self) -> None:
        await self._watch.close()
        await self._posts.close()


class Replicas:
    """Three of them, of which `a` holds the clock; one channel; one database."""

    def __init__(self) -> None:
        self.clock = LoopClock(asyncio.get_running_loop())
        self.ledger = InlineLedger.open()
        self.chat = FakeChat(self.clock, before=self._before)
        self.chat.add_channel("ops")
        self.refused: ChatError | None = None
        self.deaf: set[str] = set()
        self.a, self.b, self.c = self.all = [Seat(self, name, place) for place, name in enumerate("abc")]

    def _before(self, call: str, args: Mapping[str, Any]) -> Fault | None:
        if call in self.deaf:
            return Fault("refused", self.refused) if self.refused else Fault.down()
        return None

    async def everything_goes(self) -> None:
        for seat in self.all:
            seat.way.cut = True
            await asyncio.sleep(1.3)  # they do not notice at one moment

    async def everything_comes(self) -> None:
        for seat in reversed(self.all):
            seat.way.cut = False
            await asyncio.sleep(1.3)

    def shows(self) -> list[str]:
        return [message.text for message in self.chat.messages("#ops")]

    def called(self) -> list[str]:
        return [title for seat in self.all for title in seat.calls]


def play(story: Callable[[Replicas], Awaitable[None]]) -> Replicas:
    async def run() -> Replicas:
        replicas = Replicas()
        await asyncio.sleep(30)
        await story(replicas)
        for seat in replicas.all:
            await seat.dies()
        return replicas

    return in_virtual_time(run)


def test_only_the_clock_holder_posts() -> None:
    """Once that the database is away, and once that it is back, whoever notices first."""

    async def story(replicas: Replicas) -> None:
        await replicas.everything_goes()
        await asyncio.sleep(600)
        assert ["🔴 a cannot reach its database"] == replicas.shows()
        await replicas.everything_comes()
        await asyncio.sleep(600)

    told = play(story)
    assert ["⚪ For a while not every replica could write", BACK] == told.shows()
    assert ["Understudy can write its ledger again", "Understudy cannot write its ledger"] == sorted(told.called())


def test_next_replica_posts_if_the_holder_died_with_the_database() -> None:
    """They were on one machine. It waits a minute, because it cannot know."""

    async def story(replicas: Replicas) -> None:
        await replicas.a.dies()
        await replicas.everything_goes()
        await asyncio.sleep(55)
        assert [] == replicas.shows()
        await asyncio.sleep(600)
        assert ["🔴 b cannot reach its database"] == replicas.shows()
        assert ["Understudy cannot write its ledger"] == replicas.called()
        await replicas.everything_comes()
        await asyncio.sleep(600)

    assert ["⚪ For a while not every replica could write", BACK] == play(story).shows()


def test_end_is_posted_if_the_poster_of_the_beginning_died() -> None:
    """The others found its post, and complete it."""

    async def story(replicas: Replicas) -> None:
        await replicas.everything_goes()
        await asyncio.sleep(300)
        await replicas.a.dies()
        await replicas.everything_comes()
        await asyncio.sleep(300)

    assert ["⚪ For a while not every replica could write", BACK] == play(story).shows()


def test_replica_that_was_cut_off_first_posts_for_all() -> None:
    """It cannot know whether it is alone, and says so; half an hour later it is not."""

    async def story(replicas: Replicas) -> None:
        replicas.a.way.cut = True
        await asyncio.sleep(1800)
        replicas.b.place, replicas.c.place = 0, 1  # who took the clock over
        await replicas.everything_goes()
        await asyncio.sleep(1800)
        assert ["🔴 a cannot reach its database"] == replicas.shows()
        await replicas.everything_comes()
        await asyncio.sleep(600)

    assert ["⚪ For a while not every replica could write", BACK] == play(story).shows()


def test_second_outage_of_the_database_is_posted_again() -> None:
    """A completed post no longer counts."""

    async def story(replicas: Replicas) -> None:
        for _ in range(2):
            await replicas.everything_goes()
            await asyncio.sleep(300)
            await replicas.everything_comes()
            await asyncio.sleep(120)

    assert 2 * ["⚪ For a while not every replica could write", BACK] == play(story).shows()


def test_end_is_posted_once_if_the_answer_to_its_claim_got_lost() -> None:
    """The claim was committed; asking again confirms it, and refuses the others."""

    async def story(replicas: Replicas) -> None:
        await replicas.everything_goes()
        await asyncio.sleep(300)
        for seat in replicas.all:
            seat.way.loses = True
        await replicas.everything_comes()
        await asyncio.sleep(600)

    assert ["⚪ For a while not every replica could write", BACK] == play(story).shows()


def test_post_of_a_vanished_replica_counts_for_an_hour_at_most() -> None:
    """It was cut off alone and replaced, so nobody completed its post. Hours later the database goes away for all."""

    async def story(replicas: Replicas) -> None:
        replicas.a.way.cut = True
        await asyncio.sleep(120)
        await replicas.a.dies()
        replicas.b.place, replicas.c.place = 0, 1
        await asyncio.sleep(2 * 3600)
        await replicas.everything_goes()
        await asyncio.sleep(600)

    assert ["🔴 a cannot reach its database", "🔴 b cannot reach its database"] == play(story).shows()


def test_nothing_is_posted_twice_if_slack_is_away_too() -> None:
    """No replica can see the others' posts; the first to reach Slack again posts."""

    async def story(replicas: Replicas) -> None:
        replicas.deaf = {"newest_key", "find_post", "post"}
        await replicas.everything_goes()
        await asyncio.sleep(900)
        assert ["Understudy cannot write its ledger"] == replicas.called()
        replicas.deaf = set()
        await asyncio.sleep(900)
        assert 1 == len(replicas.shows())
        await replicas.everything_comes()
        await asyncio.sleep(300)

    assert ["⚪ For a while not every replica could write", BACK] == play(story).shows()


def test_ended_outage_is_not_posted_afterwards() -> None:
    """Slack was away as long as the database."""

    async def story(replicas: Replicas) -> None:
        replicas.deaf = {"newest_key", "find_post", "post"}
        await replicas.everything_goes()
        await asyncio.sleep(600)
        await replicas.everything_comes()
        await asyncio.sleep(60)
        replicas.deaf = set()
        await asyncio.sleep(600)

    assert [] == play(story).shows()


def test_only_the_holder_posts_if_slack_cannot_be_searched() -> None:
    """Without the right to read the channel, three posts would be worse than none if the holder is dead."""

    async def story(replicas: Replicas) -> None:
        replicas.refused = ChatError("missing_scope", code="missing_scope", permanent=True)
        replicas.deaf = {"newest_key", "find_post"}
        await replicas.everything_goes()
        await asyncio.sleep(600)
        assert ["🔴 a cannot reach its database"] == replicas.shows()
        await replicas.everything_comes()
        await asyncio.sleep(60)

    called = ["Understudy cannot write its ledger", "Understudy can write its ledger again"]
    assert [called, [], []] == [seat.calls for seat in play(story).all]


def test_each_replica_posts_failures_of_its_own_checks() -> None:
    """No other replica checks them, and no incident can open."""

    async def story(replicas: Replicas) -> None:
        await replicas.everything_goes()
        await asyncio.sleep(200)
        replicas.c.seen = {"anthropic.api": FAILS}
        await asyncio.sleep(60)
        replicas.b.seen = {"anthropic.web": replace(FAILS, component="anthropic.web")}
        await asyncio.sleep(60)

    told = play(story)
    why = "the database cannot be reached"
    fails = [
        f"🔴 {what} is down, and {who} cannot open an incident: {why}"
        for what, who in (("Claude API", "c"), ("claude.ai", "b"))
    ]
    assert ["🔴 a cannot reach its database", *fails] == told.shows()
    assert ["Understudy cannot write, and a provider fails"] == told.c.calls
