"""What looking comes to at this moment, for whoever asks: metrics, and people while the ledger takes nothing."""

from tests.engine.stand import BROKEN, WELL, Check, Stand

COMPONENT = "anthropic.api"
FIRST, SECOND = CHECKS = [f"{COMPONENT}.{name}" for name in ("inference", "models")]


async def opened(*, settled: bool = True) -> Stand:
    return await Stand([Check(check) for check in CHECKS]).opened(settled=settled)


def seen(stand: Stand) -> dict[str, str]:
    return {id: verdict.level.value for id, verdict in stand.watch.sees().items()}


async def test_what_is_well_is_not_listed() -> None:
    """Of thousands of components those are told that are not plainly well."""
    assert {} == seen(await opened())


async def test_what_fails_is_listed_until_it_is_well() -> None:
    """Also after the ledger has heard of it."""
    stand = await opened()
    stand.script.answers |= dict.fromkeys(CHECKS, BROKEN)
    await stand.passes(120)
    failing = seen(stand)
    stand.script.answers |= dict.fromkeys(CHECKS, WELL)
    await stand.passes(300)

    assert ({COMPONENT: "down"}, {}) == (failing, seen(stand))


async def test_what_not_every_check_has_looked_at_is_not_said_to_be_well() -> None:
    """Just started, half of it is known."""
    stand = await opened(settled=False)
    await stand.until_look(FIRST)

    assert ({}, {COMPONENT}) == (seen(stand), stand.watch.awaits())


async def test_what_every_check_has_looked_at_is_awaited_no_more() -> None:
    """Whoever waits for the first looks can go on."""
    assert set() == (await opened()).watch.awaits()
