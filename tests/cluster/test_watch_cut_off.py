"""The database is away for longer than a lease: who looked all the time goes on with what it knows, who was paused does not."""

import asyncio

import pytest

from bot.core.model import Level
from tests.cluster.many import COMPONENTS, Many, One
from tests.engine.stand import BROKEN

RECHECK_S = 5  # at most, between two looks of a check in doubt


def owner(many: Many, component: str) -> One:
    return next(one for one in many.all.values() if one.replica.owns(component))


async def watching(*names: str) -> tuple[Many, str, One]:
    """Replicas over a world that is well, a component that will fail, and whose share it is."""
    many = Many()
    await many.add(*(names or ("a", "b")))
    await many.passes(120)
    return many, COMPONENTS[0], owner(many, COMPONENTS[0])


def fails(many: Many, component: str) -> None:
    many.answers |= {f"{component}.{name}": BROKEN for name in ("one", "two")}


async def told_after(many: Many, component: str, most: int = 300) -> int:
    """In how many more seconds a change of it is committed."""
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
    """Nobody reaches the database, and everybody looks on."""
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
async def test_an_outage_is_told_as_early_as_if_the_lease_had_held(away_s: int) -> None:
    """A vendor fails while the database is away: every replica's time is over, and none was paused."""
    many, component, one = await watching()
    epoch = one.replica.epoch
    fails(many, component)
    await is_away(many, away_s)
    told = away_s + await told_after(many, component)

    assert one.replica.epoch > epoch
    assert max(await with_a_lease_that_held(), away_s + 1) == told
    assert Level.DOWN is await level(many, component)


async def test_what_was_found_meanwhile_is_told_as_soon_as_the_database_is_back() -> None:
    """Long found: nobody has to find it again."""
    many, component, _ = await watching()
    fails(many, component)
    await is_away(many, 90)

    assert await told_after(many, component) <= 2
    assert Level.DOWN is await level(many, component)


async def test_a_check_that_did_not_look_within_its_interval_is_waited_for() -> None:
    """One of its checks hangs: half of what would be seen now is too little to go by."""
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


async def test_who_was_paused_begins_anew() -> None:
    """Another one may have decided meanwhile: what it doubted before counts no more, and one bad look is nothing."""
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


async def test_who_was_cut_off_alone_comes_back_without_a_word() -> None:
    """Others found the outage, and its end, while it looked for itself: it knows both, and says nothing twice."""
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


async def test_an_outage_that_only_others_saw_ends_by_good_results() -> None:
    """It was well by its own looks all the time, and takes the component over with the outage that is committed."""
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
