"""A ledger that accepts no writes: who is told, when, and what happens once it does again; in virtual time."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from bot.core.model import Level, Verdict
from bot.delivery.direct_posts import Note
from bot.engine.engine import CommittingEngine
from bot.ledger_care.notices import LedgerNotices
from bot.ledger_care.watch import LedgerWatch
from bot.ports import Store, StoreError, StoreTrouble
from bot.sandbox.world import LoopClock
from bot.store.sqlite.ledgers import InlineLedger
from tests.desk import CHAT_FLAG, policy
from tests.engine.test_bad_days import in_virtual_time

T = TypeVar("T")


class Disk:
    """A ledger and its file; `error` is the next write's result, `gone` whether the file has disappeared."""

    def __init__(self) -> None:
        self.inner = InlineLedger.open()
        self.error: StoreError | None = None
        self.gone: StoreError | None = None
        self.trouble: StoreError | None = None
        self.reopened = False

    async def write(self, work: Callable[[Store], T]) -> T:
        if self.error:
            raise self.error
        return await self.inner.write(work)

    async def read(self, work: Callable[[Store], T]) -> T:
        return await self.inner.read(work)

    async def reopen(self) -> None:
        if self.trouble:
            raise self.trouble
        self.reopened = True

    def check_place(self) -> None:
        if self.gone:
            raise self.gone


class Bridge:
    """The watch over a ledger, and whom it told what."""

    def __init__(self, disk: Disk | None = None, *, beside: Disk | None = None) -> None:
        self.disk = disk or Disk()
        self.calls: list[tuple[str, str]] = []
        self.notes: list[Note] = []
        self.writable: list[bool] = []
        self.seen: dict[str, Verdict] = {}
        self.unchecked: set[str] = set()  # components that were not looked at yet
        clock = LoopClock(asyncio.get_running_loop())
        engine = CommittingEngine(self.disk, clock, policy())
        notices = LedgerNotices(engine, tell=lambda title, text: self.calls.append((title, text)), show=self.notes.append)
        self.watch = LedgerWatch(
            self.disk, self.disk, engine, clock, beside=[beside] if beside else [], live_verdicts=lambda: self.seen,
            unchecked=lambda: self.unchecked, notices=notices, on_change=self.writable.append,
        )  # fmt: skip
        self.watch.start()

    def fill(self) -> None:
        self.disk.error = StoreError("ledger.db: the disk is full", kind=StoreTrouble.FULL, permanent=False)


FAILS = Verdict("anthropic.api", Level.DOWN, "HTTP 502, 3 of 3 checks")


def test_people_are_called_within_a_minute_of_a_full_disk() -> None:
    """Even if nothing needs to be written: nobody should learn of it only in the outage."""

    async def play() -> Bridge:
        bridge = Bridge()
        await asyncio.sleep(5)
        bridge.fill()
        await asyncio.sleep(600)
        return bridge

    bridge = in_virtual_time(play)
    assert [("Understudy cannot write its ledger",)] == [call[:1] for call in bridge.calls]
    assert "the disk is full" in bridge.calls[0][1]
    assert f"{CHAT_FLAG.key} serves claude" in bridge.calls[0][1]
    assert [True, False] == bridge.writable


def test_people_are_called_again_if_a_provider_fails_meanwhile() -> None:
    """No incident can open for it, so they would hear nothing else."""

    async def play() -> Bridge:
        bridge = Bridge()
        bridge.fill()
        await asyncio.sleep(60)
        bridge.seen = {"anthropic.api": FAILS}
        await asyncio.sleep(60)
        return bridge

    _, second = in_virtual_time(play).calls
    assert "Understudy cannot write, and a provider fails" == second[0]
    assert "Claude API is down: HTTP 502, 3 of 3 checks" in second[1]


def test_flapping_provider_calls_people_once() -> None:
    """Nobody answers a phone that rings every minute; another provider is news."""

    async def play() -> Bridge:
        bridge = Bridge()
        bridge.fill()
        for _ in range(5):
            bridge.seen = {"anthropic.api": FAILS}
            await asyncio.sleep(60)
            bridge.seen = {}
            await asyncio.sleep(60)
        bridge.seen = {"anthropic.api": FAILS, "openai.api": replace(FAILS, component="openai.api")}
        await asyncio.sleep(60)
        return bridge

    first, second = in_virtual_time(play).calls
    assert "Claude API is down" in first[1]
    assert "OpenAI" not in first[1]
    assert "OpenAI" in second[1]


