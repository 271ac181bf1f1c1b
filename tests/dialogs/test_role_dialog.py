"""`/incident role`: the lead and other roles in Slack."""

import pytest

from bot.core.record.incident_facts import RoleChanged
from bot.sandbox.slack import ModalErrors, Person
from tests.dialogs.talk import Talk

CHANNEL = "inc-20260320-0001-payments-are-slow"


@pytest.fixture
async def declared(talk: Talk) -> Talk:
    """Ana has declared an incident that no check sees."""
    await talk.asks(talk.house.ana, "/incident declare Payments are slow")
    await talk.house.quiet()
    return talk


async def test_lead_is_shown_on_alert_card_and_channel(declared: Talk) -> None:
    """Bob is invited, mentioned by id and named in the timeline; then the role is taken back."""
    house = declared.house
    answer = await declared.asks(house.ana, "/incident role INC-1 lead @bob")
    await house.quiet()
    [card] = declared.cards(CHANNEL)

    assert "bob leads INC-1 now." == answer
    assert "Lead: @bob" in declared.alert()
    assert "Lead: @bob" in declared.shows(card)
    assert declared.said(CHANNEL, "@bob leads INC-1 now (by @ana).")
    assert house.bob.id in house.workspace.channel(CHANNEL).members
    assert "bob leads INC-1" in await declared.asks(house.ana, "/incident timeline", channel=CHANNEL)
    taken = await declared.asks(house.ana, "/incident role lead none", channel=CHANNEL)
    await house.quiet()

    assert "Nobody leads INC-1 any more." == taken
    assert "Lead" not in declared.alert()
    [given, back] = [fact.body for fact in await declared.facts(RoleChanged) if isinstance(fact.body, RoleChanged)]
    assert (house.bob.id, None) == (given.person and given.person.id, back.person)


async def test_person_takes_the_lead_with_me(declared: Talk) -> None:
    """Nobody types their own name at night."""
    assert "bob leads INC-1 now." == await declared.asks(declared.house.bob, "/incident role lead me")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("role scibe @bob", "scibe is not a role. Did you mean scribe? Roles: lead, communications, scribe."),
        ("role lead", "Who is lead? Mention them, /incident role lead @ana, or write me or none."),
        ("role lead bob", "Who is lead? Mention them, /incident role lead @ana, or write me or none."),
        ("role lead #ops", "A role is for one person. Mention them, /incident role lead @ana, or write me or none."),
        ("role lead none", "Nobody leads INC-1."),
    ],
)
async def test_mistyped_role_command_is_answered_with_what_to_type(declared: Talk, words: str, expected: str) -> None:
    """Nothing is changed."""
    assert expected == await declared.asks(declared.house.ana, f"/incident {words}")
    assert [] == list(await declared.facts(RoleChanged))


# --- roles besides the lead, and the form


async def test_communications_is_on_the_card_but_not_in_the_topic(declared: Talk) -> None:
    """The topic has room for the lead only."""
    house = declared.house
    answer = await declared.asks(house.bob, "/incident role INC-1 comms me")
    await house.quiet()

    assert "bob is communications for INC-1 now." == answer
    assert "Communications: @bob" in declared.card(CHANNEL)
    assert declared.said(CHANNEL, "@bob is communications for INC-1 now.")
    assert "bob" not in house.workspace.channel(CHANNEL).topic


async def opens_roles(person: Person) -> str:
    await person.clicks("Roles", channel=CHANNEL)
    return await person.waits_for("== ", channel=CHANNEL)


async def test_role_form_assigns_a_role(declared: Talk) -> None:
    """It shows who has which role, suggests a free one, and keeps the chosen person's name."""
    house = declared.house
    await declared.asks(house.ana, "/incident role lead me")
    await house.quiet()
    form = await opens_roles(house.ana)
    await house.ana.submits({"Role": "Scribe", "Who": house.bob})
    await house.quiet()

    assert "Lead: @ana" in form
    assert "Scribe: @bob" in declared.card(CHANNEL)
    assert "bob is scribe for INC-1" in await declared.asks(house.ana, "/incident timeline", channel=CHANNEL)


async def test_role_form_without_a_person_gives_the_role_up(declared: Talk) -> None:
    """For people who go to bed."""
    house = declared.house
    await declared.asks(house.ana, "/incident role lead me")
    await house.quiet()
    await opens_roles(house.ana)
    await house.ana.submits({"Role": "Lead", "Who": None})
    await house.quiet()

    assert declared.said(CHANNEL, "Nobody leads INC-1 any more (by @ana).")


