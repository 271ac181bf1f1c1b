"""Tasks and follow-ups in Slack: announced, assigned by buttons, reminded of by direct message, kept after the end."""

import asyncio
from datetime import timedelta

import pytest

from bot.core.record.task_facts import TaskDone, TaskReminded
from bot.sandbox.slack import Person
from tests.dialogs.talk import Talk

CHANNEL = "inc-20260320-0001-claude"
DUE = "is due"


@pytest.fixture
async def busy(outage: Talk) -> Talk:
    """Claude is down; Ana and Bob are in the incident's channel."""
    await outage.asks(outage.house.ana, "/incident ack")
    await outage.asks(outage.house.bob, "/incident join")
    await outage.house.quiet()
    return outage


async def asks(talk: Talk, person: Person, words: str) -> str:
    """Type in the incident's channel, and wait until every message that follows has been posted."""
    said = await talk.asks(person, words, channel=CHANNEL)
    await talk.house.quiet()
    return said


async def later(talk: Talk, minutes: float) -> None:
    await talk.house.passes(minutes=minutes)
    await talk.house.quiet()


def direct(talk: Talk, person: Person) -> list[str]:
    """The bot's direct messages about tasks to that person, oldest first."""
    team = talk.house.workspace.team
    mine = [channel for channel in team.channels.values() if channel.kind == "im" and person.id in channel.members]
    return [text for channel in mine for m in channel.messages if DUE in (text := talk.shows(m)) or "was due" in text]


async def test_task_is_announced_and_listed_on_the_card(busy: Talk) -> None:
    """With its owner, its due time, and a button to finish it."""
    said = await asks(busy, busy.house.ana, "/incident task Call Anthropic support @bob in 30m")

    assert said.startswith("Task 1 of INC-1, for @bob, due ")
    assert said.endswith(": Call Anthropic support")
    line = busy.shows(busy.said(CHANNEL, "Task 1")[-1])
    assert line.startswith("Task 1 for @bob, due ")
    assert "Call Anthropic support (by @ana)\n[Done]" in line
    assert "Tasks\n1. Call Anthropic support · @bob · due" in busy.card(CHANNEL)


async def test_tasks_owner_is_invited_into_the_channel(busy: Talk) -> None:
    """Otherwise the owner could not read what it is about."""
    carla = busy.house.workspace.add_user("carla", "Carla Diaz")
    await asks(busy, busy.house.ana, "/incident task Look at the quotas @carla")

    assert carla.id in busy.house.workspace.team.channel_named(CHANNEL).members


async def test_tasks_owner_is_reminded_once_over_a_restart(busy: Talk) -> None:
    """By direct message at the due time, with the buttons."""
    await asks(busy, busy.house.ana, "/incident task Call Anthropic support @bob in 30m")
    await later(busy, 29)
    early = direct(busy, busy.house.bob)
    await later(busy, 2)
    await busy.house.stop()
    await busy.house.start()
    await later(busy, 30)

    assert [] == early
    (reminder,) = direct(busy, busy.house.bob)
    assert reminder.startswith("Task 1 of INC-1 is due: Call Anthropic support\nClaude API is down · #inc-20260320-0001-claude")
    assert reminder.endswith("[Done] [Change…]")
    assert 1 == len(await busy.facts(TaskReminded))


async def test_done_in_the_reminder_replaces_the_button_with_a_record(busy: Talk) -> None:
    """The channel is told as well."""
    bob = busy.house.bob
    await asks(busy, busy.house.ana, "/incident task Call Anthropic support @bob in 5m")
    await later(busy, 6)
    said = await busy.presses(bob, "Done", message_containing="Task 1 of INC-1 is due")
    await busy.house.quiet()

    assert "Task 1 of INC-1 is done. Nothing is left to do." == said
    assert "“Done” was pressed by @bob" in direct(busy, bob)[0]
    assert busy.said(CHANNEL, "✅ Task 1 is done: Call Anthropic support (by @bob).")
    assert "Tasks" not in busy.card(CHANNEL)


async def test_two_people_pressing_done_finish_the_task_once(busy: Talk) -> None:
    """The second is told who did it."""
    house = busy.house
    await asks(busy, house.ana, "/incident task Call Anthropic support")
    presses = (
        busy.presses(one, "Done", channel=CHANNEL, message_containing="Call Anthropic") for one in (house.ana, house.bob)
    )
    replies = await asyncio.gather(*presses)
    await house.quiet()

    assert 1 == len(await busy.facts(TaskDone))
    assert any("Task 1 of INC-1 is done." in one for one in replies)
    assert any("Task 1 of INC-1 was already done by" in one for one in replies)


