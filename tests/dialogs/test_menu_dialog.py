"""The menu and forms under alert and card: they say what they will do, and do what the slash commands do."""

import pytest

from bot.core.record.flag_facts import Released
from bot.core.record.incident_facts import SeverityChanged
from bot.sandbox.slack import ModalErrors, Person
from tests.dialogs.talk import Talk

CHANNEL = "inc-20260320-0001-claude"


async def chooses(person: Person, choice: str, *, channel: str = "ops") -> str:
    """Pick from the menu under the alert; return the text of the form that opens."""
    await person.picks("incident.more", choice, channel=channel)
    return await person.waits_for("== ", channel=channel)


async def test_resolve_form_says_what_still_fails(outage: Talk) -> None:
    """Before anything is submitted."""
    form = await chooses(outage.house.ana, "Resolve…")

    assert "Still failing: Claude API. Still on a fallback: support chat." in form


async def test_resolve_form_resolves_with_its_reason(outage: Talk) -> None:
    """Just as `/incident resolve force REASON` does."""
    ana = outage.house.ana
    await chooses(ana, "Resolve…")
    await ana.submits({"Why is it over?": "the vendor confirms the fix"})
    await outage.house.quiet()

    assert "ended by @ana: the vendor confirms the fix." in outage.alert()


async def test_resolve_form_does_not_overrule_a_newer_failure(talk: Talk) -> None:
    """The form opened while all was well, so its author has not seen the failure."""
    ana = talk.house.ana
    await talk.asks(ana, "/incident declare Claude API answers oddly")
    await talk.house.quiet()
    await chooses(ana, "Resolve…")
    await talk.house.fails("anthropic.api")
    await talk.house.quiet()
    await ana.submits({"Why is it over?": "looks fine"})

    assert "Still failing: Claude API." in ana.sees("ops")
    assert "INC-1 is resolved" not in talk.alert()


async def test_severity_is_changed_by_form(outage: Talk) -> None:
    """The channel and the alert's thread are told the reason."""
    ana = outage.house.ana
    await chooses(ana, "Change severity…")
    await ana.submits({"Impact on us": "SEV1", "Why?": "nobody can log in"})
    await outage.house.quiet()

    assert ["⬆️ INC-1 is SEV1 now, was SEV2 (by @ana). Nobody can log in. Updates come every 30 min."] == outage.pushed()
    assert 1 == len(await outage.facts(SeverityChanged))


async def test_unchanged_severity_is_refused_at_its_field(outage: Talk) -> None:
    """The form stays open, so nothing is lost."""
    ana = outage.house.ana
    await chooses(ana, "Change severity…")

    with pytest.raises(ModalErrors, match=r"INC-1 is already SEV2\."):
        await ana.submits({"Impact on us": "SEV2"})


async def test_false_alarm_is_closed_by_form(outage: Talk) -> None:
    """The alert says that it was a false alarm, and has no button to reopen."""
    ana = outage.house.ana
    await chooses(ana, "No incident, or merge…")
    await ana.submits({"What was it?": "false-alarm", "Why?": "our proxy was at fault"})
    await outage.house.quiet()

    assert (
        "⚪ INC-1 canceled · Claude API is down. It was a false alarm (by @ana, 12:03 UTC).\nour proxy was at fault."
        in outage.alert()
    )


@pytest.fixture
async def second(outage: Talk) -> Talk:
    """Bob has declared INC-2 besides the outage."""
    await outage.asks(outage.house.bob, "/incident declare separate Chat is slow")
    await outage.house.quiet()
    return outage


SECOND = "inc-20260320-0002-chat-is-slow"


async def test_duplicate_is_closed_by_a_form_that_asks_for_the_original(second: Talk) -> None:
    """Each incident names the other."""
    bob = second.house.bob
    await chooses(bob, "No incident, or merge…", channel=SECOND)
    with pytest.raises(ModalErrors, match=r"Choose the other incident below\."):
        await bob.submits({"What was it?": "duplicate"})
    await bob.submits({"What was it?": "duplicate", "Which other incident?": "1"})
    await second.house.quiet()

    assert second.said(SECOND, "INC-2 is canceled (by @bob): it was a duplicate of INC-1.")
    assert second.said(CHANNEL, "INC-2 was a duplicate of INC-1 (by @bob): Chat is slow.")


async def test_incident_is_merged_by_the_same_form(second: Talk) -> None:
    """The channel is told the reason."""
    bob = second.house.bob
    await chooses(bob, "No incident, or merge…", channel=SECOND)
    await bob.submits({"What was it?": "merge", "Which other incident?": "1", "Why?": "one outage"})
    await second.house.quiet()

    assert second.said(SECOND, "INC-2 is part of INC-1 now (by @bob). One outage. Continue in")


