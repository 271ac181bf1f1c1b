"""People delete the alert or card, or archive or delete the alerts' channel, in the middle of an incident."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from bot.core.model import Actor
from bot.core.record.room.room_facts import PostGone
from bot.core.signals import Declare
from bot.sandbox.slack import Message
from tests.dialogs.talk import Talk
from tests.house import PACE, Pager, a_house

CHANNEL = "inc-20260320-0001-claude"
ALERT = "SEV2 · Claude API"
BACKUP = "ops-backup"
LOST = "Understudy's alerts channel is lost"


@pytest.fixture
async def backed(tmp_path: Path) -> AsyncIterator[Talk]:
    """The Claude API is down, and a second channel is configured for alerts."""
    async with a_house(tmp_path, started=False, slack={"backup_channel": f"#{BACKUP}"}) as house:
        house.workspace.add_channel(BACKUP, members=("ana", "bob"))
        await house.start()
        await house.passes(minutes=1)
        await house.fails("anthropic.api")
        await house.quiet()
        yield Talk(house)


def deletes(talk: Talk, channel: str, message: Message) -> None:
    """Someone with the right to do so deletes a message."""
    talk.house.workspace.team.delete(talk.house.workspace.channel(channel), message)


def archives(talk: Talk, channel: str) -> None:
    """Someone archives a channel; Slack removes the bot from it."""
    place = talk.house.workspace.channel(channel)
    place.is_archived = True
    place.members.remove(talk.house.workspace.bot_user_id)


async def parts(talk: Talk) -> dict[str, dict[str, str]]:
    assert talk.house.app is not None
    async with aiohttp.ClientSession() as session, session.get(f"{talk.house.app.url}/readyz") as response:
        found: dict[str, dict[str, str]] = (await response.json())["parts"]
        return found


async def test_deleted_alert_is_posted_again_once(outage: Talk) -> None:
    """With the next change; from then on the new message is edited."""
    house = outage.house
    deletes(outage, "ops", outage.said("ops", ALERT)[0])
    for words in ("note first", "note second", "ack"):
        await outage.asks(house.ana, f"/incident {words} INC-1" if words == "ack" else f"/incident {words}")
        await house.quiet()

    [alert] = outage.said("ops", ALERT)
    assert "ana" in outage.shows(alert)
    assert ["alert.post"] == [fact.body.what for fact in await outage.facts(PostGone) if isinstance(fact.body, PostGone)]
    assert "INC-1/alert/2" == (alert.metadata or {})["event_payload"]["key"]


async def test_deleted_card_is_posted_again_and_pinned(outage: Talk) -> None:
    """In the same channel."""
    house = outage.house
    deletes(outage, CHANNEL, outage.cards(CHANNEL)[0])
    await outage.asks(house.ana, "/incident note INC-1 who did that?")
    await house.quiet()

    [card] = outage.cards(CHANNEL)
    assert [card.ts] == list(house.workspace.channel(CHANNEL).pins)


async def test_alert_deleted_twice_stays_deleted(outage: Talk) -> None:
    """The bot must not argue with a person."""
    house = outage.house
    for words in ("first", "second", "third"):
        for alert in outage.said("ops", ALERT):
            deletes(outage, "ops", alert)
        await outage.asks(house.ana, f"/incident note INC-1 {words}")
        await house.quiet()

    assert [] == outage.said("ops", ALERT)
    assert [True, False] == [fact.body.again for fact in await outage.facts(PostGone) if isinstance(fact.body, PostGone)]


async def test_deleted_alert_of_a_resolved_incident_stays_deleted(outage: Talk) -> None:
    """Tidying up afterwards is fine."""
    house = outage.house
    await outage.asks(house.ana, "/incident resolve INC-1 force over")
    await house.quiet()
    deletes(outage, "ops", outage.alerts()[0])
    await outage.asks(house.ana, "/incident note INC-1 afterthought")
    await house.quiet()

    assert [] == outage.alerts()


async def test_deleted_alert_is_posted_once_if_slacks_reply_is_lost(outage: Talk) -> None:
    """The bot looks it up by its key, like every post."""
    house = outage.house
    deletes(outage, "ops", outage.said("ops", ALERT)[0])
    house.workspace.faults.add(
        "chat.postMessage", "drop_after", match=lambda args: args["channel"] == house.workspace.channel("ops").id
    )
    await outage.asks(house.ana, "/incident note INC-1 a bad line")
    await house.quiet()

    assert 1 == len(outage.said("ops", ALERT))


async def test_deleted_alert_is_posted_once_over_a_restart(outage: Talk) -> None:
    """Work decided before the stop is done after it, once."""
    house = outage.house
    deletes(outage, "ops", outage.said("ops", ALERT)[0])
    house.workspace.faults.add(
        "chat.postMessage", "hang_after", match=lambda args: args["channel"] == house.workspace.channel("ops").id
    )
    await outage.asks(house.ana, "/incident note INC-1 a bad line")
    async with asyncio.timeout(5.0):
        while not outage.said("ops", ALERT):
            await asyncio.sleep(0.01)
    await house.stop()
    await house.start()
    await asyncio.sleep(PACE.settle_for.total_seconds())
    await house.quiet()
    await outage.asks(house.ana, "/incident note INC-1 once more")
    await house.quiet()

    assert 1 == len(outage.said("ops", ALERT))


async def test_updates_go_under_the_new_alert(outage: Talk) -> None:
    """For an incident without its own channel, which lost its alert."""
    house = outage.house
    archives(outage, CHANNEL)
    await outage.asks(house.ana, "/incident note INC-1 into the thread")
    await house.quiet()
    deletes(outage, "ops", outage.said("ops", ALERT)[0])
    await outage.asks(house.ana, "/incident note INC-1 under the new one")
    await house.quiet()
    await outage.asks(house.ana, "/incident update INC-1 We are on it")
    await house.quiet()

    assert "We are on it" in outage.thread("ops", ALERT)


@pytest.mark.parametrize("how", ["archived", "deleted"])
async def test_alerts_go_to_the_second_channel_if_theirs_is_lost(backed: Talk, how: str) -> None:
    """Also the open incident's alert; `/readyz` says so."""
    house = backed.house
    if how == "archived":
        archives(backed, "ops")
    else:
        del house.workspace.team.channels[house.workspace.channel("ops").id]
    await house.fails("openai.api")
    await house.quiet()

    assert 1 == len(backed.said(BACKUP, "SEV2 · OpenAI API"))
    assert 1 == len(backed.said(BACKUP, ALERT))
    found = (await parts(backed))["alerts"]
    assert ("lost", True) == (found["state"], f"alerts go to #{BACKUP} meanwhile" in found["sentence"])


