"""A partial verdict waits a moment if the rest is on its way: one outage is one report, and so is its end."""

from bot.core.record.component_facts import VerdictChanged
from tests.engine.stand import BROKEN, WELL, Check, Stand

COMPONENT = "anthropic.api"
CHECKS = [f"{COMPONENT}.{name}" for name in ("batch", "inference", "models", "tokens")]


def levels(stand: Stand) -> list[str]:
    """The component's reported levels, in order."""
    facts = stand.ledger.store.all_facts()
    return [f.body.level.value for f in facts if isinstance(f.body, VerdictChanged) and f.body.component == COMPONENT]


async def test_outage_of_all_checks_is_reported_once_each_way() -> None:
    """Four checks fail and recover at their own times; nobody hears of degraded in between."""
    stand = await Stand([Check(check) for check in CHECKS]).opened()
    await stand.passes(60)
    stand.script.answers |= dict.fromkeys(CHECKS, BROKEN)
    await stand.passes(120)
    stand.script.answers |= dict.fromkeys(CHECKS, WELL)
    await stand.passes(300)

    assert ["operational", "down", "operational"] == levels(stand)


async def test_partial_failure_is_degraded() -> None:
    """Half of the checks keep failing."""
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


async def test_healthy_components_are_not_listed() -> None:
    """Of thousands only those that are not plainly well."""
    assert {} == seen(await opened())


async def test_failing_component_is_listed_until_it_recovers() -> None:
    """Even after the ledger knows of it."""
    stand = await opened()
    stand.script.answers |= dict.fromkeys(TWO, BROKEN)
    await stand.passes(120)
    failing = seen(stand)
    stand.script.answers |= dict.fromkeys(TWO, WELL)
    await stand.passes(300)

    assert ({COMPONENT: "down"}, {}) == (failing, seen(stand))


async def test_component_is_not_called_well_before_every_check_ran() -> None:
    """Just started, half of it is known."""
    stand = await opened(settled=False)
    await stand.until_look(FIRST)

    assert ({}, {COMPONENT}) == (seen(stand), stand.watch.unchecked())


async def test_component_whose_checks_all_ran_is_no_longer_awaited() -> None:
    """Whoever waits for the first results can go on."""
    assert set() == (await opened()).watch.unchecked()
