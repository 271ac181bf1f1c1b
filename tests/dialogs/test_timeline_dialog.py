"""Timeline entries by people: added from a message or a pushpin, following edits, corrected, and shown by page."""

import asyncio

import pytest

from bot.core.record.entry_facts import MessageAdded, MessageDeleted, MessageEdited, MessagePinned
from bot.core.record.fact import Body
from bot.sandbox.slack import ModalErrors, Person
from tests.dialogs.talk import Talk

ROOM = "inc-20260320-0001-claude"
ADD = "add_to_timeline"


@pytest.fixture
async def room(outage: Talk) -> Talk:
    """INC-1 is open; Ana and Bob are in its channel, where Bob wrote what he found."""
    await outage.gathers(ROOM)
    await outage.house.bob.says("it was <DNS> & nothing else", channel=ROOM)
    return outage


async def pins(talk: Talk, person: Person, containing: str, *, channel: str = ROOM) -> str:
    """Pin the newest message with that text; return what the person is told."""
    return await talk.hears(person, person.reacts("pushpin", message_containing=containing, channel=channel))


async def adds(talk: Talk, person: Person, containing: str, *, channel: str = ROOM) -> str:
    """Choose "Add to timeline" in the message's menu; return what the person is told."""
    return await talk.hears(person, person.uses_shortcut(ADD, message_containing=containing, channel=channel))


async def adds_to(talk: Talk, person: Person, containing: str, *, channel: str, incident: str = "1") -> str:
    """The same where the form asks for the incident."""
    await person.uses_shortcut(ADD, message_containing=containing, channel=channel)
    return await talk.hears(person, talk.submits_when_open(person, incident=incident))


async def written(talk: Talk, kind: type[Body], count: int = 1) -> None:
    """Wait until that many facts of that kind are recorded."""
    async with asyncio.timeout(5):
        while len(await talk.facts(kind)) != count:
            await asyncio.sleep(0.01)


async def timeline(talk: Talk) -> str:
    return await talk.asks(talk.house.ana, "/incident timeline", channel=ROOM)


async def test_message_is_added_by_its_menu(room: Talk) -> None:
    """In the incident's channel nothing has to be asked."""
    assert "The message is now in the timeline of INC-1." == await adds(room, room.house.ana, "<DNS>")
    assert "bob wrote: it was <DNS> & nothing else" in await timeline(room)


async def test_message_is_added_by_a_pushpin(room: Talk) -> None:
    assert "The message is now in the timeline of INC-1." == await pins(room, room.house.ana, "<DNS>")
    assert "bob wrote: it was <DNS> & nothing else" in await timeline(room)


async def test_message_pinned_by_several_people_is_one_entry(room: Talk) -> None:
    """The second person sees the first pin; one who uses the menu is told."""
    await pins(room, room.house.ana, "<DNS>")
    await room.house.bob.reacts("pushpin", message_containing="<DNS>", channel=ROOM)
    await written(room, MessagePinned)

    assert "The message is already in the timeline of INC-1." == await adds(room, room.house.ana, "<DNS>")
    assert 1 == len(await room.facts(MessageAdded))


async def test_entry_links_to_the_message_and_its_image(room: Talk) -> None:
    await room.house.bob.says("look at this", channel=ROOM, file="graph.png")
    await pins(room, room.house.ana, "look at this")
    [fact] = await room.facts(MessageAdded)
    assert isinstance(fact.body, MessageAdded)
    message = fact.body.message

    assert f"/archives/{message.channel}/p{message.ts.replace('.', '')}" in message.link
    assert ["graph.png"] == [file.name for file in message.files]


async def test_reply_in_a_thread_can_be_pinned(room: Talk) -> None:
    """Most of the work happens in threads."""
    ts = await room.house.bob.says("a thread", channel=ROOM)
    await room.house.bob.says("restarted the pods", channel=ROOM, thread_ts=ts)
    await pins(room, room.house.ana, "restarted the pods")

    assert "bob wrote: restarted the pods" in await timeline(room)


async def test_adding_from_another_channel_asks_for_the_incident(room: Talk) -> None:
    """The form shows the message, and the incident's channel is told of the entry."""
    await room.house.bob.says("support has 40 tickets", channel="ops")
    await adds_to(room, room.house.ana, "40 tickets", channel="ops")
    await room.house.quiet()

    assert "bob wrote: support has 40 tickets" in await timeline(room)
    assert room.said(ROOM, "support has 40 tickets")


