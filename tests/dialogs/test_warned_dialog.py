"""A press overrules only the failures that its question named; a newer failure brings a new question."""

import json
from typing import Any

from bot.core.record.flag_facts import Released
from bot.core.record.incident_facts import PhaseChanged
from bot.sandbox.slack import Person
from tests.dialogs.talk import Talk

SINCE = "Nothing was changed: something failed since this form was opened."


async def ended(talk: Talk) -> list[str]:
    """Who resolved the incident."""
    await talk.house.quiet()
    facts = await talk.facts(PhaseChanged)
    return [fact.actor.id for fact in facts if isinstance(fact.body, PhaseChanged) and fact.body.phase == "resolved"]


async def form(person: Person, choice: str) -> str:
    await person.picks("incident.more", choice, channel="ops")
    return await person.waits_for("== ", channel="ops")


async def test_resolve_anyway_asks_again_about_a_newer_failure(outage: Talk) -> None:
    """The new question names it, and its button resolves."""
    ana = outage.house.ana
    await outage.asks(ana, "/incident resolve INC-1")
    await outage.house.fails("anthropic.web")
    await outage.house.quiet()
    again = await outage.presses(ana, "Resolve anyway")
    none_yet = await ended(outage)
    await outage.presses(ana, "Resolve anyway")

    assert "INC-1 is not over: Claude API is down, claude.ai is down, support chat is still on gpt." in again
    assert ([], [ana.id]) == (none_yet, await ended(outage))


def older(talk: Talk, value: dict[str, Any]) -> None:
    """The newest resolve button, as an earlier version made it."""
    for message in reversed(talk.house.workspace.messages("ops")):
        for block in message.blocks:
            for element in block.get("elements", ()):
                if str(element.get("action_id", "")).startswith("incident.resolve"):
                    element["value"] = json.dumps(value)
                    return
    raise AssertionError("no button resolves")


async def test_earlier_versions_button_warns_before_it_resolves(outage: Talk) -> None:
    """Its value says that it forces, but not which failures it named."""
    house, bob = outage.house, outage.house.bob
    await house.recovers("anthropic.api")
    await house.quiet()
    older(outage, {"incident": 1, "force": True})
    asked = await outage.presses(bob, "Resolve", channel="ops")

    assert "INC-1 is not over: support chat is still on gpt." in asked
    assert [] == await ended(outage)


async def test_resolve_form_asks_again_about_a_newer_failure(outage: Talk) -> None:
    """It keeps what was typed; submitting it again resolves."""
    ana = outage.house.ana
    await form(ana, "Resolve…")
    await outage.house.fails("anthropic.web")
    await outage.house.quiet()
    await ana.submits({"Why is it over?": "the vendor confirms the fix"})
    again = ana.sees("ops")
    none_yet = await ended(outage)
    await ana.submits({})

    assert SINCE in again
    assert "Still failing: Claude API and claude.ai." in again
    assert ([], [ana.id]) == (none_yet, await ended(outage))
    assert "ended by @ana: the vendor confirms the fix." in outage.alert()


async def test_switch_back_form_asks_again_about_a_newer_failure(outage: Talk) -> None:
    """It was opened while Claude was healthy."""
    ana, house = outage.house.ana, outage.house
    await house.recovers("anthropic.api")
    await house.quiet()
    await form(ana, "Switch back…")
    await house.fails("anthropic.api")
    await house.quiet()
    await ana.submits({})
    again, before = ana.sees("ops"), await outage.facts(Released)
    await ana.submits({})
    await house.quiet()

    assert SINCE in again
    assert "goes back to claude at once. Careful: Claude API is down." in again
    assert ([], [ana.id]) == (before, [fact.actor.id for fact in await outage.facts(Released)])
