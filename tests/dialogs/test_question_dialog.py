"""Questions to the bot, by its name or in a direct message, are answered in a line of facts where they were asked."""

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
    """Mention the bot in a channel that it is in; its answer in the thread of that message."""
    ts = await person.says(f"{ME} {words}", channel=channel)
    return talk.shows((await answers(talk, channel, ts))[0])


async def answers(talk: Talk, channel: str, ts: str, count: int = 1) -> list[Any]:
    """The bot's replies in a thread, once there are so many."""
    workspace = talk.house.workspace
    async with asyncio.timeout(ANSWER_WITHIN_S):
        while True:
            thread = workspace.messages(channel, thread_ts=ts)[1:]
            found = [m for m in thread if m.user == workspace.bot_user_id]
            if len(found) >= count:
                return found
            await asyncio.sleep(0.005)


async def writes(talk: Talk, person: Person, words: str) -> str:
    """Write to the bot; what it answers in the direct message."""
    before = len(talk.house.workspace.direct_messages(person))
    await person.writes(words)
    async with asyncio.timeout(ANSWER_WITHIN_S):
        while len(talk.house.workspace.direct_messages(person)) < before + 2:
            await asyncio.sleep(0.005)
    return talk.shows(talk.house.workspace.direct_messages(person)[-1])


@pytest.fixture
async def open_house(tmp_path: Path) -> AsyncIterator[House]:
    """A house in which outsiders may ask."""
    async with a_house(tmp_path, people={"external": "read"}) as house:
        yield house


@BOTH_WAYS
async def test_is_claude_down_is_answered_in_one_line(outage: Talk) -> None:
    """What is down since when, the incident with its lead, whose it is, who serves the customers, and the next update."""
    await outage.asks(outage.house.bob, "/incident role lead me")
    said = await asks(outage, outage.house.ana, "is Claude down?")

    assert said == (
        "🔴 Claude API is down (since 12:01 UTC, SEV2, INC-1, lead bob). It's Claude, not us. Support chat is served by gpt. "
        "Next update by 13:02 UTC."
    )


async def test_a_question_wakes_nobody(outage: Talk) -> None:
    """Whoever leads is named, not mentioned."""
    await outage.asks(outage.house.bob, "/incident role lead me")
    ts = await outage.house.ana.says(f"{ME} claude?", channel="ops")
    [message] = await answers(outage, "ops", ts)

    assert f"<@{outage.house.bob.id}>" not in f"{message.text}{message.blocks}"


@pytest.mark.parametrize("words", ["claude api?", "anthropic.api", "is the API of Claude slow", "CLAUDE's api!"])
async def test_a_component_is_found_by_whatever_it_is_called(outage: Talk, words: str) -> None:
    """By its id, its name, or a part of it beside its provider's name."""
    assert "Claude API is down" in await asks(outage, outage.house.ana, words)


async def test_a_variant_of_a_flag_means_what_is_behind_it(outage: Talk) -> None:
    """People say GPT and mean the API that it needs."""
    assert await asks(outage, outage.house.ana, "gpt?") == "🟢 OpenAI API is operational."
    assert "OpenAI" in await outage.asks(outage.house.ana, "/health gpt")


async def test_what_is_well_says_when_it_last_failed(outage: Talk) -> None:
    """Whoever asks after the fact learns how long ago it was."""
    await outage.house.recovers("anthropic.api")
    await outage.asks(outage.house.ana, "/incident resolve INC-1 force over")
    await outage.house.passes(minutes=60)

    assert (await asks(outage, outage.house.ana, "claude?")).startswith("🟢 Claude is operational; last failure 1 h")


async def test_several_names_are_a_line_each(outage: Talk) -> None:
    """In the order in which they were asked for."""
    said = await asks(outage, outage.house.ana, "are openai and claude ok?")

    assert ["🟢 OpenAI is operational.", "🔴 Claude API is down (since"] == [line[:27].rstrip() for line in said.split("\n")]


async def test_whats_broken_names_all_that_is(outage: Talk) -> None:
    """Also an incident that no check sees."""
    await outage.asks(outage.house.ana, "/incident declare Mail is late")
    said = await asks(outage, outage.house.ana, "what's broken?")

    assert [True, True] == ["Claude API is down" in said, "INC-2: Mail is late" in said]


async def test_all_is_well(talk: Talk) -> None:
    """One line, and nothing else."""
    await talk.house.passes(minutes=1)

    assert await asks(talk, talk.house.ana, "status") == "🟢 All 3 components are operational. No incident is open."


async def test_an_incident_is_told_by_its_number(outage: Talk) -> None:
    """With a link to its channel; one that there is not is said."""
    said = await asks(outage, outage.house.ana, "INC-1 and inc-9")

    assert said.startswith("🔴 INC-1: Claude API is down (since ") and "There is no INC-9." in said