async def test_message_from_a_channel_without_the_bot_can_be_added(room: Talk) -> None:
    """The menu's payload carries the message, and its link is known as well."""
    bob = room.house.bob
    room.house.workspace.add_channel("secret", members=[bob], private=True)
    await bob.says("found it: " + "x" * 2900, channel="secret")
    await bob.uses_shortcut(ADD, message_containing="found it", channel="secret")
    await room.submits_when_open(bob, incident="1")
    await written(room, MessageAdded)
    [fact] = await room.facts(MessageAdded)
    assert isinstance(fact.body, MessageAdded)

    assert fact.body.message.text.startswith("found it: xxx")
    assert ".slack.com/archives/" in fact.body.message.link


async def test_pushpin_outside_an_incidents_channel_is_ignored(room: Talk) -> None:
    """The pin after it, in the incident's channel, counts."""
    await room.house.bob.says("lunch?", channel="ops")
    await room.house.ana.reacts("pushpin", message_containing="lunch?", channel="ops")
    await pins(room, room.house.ana, "<DNS>")

    assert 1 == len(await room.facts(MessageAdded))


async def test_pushpin_under_the_alert_counts(room: Talk) -> None:
    """An incident without a channel is worked on there."""
    root = room.alerts()[-1]
    await room.house.bob.says("vendor confirmed", channel="ops", thread_ts=root.ts)
    await pins(room, room.house.ana, "vendor confirmed", channel="ops")

    assert "bob wrote: vendor confirmed" in await timeline(room)


async def test_other_emoji_adds_nothing(room: Talk) -> None:
    await room.house.ana.reacts("eyes", message_containing="<DNS>", channel=ROOM)
    await room.house.bob.says("and BGP", channel=ROOM)
    await pins(room, room.house.ana, "and BGP")

    assert 1 == len(await room.facts(MessageAdded))


async def test_late_pin_counts(room: Talk) -> None:
    """The author of the post-mortem may pin a day later."""
    await room.house.recovers("anthropic.api")
    await room.resolves(room.house.ana)
    await room.house.quiet()
    await pins(room, room.house.ana, "<DNS>")

    assert 1 == len(await room.facts(MessageAdded))


async def test_guest_is_told_that_their_pin_does_not_count(room: Talk) -> None:
    guest = room.house.workspace.add_user("gus", guest="multi")
    room.house.workspace.channel(ROOM).members.append(guest.id)

    assert "Only full members" in await pins(room, guest, "<DNS>")
    assert [] == list(await room.facts(MessageAdded))


async def test_pin_of_a_bot_is_ignored_silently(room: Talk) -> None:
    """Another bot tidies pins, and nobody reads what it is told."""
    robot = room.house.workspace.add_user("robot", is_bot=True)
    room.house.workspace.channel(ROOM).members.append(robot.id)
    await robot.reacts("pushpin", message_containing="<DNS>", channel=ROOM)
    await pins(room, room.house.ana, "<DNS>")

    assert ([], []) == (room.whispers(robot), room.house.workspace.direct_messages(robot))
    assert 1 == len(await room.facts(MessageAdded))


async def test_pin_on_an_unreadable_message_says_so(room: Talk) -> None:
    room.house.workspace.faults.add("conversations.replies", "error:missing_scope")

    assert "I cannot read the message you pinned" in await pins(room, room.house.ana, "<DNS>")


async def test_removing_the_last_pin_hides_the_entry(room: Talk) -> None:
    await pins(room, room.house.ana, "<DNS>")
    ana = room.house.ana
    reply = await room.hears(ana, ana.unreacts("pushpin", message_containing="<DNS>", channel=ROOM))

    assert reply.startswith("The last pin is gone")
    assert "bob wrote" not in await timeline(room)


async def test_edit_of_the_message_updates_the_entry(room: Talk) -> None:
    """The entry says that it was edited."""
    await pins(room, room.house.ana, "<DNS>")
    await room.house.bob.edits("<DNS>", "it was BGP", channel=ROOM)
    await written(room, MessageEdited)

    assert "bob wrote: it was BGP (edited)" in await timeline(room)


async def test_edits_of_other_messages_leave_no_trace(room: Talk) -> None:
    """Another message is pinned, and edited later."""
    await room.house.bob.says("and BGP", channel=ROOM)
    await pins(room, room.house.ana, "and BGP")
    await room.house.bob.edits("<DNS>", "it was not", channel=ROOM)
    await room.house.bob.edits("and BGP", "and NTP", channel=ROOM)
    await written(room, MessageEdited)

    assert ["and NTP"] == [fact.body.text for fact in await room.facts(MessageEdited)]


