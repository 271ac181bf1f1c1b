"""people.viewers, responders, commanders and admins: who may ask, help, run incidents and administer the bot."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot.core.record.entry_facts import MessageAdded
from bot.core.record.incident_facts import Declared
from bot.sandbox.slack import Person
from bot.sandbox.slack.errors import ModalErrors
from tests.dialogs.talk import Talk
from tests.house import FLAG, SOON_S, a_house

VIEWERS = "Only viewers may ask here: @watch, @help, @lead and 1 more. Ask one of them."
RESPONDERS = "Only responders may do that here: @help, @lead, @ada. Ask one of them."
COMMANDERS = "Only commanders may do that here: @lead, @ada. Ask one of them."
ADMINS = "Only admins may do that here: @ada. Ask one of them."

ASKS = "/incident show INC-1"
HELPS = "/incident note INC-1 support sees it too"
RUNS = "/incident severity INC-1 SEV3 it is milder"
LOOKS_AFTER = "/understudy denied"


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Talk]:
    """By their groups Vic views, Ria responds and Bob commands; Ada administers, Ana is in no list. INC-1 is open."""
    async with a_house(tmp_path, started=False) as house:
        space = house.workspace
        people = {name: space.add_user(name) for name in ("vic", "ria", "ada")}
        for person in people.values():
            space.channel("ops").members.append(person.id)
        watch = space.add_group("watch", "Watch", members=(people["vic"],))
        help = space.add_group("help", "Help", members=(people["ria"],))
        lead = space.add_group("lead", "Lead", members=(house.bob,))
        house.changes["people"] = {
            "viewers": [watch], "responders": [help], "commanders": [lead], "admins": [people["ada"].id],
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
async def test_each_level_includes_the_lower_ones_and_names_who_may_more(
    talk: Talk, name: str, answers: tuple[str, ...]
) -> None:
    """By slash command; the refusal names the group or person that may."""
    person = talk.house.workspace.person(name)
    said = [await talk.asks(person, words) for words in (ASKS, HELPS, RUNS, LOOKS_AFTER)]

    assert answers == tuple(one if one.startswith("Only ") else "" for one in said)


ALL_WORDS = ["/health", "/incident list", "/incident declare", "/fallback status", "/understudy about", "/incident help"]


@pytest.mark.parametrize("words", ALL_WORDS)
async def test_person_below_viewer_gets_nothing_by_any_command(talk: Talk, words: str) -> None:
    """Neither a board nor a form."""
    said = await talk.asks(talk.house.ana, words)

    assert (VIEWERS, None) == (said, talk.house.ana.modal)


async def test_buttons_require_their_level(talk: Talk) -> None:
    """Everybody sees the alert, but Ana may not view, Vic not acknowledge and Ria not post an update."""
    people = (talk.house.ana, talk.house.workspace.person("vic"), talk.house.workspace.person("ria"))
    said = [
        await talk.presses(person, label, channel="ops")
        for person, label in zip(people, ("Evidence", "Acknowledge", "Post update"), strict=True)
    ]

    assert [VIEWERS, RESPONDERS, COMMANDERS] == said


async def test_shortcut_requires_its_level(talk: Talk) -> None:
    """No form opens for people who could not submit it."""
    ria = talk.house.workspace.person("ria")
    await ria.uses_shortcut("declare_incident")
    await talk.house.quiet()

    assert (None, 1) == (ria.modal, len(await talk.facts(Declared)))
    assert COMMANDERS == await direct_text(talk, ria)


async def direct_text(talk: Talk, person: Person) -> str:
    """What the bot told a person in a direct message."""
    async with asyncio.timeout(SOON_S):
        while not talk.house.workspace.direct_messages(person):
            await asyncio.sleep(0.01)
    return talk.shows(talk.house.workspace.direct_messages(person)[-1])


async def test_home_tab_requires_viewer(talk: Talk) -> None:
    """It shows incidents and flags."""
    ana = talk.house.ana
    await ana.opens_home()
    async with asyncio.timeout(SOON_S):
        while not ana.home:
            await asyncio.sleep(0.01)

    assert VIEWERS in ana.home and "INC-1" not in ana.home


async def test_question_requires_viewer(talk: Talk) -> None:
    """The refusal is a direct message, not a reply in the channel where others wait for an answer."""
    await talk.house.ana.says("@understudy is Claude down?", channel="ops")

    assert VIEWERS == await direct_text(talk, talk.house.ana)


async def test_pin_requires_responder(talk: Talk) -> None:
    """A pin writes into the timeline."""
    vic, room = talk.house.workspace.person("vic"), talk.house.incident_channel
    talk.house.workspace.channel(room).members.append(vic.id)
    await talk.house.bob.says("support sees timeouts", channel=room)
    said = await talk.hears(vic, reacts(vic, "support sees timeouts", room))

    assert RESPONDERS == said
    assert [] == list(await talk.facts(MessageAdded))


async def reacts(person: Person, message: str, channel: str) -> None:
    await person.reacts("pushpin", message_containing=message, channel=channel)


async def test_form_is_refused_after_its_author_lost_command_rights(talk: Talk) -> None:
    """Bob changed groups while typing: the form stays open with his words and an error at the field."""
    house = talk.house
    groups = {group.handle: id for id, group in house.workspace.team.groups.items()}
    await house.bob.types("/incident update INC-1")
    house.workspace.change_group(groups["lead"], ["ada"])
    house.workspace.change_group(groups["help"], ["bob"])
    assert house.app is not None
    async with asyncio.timeout(SOON_S):
        while house.bob.id not in house.app.engine.policy.incidents.responders:
            await asyncio.sleep(0.01)

    with pytest.raises(ModalErrors, match="Only commanders may do that here"):
        await house.bob.submits({"text": "all is well"})


async def test_denied_attempts_are_shown_to_admins(talk: Talk) -> None:
    """By slash command and API, also after a restart; a hundred attempts of one person are one line a minute."""
    house = talk.house
    for words in (RUNS, RUNS, f"/fallback engage {FLAG} gpt"):
        await talk.asks(house.workspace.person("ria"), words)
    await talk.asks(house.ana, "/health")
    await house.passes(minutes=2)
    await talk.asks(house.workspace.person("ria"), "/incident update INC-1")
    await house.stop()
    await house.start()
    shown = (await talk.asks(house.workspace.person("ada"), LOOKS_AFTER)).splitlines()[1:4]
    denials = [line.partition(" UTC ")[2] for line in shown]

    assert [
        "ria (responder): write update, INC-1, and 2 more before",
        "ana (full member): /health",
        "ria (responder): set severity, INC-1",
    ] == denials
    assert [("WriteUpdate", 1), ("/health", None), ("SetSeverity", 1)] == await by_api(talk)


async def by_api(talk: Talk) -> list[tuple[str, int | None]]:
    """The same list, as a program reads it."""
    assert talk.house.app is not None
    headers = {"Authorization": f"Bearer {talk.house.app.local_token}"}
    async with aiohttp.ClientSession() as http, http.get(f"{talk.house.app.url}/api/v1/denied", headers=headers) as answer:
        return [(one["what"], one["incident"]) for one in (await answer.json())["attempts"]]
