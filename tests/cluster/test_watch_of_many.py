"""Several replicas share the checks: each component belongs to one, and changes hands without needless reports."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.model import Level
from bot.core.record.sight import CLEAR, Sight
from bot.core.signals import TimePassed, VerdictReached
from bot.sandbox.world import EPOCH
from bot.watch.shares import WorkShare
from tests.cluster.many import CHECKS, COMPONENTS, Many, One
from tests.engine.stand import BROKEN


async def test_each_component_is_checked_by_one_replica() -> None:
    """With all its checks, since a verdict needs all of them; and everything is checked."""
    many = Many()
    one, other = await many.add("a", "b")
    await many.passes(60)

    assert (set(), set(COMPONENTS)) == (one.looked_at() & other.looked_at(), one.looked_at() | other.looked_at())
    assert one.looked_at() and other.looked_at()
    assert len(COMPONENTS) == await many.changes()


async def test_failed_read_during_a_takeover_is_repeated() -> None:
    """A database that just returned may be away again. An outage is not forgotten: it ends by good results."""
    many = Many()
    one, other = await many.add("a", "b")
    theirs = next(id for id in COMPONENTS if other.replica.owns(id))
    many.answers |= {f"{theirs}.{name}": BROKEN for name in ("one", "two")}
    await many.passes(90)
    many.answers.clear()
    other.runs, one.samples.away = False, True
    await many.passes(70)
    one.samples.away = False
    await many.passes(3)
    still = one.engine.world.component(theirs).level
    await many.passes(180)

    assert (Level.DOWN, Level.OPERATIONAL) == (still, one.engine.world.component(theirs).level)


async def test_committed_state_is_read_before_a_new_component_is_reported() -> None:
    """Its checks pass meanwhile, but an outage ends by good results, not because nobody has read of it yet."""
    many = Many()
    one, other = await many.add("a", "b")
    theirs = next(id for id in COMPONENTS if other.replica.owns(id))
    many.answers |= {f"{theirs}.{name}": BROKEN for name in ("one", "two")}
    await many.passes(90)
    many.answers.clear()
    other.runs, one.samples.unread = False, asyncio.Event()
    one.engine.heard.clear()
    await many.passes(70, waits=False)

    assert one.script.of(f"{theirs}.one")
    assert theirs not in one.verdicts()
    one.samples.unread.set()
    await many.passes(3)
    still = one.engine.world.component(theirs).level
    await many.passes(180)
    assert (Level.DOWN, Level.OPERATIONAL) == (still, one.engine.world.component(theirs).level)


async def test_component_that_leaves_and_returns_is_taken_over_again() -> None:
    """Somebody else decided on it in between, so what was read before is outdated."""
    many = Many()
    one, other = await many.add("a", "b")
    await many.passes(10)
    shares = one.watch._shares
    theirs = [id for id in COMPONENTS if other.replica.owns(id)]
    mine = next(id for id in COMPONENTS if one.replica.owns(id))

    async def other_is(alive: bool) -> None:
        many.clock.advance(timedelta(seconds=2))
        for each in (one, other) if alive else (one,):
            await each.replica.beat()

    await other_is(False)
    await other_is(False)
    assert set(theirs) == set(shares.arrived().new)
    reading = shares.untaken()
    await other_is(True)
    await one.replica.beat()
    shares.arrived()
    assert set() == set(shares.untaken())
    await other_is(False)
    await other_is(False)
    shares.arrived()
    shares.taken(reading)
    assert set(theirs) == set(shares.untaken())
    shares.taken(shares.untaken())
    assert set() == set(shares.untaken())
    assert shares.may_report(mine, not_run_yet=()) and shares.may_report(theirs[0], not_run_yet=())


async def test_results_from_before_a_long_wait_are_not_reported() -> None:
    """The database accepted the samples ten seconds late, and another replica may have reported since."""
    many = Many()
    [one] = await many.add("a")
    await many.passes(60)
    one.samples.gate = asyncio.Event()
    one.samples.slow = lambda: any(verdict.level.bad for verdict in one.watch.live_verdicts().values())
    many.answers |= {check.id: BROKEN for check in CHECKS}
    passing = asyncio.create_task(many.passes(120))
    for _ in range(20_000):
        await asyncio.sleep(0)
        if one.samples.waits:
            break
    many.answers.clear()
    many.clock.advance(timedelta(seconds=10))
    one.samples.gate.set()
    await passing

    assert one.samples.waits
    told = [signal.verdict for signal in one.engine.heard if isinstance(signal, VerdictReached)]
    assert [] == [verdict for verdict in told if verdict.level.bad]


async def test_checks_of_a_dead_replica_are_taken_over_silently() -> None:
    """All is well: nothing is written, nobody is told, and each check runs again within seconds."""
    many = Many()
    one, other = await many.add("a", "b")
    await many.passes(60)
    before, left = await many.changes(), one.looked_at()
    one.runs = False
    other.script.began.clear()

    await many.passes(16)

    assert left <= other.looked_at()
    await many.passes(120)
    assert before == await many.changes()


async def test_outage_stays_one_when_its_component_changes_hands() -> None:
    """The new owner knows only what is committed; it ends once, by good results."""
    many = Many()
    one, other = await many.add("a", "b")
    await many.passes(60)
    before = await many.changes()
    mine = sorted(one.looked_at())[0]
    many.answers.update({f"{mine}.one": BROKEN, f"{mine}.two": BROKEN})
    await many.passes(60)
    assert ("down", before + 1) == (one.engine.world.component(mine).level.value, await many.changes())

    one.runs = False
    await many.passes(90)
    assert ("down", before + 1) == (other.engine.world.component(mine).level.value, await many.changes())

    many.answers.clear()
    await many.passes(300)
    assert ("operational", before + 2) == (other.engine.world.component(mine).level.value, await many.changes())


async def test_degraded_component_stays_degraded_when_it_changes_hands() -> None:
    """One of two checks fails, and the new owner's missing results make it no worse."""
    many = Many()
    one, other = await many.add("a", "b")
    await many.passes(60)
    mine = sorted(one.looked_at())[0]
    many.answers[f"{mine}.one"] = BROKEN
    await many.passes(120)
    before = await many.changes()
    assert Level.DEGRADED is one.engine.world.component(mine).level

    one.runs = False
    await many.passes(120)
    assert (before, Level.DEGRADED) == (await many.changes(), other.engine.world.component(mine).level)


