"""Guests, people of other organizations, bots and deactivated people change nothing by any means, and are told so."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.core.record.fact import Body, Fact
from bot.core.record.incident_facts import Declared
from bot.sandbox.slack import Person
from tests.dialogs.talk import ANSWER_WITHIN_S, Talk
from tests.house import BOTH_WAYS, FLAG, SOON_S, House, a_house

KINDS: dict[str, dict[str, Any]] = {
    "multi-channel guest": {"guest": "multi"},
    "single-channel guest": {"guest": "single"},
    "Slack Connect": {"stranger": True, "team_id": "T07OTHER"},
    "another workspace": {"team_id": "T07OTHER"},
    "another workspace of an organization": {
        "team_id": "T07OTHER", "enterprise_id": "E07GRID", "workspaces": ("T07OTHER",),
    },
    "bot": {"is_bot": True},
    "workflow bot": {"is_bot": True, "workflow_bot": True},
    "deactivated": {"deleted": True},
}  # fmt: skip
SLASH_WORDS = [
    "/health", "/incident list", "/incident declare Mail is late", "/incident declare", "/incident resolve INC-1",
    "/incident repair INC-1", f"/fallback engage {FLAG} gpt", f"/fallback release {FLAG} force",
    "/understudy mute claude api for 1h", "/understudy about",
]  # fmt: skip
ASKING = ["/health", "/health claude", "/incident list", "/incident show", "/fallback status", "/understudy maintenance"]
CHANGING = [words for words in SLASH_WORDS if words.split()[1:2] and words.split()[1] not in ("list", "about")]
REFUSED = "Nothing was done. Ask a full member of this workspace."


def eve_in_ops(house: House, **kind: Any) -> Person:
    eve = house.workspace.add_user("eve", "Eve", **kind)
    house.workspace.channel("ops").members.append(eve.id)
    return eve


@pytest.fixture
async def open_house(tmp_path: Path) -> AsyncIterator[House]:
    """A deployment that lets outsiders ask."""
    async with a_house(tmp_path, people={"external": "read"}) as house:
        yield house


async def everything(talk: Talk) -> Sequence[Fact]:
    await talk.house.quiet()
    return await talk.facts(Body)


@pytest.mark.parametrize("kind", KINDS)
async def test_outsider_gets_nothing_by_any_slash_command(outage: Talk, kind: str) -> None:
    """Not even the board: by default outsiders may do nothing."""
    eve, before = eve_in_ops(outage.house, **KINDS[kind]), await everything(outage)
    answers = [await outage.asks(eve, words) for words in SLASH_WORDS]

    assert [] == [said for said in answers if REFUSED not in said and "deactivated" not in said]
    assert (before, None) == (await everything(outage), eve.modal)


@pytest.mark.parametrize("kind", KINDS)
@BOTH_WAYS
async def test_outsider_changes_nothing_by_a_button(outage: Talk, kind: str) -> None:
    """Guests see the alert with its buttons as well."""
    eve, before = eve_in_ops(outage.house, **KINDS[kind]), await everything(outage)
    answers = [await outage.presses(eve, label, channel="ops") for label in ("Acknowledge", "Post update", "Evidence")]

    assert [] == [said for said in answers if "Nothing was done" not in said and "deactivated" not in said]
    assert before == await everything(outage)


async def test_form_is_refused_after_its_author_became_a_guest(talk: Talk) -> None:
    """The form has no effect, and its author is told."""
    house = talk.house
    await house.ana.types("/incident declare")
    await house.ana.waits_for("== Declare incident ==")
    house.workspace.change_user(house.ana, guest="multi")
    await house.ana.submits({"What is wrong?": "Mail is late"})

    assert "Guests of this workspace may not do that" in str(house.ana.modal)
    assert [] == list(await talk.facts(Declared))


@BOTH_WAYS
async def test_outsiders_shortcut_is_refused(talk: Talk) -> None:
    """Even a shortcut that this version does not know: the person is checked first."""
    eve = eve_in_ops(talk.house, guest="multi")
    await eve.uses_shortcut("declare_incident")
    await talk.house.ana.uses_shortcut("of another version")

    assert "Guests of this workspace may not do that" in await direct_text(talk, eve)
    assert "I do not know this shortcut" in await direct_text(talk, talk.house.ana)


async def direct_text(talk: Talk, person: Person) -> str:
    """What the bot told a person in a direct message."""
    async with asyncio.timeout(ANSWER_WITHIN_S):
        while not talk.house.workspace.direct_messages(person):
            await asyncio.sleep(0.01)
    return talk.shows(talk.house.workspace.direct_messages(person)[-1])


@BOTH_WAYS
async def test_menu_offers_an_outsider_no_choices(talk: Talk) -> None:
    """Slack needs a list, so it gets an empty one, without a refusal for each letter typed."""
    eve = eve_in_ops(talk.house, guest="multi")
    asks = {"type": "block_suggestion", "user": {"id": eve.id}, "action_id": "incident", "value": "i"}
    offered = await talk.house.workspace.links.deliver("interactive", asks)
    await talk.house.quiet()

    assert ({"options": []}, []) == (offered, talk.house.workspace.direct_messages(eve))


async def test_outsiders_menu_choice_is_refused_before_the_rules(outage: Talk) -> None:
    """A choice has no label as a button has; the core's rules need not be asked."""
    eve = eve_in_ops(outage.house, guest="multi")
    choice = {"action_id": "incident.ack", "value": '{"incident": 1}'}
    chosen = {"type": "block_actions", "user": {"id": eve.id}, "trigger_id": "1", "actions": [choice]}
    await outage.house.workspace.links.deliver("interactive", chosen)

    assert REFUSED in await direct_text(outage, eve)