@pytest.mark.parametrize(
    ("verb", "title"),
    [
        ("role", "Roles of INC-1"),
        ("update", "Write an update"),
        ("phase INC-1", "Change phase"),
        ("severity", "Change severity"),
        ("cancel", "No incident"),
    ],
)
async def test_role_verb_alone_opens_its_form(declared: Talk, verb: str, title: str) -> None:
    """With what was typed already chosen."""
    await declared.house.ana.types(f"/incident {verb}", channel=CHANNEL)

    assert title in await declared.house.ana.waits_for("== ", channel=CHANNEL)


@pytest.mark.parametrize("verb", ["role", "update", "phase", "severity", "cancel"])
async def test_no_role_form_opens_for_a_resolved_incident(declared: Talk, verb: str) -> None:
    """Nobody should fill in what will be refused."""
    await declared.asks(declared.house.ana, "/incident resolve", channel=CHANNEL)
    said = await declared.asks(declared.house.ana, f"/incident {verb}", channel=CHANNEL)

    assert "It is over; there is nothing to change any more. /incident reopen begins it again." == said


async def test_deactivated_person_is_refused_at_the_field(declared: Talk) -> None:
    """The form stays open."""
    house = declared.house
    zoe = house.workspace.add_user("zoe", "Zoe Left")
    await opens_roles(house.ana)
    house.workspace.change_user("zoe", deleted=True)

    with pytest.raises(ModalErrors, match="That account is deactivated, or a bot"):
        await house.ana.submits({"Role": "Lead", "Who": zoe})


async def test_forged_role_is_refused(declared: Talk) -> None:
    """Nothing is recorded."""
    house = declared.house
    await opens_roles(house.ana)
    view = house.workspace.team.modals[house.ana.id][-1]
    view.values["role"]["role"]["selected_option"] = {"text": {"type": "plain_text", "text": "King"}, "value": "king"}

    with pytest.raises(ModalErrors, match="There is no role 'king'"):
        await house.ana.submits({})
    assert [] == list(await declared.facts(RoleChanged))


# --- the lead that is free


async def test_lead_is_taken_by_a_button(declared: Talk) -> None:
    """The button is under the message that nobody leads, and becomes a record."""
    house = declared.house
    await declared.asks(house.ana, "/incident role lead me")
    await declared.asks(house.ana, "/incident role lead none")
    await house.quiet()
    taken = await declared.presses(house.bob, "Take the lead", channel=CHANNEL)
    await house.quiet()

    assert "bob leads INC-1 now." == taken
    assert "Lead: @bob" in declared.alert()
    assert "was pressed by @bob" in declared.shows(declared.said(CHANNEL, "Nobody leads INC-1 any more")[-1])


async def test_channel_is_asked_once_who_leads(outage: Talk) -> None:
    """Ten minutes after the acknowledgement; a button answers."""
    house, channel = outage.house, outage.house.incident_channel
    await outage.presses(house.ana, "Acknowledge", channel="ops")
    await house.passes(minutes=30)
    await house.quiet()
    [asked] = outage.said(channel, "Nobody leads INC-1 yet.")
    await outage.presses(house.ana, "Take the lead", channel=channel)
    await house.quiet()

    assert "Acknowledged by @ana at" in outage.shows(asked)
    assert outage.said(channel, "@ana leads INC-1 now.")
    assert "lead @ana" in house.workspace.channel(channel).topic


async def test_question_who_leads_is_not_repeated_after_a_restart(outage: Talk) -> None:
    """A restarted bot must not nag."""
    house, channel = outage.house, outage.house.incident_channel
    await outage.presses(house.ana, "Acknowledge", channel="ops")
    await house.passes(minutes=12)
    await house.quiet()
    await house.stop()
    await house.start()
    await house.passes(minutes=30)
    await house.quiet()

    assert 1 == len(outage.said(channel, "Nobody leads INC-1 yet."))


async def test_deactivated_lead_is_announced_and_the_lead_offered(declared: Talk) -> None:
    """Slack sends an event for the deactivation."""
    house = declared.house
    await declared.asks(house.ana, "/incident role lead @bob")
    await house.passes(seconds=30)
    house.workspace.change_user("bob", deleted=True)
    await house.passes(minutes=1)
    await house.ana.waits_for("Nobody leads INC-1 any more: bob's account is deactivated.", channel=CHANNEL)

    assert "ana leads INC-1 now." == await declared.presses(house.ana, "Take the lead", channel=CHANNEL)


async def test_lead_deactivated_during_the_bots_absence_is_noticed(declared: Talk) -> None:
    """The event was missed, so the bot asks Slack."""
    house = declared.house
    await declared.asks(house.ana, "/incident role lead @bob")
    await house.quiet()
    await house.stop()
    house.workspace.change_user("bob", deleted=True)
    await house.start()
    await house.passes(minutes=1)
    seen = await house.ana.waits_for("Nobody leads INC-1 any more", channel=CHANNEL)

    assert "Nobody leads INC-1 any more: bob's account is deactivated." in seen