async def test_phase_is_changed_by_form(outage: Talk) -> None:
    """Also to an earlier phase, with the reason."""
    ana = outage.house.ana
    await chooses(ana, "Change phase…")
    await ana.submits({"Phase": "identified", "Why?": "their database"})
    await outage.house.quiet()

    assert outage.said(CHANNEL, "INC-1 is identified (by @ana). Their database.")


async def test_lower_severity_needs_a_reason_in_the_form(outage: Talk) -> None:
    """Fewer people are called from then on."""
    ana = outage.house.ana
    await chooses(ana, "Change severity…")

    with pytest.raises(ModalErrors, match=r"SEV3 is lower than SEV2, so fewer people are called\. Say why\."):
        await ana.submits({"Impact on us": "SEV3"})


async def test_lower_severity_typed_without_a_reason_opens_the_form(outage: Talk) -> None:
    """The form has the typed severity already chosen."""
    ana = outage.house.ana
    await ana.types("/incident severity INC-1 SEV3")
    await ana.waits_for("== ")
    await ana.submits({"Why?": "one model only"})
    await outage.house.quiet()

    assert outage.said(CHANNEL, "INC-1 is SEV3 now, was SEV2 (by @ana). One model only.")


async def test_switch_back_form_warns_of_a_failing_default(outage: Talk) -> None:
    """All customers would go back to a provider that is down."""
    form = await chooses(outage.house.bob, "Switch back…")

    assert "goes back to claude at once. Careful: Claude API is down." in form


async def test_switch_back_form_switches_the_flag_back(outage: Talk) -> None:
    """The form showed the state of the default, so the person means it."""
    bob = outage.house.bob
    await chooses(bob, "Switch back…")
    await bob.submits({})
    await outage.house.quiet()

    assert [bob.id] == [fact.actor.id for fact in await outage.facts(Released)]


async def test_update_in_the_menu_opens_the_update_form(outage: Talk) -> None:
    """The same form as `/incident update`."""
    ana = outage.house.ana
    await ana.clicks("Post update", channel="ops")
    await ana.waits_for("Write an update")
    await ana.submits({"What else should everybody know?": "Support knows"})
    await outage.house.quiet()

    assert "@ana writes:\n> Support knows" in outage.shows(outage.said(CHANNEL, "Update 1 of INC-1")[-1])


async def test_export_in_the_menu_posts_the_file(outage: Talk) -> None:
    """At once, since there is nothing to ask."""
    ana = outage.house.ana
    await outage.asks(ana, "/fallback release support-chat.llm force")
    await outage.house.quiet()
    await ana.picks("incident.more", "Export timeline", channel="ops")
    await outage.house.quiet()

    assert 1 == len(outage.said(CHANNEL, "[file: INC-1-timeline.md]"))


async def test_outdated_menu_is_answered_with_the_current_state(outage: Talk) -> None:
    """Somebody resolved the incident in between; the choice changes nothing, and the reply says so."""
    house, bob = outage.house, outage.house.bob
    message = outage.alerts()[-1]
    menu = next(one for block in message.blocks if block["type"] == "actions" for one in block["elements"] if "options" in one)
    row = next(block["block_id"] for block in message.blocks if block["type"] == "actions")
    await outage.asks(house.ana, "/incident resolve INC-1 force over")
    await house.quiet()
    choice = next(one for one in menu["options"] if one["text"]["text"] == "Change severity…")
    await house.workspace.interactions.act_on_message(house.workspace.team.users[bob.id], message, menu, row, choice)

    assert "It is over; there is nothing to change any more." in await bob.waits_for("It is over")


@pytest.mark.parametrize(
    "value",
    [
        '{"do":"explode","incident":1}',
        '{"do":"resolve","incident":"1; drop"}',
        '{"do":"resolve","incident":99}',
        '{"do":["resolve"],"incident":1}',
        "no json at all",
    ],
)
async def test_forged_menu_choice_changes_nothing(outage: Talk, value: str) -> None:
    """It is answered in a sentence, and no form opens."""
    house, bob = outage.house, outage.house.bob
    message = outage.alerts()[-1]
    menu = next(one for block in message.blocks if block["type"] == "actions" for one in block["elements"] if "options" in one)
    row = next(block["block_id"] for block in message.blocks if block["type"] == "actions")
    choice = {"text": {"type": "plain_text", "text": "Resolve…"}, "value": value}
    before, told = len(await outage.facts()), len(outage.whispers(bob))
    await house.workspace.interactions.act_on_message(house.workspace.team.users[bob.id], message, menu, row, choice)
    await house.quiet()

    assert bob.modal is None
    assert told + 1 == len(outage.whispers(bob))
    assert before == len(await outage.facts())
