"""A component that flaps, and a bot that is restarted over it: what was known is known, and nothing is invented."""

from datetime import timedelta

import pytest

from bot.core.model import Level
from bot.store.samples.sqlite import InlineSamples
from tests.desk import CHAT_FLAG
from tests.engine.stand import BROKEN, WELL, Check, Stand

API, OTHER = "anthropic.api.models", "openai.api.models"
COMPONENT = "anthropic.api"


async def flapping(*more: Check) -> Stand:
    """Down, well, down again: it changed three times within half an hour, answers since, and is held until it is steady."""
    stand = await Stand([Check(API), Check(OTHER), *more], flags=[CHAT_FLAG]).opened()
    for answer, seconds in ((BROKEN, 90), (WELL, 150), (BROKEN, 90), (WELL, 120)):
        stand.script.answers[API] = answer
        await stand.passes(seconds)
    assert "down" == stand.level(COMPONENT)
    return stand


async def told(stand: Stand) -> list[str]:
    """What was committed so far, by kind."""
    return [fact.kind for fact in await stand.ledger.read(lambda store: store.all_facts())]


@pytest.mark.parametrize("killed", [False, True])
async def test_restarts_in_a_flap_say_nothing_and_move_no_flag(killed: bool) -> None:
    """Eight restarts, clean or by kill -9, while the flap guard holds it: no fact is written, so no incident and no flag."""
    stand = await flapping()
    before, engaged = await told(stand), stand.engine.world.flag(CHAT_FLAG.key).engagement
    for _ in range(8):
        stand = await stand.reopened(killed=killed)
        await stand.passes(40)

    assert before == await told(stand)
    assert engaged == stand.engine.world.flag(CHAT_FLAG.key).engagement


@pytest.mark.parametrize("killed", [False, True])
async def test_the_guard_ends_when_it_would_have_without_restarts(killed: bool) -> None:
    """Steady for ten minutes, to the same second as a bot that ran all the time; and it stays ended over further restarts."""

    async def until_well(restarts: bool) -> float:
        stand = await flapping()
        began, level = stand.clock.now(), "down"
        while level == "down":
            await stand.passes(60)
            if restarts:
                stand = await stand.reopened(killed=killed)
            level = stand.level(COMPONENT)
        found = stand.engine.world.component(COMPONENT).since
        for _ in range(4):
            stand = await stand.reopened(killed=killed)
            await stand.passes(60)
        assert Level.OPERATIONAL is stand.engine.world.component(COMPONENT).level
        assert found is not None
        return (found - began).total_seconds()

    assert abs(await until_well(restarts=True) - await until_well(restarts=False)) <= 30


async def test_an_outage_that_was_measured_and_not_yet_told_needs_a_new_failure_after_a_restart() -> None:
    """Killed between the sample and the verdict, and it answers again: there is nothing to tell."""
    stand = await Stand([Check(API)]).opened()
    stand.script.answers[API] = BROKEN
    while stand.level(COMPONENT) != "down":
        await stand.passes(1)
    never_told = Stand([Check(API)], samples=stand.samples, clock=stand.clock)
    await never_told.engine.load()
    await never_told.watch.start()
    await never_told.passes(300)
    assert [] == list(never_told.engine.world.incidents)

    again = await Stand([Check(API)], samples=stand.samples, clock=stand.clock).opened(settled=False)
    again.script.answers[API] = BROKEN
    await again.passes(60)
    assert [1] == list(again.engine.world.incidents)


async def test_a_flap_whose_samples_are_all_gone_is_held_by_nothing() -> None:
    """Without `samples.db` the ledger speaks: down until it answered for a minute, and nothing new is opened."""
    stand = await flapping()
    incidents = len(stand.engine.world.incidents)
    stand.samples = InlineSamples.open()
    stand = await stand.reopened(killed=True)
    await stand.passes(30)
    assert "down" == stand.level(COMPONENT)
    await stand.passes(180)

    assert "operational" == stand.level(COMPONENT)
    assert incidents == len(stand.engine.world.incidents)


async def test_a_flap_from_before_an_upgrade_is_not_an_outage() -> None:
    """Samples without memory, as an older version left them, and a component that is committed as well: it stays so."""
    stand = await flapping()
    await stand.passes(800)
    assert "operational" == stand.level(COMPONENT)
    stand.samples.conn.execute("DELETE FROM remembered")
    before = await told(stand)
    stand = await stand.reopened(killed=True)
    await stand.passes(120)

    assert before == await told(stand)


async def test_another_interval_keeps_what_stands_and_forgets_what_was_in_doubt() -> None:
    """Two failures counted by another rule are not added to one of today's; an outage stands whatever the interval is."""
    stand = await Stand([Check(API), Check(OTHER)]).opened()
    stand.script.answers[API] = BROKEN
    await stand.passes(60)
    stand.script.answers[OTHER] = BROKEN
    await stand.until_look(OTHER)
    await stand.passes(4)
    await stand.watch.stop()
    every = timedelta(seconds=45)
    changed = Stand([Check(API, every), Check(OTHER, every)], ledger=stand.ledger, samples=stand.samples, clock=stand.clock)
    changed.script.answers[API] = BROKEN
    await changed.opened(settled=False)
    await changed.passes(60)

    assert "down" == changed.level(COMPONENT)
    assert "operational" == changed.level("openai.api")


async def test_what_is_remembered_of_one_check_and_cannot_be_read_is_set_aside() -> None:
    """A damaged row costs one check its memory of the flap, and no start and no incident."""
    stand = await flapping()
    stand.samples.conn.execute("UPDATE remembered SET value = '{\"track\": 7}' WHERE name LIKE 'anthropic%'")
    before = len(stand.engine.world.incidents)
    stand = await stand.reopened(killed=True)
    await stand.passes(180)

    assert "operational" == stand.level(COMPONENT)
    assert before == len(stand.engine.world.incidents)