def test_readiness_shows_live_verdicts_while_they_cannot_be_written() -> None:
    """Whoever looks there first must not believe that the providers are well."""

    async def play() -> str:
        bridge = Bridge()
        bridge.fill()
        bridge.seen = {"anthropic.api": FAILS}
        await asyncio.sleep(30)
        return bridge.watch.part().sentence

    assert "Not on record: Claude API is down: HTTP 502, 3 of 3 checks." in in_virtual_time(play)


def test_live_verdicts_are_shown_only_while_they_cannot_be_written() -> None:
    """Otherwise people see what is committed, and no unconfirmed verdict."""

    async def play() -> tuple[list[str], list[str]]:
        bridge = Bridge()
        bridge.seen = {"anthropic.api": FAILS}
        await asyncio.sleep(30)
        before = list(bridge.watch.unwritten())
        bridge.fill()
        await asyncio.sleep(30)
        return before, list(bridge.watch.unwritten())

    before, unwritten = in_virtual_time(play)

    assert [] == before
    assert ["anthropic.api"] == unwritten


def test_momentary_error_calls_nobody() -> None:
    """It is logged."""

    async def play() -> Bridge:
        bridge = Bridge()
        bridge.fill()
        await asyncio.sleep(2)
        bridge.disk.error = None
        await asyncio.sleep(60)
        return bridge

    bridge = in_virtual_time(play)
    assert [] == bridge.calls
    assert bridge.watch.standing.error is None


def test_deleted_file_is_noticed_within_a_second() -> None:
    """Long before the next test write is due."""

    async def play() -> StoreTrouble | None:
        bridge = Bridge()
        await asyncio.sleep(3)
        bridge.disk.gone = StoreError("ledger.db is gone", kind=StoreTrouble.GONE)
        await asyncio.sleep(1.1)
        error = bridge.watch.standing.error
        return error.kind if error else None

    assert StoreTrouble.GONE is in_virtual_time(play)


def test_postponed_writes_are_made_when_there_is_space() -> None:
    """A start on a full disk catches up without a restart, and people hear of the end."""

    async def play() -> tuple[Bridge, str | None]:
        bridge = Bridge()
        bridge.fill()

        async def work() -> None:
            await bridge.disk.write(lambda store: store.put_setting("a", "b"))

        await bridge.watch.when_writable(work)
        await asyncio.sleep(60)
        bridge.disk.error = None
        await asyncio.sleep(10)
        return bridge, await bridge.disk.read(lambda store: store.setting("a"))

    bridge, written = in_virtual_time(play)
    assert "b" == written
    assert "Understudy can write its ledger again" == bridge.calls[-1][0]
    assert [True, False, True] == bridge.writable


def test_health_names_the_current_trouble() -> None:
    """The disk was full, then the file was deleted: nobody should free space in vain."""

    async def play() -> str:
        bridge = Bridge()
        bridge.fill()
        await asyncio.sleep(30)
        bridge.disk.gone = StoreError("ledger.db is gone", kind=StoreTrouble.GONE)
        await asyncio.sleep(30)
        return bridge.watch.part().state

    assert "gone" == in_virtual_time(play)


def test_momentary_space_is_not_reported_as_the_end() -> None:
    """A disk at its limit accepts a little now and then; people hear once that it is full."""

    async def play() -> Bridge:
        bridge = Bridge()
        bridge.fill()
        await asyncio.sleep(30)
        for _ in range(10):
            bridge.disk.error = None
            await asyncio.sleep(3.5)
            bridge.fill()
            await asyncio.sleep(20)
        return bridge

    bridge = in_virtual_time(play)
    assert ["Understudy cannot write its ledger"] == [title for title, _ in bridge.calls]
    assert 1 == len({note.key for note in bridge.notes})


def test_keys_of_posts_survive_a_restart() -> None:
    """By them a restarted bot finds what it posted before."""

    async def play() -> tuple[Bridge, Bridge]:
        first = Bridge()
        await asyncio.sleep(30)
        first.fill()
        first.seen = {"anthropic.api": FAILS}
        await asyncio.sleep(30)
        await first.watch.close()
        second = Bridge(first.disk)
        second.seen = first.seen
        await asyncio.sleep(60)
        return first, second

    first, second = in_virtual_time(play)
    assert 2 == len(first.notes)
    assert first.notes == [note for note in second.notes if note.may_post]


