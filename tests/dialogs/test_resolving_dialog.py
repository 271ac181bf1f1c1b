"""Resolving while something still fails: every way asks first, and a remaining failure alerts again."""

from bot.core.record.incident_facts import PhaseChanged
from tests.dialogs.talk import Talk

CHANNEL = "inc-20260320-0001-claude"
ASKED = "INC-1 is not over: Claude API is down, support chat is still on gpt. Nothing was changed."
DONE = "INC-1 is resolved now. Claude API still fails: unless it recovers, a new incident opens at 12:"


async def test_resolve_command_asks_and_one_press_confirms(outage: Talk) -> None:
    """The question says what still fails, and its button resolves anyway."""
    ana = outage.house.ana
    asked = await outage.asks(ana, "/incident resolve INC-1")
    done = await outage.presses(ana, "Resolve anyway")

    assert f"{ASKED}\nOr type /incident resolve INC-1 force REASON.\n[Resolve anyway]" == asked
    assert done.startswith(DONE)


async def test_resolve_force_asks_nothing(outage: Talk) -> None:
    """The words after `force` are the reason."""
    done = await outage.asks(outage.house.ana, "/incident resolve INC-1 force we live with it")
    phase = (await outage.facts(PhaseChanged))[-1].body

    assert done.startswith(DONE)
    assert isinstance(phase, PhaseChanged)
    assert ("resolved", "we live with it") == (phase.phase, phase.reason)


async def test_setting_the_phase_to_resolved_asks_as_well(outage: Talk) -> None:
    """It is the same thing by another name."""
    asked = await outage.asks(outage.house.ana, "/incident phase INC-1 resolved")

    assert asked.startswith(ASKED)


async def test_outage_that_goes_on_after_resolving_alerts_again(outage: Talk) -> None:
    """Half an hour later the API is still down, and #ops gets a second alert."""
    house = outage.house
    await outage.asks(house.ana, "/incident resolve INC-1 force")
    await house.passes(minutes=31)
    await house.quiet()

    assert 2 == len(outage.said("ops", "Claude API is down"))
    assert "Nobody has acknowledged this" in outage.alert()


async def test_resolving_an_incident_declared_by_provider_name_asks(outage: Talk) -> None:
    """Claude's API is muted and down, so resolving "Claude" must say that it still fails."""
    house = outage.house
    await outage.asks(house.ana, "/incident resolve INC-1 force")
    await outage.asks(house.ana, "/understudy mute claude api for 2h")
    await outage.asks(house.bob, "/incident declare Claude is broken")
    asked = await outage.asks(house.bob, "/incident resolve INC-2")

    assert asked.startswith("INC-2 is not over: Claude API is down, support chat is still on gpt. Nothing was changed.")
