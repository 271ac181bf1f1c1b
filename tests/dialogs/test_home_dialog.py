"""The Home tab shows open incidents, my roles and tasks, and the providers; it stays current, and its buttons work."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.core.model import Actor
from bot.core.record.incident_facts import Acknowledged
from bot.delivery.home_tabs import HomeTabs
from bot.sandbox.slack import Person
from tests.dialogs.talk import ANSWER_WITHIN_S, Talk
from tests.house import BOTH_WAYS, a_house

SOON_S = 5.0


async def soon(seen: Callable[[], bool]) -> bool:
    """Whether the text appears before long."""
    try:
        async with asyncio.timeout(SOON_S):
            while not seen():
                await asyncio.sleep(0.005)
    except TimeoutError:
        return False
    return True


async def opens(person: Person) -> str:
    """Open the Home tab; return what it shows once it is drawn."""
    before = drawn(person)
    await person.opens_home()
    async with asyncio.timeout(ANSWER_WITHIN_S):
        while drawn(person) == before:
            await asyncio.sleep(0.005)
    return person.home


def drawn(person: Person) -> str:
    """The version of the tab that Slack shows."""
    view = person._team.homes.get(person.id)
    return view.hash if view else ""


@BOTH_WAYS
async def test_home_shows_open_incidents_providers_and_flags(outage: Talk) -> None:
    """Incidents with their lead, providers with the worst first, and flags with the variant they serve."""
    await outage.asks(outage.house.bob, "/incident role lead me")
    home = await opens(outage.house.ana)

    assert "1 of 3 components fails." in home
    assert "INC-1 · SEV2 · Claude API is down" in home and "lead @bob" in home and "next update by" in home
    assert "Claude: Claude API down since 12:01 UTC and 1 operational" in home
    assert "OpenAI: 1 component operational" in home
    assert "Support chat" in home or "support chat" in home


async def test_home_without_trouble_is_one_line(talk: Talk) -> None:
    """The line says that all is well."""
    await talk.house.passes(minutes=1)
    home = await opens(talk.house.ana)

    assert "All 3 components are operational." in home
    assert "open incident" not in home


async def test_open_home_updates_by_itself(talk: Talk) -> None:
    """Nobody has to open the tab again."""
    await talk.house.passes(minutes=1)
    ana = talk.house.ana
    await opens(ana)
    await talk.house.fails("anthropic.api")

    assert await soon(lambda: "INC-1" in ana.home)


async def test_home_stops_updating_after_a_day(talk: Talk) -> None:
    """Tabs that nobody looks at cost nothing after that."""
    ana = talk.house.ana
    await opens(ana)
    await talk.house.passes(seconds=30)
    talk.house.clock.advance(timedelta(days=1, minutes=1))
    await talk.asks(talk.house.bob, "/incident declare Mail is late")
    await talk.house.quiet()

    assert "Mail is late" not in ana.home


async def test_home_is_redrawn_after_a_restart(talk: Talk) -> None:
    """People who opened it earlier see what happened in between."""
    house = talk.house
    await house.passes(minutes=1)
    await opens(house.ana)
    await house.stop()
    house.vendor.answers["anthropic.api"] = 502
    await house.start()
    await house.passes(minutes=2)

    assert await soon(lambda: "INC-1" in house.ana.home)


async def test_acknowledging_on_home_updates_the_tab(outage: Talk) -> None:
    """The button disappears, and no message is sent."""
    ana = outage.house.ana
    await opens(ana)
    await ana.clicks("Acknowledge", **on_home(ana))
    assert await soon(lambda: "acknowledged by @ana" in ana.home)

    assert 1 == len(await outage.facts(Acknowledged))
    assert [] == outage.house.workspace.direct_messages(ana)
    assert "[Acknowledge]" not in ana.home


def on_home(person: Person) -> dict[str, Any]:
    """Where the press happens: on the Home tab, since no message in #ops has this text."""
    return {"channel": "ops", "message_containing": "no message has this text"}


async def test_second_person_to_press_gets_a_dialog_over_the_tab(outage: Talk) -> None:
    """Two people look at the same tab and press the same button."""
    house = outage.house
    await opens(house.ana)
    view = house.workspace.team.homes[house.ana.id]
    await outage.asks(house.bob, "/incident ack INC-1")
    every = [(block["block_id"], one) for block in view.body["blocks"] for one in block.get("elements", ())]
    block_id, element = next((id, one) for id, one in every if one.get("action_id") == "incident.ack")
    await house.workspace.interactions.act_on_view(house.workspace.team.users[house.ana.id], view, element, block_id)
    assert await soon(lambda: house.ana.modal is not None)

    assert "bob" in str(house.ana.modal)