def test_recovery_of_a_provider_on_a_full_disk_is_reported() -> None:
    """Its post is edited, but not for each new wording of the same."""

    async def play() -> list[Note]:
        bridge = Bridge()
        bridge.fill()
        for reason in ("HTTP 502, 3 of 3 checks", "HTTP 502, 9 of 9 checks"):
            bridge.seen = {"anthropic.api": replace(FAILS, reason=reason)}
            await asyncio.sleep(30)
        bridge.seen = {"anthropic.api": Verdict("anthropic.api", Level.OPERATIONAL, "answers")}
        await asyncio.sleep(30)
        return [note for note in bridge.notes if note.key.endswith("/anthropic")]

    down, well = in_virtual_time(play)
    assert down.message.text == "🔴 Claude API is down, and no incident can open: the disk is full"
    assert well.message.text == "🟢 Claude API is operational again"


def test_start_after_a_full_disk_reports_its_end_once() -> None:
    """Space was freed while the bot was stopped; the end is posted only where the beginning is."""

    async def play() -> tuple[Bridge, Bridge]:
        first = Bridge()
        await asyncio.sleep(30)
        first.fill()
        await asyncio.sleep(30)
        await first.watch.close()
        first.disk.error = None
        second = Bridge(first.disk)
        await asyncio.sleep(60)
        return first, second

    first, second = in_virtual_time(play)
    told = first.notes[0].key
    posted = [(note.key, note.follows) for note in second.notes if note.may_post]
    assert [(told, told), (f"{told}/over", told)] == posted


async def _restarted(*, seen_again: dict[str, Verdict], room: bool = False) -> list[Note]:
    """Claude's API fails on a full disk, and the bot is started anew: the notes of the second one about Claude.

    For its first minute it has not looked yet.
    """
    first = Bridge()
    await asyncio.sleep(30)
    first.fill()
    first.seen = {"anthropic.api": FAILS}
    await asyncio.sleep(30)
    await first.watch.close()
    if room:
        first.disk.error = None
    second = Bridge(first.disk)
    second.unchecked = {"anthropic.api"}
    await asyncio.sleep(60)
    second.seen, second.unchecked = seen_again, set()
    await asyncio.sleep(60)
    return [note for note in second.notes if note.key.endswith("/anthropic")]


def test_red_post_of_a_provider_that_recovered_during_a_restart_is_edited() -> None:
    """Nobody saw it recover: the earlier post is edited after the checks have run, and no new one is made."""
    [note] = in_virtual_time(lambda: _restarted(seen_again={}))

    assert "🟢 Nothing of Claude fails any more" == note.message.text
    assert not note.may_post


def test_provider_that_still_fails_after_a_restart_is_not_reported_as_well() -> None:
    """Nor in between: before the checks have run nobody knows."""
    notes = in_virtual_time(lambda: _restarted(seen_again={"anthropic.api": FAILS}))

    assert ["🔴 Claude API is down, and no incident can open: the disk is full"] == [note.message.text for note in notes]


def test_provider_in_doubt_after_a_restart_is_not_reported_as_well() -> None:
    """One check of three failed again, which is neither down nor well."""
    doubt = Verdict("anthropic.api", Level.UNKNOWN, "1 of 3 checks failed")

    assert [] == in_virtual_time(lambda: _restarted(seen_again={"anthropic.api": doubt}))


def test_red_post_says_that_it_is_over_if_a_restarted_bot_can_write() -> None:
    """What still fails opens an incident."""
    [note] = in_virtual_time(lambda: _restarted(seen_again={}, room=True))

    assert "⚪ Claude failed while nothing could be recorded" == note.message.text
    assert not note.may_post


def test_second_full_disk_calls_people_again() -> None:
    """A day after space was freed."""

    async def play() -> list[str]:
        bridge = Bridge()
        for _ in range(2):
            bridge.fill()
            await asyncio.sleep(60)
            bridge.disk.error = None
            await asyncio.sleep(60)
        return [title for title, _ in bridge.calls]

    full, over = "Understudy cannot write its ledger", "Understudy can write its ledger again"
    assert [full, over, full, over] == in_virtual_time(play)


def test_samples_are_written_again_together_with_the_ledger() -> None:
    """They were opened read-only, on the same full disk."""

    async def play() -> list[bool]:
        beside = Disk()
        beside.trouble = StoreError("samples.db: the disk is full", kind=StoreTrouble.FULL, permanent=False)
        bridge = Bridge(beside=beside)
        bridge.fill()
        await asyncio.sleep(60)
        before = beside.reopened
        beside.trouble = bridge.disk.error = None
        await asyncio.sleep(60)
        return [before, beside.reopened]

    assert [False, True] == in_virtual_time(play)
