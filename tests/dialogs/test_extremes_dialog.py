"""What Slack allows at its most: words without end, every script, and channels that people change under the bot."""

import pytest

from bot.core.record.incident_facts import NoteAdded
from tests.dialogs.talk import Talk

CHANNEL = "inc-20260320-0001-claude"
FULL = "Zürich 東京 ☂ " * 300  # more than a field of Slack's takes
NAMES = ("Søren Ångström", "李小龍", "مريم العلي", "Дмитрий", "नमिता", "🦊 Fox", "Zoë‑Ann O'Neil <b>", "*bold* `code`")


async def test_a_slash_word_of_forty_thousand_characters_is_answered(talk: Talk) -> None:
    """As any word that is not known, in one line."""
    said = await talk.asks(talk.house.ana, f"/incident {'ä' * 40_000}")

    assert said.endswith("is not known. /incident help shows what is.")
    assert len(said) < 200


async def test_a_note_of_forty_thousand_characters_is_kept_whole(outage: Talk) -> None:
    """What somebody pasted is not lost; the answer is short."""
    said = await outage.asks(outage.house.ana, f"/incident note {'x' * 39_900} the end")
    await outage.house.quiet()

    assert len(said) < 500
    [noted] = await outage.facts(NoteAdded)
    assert isinstance(noted.body, NoteAdded)
    assert noted.body.text.endswith("the end")


async def test_a_form_filled_to_the_brim_is_taken(outage: Talk) -> None:
    """The longest words that a field takes are posted as an update."""
    await outage.house.ana.clicks("incident.update", channel="ops")
    await outage.house.ana.submits({"text": FULL[:3000]})
    await outage.house.quiet()

    [update] = outage.said(CHANNEL, "Zürich 東京")
    assert FULL[:2_000] in outage.shows(update)


@pytest.mark.parametrize("name", NAMES)
async def test_names_in_every_script_are_shown_as_they_are(outage: Talk, name: str) -> None:
    """In the lists that name people without a mention, too."""
    person = outage.house.workspace.add_user(f"u{NAMES.index(name)}", name)
    outage.house.workspace.channel("ops").members.append(person.id)
    await outage.asks(person, "/incident ack")
    await outage.asks(person, "/incident role lead me")
    await outage.house.quiet()

    assert f"@{person.name}" in outage.shows(outage.cards(CHANNEL)[-1])
    assert f"@{person.name}" in outage.alert()


async def test_a_renamed_channel_stays_the_incidents_channel(outage: Talk) -> None:
    """People tidy names; the bot knows it by its id."""
    await outage.asks(outage.house.ana, "/incident join")
    await outage.house.quiet()
    outage.house.workspace.channel(CHANNEL).name = "claude-is-down-again"
    said = await outage.asks(outage.house.ana, "/incident note still failing", channel="claude-is-down-again")
    await outage.asks(outage.house.ana, "/incident update We serve from the fallback", channel="claude-is-down-again")
    await outage.house.quiet()

    assert "Noted in the timeline of INC-1" in said
    assert outage.said("claude-is-down-again", "We serve from the fallback")


async def test_a_bot_that_was_removed_goes_on_in_the_thread_until_it_is_repaired(outage: Talk) -> None:
    """By accident or not: the update is read where the alert is, and one word brings it back."""
    house = outage.house
    house.workspace.channel(CHANNEL).members.remove(house.workspace.bot_user_id)
    await outage.asks(house.ana, "/incident update INC-1 We serve from the fallback")
    await house.quiet()

    assert "We serve from the fallback" in "\n".join(outage.pushed())


async def test_a_deleted_channel_is_followed_by_the_thread(outage: Talk) -> None:
    """The update goes where people still read, and says why."""
    house = outage.house
    del house.workspace.team.channels[house.workspace.channel(CHANNEL).id]
    await outage.asks(house.ana, "/incident update INC-1 We serve from the fallback")
    await house.quiet()

    assert "We serve from the fallback" in "\n".join(outage.pushed())
