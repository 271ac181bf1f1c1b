"""The extremes that Slack allows: huge texts, every script, and channels that people change under the bot."""

import pytest

from bot.core.record.incident_facts import NoteAdded
from tests.dialogs.talk import Talk

CHANNEL = "inc-20260320-0001-claude"
FULL = "Zürich 東京 ☂ " * 300  # longer than a Slack field allows
NAMES = ("Søren Ångström", "李小龍", "مريم العلي", "Дмитрий", "नमिता", "🦊 Fox", "Zoë‑Ann O'Neil <b>", "*bold* `code`")


async def test_command_of_forty_thousand_characters_is_answered(talk: Talk) -> None:
    """In one line, like any unknown command."""
    said = await talk.asks(talk.house.ana, f"/incident {'ä' * 40_000}")

    assert said.endswith("is not known. /incident help shows what is.")
    assert len(said) < 200


async def test_note_of_forty_thousand_characters_is_kept_whole(outage: Talk) -> None:
    """Pasted text is not lost; the reply is short."""
    said = await outage.asks(outage.house.ana, f"/incident note {'x' * 39_900} the end")
    await outage.house.quiet()

    assert len(said) < 500
    [noted] = await outage.facts(NoteAdded)
    assert isinstance(noted.body, NoteAdded)
    assert noted.body.text.endswith("the end")


async def test_form_with_fields_at_their_limit_is_accepted(outage: Talk) -> None:
    """The longest text that the field allows is posted as an update."""
    await outage.house.ana.clicks("incident.update", channel="ops")
    await outage.house.ana.submits({"text": FULL[:3000]})
    await outage.house.quiet()

    [update] = outage.said(CHANNEL, "Zürich 東京")
    assert FULL[:2_000] in outage.shows(update)


@pytest.mark.parametrize("name", NAMES)
async def test_names_in_every_script_are_shown_as_they_are(outage: Talk, name: str) -> None:
    """Also in lists that name people without mentioning them."""
    person = outage.house.workspace.add_user(f"u{NAMES.index(name)}", name)
    outage.house.workspace.channel("ops").members.append(person.id)
    await outage.asks(person, "/incident ack")
    await outage.asks(person, "/incident role lead me")
    await outage.house.quiet()

    assert f"@{person.name}" in outage.shows(outage.cards(CHANNEL)[-1])
    assert f"@{person.name}" in outage.alert()


async def test_renamed_channel_stays_the_incidents_channel(outage: Talk) -> None:
    """The bot knows the channel by its id."""
    await outage.asks(outage.house.ana, "/incident join")
    await outage.house.quiet()
    outage.house.workspace.channel(CHANNEL).name = "claude-is-down-again"
    said = await outage.asks(outage.house.ana, "/incident note still failing", channel="claude-is-down-again")
    await outage.asks(outage.house.ana, "/incident update We serve from the fallback", channel="claude-is-down-again")
    await outage.house.quiet()

    assert "Noted in the timeline of INC-1" in said
    assert outage.said("claude-is-down-again", "We serve from the fallback")


async def test_bot_removed_from_the_channel_posts_in_the_thread_until_repair(outage: Talk) -> None:
    """Updates go to the alert's thread, and one command brings the bot back."""
    house = outage.house
    house.workspace.channel(CHANNEL).members.remove(house.workspace.bot_user_id)
    await outage.asks(house.ana, "/incident update INC-1 We serve from the fallback")
    await house.quiet()

    assert "We serve from the fallback" in "\n".join(outage.pushed())


async def test_updates_go_to_the_alerts_thread_after_the_channel_is_deleted(outage: Talk) -> None:
    """The update says why it appears there."""
    house = outage.house
    del house.workspace.team.channels[house.workspace.channel(CHANNEL).id]
    await outage.asks(house.ana, "/incident update INC-1 We serve from the fallback")
    await house.quiet()

    assert "We serve from the fallback" in "\n".join(outage.pushed())