async def test_open_shows_the_incidents_card_over_the_tab(outage: Talk) -> None:
    """The card is read-only there."""
    ana = outage.house.ana
    await opens(ana)
    await ana.clicks("Open", **on_home(ana))

    assert "Claude API is down" in await ana.waits_for("INC-1")
    assert ana.modal is not None and "actions" not in {block["type"] for block in ana.modal["blocks"]}


async def test_declaring_on_home_uses_the_usual_form(talk: Talk) -> None:
    """The reply comes as a direct message."""
    ana = talk.house.ana
    await opens(ana)
    await ana.clicks("Declare incident", **on_home(ana))
    await talk.submits_when_open(ana, title="Mail is late")

    assert await soon(lambda: "Mail is late" in ana.home)
    assert await soon(lambda: bool(talk.house.workspace.direct_messages(ana)))
    assert "INC-1" in talk.shows(talk.house.workspace.direct_messages(ana)[-1])


async def test_home_hides_buttons_from_people_who_may_not_command(tmp_path: Path) -> None:
    """Only commanders run incidents here: Bob has no button, and reads that he may not."""
    async with a_house(tmp_path, started=False) as house:
        house.changes["people"] = {"commanders": [house.ana.id]}
        await house.start()
        assert "[Declare incident]" in await opens(house.ana)
        assert "[Declare incident]" not in await opens(house.bob)
        await house.bob.clicks("What may I do?", **on_home(house.bob))
        assert await soon(lambda: house.bob.modal is not None)

        assert "You may help" in str(house.bob.modal) and "You may not run incidents" in str(house.bob.modal)


async def test_home_refuses_guests(outage: Talk) -> None:
    """Unless guests are allowed to ask."""
    eve = outage.house.workspace.add_user("eve", guest="multi")

    assert "Guests of this workspace may not do that" in await opens(eve)
    assert "INC-1" not in eve.home


async def test_guest_who_may_ask_sees_home_without_buttons(tmp_path: Path) -> None:
    """None of the buttons would work for them."""
    async with a_house(tmp_path, people={"external": "read"}) as house:
        await house.fails("anthropic.api")
        await house.quiet()
        eve = house.workspace.add_user("eve", guest="multi")
        home = await opens(eve)

    assert "INC-1 · SEV2 · Claude API is down" in home
    assert [] == [word for word in ("[Declare incident]", "[Acknowledge]", "[Open]", "[What may I do?]") if word in home]


async def test_roles_appear_on_their_holders_home_only(outage: Talk) -> None:
    """The tab lists the roles that this person has taken."""
    await outage.asks(outage.house.bob, "/incident role lead me")

    assert "You lead INC-1: " in await opens(outage.house.bob)
    assert "You lead" not in await opens(outage.house.ana)


async def test_tasks_appear_on_home_and_can_be_done_there(outage: Talk) -> None:
    """Finishing a task updates the tab and sends no message."""
    house = outage.house
    await outage.asks(house.bob, "/incident task Call support @ana in 30m")
    home = await opens(house.ana)
    await house.ana.clicks("Done", **on_home(house.ana))

    assert "Your 1 task" in home and "Call support" in home and "[Take]" not in home
    assert await soon(lambda: "Call support" not in house.ana.home)
    assert [] == house.workspace.direct_messages(house.ana)
    assert "Call support" not in await opens(house.bob)


async def test_stale_home_is_redrawn(outage: Talk) -> None:
    """Another replica drew it in between: the newest state wins."""
    house = outage.house
    await opens(house.ana)
    house.workspace.team.homes[house.ana.id].hash = "another one"
    await outage.asks(house.bob, "/incident ack INC-1")

    assert await soon(lambda: "acknowledged by @bob" in house.ana.home)


async def test_home_that_slack_refused_is_drawn_later(outage: Talk) -> None:
    """After the delay that Slack asks for."""
    house = outage.house
    house.workspace.faults.add("views.publish", "429", times=1)
    await house.ana.opens_home()

    assert await soon(lambda: "INC-1" in house.ana.home)


async def test_many_changes_at_once_cause_few_redraws(outage: Talk) -> None:
    """Ten title changes in a row cause a few redraws, and the last shows the newest title."""
    house, shown = outage.house, list[str]()
    assert house.app is not None
    app = house.app

    async def publish(user: str, view: Mapping[str, Any], expected: str) -> str:
        shown.append(str(view))
        return ""

    async def asker(user: str) -> Actor:
        return Actor.person(user)

    tabs = HomeTabs(publish, asker, app.engine, app.ledger, house.clock, every_s=0.5)
    app.engine.listen(lambda *_: tabs.changed())
    await tabs.start()
    await tabs.opened(house.ana.id, "")
    for n in range(10):
        await outage.asks(house.bob, f"/incident rename INC-1 title {n}.")
    assert await soon(lambda: "title 9." in shown[-1])
    await tabs.close()

    assert len(shown) <= 5
