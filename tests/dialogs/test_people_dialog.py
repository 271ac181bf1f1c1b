"""Double clicks, two people at once, old buttons, and repeated deliveries by Slack: each leads to one fact."""

import asyncio

from bot.core.record.flag_facts import HandBackStepped
from bot.core.record.incident_facts import Acknowledged, Declared, NoteAdded
from tests.dialogs.talk import ANSWER_WITHIN_S, Talk
from tests.house import BOTH_WAYS, FLAG

CHANNEL = "inc-20260320-0001-claude"

SWITCH_BACK = "Switch support chat back to claude"


async def answered(talk: Talk, count: int) -> list[str]:
    """Wait until Ana and Bob together have that many replies; return them sorted."""
    people = (talk.house.ana, talk.house.bob)
    async with asyncio.timeout(ANSWER_WITHIN_S):
        while sum(len(talk.whispers(person)) for person in people) < count:
            await asyncio.sleep(0.005)
    return sorted(talk.shows(whisper) for person in people for whisper in talk.whispers(person))


@BOTH_WAYS
async def test_double_click_acknowledges_once(outage: Talk) -> None:
    """The second press is answered with the current state, and the channel is told once."""
    ana = outage.house.ana
    await asyncio.gather(ana.clicks("Acknowledge", channel="ops"), ana.clicks("Acknowledge", channel="ops"))
    answers = await answered(outage, 2)
    await outage.house.quiet()

    assert ["INC-1 is yours.", "ana has already acknowledged INC-1."] == answers
    assert 1 == len(await outage.facts(Acknowledged))
    assert 1 == len(outage.said(CHANNEL, "acknowledged INC-1."))


async def test_two_people_acknowledging_at_once_make_one_lead(outage: Talk) -> None:
    """The other person is told who leads."""
    ana, bob = outage.house.ana, outage.house.bob
    await asyncio.gather(ana.clicks("Acknowledge", channel="ops"), bob.clicks("Acknowledge", channel="ops"))
    answers = await answered(outage, 2)
    [fact] = await outage.facts(Acknowledged)

    assert ["INC-1 is yours.", f"{fact.actor.name} has already acknowledged INC-1."] == answers


async def test_two_people_resolving_at_once_resolve_it_once(outage: Talk) -> None:
    """One summary and one file."""
    ana, bob = outage.house.ana, outage.house.bob
    await asyncio.gather(*(one.types("/incident resolve INC-1 force all done") for one in (ana, bob)))
    answers = await answered(outage, 2)
    await outage.house.quiet()

    assert ["INC-1 is already resolved", "INC-1 is resolved now"] == [answer.partition(".")[0] for answer in answers]
    assert 1 == len(outage.said(CHANNEL, "post-mortem"))
    assert 1 == len(outage.said(CHANNEL, "[file: INC-1-timeline.md]"))


async def test_double_click_starts_the_hand_back_once(outage: Talk) -> None:
    """Ten percent stay ten percent."""
    await outage.house.recovers("anthropic.api")
    await outage.house.passes(minutes=10)
    await outage.house.quiet()
    bob = outage.house.bob
    button = "Send 10 % back to claude"
    await asyncio.gather(bob.clicks(button, channel=CHANNEL), bob.clicks(button, channel=CHANNEL))
    answers = await answered(outage, 2)

    assert [
        "Support chat is already being switched back: 10 % is on its default.",
        "The first share of support chat is back on its default.",
    ] == answers
    assert 1 == len(await outage.facts(HandBackStepped))


async def test_two_people_declaring_the_same_outage_open_one_incident(talk: Talk) -> None:
    """The second is shown the first one's incident."""
    ana, bob = talk.house.ana, talk.house.bob
    await asyncio.gather(ana.types("/incident declare Claude API is odd"), bob.types("/incident declare claude.ai is odd"))
    answers = await answered(talk, 2)

    assert 1 == len(await talk.facts(Declared))
    assert ["is declared:", "is already open for Claude"] == [
        words for words in ("is declared:", "is already open for Claude") if any(words in answer for answer in answers)
    ]