async def test_task_list_shows_the_result_of_each_press(busy: Talk) -> None:
    """Only the person who asked for the list sees it."""
    house = busy.house
    await asks(busy, house.ana, "/incident task Call Anthropic support")
    await asks(busy, house.ana, "/incident task Check our quotas")
    listed = await asks(busy, house.bob, "/incident tasks")
    await busy.presses(house.bob, "task.take:1", channel=CHANNEL)
    await busy.presses(house.bob, "task.done:2", channel=CHANNEL)
    shown = house.bob.sees(CHANNEL)

    assert "INC-1: 2 open tasks" in listed
    assert "1. Call Anthropic support · no owner yet\n[Done] [Take] [Change…]" in listed
    assert "1. Call Anthropic support · @bob" in shown
    assert "1 done or dropped" in shown


async def test_task_is_changed_in_a_form(busy: Talk) -> None:
    """Text, owner and due time at once."""
    house = busy.house
    await asks(busy, house.ana, "/incident task Call support")
    await asks(busy, house.ana, "/incident tasks")
    await house.ana.clicks("task.change:1", channel=CHANNEL)
    await busy.hears(house.ana, busy.submits_when_open(house.ana, text="Call the duty manager", **{"Who does it?": "bob"}))
    await house.quiet()

    said = busy.shows(busy.said(CHANNEL, "Task 1 now says")[-1])
    assert said == "Task 1 now says “Call the duty manager” and is @bob's now (by @ana)."


async def test_open_tasks_become_follow_ups_at_the_end(busy: Talk) -> None:
    """The summary lists them; their owners are reminded once a day, long after the incident."""
    house = busy.house
    await asks(busy, house.ana, "/incident task Write the runbook @bob in 2h")
    await house.recovers("anthropic.api")
    await busy.resolves(house.ana, reason="the vendor mended it")
    await house.quiet()
    summary = busy.shows(busy.said(CHANNEL, "Left as a follow-up")[-1])
    await later(busy, 121)
    house.clock.advance(timedelta(days=1))
    await later(busy, 1)

    assert "Left as a follow-up: 1. Write the runbook (@bob)." in summary
    first, second = direct(busy, house.bob)
    assert first.startswith("Follow-up 1 of INC-1 is due: Write the runbook")
    assert second.startswith("Follow-up 1 of INC-1 was due")


async def test_markup_in_a_task_is_shown_as_text(busy: Talk) -> None:
    """In the channel, on the card, in the list and in the reminder."""
    house = busy.house
    await asks(busy, house.ana, "/incident task <!channel> ```y``` @bob in 1m")
    listed = await asks(busy, house.ana, "/incident tasks")
    await later(busy, 2)

    shown = [listed, busy.card(CHANNEL), busy.shows(busy.said(CHANNEL, "Task 1")[0]), *direct(busy, house.bob)]
    assert 4 == len(shown)
    assert all("<!channel> ˋˋˋyˋˋˋ" in one for one in shown)
    every = [m for one in house.workspace.team.channels.values() for m in one.messages]
    assert not any("<!channel>" in str(m.blocks) + m.text for m in every)


@pytest.mark.parametrize(
    ("words", "reply"),
    [
        ("task", "A task needs words: /incident task Call Anthropic support @ana in 30m."),
        ("done 9", "INC-1 has no task 9. The newest is 1."),
        ("undone 1", "Task 1 of INC-1 is still open."),
        ("take #1", "Task 1 of INC-1, for ana: Call support"),
        ("take 1 none", "Task 1 of INC-1 is as before; it has no owner."),
        ("drop 1 they wrote", "Task 1 of INC-1 is dropped. Nothing is left to do."),
        ("done", "Which task? Open: 1 (Call support). Write /incident done 1. To end the incident: /incident resolve."),
        ("done?", "Which task? Open: 1 (Call support)."),
        ("drop INC-1?", "Which task? Open: 1 (Call support). Write /incident drop 1."),
        ("done it", "it is not the number of a task. Open: 1 (Call support)."),
    ],
)
async def test_task_commands_are_answered(words: str, reply: str, busy: Talk) -> None:
    """Tasks are named by number; an unreadable command gets the possible ones."""
    await asks(busy, busy.house.ana, "/incident task Call support")

    assert (await asks(busy, busy.house.ana, f"/incident {words}")).startswith(reply)


async def test_deactivated_person_loses_their_tasks(busy: Talk) -> None:
    """The channel is told which task needs an owner."""
    house = busy.house
    house.workspace.add_user("carla", "Carla Diaz")
    await asks(busy, house.ana, "/incident task Look at the quotas @carla in 3h")
    await house.passes(seconds=30)
    house.workspace.change_user("carla", deleted=True)
    await house.passes(minutes=1)
    await house.ana.waits_for("Task 1 has no owner any more", channel=CHANNEL)

    line = busy.shows(busy.said(CHANNEL, "Task 1 has no owner any more")[-1])
    assert line == "Task 1 has no owner any more: Look at the quotas (carla's account is deactivated).\n[Done] [Take]"
