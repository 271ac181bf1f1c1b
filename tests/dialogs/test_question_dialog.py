"""Questions by mention or direct message are answered with one line of facts, where they were asked."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.core.record.fact import Body
from bot.sandbox.slack import Person
from tests.dialogs.talk import ANSWER_WITHIN_S, Talk
from tests.house import BOTH_WAYS, SOON_S, House, a_house

ME = "@understudy"


async def asks(talk: Talk, person: Person, words: str, *, channel: str = "ops") -> str:
    """Mention the bot in a channel that it is in; return its reply in the thread of that message."""
    ts = await person.says(f"{ME} {words}", channel=channel)
    return talk.shows((await answers(talk, channel, ts))[0])


async def answers(talk: Talk, channel: str, ts: str, count: int = 1) -> list[Any]:
    """The bot's replies in a thread, once it has that many."""
    workspace = talk.house.workspace
    async with asyncio.timeout(ANSWER_WITHIN_S):
        while True:
            thread = workspace.messages(channel, thread_ts=ts)[1:]
            found = [m for m in thread if m.user == workspace.bot_user_id]
            if len(found) >= count:
                return found
            await asyncio.sleep(0.005)


async def writes(talk: Talk, person: Person, words: str) -> str:
    """Send the bot a direct message; return its reply."""
    before = len(talk.house.workspace.direct_messages(person))
    await person.writes(words)
    async with asyncio.timeout(ANSWER_WITHIN_S):
        while len(talk.house.workspace.direct_messages(person)) < before + 2:
            await asyncio.sleep(0.005)
    return talk.shows(talk.house.workspace.direct_messages(person)[-1])


@pytest.fixture
async def open_house(tmp_path: Path) -> AsyncIterator[House]:
    """A deployment that lets outsiders ask."""
    async with a_house(tmp_path, people={"external": "read"}) as house:
        yield house


@BOTH_WAYS
async def test_is_claude_down_is_answered_in_one_line(outage: Talk) -> None:
    """State and start, the incident with its lead, whose fault it is, who serves customers, and the next update."""
    await outage.asks(outage.house.bob, "/incident role lead me")
    said = await asks(outage, outage.house.ana, "is Claude down?")

    assert said == (
        "🔴 Claude API is down (since 12:01 UTC, SEV2, INC-1, lead bob). It's Claude, not us. Support chat is served by gpt. "
        "Next update by 13:02 UTC."
    )


async def test_answer_mentions_nobody(outage: Talk) -> None:
    """The lead is named without a mention."""
    await outage.asks(outage.house.bob, "/incident role lead me")
    ts = await outage.house.ana.says(f"{ME} claude?", channel="ops")
    [message] = await answers(outage, "ops", ts)

    assert f"<@{outage.house.bob.id}>" not in f"{message.text}{message.blocks}"


@pytest.mark.parametrize("words", ["claude api?", "anthropic.api", "is the API of Claude slow", "CLAUDE's api!"])
async def test_component_is_found_by_any_of_its_names(outage: Talk, words: str) -> None:
    """By its id, its name, or part of the name next to its provider's."""
    assert "Claude API is down" in await asks(outage, outage.house.ana, words)


async def test_variants_name_finds_the_component_behind_it(outage: Talk) -> None:
    """People say GPT and mean the API that it needs."""
    assert await asks(outage, outage.house.ana, "gpt?") == "🟢 OpenAI API is operational."
    assert "OpenAI" in await outage.asks(outage.house.ana, "/health gpt")


async def test_answer_about_a_healthy_component_says_when_it_last_failed(outage: Talk) -> None:
    """People who ask after the outage learn how long ago it was."""
    await outage.house.recovers("anthropic.api")
    await outage.asks(outage.house.ana, "/incident resolve INC-1 force over")
    await outage.house.passes(minutes=60)

    assert (await asks(outage, outage.house.ana, "claude?")).startswith("🟢 Claude is operational; last failure 1 h")


async def test_several_names_get_one_line_each(outage: Talk) -> None:
    """In the order of the question."""
    said = await asks(outage, outage.house.ana, "are openai and claude ok?")

    assert ["🟢 OpenAI is operational.", "🔴 Claude API is down (since"] == [line[:27].rstrip() for line in said.split("\n")]


async def test_whats_broken_names_every_failure(outage: Talk) -> None:
    """Also an incident that no check sees."""
    await outage.asks(outage.house.ana, "/incident declare Mail is late")
    said = await asks(outage, outage.house.ana, "what's broken?")

    assert [True, True] == ["Claude API is down" in said, "INC-2: Mail is late" in said]


async def test_whats_broken_on_a_healthy_day_is_one_line(talk: Talk) -> None:
    """All is well, and nothing else."""
    await talk.house.passes(minutes=1)

    assert await asks(talk, talk.house.ana, "status") == "🟢 All 3 components are operational. No incident is open."


async def test_question_finds_an_incident_by_its_number(outage: Talk) -> None:
    """With a link to its channel; an unknown number is named as such."""
    said = await asks(outage, outage.house.ana, "INC-1 and inc-9")

    assert said.startswith("🔴 INC-1: Claude API is down (since ") and "There is no INC-9." in said