async def test_buttons_of_a_resolved_incident_answer_with_its_state(outage: Talk) -> None:
    """Old messages keep old buttons; a press changes nothing."""
    house = outage.house
    await outage.asks(house.ana, f"/fallback release {FLAG} force")
    await outage.asks(house.ana, "/incident resolve INC-1 force")
    await house.quiet()

    answer = await outage.presses(house.bob, SWITCH_BACK, channel=CHANNEL)
    assert "Support chat already serves its default." == answer
    await outage.presses(house.bob, "Export timeline", channel=CHANNEL)
    await house.bob.clicks("Reopen", channel="ops")
    await house.quiet()
    assert "INC-1 is investigating, was" not in house.bob.sees("ops")
    assert 2 == len(outage.said(CHANNEL, "[file: INC-1-timeline.md]"))


async def test_outdated_private_view_is_answered_with_the_current_state(outage: Talk) -> None:
    """Its buttons say that the incident is over."""
    house = outage.house
    await outage.asks(house.bob, "/incident show INC-1")
    await outage.asks(house.ana, "/incident resolve INC-1 force")
    await house.quiet()
    answer = await outage.presses(house.bob, "Acknowledge", message_containing="Nobody has acknowledged this")

    assert "INC-1 is resolved; there is nothing to acknowledge." == answer


@BOTH_WAYS
async def test_envelope_delivered_twice_counts_once(talk: Talk) -> None:
    """One incident, one note, and one reply each."""
    house = talk.house
    house.workspace.faults.deliver_twice(1)
    await talk.asks(house.ana, "/incident declare Payments are slow")
    house.workspace.faults.deliver_twice(1)
    await talk.asks(house.ana, "/incident note twice?")
    await house.quiet()
    house.workspace.faults.deliver_twice(1)
    await talk.presses(house.bob, "Acknowledge", channel="ops")
    await house.quiet()

    assert [1, 1, 1] == [len(await talk.facts(kind)) for kind in (Declared, NoteAdded, Acknowledged)]
    assert [2, 1] == [len(talk.whispers(person)) for person in (house.ana, house.bob)]


@BOTH_WAYS
async def test_form_delivered_twice_declares_once(talk: Talk) -> None:
    """Slack repeats forms as well."""
    ana = talk.house.ana
    await ana.types("/incident declare")
    await ana.waits_for("== Declare incident ==")
    talk.house.workspace.faults.deliver_twice(1)
    await ana.submits({"What is wrong?": "Mail is late"})
    await ana.waits_for("INC-1 is declared")
    await talk.house.quiet()

    assert 1 == len(await talk.facts(Declared))


def old_message(talk: Talk, label: str, action: str, value: str) -> None:
    """A message of the bot, with a button that this version does not make."""
    text = {"type": "plain_text", "text": label}
    element = {"type": "button", "action_id": action, "text": text, "value": value}
    blocks = [{"type": "actions", "block_id": "old", "elements": [element]}]
    workspace = talk.house.workspace
    workspace.team.post(workspace.channel("ops"), workspace.bot_user_id, "an old message", blocks=blocks, bot=True)


async def test_button_of_another_version_is_answered(talk: Talk) -> None:
    """No press may go without a reply."""
    house = talk.house
    old_message(talk, "Escalate", "incident.escalate", "{}")
    answer = await talk.presses(house.ana, "Escalate", channel="ops")

    assert "I do not know this button any more, and nothing was done." in answer


async def test_button_with_a_broken_value_does_nothing(talk: Talk) -> None:
    """The value of a button is untrusted input."""
    house = talk.house
    for value in ("[1]", "{", '{"incident":"1"}', '{"incident":true}', '{"incident":99}'):
        old_message(talk, "Old", "incident.ack", value)
        answer = await talk.presses(house.ana, "Old", channel="ops")
        assert "/incident help" in answer or "There is no INC-" in answer, value
    assert [] == list(await talk.facts(Acknowledged))
