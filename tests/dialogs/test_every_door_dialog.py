"""Every way in from Slack, tried by every kind of outsider without effect, and by a full member with effect."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import pytest

from bot.core.model import ActorKind
from bot.core.record.fact import Body, Fact
from bot.sandbox.slack import Person
from tests.dialogs.talk import ANSWER_WITHIN_S, Talk
from tests.dialogs.test_outsiders_dialog import KINDS

Door = Callable[[Talk, Person], Awaitable[Any]]
CHATTER = "support sees timeouts"  # a message in the incident's channel


def room(talk: Talk) -> str:
    return talk.house.incident_channel


async def slash_word(talk: Talk, person: Person) -> None:
    await person.types("/incident note INC-1 it is the network", channel="ops")


async def slash_word_with_form(talk: Talk, person: Person) -> None:
    await person.types("/incident update INC-1", channel="ops")


async def button(talk: Talk, person: Person) -> None:
    await person.clicks("Acknowledge", channel="ops")


async def button_with_form(talk: Talk, person: Person) -> None:
    await person.clicks("Post update", channel="ops")


async def shortcut(talk: Talk, person: Person) -> None:
    await person.uses_shortcut("declare_incident")


async def declares_from_a_message(talk: Talk, person: Person) -> None:
    await person.uses_shortcut("declare_from_message", message_containing=CHATTER, channel=room(talk))


async def adds_a_message(talk: Talk, person: Person) -> None:
    await person.uses_shortcut("add_to_timeline", message_containing=CHATTER, channel=room(talk))


async def pins(talk: Talk, person: Person) -> None:
    await person.reacts("pushpin", message_containing=CHATTER, channel=room(talk))


async def chooses_in_a_menu(talk: Talk, person: Person) -> None:
    choice = {"action_id": "incident.ack", "type": "static_select", "selected_option": {"value": '{"incident": 1}'}}
    await sends(talk, person, {"type": "block_actions", "actions": [choice | {"value": '{"incident": 1}'}]})


async def sends_a_form(talk: Talk, person: Person) -> None:
    values = {"severity": {"severity": {"type": "static_select", "selected_option": {"value": "SEV1"}}}}
    view = {
        "id": "V07SEVERITY", "type": "modal", "callback_id": "change_severity", "private_metadata": "1",
        "state": {"values": values},
    }  # fmt: skip
    await sends(talk, person, {"type": "view_submission", "view": view})


async def asks_by_name(talk: Talk, person: Person) -> None:
    await person.says("@understudy note INC-1 all is well, and what is down?", channel="ops")


async def sends(talk: Talk, person: Person, payload: Mapping[str, Any]) -> None:
    """A payload from another workspace: person and team say so, while its other fields claim all they can."""
    user = {"id": person.id, "username": person.name, "name": person.name, "team_id": "T07OTHER"}
    team = {"id": "T07OTHER", "domain": "others"}
    trigger = talk.house.workspace.team.new_trigger(person.id)
    await talk.house.workspace.links.deliver("interactive", {"user": user, "team": team, "trigger_id": trigger, **payload})


WRITING: list[Door] = [slash_word, button, adds_a_message, pins, chooses_in_a_menu, sends_a_form]
FORMS: list[Door] = [slash_word_with_form, button_with_form, shortcut, declares_from_a_message]
DOORS = [*WRITING, *FORMS, asks_by_name]


async def comes_in(talk: Talk, kind: Mapping[str, Any]) -> Person:
    """An outsider of that kind joins the alerts channel and the incident's channel, where a colleague has written."""
    house = talk.house
    eve = house.workspace.add_user("eve", "Eve", **kind)
    house.workspace.channel("ops").members.append(eve.id)
    house.workspace.channel(room(talk)).members.extend((eve.id, house.ana.id))
    await house.ana.says(CHATTER, channel=room(talk))
    return eve


async def everything(talk: Talk) -> Sequence[Fact]:
    await talk.house.quiet()
    return await talk.facts(Body)


def answered(talk: Talk, person: Person) -> str:
    """Everything the bot told a person: ephemeral, as a direct message, or in the thread of their message."""
    workspace = talk.house.workspace
    threads = [m for m in workspace.channel("ops").messages if m.is_reply and m.user == workspace.bot_user_id]
    roots = {m.ts for m in workspace.channel("ops").messages if m.user == person.id}
    messages = [*talk.whispers(person), *workspace.direct_messages(person), *(m for m in threads if m.thread_ts in roots)]
    return "\n".join(talk.shows(m) for m in messages if m.user == workspace.bot_user_id)


async def someone_else_pins(talk: Talk) -> None:
    """Ana pins a message; once it is recorded, everything that arrived before has been handled."""
    await talk.house.ana.says("and it is slow", channel=room(talk))
    await talk.house.ana.reacts("pushpin", message_containing="and it is slow", channel=room(talk))
    await grows(talk, await everything(talk))


async def grows(talk: Talk, before: Sequence[Fact]) -> None:
    """Wait until more facts have been recorded."""
    async with asyncio.timeout(ANSWER_WITHIN_S):
        while len(await everything(talk)) <= len(before):
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
@pytest.mark.parametrize("kind", KINDS)
async def test_outsiders_action_has_no_effect(outage: Talk, kind: str, door: Door) -> None:
    """It brings no fact, no form and no word about the incident."""
    eve = await comes_in(outage, KINDS[kind])
    before = await everything(outage)
    await door(outage, eve)
    await someone_else_pins(outage)
    people = {
        fact.actor.id for fact in await everything(outage) if fact not in before and fact.actor.kind is not ActorKind.RULE
    }

    assert {outage.house.ana.id} == people
    assert eve.modal is None
    assert "INC-1" not in answered(outage, eve)


@pytest.mark.parametrize("door", WRITING, ids=lambda door: door.__name__)
async def test_full_members_action_has_an_effect(outage: Talk, door: Door) -> None:
    """Otherwise the test above could pass because the way in works for nobody."""
    eve = await comes_in(outage, {})
    before = await everything(outage)
    await door(outage, eve)
    await grows(outage, before)

    assert eve.id in {fact.actor.id for fact in await everything(outage)}


@pytest.mark.parametrize("door", FORMS, ids=lambda door: door.__name__)
async def test_full_member_gets_the_form(outage: Talk, door: Door) -> None:
    """The same proof for actions that open a form."""
    eve = await comes_in(outage, {})
    await door(outage, eve)
    async with asyncio.timeout(ANSWER_WITHIN_S):
        while eve.modal is None:
            await asyncio.sleep(0.01)

    assert not outage.whispers(eve)


async def test_full_member_gets_an_answer(outage: Talk) -> None:
    """The same proof for questions."""
    eve = await comes_in(outage, {})
    await asks_by_name(outage, eve)
    async with asyncio.timeout(ANSWER_WITHIN_S):
        while not answered(outage, eve):
            await asyncio.sleep(0.01)

    assert "INC-1" in answered(outage, eve)
