"""Slack events delivered three hours late, after the incident was resolved, change nothing that is over."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

import pytest

from bot.core import signals as s
from bot.core.model import Actor, Phase
from bot.core.record.entry_facts import MessageAdded, MessageDeleted, MessageEdited
from bot.core.record.fact import Fact
from bot.core.record.flag_facts import Released
from bot.core.record.incident_facts import PhaseChanged
from tests.dialogs.talk import Talk
from tests.house import SOON_S

ROOM = "inc-20260320-0001-claude"
HOURS = timedelta(hours=3)
WRONG = "I think it was DNS"


@pytest.fixture
async def room(outage: Talk) -> Talk:
    """INC-1 is open; Ana and Bob are in its channel, where Bob wrote a message that Ana pinned."""
    await outage.gathers(ROOM)
    await outage.house.bob.says(WRONG, channel=ROOM)
    pin = outage.house.ana.reacts("pushpin", message_containing=WRONG, channel=ROOM)
    await outage.hears(outage.house.ana, pin)
    await outage.house.quiet()
    return outage


class Late:
    """`doing` happens now and reaches the bot three hours later, when the incident is long resolved."""

    def __init__(self, talk: Talk) -> None:
        self.talk = talk

    async def arrives(self, doing: Awaitable[Any]) -> list[Fact]:
        """The facts recorded because of it."""
        talk, house = self.talk, self.talk.house
        house.workspace.faults.hold_back()
        acting = asyncio.ensure_future(doing)
        async with asyncio.timeout(SOON_S):
            while not house.workspace.faults.state.held:
                await asyncio.sleep(0.005)
        await over(talk)
        before, shown = len(await talk.facts()), shown_now(talk)
        await house.workspace.faults.let_go()
        await asyncio.gather(acting, return_exceptions=True)  # Slack gave up on it after three seconds
        await settled(talk)
        assert shown == shown_now(talk), "alert or card changed"
        return [fact for fact in (await talk.facts())[before:] if not fact.body.BOOKKEEPING]


async def over(talk: Talk) -> None:
    """Everything recovers, Ana resolves the incident from the terminal, and three hours pass."""
    house = talk.house
    await house.recovers("anthropic.api")
    assert house.app is not None
    ana = Actor.person(house.ana.id, "ana")
    assert (await house.app.engine.handle(s.ReleaseFlag(ana, flag="support-chat.llm", force=True))).ok
    assert (await house.app.engine.handle(s.SetPhase(ana, incident=1, phase=Phase.RESOLVED, force=True))).ok
    for _ in range(6):
        house.clock.advance(HOURS / 6)
        await house.ticker.beat()
        await house.app.looked()
    await house.quiet()


async def settled(talk: Talk) -> None:
    """Wait until the bot has handled everything it received."""
    await asyncio.sleep(0.3)
    await talk.house.quiet()


def shown_now(talk: Talk) -> list[str]:
    """Alert and card, as people read them."""
    return [talk.shows(message) for message in (*talk.alerts(), *talk.cards(ROOM))]


async def phase(talk: Talk) -> Phase:
    assert talk.house.app is not None
    return talk.house.app.engine.world.incidents[1].phase


async def test_late_question_gets_the_current_state(room: Talk) -> None:
    """A question from the outage must not be answered as if it went on."""
    house = room.house
    facts = await Late(room).arrives(house.bob.writes("is claude down?"))
    said = room.shows(house.workspace.direct_messages(house.bob)[-1])

    assert [] == facts
    assert said.startswith("🟢"), said


async def test_late_pin_adds_an_entry_and_nothing_else(room: Talk) -> None:
    """The timeline gains the message, and the incident stays resolved."""
    await room.house.ana.says("The vendor called us", channel=ROOM)
    facts = await Late(room).arrives(room.house.bob.reacts("pushpin", message_containing="The vendor called us", channel=ROOM))

    assert [MessageAdded] == [type(fact.body) for fact in facts]
    assert Phase.RESOLVED is await phase(room)


async def test_late_unpin_hides_the_entry(room: Talk) -> None:
    """The person who unpinned the message wanted that; nothing else changes."""
    facts = await Late(room).arrives(room.house.ana.unreacts("pushpin", message_containing=WRONG, channel=ROOM))
    listed = await room.asks(room.house.ana, "/incident timeline INC-1")

    assert [] == facts
    assert WRONG not in listed


async def test_late_edit_updates_the_entry_and_marks_it_edited(room: Talk) -> None:
    """The entry reads as its author wanted."""
    facts = await Late(room).arrives(room.house.bob.edits(WRONG, "It was their database", channel=ROOM))
    listed = await room.asks(room.house.ana, "/incident timeline INC-1")

    assert [] == facts
    assert 1 == len(await room.facts(MessageEdited))
    assert "It was their database" in listed and "edited" in listed
    assert Phase.RESOLVED is await phase(room)


async def test_late_deletion_keeps_the_entry(room: Talk) -> None:
    """The words were said and stay on record."""
    facts = await Late(room).arrives(room.house.bob.deletes(WRONG, channel=ROOM))
    listed = await room.asks(room.house.ana, "/incident timeline INC-1")

    assert [] == facts
    assert 1 == len(await room.facts(MessageDeleted))
    assert WRONG in listed and "deleted" in listed


@pytest.mark.parametrize("button", ["Acknowledge", "Post update"])
async def test_late_button_press_changes_nothing(room: Talk, button: str) -> None:
    """The press is answered with the current state."""
    facts = await Late(room).arrives(room.house.bob.clicks(button, channel="ops"))

    assert [] == facts
    assert Phase.RESOLVED is await phase(room)


async def test_late_button_press_is_answered(room: Talk) -> None:
    """The person is told that the incident is over."""
    await Late(room).arrives(room.house.bob.clicks("Acknowledge", channel="ops"))
    [*_, said] = room.whispers(room.house.bob)

    assert "resolved" in room.shows(said)


async def test_late_switch_back_changes_no_flag(room: Talk) -> None:
    """The flag was switched back long ago; a switch made since is another matter."""
    await room.house.bob.picks("incident.more", "Switch back…", channel="ops")
    async with asyncio.timeout(SOON_S):
        while room.house.bob.modal is None:
            await asyncio.sleep(0.005)
    facts = await Late(room).arrives(room.house.bob.submits())

    assert [] == facts
    assert 1 == len(await room.facts(Released))


@pytest.mark.parametrize(
    ("choice", "fields"),
    [
        ("Change phase…", {"phase": "identified", "reason": "it was DNS"}),
        ("Change severity…", {"severity": "SEV1", "reason": "worse"}),
        ("Resolve…", {"reason": "the vendor says so"}),
    ],
)
async def test_late_form_changes_nothing(room: Talk, choice: str, fields: dict[str, str]) -> None:
    """The form was filled in while the incident was open."""
    await room.house.bob.picks("incident.more", choice, channel="ops")
    async with asyncio.timeout(SOON_S):
        while room.house.bob.modal is None:
            await asyncio.sleep(0.005)
    facts = await Late(room).arrives(room.house.bob.submits(fields))
    ends = [fact for fact in await room.facts(PhaseChanged) if fact.body.phase is Phase.RESOLVED]  # type: ignore[attr-defined]

    assert [] == facts
    assert 1 == len(ends)


async def test_late_update_is_not_posted(room: Talk) -> None:
    """An outage that is over must not read as if it went on."""
    await room.house.bob.clicks("Post update", channel="ops")
    async with asyncio.timeout(SOON_S):
        while room.house.bob.modal is None:
            await asyncio.sleep(0.005)
    facts = await Late(room).arrives(room.house.bob.submits(text="We are waiting for the vendor"))

    assert [] == facts
    assert not room.said(ROOM, "We are waiting for the vendor")


async def test_joining_after_the_end_brings_no_briefing(room: Talk) -> None:
    """Nothing is left to work on."""
    house = room.house
    house.workspace.add_user("liv", "Liv Late")

    async def joins() -> None:
        house.workspace.team.join(house.workspace.channel(ROOM), house.workspace.person("liv").id)

    facts = await Late(room).arrives(joins())

    assert [] == facts
    assert [] == room.whispers(house.workspace.person("liv"))