async def test_mention_that_asks_for_a_change_gets_the_slash_command(outage: Talk) -> None:
    """The reply names the command; nothing is recorded."""
    before = await outage.facts(Body)
    said = await asks(outage, outage.house.ana, "note it is DNS")

    assert "/incident note" in said
    assert before == await outage.facts(Body)


async def test_unclear_question_gets_a_list_of_possible_questions(talk: Talk) -> None:
    """People should not have to guess."""
    assert "is Claude down?" in await asks(talk, talk.house.ana, "tell me a joke")


@BOTH_WAYS
async def test_direct_message_is_answered_there(outage: Talk) -> None:
    """Without a thread, and only once even if it mentions the bot."""
    said = await writes(outage, outage.house.ana, f"{ME} claude?")
    await outage.house.quiet()

    assert "Claude API is down" in said
    assert 2 == len(outage.house.workspace.direct_messages(outage.house.ana))


async def test_question_in_a_thread_is_answered_in_that_thread(outage: Talk) -> None:
    """For example under the alert."""
    house = outage.house
    root = await house.ana.says("is it just me?", channel="ops")
    await house.bob.says(f"{ME} claude?", channel="ops", thread_ts=root)

    assert "Claude API is down" in outage.shows((await answers(outage, "ops", root))[0])


async def test_edited_question_is_not_answered_again(outage: Talk) -> None:
    """Nor is an edit that adds the mention."""
    house = outage.house
    ts = await house.ana.says(f"{ME} claude?", channel="ops")
    await answers(outage, "ops", ts)
    await house.ana.edits("claude?", f"{ME} claude???", channel="ops")
    edited = {"user": house.ana.id, "text": f"<@{house.workspace.bot_user_id}> claude?", "edited": {"ts": ts}}
    at = {"channel": house.workspace.channel("ops").id, "ts": f"{ts[:-1]}{(int(ts[-1]) + 1) % 10}"}
    house.workspace.team.emit({"type": "app_mention", **at, **edited})
    await asks(outage, house.bob, "openai?")  # so everything before it has been handled
    threads = [call.args.get("thread_ts") for call in house.workspace.calls if call.method == "chat.postMessage"]

    assert [1, 0] == [threads.count(ts), threads.count(at["ts"])]


async def test_message_delivered_twice_is_answered_once(outage: Talk) -> None:
    """Also as another event type, and over a restart."""
    house = outage.house
    ts = await house.ana.says(f"{ME} claude?", channel="ops")
    await answers(outage, "ops", ts)
    await house.stop()
    await house.start()
    again = {"user": house.ana.id, "text": f"<@{house.workspace.bot_user_id}> claude?", "ts": ts}
    house.workspace.team.emit({"type": "app_mention", "channel": house.workspace.channel("ops").id, **again})
    await asks(outage, house.bob, "openai?")

    assert 1 == len(await answers(outage, "ops", ts))


async def test_bots_are_not_answered(outage: Talk) -> None:
    """Two bots would answer each other without end."""
    house = outage.house
    robot = house.workspace.add_user("robot", is_bot=True)
    house.workspace.channel("ops").members.append(robot.id)
    ts = await robot.says(f"{ME} claude?", channel="ops")
    await asks(outage, house.bob, "openai?")

    assert 1 == len(house.workspace.messages("ops", thread_ts=ts))
    assert [] == house.workspace.direct_messages(robot)


async def test_guest_is_refused_unless_guests_may_ask(outage: Talk) -> None:
    """As with slash commands."""
    eve = outage.house.workspace.add_user("eve", guest="multi")

    assert "Guests of this workspace may not do that" in await writes(outage, eve, "claude?")


async def test_guest_is_answered_if_guests_may_ask(open_house: House) -> None:
    """With `people.external: read`."""
    talk = Talk(open_house)
    await open_house.passes(minutes=1)
    eve = open_house.workspace.add_user("eve", guest="multi")

    assert await writes(talk, eve, "openai?") == "🟢 OpenAI is operational."


async def test_person_over_the_rate_limit_is_told_once_and_then_ignored(outage: Talk) -> None:
    """Twenty questions a minute are answered and one more gets the notice; others are not affected."""
    house = outage.house
    for _ in range(25):
        await house.ana.writes("openai?")
    async with asyncio.timeout(SOON_S):
        while len(house.workspace.direct_messages(house.ana)) < 25 + 21:
            await asyncio.sleep(0.01)
    await writes(outage, house.bob, "openai?")

    direct_messages = [outage.shows(one) for one in house.workspace.direct_messages(house.ana)]
    assert 25 + 21 == len(direct_messages)
    assert 1 == direct_messages.count("Too many questions: I answer 20 a minute. Wait a minute, then ask again.")


async def test_bot_over_the_rate_limit_is_not_told(outage: Talk) -> None:
    """It would answer the notice, too."""
    house = outage.house
    robot = house.workspace.add_user("robot", is_bot=True)
    for _ in range(25):
        await robot.writes("openai?")
    await writes(outage, house.bob, "openai?")

    assert 25 == len(house.workspace.direct_messages(robot))  # those that the robot itself sent


async def test_hostile_question_is_answered_like_any_other(outage: Talk) -> None:
    """No part of a question is repeated, however long it is."""
    said = await asks(outage, outage.house.ana, "<!channel> " + "x" * 3000 + " *claude*")

    assert "I did not understand that" in said