async def test_paused_replica_reports_nothing_of_what_it_saw_before() -> None:
    """It wakes after another replica has ended the outage."""
    many = Many()
    one, _ = await many.add("a", "b")
    await many.passes(60)
    mine = sorted(one.looked_at())[0]
    many.answers.update({f"{mine}.one": BROKEN, f"{mine}.two": BROKEN})
    await many.passes(60)
    one.runs = False
    await many.passes(60)
    many.answers.clear()
    await many.passes(300)
    before = await many.changes()
    one.engine.heard.clear()

    one.watch.beat()  # before any sign of life
    await one.watch.look()
    assert [] == one.verdicts()
    one.runs = True
    await many.passes(120)

    assert before == await many.changes()


async def test_new_component_is_not_reported_before_each_check_ran() -> None:
    """One check fails and the other hangs: half is too little."""
    many = Many()
    one, other = await many.add("a", "b")
    await many.passes(60)
    mine = sorted(one.looked_at())[0]
    one.runs = False
    many.answers[f"{mine}.one"] = BROKEN
    hangs = other.script.hangs[f"{mine}.two"] = asyncio.Event()

    await many.passes(100)
    assert mine not in other.verdicts()

    hangs.set()
    other.script.hangs.clear()
    many.answers[f"{mine}.two"] = BROKEN
    await many.passes(60)
    assert mine in other.verdicts()


async def test_one_replica_reports_if_all_run_every_check() -> None:
    """Each is a vantage of its own, and the verdict rests on the results of both."""
    many = Many()
    one, other = await many.add("a", "b", every_replica_checks=True)
    await many.passes(60)
    assert set(COMPONENTS) == one.looked_at() == other.looked_at()
    before = await many.changes()
    many.answers.update({f"{COMPONENTS[0]}.{name}": BROKEN for name in ("one", "two")})
    for each in (one, other):
        each.engine.heard.clear()

    await many.passes(60)

    assert before + 1 == await many.changes()
    assert sorted([one.verdicts(), other.verdicts()]) == [[], [COMPONENTS[0]]]
    [told] = [signal for each in (one, other) for signal in each.engine.heard if isinstance(signal, VerdictReached)]
    assert "one (a, b, 2 of 2 vantages)" in told.verdict.reason


async def test_deadlines_are_handled_by_one_replica() -> None:
    """By the clock's holder, and by its successor within seconds of its death."""
    many = Many()
    one, other = await many.add("a", "b")
    for each in (one, other):
        each.watch._time_is_ripe = lambda: True  # type: ignore[method-assign]
    await many.passes(10)

    def said(each: One) -> int:
        return sum(isinstance(signal, TimePassed) for signal in each.engine.heard)

    assert (10, 0) == (said(one), said(other))
    one.runs = False
    await many.passes(10)
    assert 6 <= said(other) <= 8


@pytest.mark.parametrize(("mine", "others", "told"), [(True, True, True), (True, False, False), (False, True, False)])
async def test_world_is_blind_only_if_every_replica_is(mine: bool, others: bool, told: bool) -> None:
    """A replica that only sees its own network fail is left out."""
    many = Many()
    one, other = await many.add("a", "b")
    other.replica._blind = lambda: others  # as its watch would tell
    await other.replica.beat()
    await one.replica.beat()

    shares = WorkShare(one.replica)
    sight = shares.sight_of_all(Sight(blind=True, reason="no way out", began_at=EPOCH) if mine else CLEAR)

    assert sight is not None
    assert told is sight.blind
    assert WorkShare(other.replica).sight_of_all(replace(CLEAR)) is None