@BOTH_WAYS
async def test_person_made_a_guest_loses_command_at_once(outage: Talk) -> None:
    """Slack's event is enough; no restart is needed."""
    house = outage.house
    await outage.asks(house.ana, "/incident ack INC-1")
    house.workspace.change_user(house.ana, guest="multi")
    async with asyncio.timeout(SOON_S):  # Slack's event and her command may arrive in either order
        while "Noted" in (refused := await outage.asks(house.ana, "/incident note INC-1 still here")):
            await asyncio.sleep(0.05)
    house.workspace.change_user(house.ana, guest="")
    async with asyncio.timeout(SOON_S):
        while "guests" in (again := await outage.asks(house.ana, "/incident note INC-1 back again")):
            await asyncio.sleep(0.05)

    assert ("Guests of this workspace may not do that" in refused, "Noted in the timeline of INC-1.") == (True, again)


async def test_person_made_a_guest_during_a_disconnection_loses_command(outage: Talk) -> None:
    """Slack does not repeat the event, so people are looked up again after reconnecting."""
    house = outage.house
    await outage.asks(house.ana, "/incident ack INC-1")
    [before] = house.workspace.links.links
    house.workspace.team.users[house.ana.id].guest = "multi"
    await house.workspace.faults.drop_sockets()
    async with asyncio.timeout(SOON_S):
        while [link for link in house.workspace.links.links if link is not before] == []:
            await asyncio.sleep(0.01)
        while (answer := await outage.asks(house.ana, "/incident note INC-1 it is me")) == "Noted in the timeline of INC-1.":
            await asyncio.sleep(0.05)

    assert "Guests of this workspace may not do that" in answer


@pytest.mark.parametrize("words", ASKING)
async def test_outsiders_may_ask_if_configured(open_house: House, words: str) -> None:
    """A vendor's engineer in a shared channel sees what we see."""
    talk = Talk(open_house)
    await open_house.fails("anthropic.api")
    await open_house.quiet()
    answers = [await talk.asks(who, words) for who in (open_house.ana, eve_in_ops(open_house, stranger=True))]

    assert answers[0] == answers[1]


@pytest.mark.parametrize("words", [words for words in CHANGING if words != "/incident declare"])
async def test_outsiders_who_may_ask_change_nothing(open_house: House, words: str) -> None:
    """The core's rules refuse every change, whichever way it comes in."""
    talk = Talk(open_house)
    await open_house.fails("anthropic.api")
    eve, before = eve_in_ops(open_house, guest="multi"), await everything(talk)
    answer = await talk.asks(eve, words)

    assert "Only full members of this workspace may do that. Nothing was changed. Ask one of them." == answer
    assert before == await everything(talk)


async def test_outsiders_who_may_ask_get_no_form_and_no_button(open_house: House) -> None:
    """No form opens for people whose submission would be refused."""
    talk = Talk(open_house)
    await open_house.fails("anthropic.api")
    await open_house.quiet()
    eve = eve_in_ops(open_house, guest="multi")
    form = await talk.asks(eve, "/incident declare")
    await talk.asks(eve, "/health claude")
    button = await talk.presses(eve, "Declare incident")

    assert ("Only full members" in form, "Guests of this workspace may not do that" in button, None) == (True, True, eve.modal)


async def test_known_member_is_served_while_users_info_fails(outage: Talk) -> None:
    """Ana, seen before, may resolve; Eve, who is new, is told why she may not."""
    house = outage.house
    await outage.asks(house.ana, "/incident ack INC-1")
    house.workspace.faults.add("users.info", "error:internal_error", times=99)
    eve = eve_in_ops(house)
    refused = await outage.asks(eve, "/incident resolve INC-1")
    await house.stop()
    await house.start()
    done = await outage.asks(house.ana, "/incident note INC-1 still here")

    assert "I could not confirm that you are a full member of this workspace" in refused
    assert "Noted in the timeline of INC-1." == done


async def test_refusals_are_logged_once_a_minute(open_house: House) -> None:
    """From the entry check and from the rules alike; a hundred attempts are one line that says who tried what."""
    talk = Talk(open_house)
    eve, gus = eve_in_ops(open_house, guest="multi"), open_house.workspace.add_user("gus", guest="multi")
    open_house.workspace.channel("ops").members.append(gus.id)
    with capture_logs() as logged:
        for _ in range(5):
            await talk.asks(eve, "/understudy mute claude api for 1h")
        await talk.asks(gus, "/health claude")
        for _ in range(5):
            await talk.presses(gus, "Declare incident")
    lines = [(line["who"], line["role"], line["what"]) for line in logged if line["event"] == "denied"]

    assert [(eve.id, "outsider", "Mute"), (gus.id, "guest", "incident.declare:anthropic.api")] == lines
