"""Half a verdict waits a moment where the other half is on its way: one outage is one word, and so is its end."""

from bot.core.record.component_facts import VerdictChanged
from tests.engine.stand import BROKEN, WELL, Check, Stand

COMPONENT = "anthropic.api"
CHECKS = [f"{COMPONENT}.{name}" for name in ("batch", "inference", "models", "tokens")]


def levels(stand: Stand) -> list[str]:
    """What the component was called, one after the other."""
    facts = stand.ledger.store.all_facts()
    return [f.body.level.value for f in facts if isinstance(f.body, VerdictChanged) and f.body.component == COMPONENT]


async def test_an_outage_of_all_checks_is_told_once_each_way() -> None:
    """Four checks fail and come back at their own moments; nobody hears of degraded in between."""
    stand = await Stand([Check(check) for check in CHECKS]).opened()
    await stand.passes(60)
    stand.script.answers |= dict.fromkeys(CHECKS, BROKEN)
    await stand.passes(120)
    stand.script.answers |= dict.fromkeys(CHECKS, WELL)
    await stand.passes(300)

    assert ["operational", "down", "operational"] == levels(stand)


async def test_a_part_that_fails_alone_is_degraded() -> None:
    """Half of the checks fail for good: that is no half verdict."""
    stand = await Stand([Check(check) for check in CHECKS]).opened()
    await stand.passes(60)
    stand.script.answers |= dict.fromkeys(CHECKS[:2], BROKEN)
    await stand.passes(120)

    assert ["operational", "degraded"] == levels(stand)


# --- what looking comes to at this moment, for whoever asks

FIRST, SECOND = TWO = [f"{COMPONENT}.{name}" for name in ("inference", "models")]


async def opened(*, settled: bool = True) -> Stand:
    return await Stand([Check(check) for check in TWO]).opened(settled=settled)


def seen(stand: Stand) -> dict[str, str]:
    return {id: verdict.level.value for id, verdict in stand.watch.live_verdicts().items()}


async def test_what_is_well_is_not_listed() -> None:
    """Of thousands of components those are told that are not plainly well."""
    assert {} == seen(await opened())


async def test_what_fails_is_listed_until_it_is_well() -> None:
    """Also after the ledger has heard of it."""
    stand = await opened()
    stand.script.answers |= dict.fromkeys(TWO, BROKEN)
    await stand.passes(120)
    failing = seen(stand)
    stand.script.answers |= dict.fromkeys(TWO, WELL)
    await stand.passes(300)

    assert ({COMPONENT: "down"}, {}) == (failing, seen(stand))


async def test_what_not_every_check_has_looked_at_is_not_said_to_be_well() -> None:
    """Just started, half of it is known."""
    stand = await opened(settled=False)
    await stand.until_look(FIRST)

    assert ({}, {COMPONENT}) == (seen(stand), stand.watch.unchecked())


async def test_what_every_check_has_looked_at_is_awaited_no_more() -> None:
    """Whoever waits for the first looks can go on."""
    assert set() == (await opened()).watch.unchecked()