async def test_alerts_return_once_their_channel_is_back(backed: Talk) -> None:
    """The bot notices by itself."""
    house = backed.house
    archives(backed, "ops")
    await house.fails("openai.api")
    await house.quiet()
    house.workspace.channel("ops").is_archived = False
    await backed.asks(house.ana, "/incident declare Payments are slow")
    await house.quiet()

    assert 1 == len(backed.said("ops", "SEV2 · Payments are slow"))
    assert "alerts" not in await parts(backed)


async def test_bot_rejoins_after_being_removed(backed: Talk) -> None:
    """An accidental removal costs nothing."""
    house = backed.house
    house.workspace.channel("ops").members.remove(house.workspace.bot_user_id)
    await house.fails("openai.api")
    await house.quiet()

    assert 1 == len(backed.said("ops", "SEV2 · OpenAI API"))
    assert [] == backed.said(BACKUP, "SEV2 · OpenAI API")


async def test_lost_alerts_channel_is_reported_at_the_start(backed: Talk) -> None:
    """Not only when the next alert is due."""
    archives(backed, "ops")
    await backed.house.stop()
    await backed.house.start()

    assert "lost" == (await parts(backed))["alerts"]["state"]


@pytest.fixture
async def paged(tmp_path: Path) -> AsyncIterator[tuple[Talk, list[str]]]:
    """A healthy deployment that also notifies outside Slack; its second channel does not exist."""
    async with a_house(tmp_path, started=False, slack={"backup_channel": "#nowhere"}) as house:
        house.notifier = pager = Pager()
        house.clock.advance(datetime.now(UTC) - house.clock.now())  # the ledger expires old rows by the real clock
        await house.start()
        await house.passes(minutes=1)
        yield Talk(house), pager.called


async def test_alert_goes_out_by_notify_if_no_channel_accepts_it(paged: tuple[Talk, list[str]]) -> None:
    """The bot also reports what is wrong with the first channel."""
    talk, called = paged
    archives(talk, "ops")
    await talk.house.fails("anthropic.api")
    await talk.house.quiet()

    assert ["INC-1 SEV2: Claude API is down", LOST] == sorted(called)


async def test_refused_alert_is_reported_until_it_is_repaired(paged: tuple[Talk, list[str]]) -> None:
    """Also over a restart: the channel's return does not post an alert that was given up."""
    talk, _ = paged
    archives(talk, "ops")
    await talk.house.fails("anthropic.api")
    await talk.house.quiet()
    await talk.house.stop()
    talk.house.workspace.channel("ops").is_archived = False
    await talk.house.start()
    shown = (await parts(talk))["alerts"]
    await talk.asks(talk.house.ana, "/incident repair INC-1")
    await talk.house.quiet()

    remedy = "Once the alerts channel accepts posts again, run `understudy incident repair INC-1`."
    assert ("refused", f"Slack refused the alert of INC-1. {remedy}") == (shown["state"], shown["sentence"])
    assert 1 == len(talk.said("ops", ALERT))
    assert "alerts" not in await parts(talk)


async def test_refused_alert_is_no_longer_reported_once_slack_is_turned_off(paged: tuple[Talk, list[str]]) -> None:
    """Nobody could repair it there."""
    talk, _ = paged
    archives(talk, "ops")
    await talk.house.fails("anthropic.api")
    await talk.house.quiet()
    assert "alerts" in await parts(talk)
    await talk.house.stop()
    talk.house.changes |= {"slack": {"mode": "none"}, "notify": ["json://127.0.0.1:9/"]}
    await talk.house.start()

    assert "alerts" not in await parts(talk)


async def test_channel_lost_a_second_time_notifies_people_again(paged: tuple[Talk, list[str]]) -> None:
    """It was unarchived, an alert came, and minutes later it was archived again."""
    talk, called = paged
    archives(talk, "ops")
    await talk.house.fails("anthropic.api")
    await talk.house.quiet()
    talk.house.workspace.channel("ops").is_archived = False
    await talk.house.fails("openai.api")
    await talk.house.quiet()
    assert (1, 1) == (called.count(LOST), len(talk.said("ops", "SEV2 · OpenAI API")))

    archives(talk, "ops")
    assert talk.house.app is not None
    await talk.house.app.engine.handle(Declare(Actor.operator("ana"), title="Logins are slow"))
    await talk.house.quiet()

    assert 2 == called.count(LOST)
