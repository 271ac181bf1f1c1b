"""`/incident role`: who leads, in Slack."""

import pytest

from bot.core.record.incident_facts import RoleChanged
from tests.dialogs.talk import Talk

CHANNEL = "inc-20260320-0001-payments-are-slow"


@pytest.fixture
async def declared(talk: Talk) -> Talk:
    """Ana has declared an incident that no check knows of."""
    await talk.asks(talk.house.ana, "/incident declare Payments are slow")
    await talk.house.quiet()
    return talk


async def test_who_leads_stands_on_alert_and_card_and_in_the_channel(declared: Talk) -> None:
    """Bob is invited, mentioned by id, and named in the timeline; then it is taken back."""
    house = declared.house
    answer = await declared.asks(house.ana, "/incident role INC-1 commander @bob")
    await house.quiet()
    [card] = declared.cards(CHANNEL)

    assert "bob is commander of INC-1 now." == answer
    assert "Lead: @bob" in declared.alert()
    assert "Lead: @bob" in declared.shows(card)
    assert declared.said(CHANNEL, "bob is commander of INC-1 (by @ana)")
    assert house.bob.id in house.workspace.channel(CHANNEL).members
    assert "bob is commander of INC-1" in await declared.asks(house.ana, "/incident timeline", channel=CHANNEL)
    taken = await declared.asks(house.ana, "/incident role commander none", channel=CHANNEL)
    await house.quiet()

    assert "INC-1 has no commander any more." == taken
    assert "Lead" not in declared.alert()
    [given, back] = [fact.body for fact in await declared.facts(RoleChanged) if isinstance(fact.body, RoleChanged)]
    assert (house.bob.id, None) == (given.person and given.person.id, back.person)


async def test_somebody_takes_it_themselves(declared: Talk) -> None:
    """Nobody types their own name at night."""
    assert "bob is commander of INC-1 now." == await declared.asks(declared.house.bob, "/incident role commander me")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("role", "Which role? Roles: commander."),
        ("role comander @bob", "comander is not a role. Did you mean commander? Roles: commander."),
        ("role commander", "Who is commander? Mention them, /incident role commander @ana, or write me or none."),
        ("role commander bob", "Who is commander? Mention them, /incident role commander @ana, or write me or none."),
        ("role commander #ops", "A role is for one person. Mention them, /incident role commander @ana, or write me or none."),
        ("role commander none", "INC-1 has no commander."),
    ],
)
async def test_slips_are_answered_with_what_to_type(declared: Talk, words: str, expected: str) -> None:
    """Nothing is changed."""
    assert expected == await declared.asks(declared.house.ana, f"/incident {words}")
    assert [] == list(await declared.facts(RoleChanged))