async def test_what_changes_things_is_left_to_the_slash_word(outage: Talk) -> None:
    """And the answer says which one it is; nothing is written down."""
    before = await outage.facts(Body)
    said = await asks(outage, outage.house.ana, "note it is DNS")

    assert "/incident note" in said
    assert before == await outage.facts(Body)


async def test_what_is_not_understood_says_what_can_be_asked(talk: Talk) -> None:
    """Nobody is left guessing."""
    assert "is Claude down?" in await asks(talk, talk.house.ana, "tell me a joke")


@BOTH_WAYS
async def test_a_direct_message_is_answered_in_it(outage: Talk) -> None:
    """Without a thread, and once though it mentions the bot too."""
    said = await writes(outage, outage.house.ana, f"{ME} claude?")
    await outage.house.quiet()

    assert "Claude API is down" in said
    assert 2 == len(outage.house.workspace.direct_messages(outage.house.ana))


async def test_a_question_in_a_thread_is_answered_in_that_thread(outage: Talk) -> None:
    """Under the alert, say."""
    house = outage.house
    root = await house.ana.says("is it just me?", channel="ops")
    await house.bob.says(f"{ME} claude?", channel="ops", thread_ts=root)

    assert "Claude API is down" in outage.shows((await answers(outage, "ops", root))[0])


async def test_an_edit_is_not_answered_again(outage: Talk) -> None:
    """Nor is one that puts the bot's name into what was written before."""
    house = outage.house
    ts = await house.ana.says(f"{ME} claude?", channel="ops")
    await answers(outage, "ops", ts)
    await house.ana.edits("claude?", f"{ME} claude???", channel="ops")
    edited = {"user": house.ana.id, "text": f"<@{house.workspace.bot_user_id}> claude?", "edited": {"ts": ts}}
    at = {"channel": house.workspace.channel("ops").id, "ts": f"{ts[:-1]}{(int(ts[-1]) + 1) % 10}"}
    house.workspace.team.emit({"type": "app_mention", **at, **edited})
    await asks(outage, house.bob, "openai?")  # whatever came before was served
    threads = [call.args.get("thread_ts") for call in house.workspace.calls if call.method == "chat.postMessage"]

    assert [1, 0] == [threads.count(ts), threads.count(at["ts"])]


async def test_a_message_that_slack_tells_twice_is_answered_once(outage: Talk) -> None:
    """Under another event too, and over a restart."""
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
    """Two of them would never end."""
    house = outage.house
    robot = house.workspace.add_user("robot", is_bot=True)
    house.workspace.channel("ops").members.append(robot.id)
    ts = await robot.says(f"{ME} claude?", channel="ops")
    await asks(outage, house.bob, "openai?")

    assert 1 == len(house.workspace.messages("ops", thread_ts=ts))
    assert [] == house.workspace.direct_messages(robot)


async def test_a_guest_is_refused_unless_guests_may_ask(outage: Talk) -> None:
    """The same as with slash commands."""
    eve = outage.house.workspace.add_user("eve", guest="multi")

    assert "Guests of this workspace may not do that" in await writes(outage, eve, "claude?")


async def test_a_guest_is_answered_where_guests_may_ask(open_house: House) -> None:
    """`people.external: read`."""
    talk = Talk(open_house)
    await open_house.passes(minutes=1)
    eve = open_house.workspace.add_user("eve", guest="multi")

    assert await writes(talk, eve, "openai?") == "🟢 OpenAI is operational."


async def test_a_script_that_asks_all_the_time_is_told_once_and_passed_over(outage: Talk) -> None:
    """Twenty questions a minute of one person are answered, one more says so; others do not suffer from it."""
    house = outage.house
    for _ in range(25):
        await house.ana.writes("openai?")
    async with asyncio.timeout(SOON_S):
        while len(house.workspace.direct_messages(house.ana)) < 25 + 21:
            await asyncio.sleep(0.01)
    await writes(outage, house.bob, "openai?")

    told = [outage.shows(one) for one in house.workspace.direct_messages(house.ana)]
    assert 25 + 21 == len(told)
    assert 1 == told.count("Too many questions: I answer 20 a minute. Wait a minute, then ask again.")


async def test_a_bot_that_asks_all_the_time_is_not_even_told_so(outage: Talk) -> None:
    """It would answer that, too."""
    house = outage.house
    robot = house.workspace.add_user("robot", is_bot=True)
    for _ in range(25):
        await robot.writes("openai?")
    await writes(outage, house.bob, "openai?")

    assert 25 == len(house.workspace.direct_messages(robot))  # its own


async def test_hostile_words_are_answered_as_any(outage: Talk) -> None:
    """Nothing of a question comes back, however long it is."""
    said = await asks(outage, outage.house.ana, "<!channel> " + "x" * 3000 + " *claude*")

    assert "I did not understand that" in said