@pytest.mark.parametrize("in_thread", [False, True])
async def test_deletion_of_the_message_is_noted_on_the_entry(room: Talk, in_thread: bool) -> None:
    """Also if replies keep its place in Slack; the entry keeps the words."""
    await pins(room, room.house.ana, "<DNS>")
    if in_thread:
        root = next(m for m in room.house.workspace.messages(ROOM) if "DNS" in m.text)
        await room.house.ana.says("really?", channel=ROOM, thread_ts=root.ts)
    await room.house.bob.deletes("<DNS>", channel=ROOM)
    await written(room, MessageDeleted)

    assert "it was <DNS> & nothing else (the message was deleted)" in await timeline(room)


# --- pages and corrections


@pytest.fixture
async def noted(room: Talk) -> Talk:
    """Enough notes for three pages."""
    for n in range(1, 16):
        await room.asks(room.house.ana, f"/incident note number {n}", channel=ROOM)
    await room.house.quiet()
    return room


async def test_newest_page_is_shown_first(noted: Talk) -> None:
    shown = await timeline(noted)

    assert "Note: number 15" in shown
    assert "Note: number 5 " not in shown


async def test_older_and_newer_buttons_replace_the_page(noted: Talk) -> None:
    """One message, not one for each page."""
    await timeline(noted)
    ana, before = noted.house.ana, len(noted.whispers(noted.house.ana))
    await ana.clicks("Older", channel=ROOM)
    older = await ana.waits_for("Note: number 4 ", channel=ROOM)
    await ana.clicks("Newer", channel=ROOM)
    newer = await ana.waits_for("Page 3 of 3", channel=ROOM)

    assert "Page 2 of 3" in older
    assert "Note: number 15 " in newer.rpartition("Timeline of")[2]
    assert before == len(noted.whispers(ana))


def menu(talk: Talk) -> str:
    """The menu of the newest entry on Ana's page."""
    page = talk.whispers(talk.house.ana)[-1]
    return str([block["accessory"]["action_id"] for block in page.blocks if "accessory" in block][-1])


async def begins(talk: Talk) -> None:
    """Ana opens the form of the newest entry."""
    await timeline(talk)
    await talk.house.ana.picks(menu(talk), "Correct…", channel=ROOM)
    async with asyncio.timeout(3):
        while talk.house.ana.modal is None:
            await asyncio.sleep(0.005)


async def corrects(talk: Talk, **fields: object) -> str:
    """Ana corrects the newest entry; return what she is told."""
    await begins(talk)
    return await talk.hears(talk.house.ana, talk.house.ana.submits(fields))


async def test_note_can_be_corrected(noted: Talk) -> None:
    assert "Corrected in the timeline of INC-1. The exports keep the original too." == await corrects(
        noted, text="number fifteen"
    )
    assert "Note: number fifteen (ana) (corrected by ana)" in await timeline(noted)


async def test_correcting_a_time_moves_the_entry(noted: Talk) -> None:
    """To before the outage began, so that it is on the first page now."""
    await corrects(noted, time=1774000000)

    assert "number 15" not in await timeline(noted)


async def test_future_time_is_refused_at_its_field(noted: Talk) -> None:
    await begins(noted)

    with pytest.raises(ModalErrors, match="in the future"):
        await noted.house.ana.submits({"time": 1999999999})


async def test_unchanged_correction_form_changes_nothing(noted: Talk) -> None:
    await begins(noted)

    with pytest.raises(ModalErrors, match="nothing was changed"):
        await noted.house.ana.submits()


async def test_entry_can_be_hidden_and_shown_again(noted: Talk) -> None:
    await timeline(noted)
    ana = noted.house.ana
    reply = await noted.hears(ana, ana.picks(menu(noted), "Hide", channel=ROOM))
    gone = await timeline(noted)
    await ana.clicks("Show again", channel=ROOM)
    await ana.waits_for("It is back in the timeline of INC-1.", channel=ROOM)

    assert reply.startswith("Hidden from the timeline of INC-1.")
    assert "number 15" not in gone
    assert "number 15" in await timeline(noted)


@pytest.mark.parametrize(
    "metadata", ["", "{", "[]", '{"incident": true, "entry": 1, "channel": ""}', '{"incident": 99}', "1" * 3000]
)
@pytest.mark.parametrize("callback", ["correct_entry", "add_message"])
async def test_forged_correction_form_changes_nothing(noted: Talk, callback: str, metadata: str) -> None:
    """It is answered with an error at a field, whatever it carries."""
    before = len(await noted.facts())
    await begins(noted)
    view = noted.house.workspace.team.modals[noted.house.ana.id][-1]
    view.body["callback_id"], view.body["private_metadata"] = callback, metadata
    if callback == "add_message":
        view.body["blocks"][0]["block_id"] = "incident"
        view.values["incident"] = view.values.pop("text")

    with pytest.raises(ModalErrors, match="lost what it was about"):
        await noted.house.ana.submits()
    assert before == len(await noted.facts())
