"""The database is away for longer than a lease: a replica that kept checking continues, a paused one starts again."""

import asyncio

import pytest

from bot.core.model import Level
from tests.cluster.many import COMPONENTS, Many, One
from tests.engine.stand import BROKEN

RECHECK_S = 5  # at most, between two looks of a check in doubt


def owner(many: Many, component: str) -> One:
    return next(one for one in many.all.values() if one.replica.owns(component))


async def watching(*names: str) -> tuple[Many, str, One]:
    """Replicas over healthy providers, a component that will fail, and the replica that checks it."""
    many = Many()
    await many.add(*(names or ("a", "b")))
    await many.passes(120)
    return many, COMPONENTS[0], owner(many, COMPONENTS[0])


def fails(many: Many, component: str) -> None:
    many.answers |= {f"{component}.{name}": BROKEN for name in ("one", "two")}


async def told_after(many: Many, component: str, most: int = 300) -> int:
    """After how many more seconds a change of it is committed."""
    before = await changes(many, component)
    for seconds in range(1, most):
        await many.passes(1)
        if await changes(many, component) > before:
            return seconds
    raise AssertionError(f"nothing is told of {component} within {most} s")


async def changes(many: Many, component: str) -> int:
    facts = await many.ledger.read(lambda store: store.facts(f"component/{component}"))
    return sum(fact.kind == "verdict.changed" for fact in facts)


async def level(many: Many, component: str) -> Level:
    [one, *_] = many.all.values()
    await one.engine.catch_up()
    return one.engine.world.component(component).level


async def is_away(many: Many, seconds: int) -> None:
    """Nobody reaches the database, and everybody keeps checking."""
    for one in many.all.values():
        one.is_cut_off(True)
    await many.passes(seconds)
    for one in many.all.values():
        one.is_cut_off(False)


async def with_a_lease_that_held() -> int:
    many, component, _ = await watching()
    fails(many, component)
    return await told_after(many, component)


@pytest.mark.parametrize("away_s", [4, 10])
async def test_outage_is_committed_as_early_as_with_a_valid_lease(away_s: int) -> None:
    """A vendor fails while the database is away: all leases expire, and no replica was paused."""
    many, component, one = await watching()
    epoch = one.replica.epoch
    fails(many, component)
    await is_away(many, away_s)
    told = away_s + await told_after(many, component)

    assert one.replica.epoch > epoch
    assert max(await with_a_lease_that_held(), away_s + 1) == told
    assert Level.DOWN is await level(many, component)


async def test_outage_found_meanwhile_is_committed_when_the_database_returns() -> None:
    """It need not be found again."""
    many, component, _ = await watching()
    fails(many, component)
    await is_away(many, 90)

    assert await told_after(many, component) <= 2
    assert Level.DOWN is await level(many, component)


async def test_verdict_waits_for_a_check_that_missed_its_interval() -> None:
    """It hangs, and half of the results are too little."""
    many, component, one = await watching()
    many.answers[f"{component}.one"] = BROKEN
    hangs = one.script.hangs[f"{component}.two"] = asyncio.Event()
    await is_away(many, 90)
    before = await changes(many, component)
    await many.passes(60)
    assert before == await changes(many, component)

    one.script.hangs.clear()
    hangs.set()
    assert await told_after(many, component) <= RECHECK_S


async def test_paused_replica_starts_again() -> None:
    """Another one may have decided meanwhile: earlier doubts no longer count, and one bad result is nothing."""
    found_after_s = await with_a_lease_that_held()
    many, component, one = await watching()
    before = await changes(many, component)
    fails(many, component)
    await many.passes(found_after_s - 1)
    assert (before, True) == (await changes(many, component), one.watch._tracks.suspects(f"{component}.one"))

    for each in many.all.values():
        each.runs = False
    await many.passes(10)
    for each in many.all.values():
        each.runs = True
    assert await told_after(many, component) > RECHECK_S
    assert Level.DOWN is await level(many, component)


async def test_replica_cut_off_alone_returns_silently() -> None:
    """Others committed the outage and its end; it learns of both and repeats nothing."""
    many, component, one = await watching("a", "b")
    fails(many, component)
    one.is_cut_off(True)
    other = next(each for each in many.all.values() if each is not one)
    await many.passes(90)
    assert Level.DOWN is other.engine.world.component(component).level
    one.is_cut_off(False)
    before = await changes(many, component)
    await many.passes(60)
    assert before == await changes(many, component)

    many.answers.clear()
    one.is_cut_off(True)
    await many.passes(240)
    assert Level.OPERATIONAL is other.engine.world.component(component).level
    one.is_cut_off(False)
    await many.passes(120)
    assert before + 1 == await changes(many, component)


async def test_outage_seen_only_by_others_ends_by_good_results() -> None:
    """By its own checks all was well, but it takes over the component with the committed outage."""
    many, component, one = await watching("a", "b")
    other = next(each for each in many.all.values() if each is not one)
    other.script.answers = {f"{component}.{name}": BROKEN for name in ("one", "two")}
    one.is_cut_off(True)
    await many.passes(120)
    assert Level.DOWN is other.engine.world.component(component).level
    other.script.answers = many.answers
    one.is_cut_off(False)
    await many.passes(5)
    assert Level.DOWN is await level(many, component)
    await many.passes(240)
    assert Level.OPERATIONAL is await level(many, component)
