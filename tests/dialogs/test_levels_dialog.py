"""people.viewers, responders, commanders and admins: who may ask, help, run things and look after the bot, by user group."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot.core.record.incident_facts import Declared
from bot.sandbox.slack import Person
from tests.dialogs.talk import Talk
from tests.house import FLAG, SOON_S, a_house

VIEWERS = "Only viewers may ask here: @watch. Ask one of them."
RESPONDERS = "Only responders may do that here: @help. Ask one of them."
COMMANDERS = "Only commanders may do that here: @bob. Ask one of them."
ADMINS = "Only admins may do that here: @ada. Ask one of them."

ASKS = "/incident show INC-1"
HELPS = "/incident note INC-1 support sees it too"
RUNS = "/incident severity INC-1 SEV3"
LOOKS_AFTER = "/understudy denied"


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Talk]:
    """Vic watches and Ria helps, by their groups; Bob commands, Ada looks after the bot, Ana is in no list. INC-1 is open."""
    async with a_house(tmp_path, started=False) as house:
        space = house.workspace
        people = {name: space.add_user(name) for name in ("vic", "ria", "ada")}
        for person in people.values():
            space.channel("ops").members.append(person.id)
        watch = space.add_group("watch", "Watch", members=(people["vic"],))
        help = space.add_group("help", "Help", members=(people["ria"],))
        house.changes["people"] = {
            "viewers": [watch], "responders": [help], "commanders": [house.bob.id], "admins": [people["ada"].id],
        }  # fmt: skip
        await house.start()
        await house.passes(minutes=1)
        talk = Talk(house)
        await talk.asks(house.bob, "/incident declare Claude API is slow")
        await house.quiet()
        yield talk


@pytest.mark.parametrize(
    ("name", "answers"),
    [
        ("ana", (VIEWERS, VIEWERS, VIEWERS, VIEWERS)),
        ("vic", ("", RESPONDERS, COMMANDERS, ADMINS)),
        ("ria", ("", "", COMMANDERS, ADMINS)),
        ("bob", ("", "", "", ADMINS)),
        ("ada", ("", "", "", "")),
    ],
)
async def test_each_level_may_what_the_lower_ones_may_and_is_told_who_may_more(
    talk: Talk, name: str, answers: tuple[str, ...]
) -> None:
    """By slash words; the answer names the group or the person of the list."""
    person = talk.house.workspace.person(name)
    said = [await talk.asks(person, words) for words in (ASKS, HELPS, RUNS, LOOKS_AFTER)]

    assert answers == tuple(one if one.startswith("Only ") else "" for one in said)


ALL_WORDS = ["/health", "/incident list", "/incident declare", "/fallback status", "/understudy about", "/incident help"]


@pytest.mark.parametrize("words", ALL_WORDS)
async def test_whoever_is_no_viewer_gets_nothing_by_any_word(talk: Talk, words: str) -> None:
    """Neither a board nor a form."""
    said = await talk.asks(talk.house.ana, words)

    assert (VIEWERS, None) == (said, talk.house.ana.modal)


async def test_buttons_are_for_their_level(talk: Talk) -> None:
    """The alert with its buttons stands where everybody sees it: Ana may not look, Vic not acknowledge, Ria not update."""
    people = (talk.house.ana, talk.house.workspace.person("vic"), talk.house.workspace.person("ria"))
    said = [
        await talk.presses(person, label, channel="ops")
        for person, label in zip(people, ("Evidence", "Acknowledge", "Post update"), strict=True)
    ]

    assert [VIEWERS, RESPONDERS, COMMANDERS] == said


async def test_a_shortcut_is_for_its_level(talk: Talk) -> None:
    """No form opens for whoever could not send it."""
    ria = talk.house.workspace.person("ria")
    await ria.uses_shortcut("declare_incident")
    await talk.house.quiet()

    assert (None, 1) == (ria.modal, len(await talk.facts(Declared)))
    assert COMMANDERS == await told_directly(talk, ria)


async def told_directly(talk: Talk, person: Person) -> str:
    """What the bot told a person in a direct message."""
    async with asyncio.timeout(SOON_S):
        while not talk.house.workspace.direct_messages(person):
            await asyncio.sleep(0.01)
    return talk.shows(talk.house.workspace.direct_messages(person)[-1])


async def test_denied_attempts_are_shown_to_admins(talk: Talk) -> None:
    """By slash word and API, also after a restart; a hundred tries of one person are one line a minute."""
    house = talk.house
    for words in (RUNS, RUNS, f"/fallback engage {FLAG} gpt"):
        await talk.asks(house.workspace.person("ria"), words)
    await talk.asks(house.ana, "/health")
    await house.passes(minutes=2)
    await talk.asks(house.workspace.person("ria"), "/incident update INC-1")
    await house.stop()
    await house.start()
    shown = (await talk.asks(house.workspace.person("ada"), LOOKS_AFTER)).splitlines()[1:4]
    told = [line.partition(" UTC ")[2] for line in shown]

    assert [
        "ria (responder): write update, INC-1, and 2 more before",
        "ana (full member): /health",
        "ria (responder): set severity, INC-1",
    ] == told
    assert [("WriteUpdate", 1), ("/health", None), ("SetSeverity", 1)] == await by_api(talk)


async def by_api(talk: Talk) -> list[tuple[str, int | None]]:
    """The same, as a program reads it."""
    assert talk.house.app is not None
    headers = {"Authorization": f"Bearer {talk.house.app.local_token}"}
    async with aiohttp.ClientSession() as http, http.get(f"{talk.house.app.url}/api/v1/denied", headers=headers) as answer:
        return [(one["what"], one["incident"]) for one in (await answer.json())["attempts"]]
