"""A disk or a database that stands still keeps nobody from looking: checks begin on time, and what they came to waits."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any, TypeVar

import pytest

from bot.core.model import Level, Sample
from bot.ports import Remembered, Store
from bot.store.samples.sqlite import InlineSamples
from bot.store.sqlite.ledgers import InlineLedger
from tests.engine.stand import BROKEN, NO_WAY, TURNS, WELL, Check, Stand

T = TypeVar("T")

FRONT, OTHER = Check("vendor.api.front"), Check("vendor.web.front")
INTERVAL_S = 30.0
A_MINUTE = 60


class Gate:
    """Lets through while it is open."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()
        self.waits = 0

    async def passed(self) -> None:
        self.waits += 1
        await self.open.wait()
        self.waits -= 1


class StillSamples(InlineSamples):
    gate: Gate

    async def add(self, samples: Sequence[Sample], remembered: Sequence[Remembered] = ()) -> None:
        await self.gate.passed()
        await super().add(samples, remembered)


class StillLedger(InlineLedger):
    gate: Gate

    async def write(self, work: Callable[[Store], T]) -> T:
        await self.gate.passed()
        return await super().write(work)


class Hung(Stand):
    """A stand whose store can be told to stand still; it looks at ledger and samples as the metronome does."""

    def __init__(self, checks: Sequence[Check] = (FRONT, OTHER), **plan: Any) -> None:
        self.gate = Gate()
        samples, ledger = StillSamples.open(), StillLedger(InlineLedger.open().conn)
        samples.gate = ledger.gate = self.gate  # type: ignore[attr-defined] # of the classes above
        super().__init__(checks, ledger=ledger, samples=samples, **plan)
        self.under_way: asyncio.Task[None] | None = None

    async def passes(self, seconds: float, *, step: float = 1.0) -> None:
        for _ in range(round(seconds / step)):
            self.clock.advance(timedelta(seconds=step))
            self.watch.beat()
            if self.under_way is None or self.under_way.done():
                self.under_way = asyncio.create_task(self.watch.look())
            for _ in range(TURNS):
                await asyncio.sleep(0)

    async def verdicts(self, component: str = "vendor.api") -> list[str]:
        facts = await self.ledger.read(lambda store: store.facts(f"component/{component}"))
        return [fact.body.level.value for fact in facts if fact.kind == "verdict.changed"]

    async def stored(self, check: str) -> int:
        return len(await self.samples.recent(check, 10_000))


@pytest.fixture
async def hung() -> Hung:
    stand = Hung()
    await stand.opened()
    return stand


async def test_checks_begin_on_time_while_the_store_stands_still(hung: Hung) -> None:
    """Each in its rhythm, and nothing that was measured meanwhile is lost."""
    before = {check.id: len(hung.script.of(check.id)) for check in hung.checks}
    hung.gate.open.clear()
    await hung.passes(10 * A_MINUTE)

    assert hung.gate.waits
    for check in hung.checks:
        looks = hung.script.of(check.id)
        assert {INTERVAL_S} == {later - earlier for earlier, later in pairwise(looks)}
        assert before[check.id] + 20 == len(looks)
    hung.gate.open.set()
    await hung.passes(2)
    assert [len(hung.script.of(check.id)) for check in hung.checks] == [await hung.stored(check.id) for check in hung.checks]


async def test_a_check_whose_verdict_waits_to_be_told_goes_on(hung: Hung) -> None:
    """It fails in the middle of it: it is looked at as often as if the store were well, and told of once."""
    well = Hung()
    await well.opened()
    for stand in (well, hung):
        stand.script.answers[FRONT.id] = BROKEN
    hung.gate.open.clear()
    await well.passes(5 * A_MINUTE)
    await hung.passes(5 * A_MINUTE)

    assert well.script.began == hung.script.began
    assert "down" == well.level("vendor.api")
    hung.gate.open.set()
    await hung.passes(2)
    assert await well.verdicts() == await hung.verdicts()
    assert "down" == hung.level("vendor.api")


async def test_what_is_over_before_it_could_be_told_is_not_told(hung: Hung) -> None:
    """An outage that began and ended while nothing could be written: the newest counts."""
    before = await hung.verdicts()
    hung.gate.open.clear()
    hung.script.answers[FRONT.id] = BROKEN
    await hung.passes(3 * A_MINUTE)
    assert Level.DOWN is hung.watch.verdict("vendor.api").level
    hung.script.answers[FRONT.id] = WELL
    await hung.passes(10 * A_MINUTE)
    hung.gate.open.set()
    await hung.passes(A_MINUTE)

    assert before == await hung.verdicts()


async def test_controls_are_asked_while_the_store_stands_still() -> None:
    """Whether we are blind is told as well, and who told it waits; nobody who asks the controls waits for that."""
    controls = [Check("control.one"), Check("control.two")]
    hung = Hung(controls=controls)
    await hung.opened()
    hung.gate.open.clear()
    hung.script.answers |= {check.id: NO_WAY for check in (FRONT, OTHER, *controls)}
    await hung.passes(5 * A_MINUTE)

    assert hung.watch.is_blind()
    assert {INTERVAL_S} >= {later - earlier for earlier, later in pairwise(hung.script.of(OTHER.id)) if later > 2 * A_MINUTE}
    asked = hung.script.of(controls[0].id)
    assert asked[-1] > hung.clock.monotonic() - INTERVAL_S
    hung.gate.open.set()
    await hung.passes(2)
    assert hung.engine.world.sight.blind
