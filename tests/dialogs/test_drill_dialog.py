"""Drills: a complete one, a restart or a real outage in the middle, and who gets the fallback during a drill."""

from typing import Any

import httpx
import pytest

from bot.core.record.drills.drill_facts import DrillReadersSeen
from bot.core.record.paging_facts import Paged
from tests.dialogs.talk import Talk
from tests.house import FLAG, House

CHANNEL = "drill-20260320-0001-claude"
ONE = "🔵 DRILL: Claude API is down. SEV2, an exercise: nothing is broken."


async def starts(talk: Talk, words: str = "claude api") -> str:
    """Ana starts a drill, and every message about it has been posted."""
    answer = await talk.asks(talk.house.ana, f"/drill start {words}")
    await talk.house.quiet()
    return answer


async def reads(house: House, reader: str, **context: Any) -> dict[str, Any]:
    """The variant that a service gets over HTTP."""
    assert house.app is not None
    async with httpx.AsyncClient(trust_env=False) as client:
        body = {"context": {"targetingKey": reader, **context}}
        response = await client.post(f"{house.app.url}/ofrep/v1/evaluate/flags/{FLAG}", json=body)
    found: dict[str, Any] = response.json()
    return found


def newest_alert(talk: Talk, containing: str = "DRILL") -> str:
    return talk.shows(talk.said("ops", containing)[-1])


async def test_drill_runs_from_start_to_report(talk: Talk) -> None:
    """People act as in an outage, and the report tells them how it went."""
    house = talk.house
    answer = await starts(talk, "claude api for 15m")
    assert answer.startswith(
        "🔵 INC-1 has begun, until 12:16 UTC: DRILL: Claude API is down. Nobody is paged. Its channel #drill-"
    )
    assert newest_alert(talk).startswith(f"{ONE}\nCustomers are served as usual: a drill switches no flag.\n")
    assert house.workspace.channel(CHANNEL).topic.startswith("🔵 SEV2 · no lead yet")
    assert "Confirm on the board" in talk.shows(talk.said(CHANNEL, "Runbook")[-1])

    await house.passes(minutes=2)
    await talk.asks(house.bob, "/incident ack", channel="ops")
    await talk.asks(house.bob, "/incident role INC-1 lead me")
    await house.passes(minutes=3)
    await talk.asks(house.bob, "/incident update INC-1 We practise.")
    await house.quiet()
    assert talk.shows(talk.said(CHANNEL, "Update 1")[-1]).startswith("🔵 DRILL · Update 1 of INC-1 · SEV2")

    await house.passes(minutes=10)
    await house.quiet()
    assert talk.said(CHANNEL, "The drill is over (automatic): its 15 min are over. Resolve it")
    await talk.asks(house.bob, "/incident resolve INC-1 that went well")
    await house.quiet()
    report = talk.shows(talk.said(CHANNEL, "Report of the drill")[-1])
    for words in (
        "🔵 INC-1 resolved after 15 min · DRILL: Claude API is down",
        "Acknowledged by @bob after 2 min",
        "Led by @bob",
        "First update by @bob after 5 min",
        "Runbook of Claude API was shown: 2 steps",
    ):
        assert words in report
    assert "Nobody" not in report
    assert not await talk.facts(Paged)


async def test_report_of_an_unattended_drill_says_so(talk: Talk) -> None:
    """The drill ends by itself, and its report does not praise anybody."""
    await starts(talk, "claude api for 5m")
    await talk.house.passes(minutes=36)
    await talk.house.quiet()
    report = talk.shows(talk.said(CHANNEL, "Report of the drill")[-1])
    for words in ("Nobody acknowledged it.", "Nobody took the lead.", "No person wrote an update.", "Nobody resolved it."):
        assert words in report


async def test_drill_ended_by_a_real_outage_blames_nobody(talk: Talk) -> None:
    """Its time was over, and people had half an hour to resolve it."""
    await starts(talk, "claude api for 5m")
    await talk.house.passes(minutes=6)
    await talk.house.fails("anthropic.api")
    await talk.house.quiet()
    report = talk.shows(talk.said(CHANNEL, "Report of the drill")[-1])

    assert "Nobody acknowledged it." in report
    assert "Nobody resolved it." not in report


async def test_replies_under_a_drills_alert_say_drill_and_offer_no_reopening(talk: Talk) -> None:
    """A phone shows the reply alone, and a reopening would only be refused."""
    await starts(talk)
    await talk.asks(talk.house.ana, "/incident severity SEV1 to see what happens")
    await talk.asks(talk.house.ana, "/drill stop")
    await talk.house.quiet()
    root = talk.said("ops", "DRILL")[-1]
    raised, resolved = [talk.shows(m) for m in talk.house.workspace.messages("ops", thread_ts=root.ts)[2:]]
    assert raised.startswith("🔵 DRILL · ⬆️ INC-1 is SEV1 now")
    assert resolved == "🔵 DRILL · 🟢 INC-1 is resolved (by @ana). Somebody stopped it."


async def test_drill_survives_a_restart(talk: Talk) -> None:
    """The bot still knows that it runs, who read which variant, and when it ends."""
    house = talk.house
    await starts(talk, f"claude api flag {FLAG}")
    await reads(house, "chat-1", understudy_drill=True)
    await house.passes(seconds=30)

    await house.stop()
    await house.start()
    assert (await reads(house, "chat-2", understudy_drill=True))["variant"] == "gpt"
    await house.passes(minutes=10)
    await house.quiet()
    assert talk.said(CHANNEL, "The drill is over (automatic): its 10 min are over.")
    await talk.asks(house.ana, "/drill stop")
    await house.quiet()
    assert "chat-1 and chat-2 read gpt for support chat" in talk.shows(talk.said(CHANNEL, "Report of the drill")[-1])


async def test_restart_does_not_treat_a_drills_component_as_removed(talk: Talk) -> None:
    """No component appears twice on the board, and none is missing."""
    house = talk.house
    await starts(talk, "openai")
    await house.stop()
    app = await house.start()
    await house.passes(minutes=1)
    async with httpx.AsyncClient(trust_env=False) as client:
        ready = (await client.get(f"{app.url}/readyz")).json()
    assert ready["missing"] == []
    board = await talk.asks(house.ana, "/health")
    assert board.startswith("🟢 All 3 components are operational.")
    assert "drill:" not in board


async def test_only_requests_in_the_drills_scope_get_the_fallback(talk: Talk) -> None:
    """The scope needs JSON `true` exactly; every other request gets the usual variant."""
    house = talk.house
    await starts(talk, f"claude api flag {FLAG}")
    scoped = await reads(house, "chat-1", understudy_drill=True)
    assert (scoped["variant"], scoped["reason"], scoped["metadata"]["drill"]) == ("gpt", "TARGETING_MATCH", True)
    for context in ({}, {"understudy_drill": False}, {"understudy_drill": "true"}, {"understudy_drill": 1}):
        plain = await reads(house, "chat-2", **context)
        assert (plain["variant"], plain["reason"], "drill" in plain["metadata"]) == ("claude", "STATIC", False)


async def test_scope_has_no_effect_after_the_drill(talk: Talk) -> None:
    """Services that forget to remove it from their requests lose nothing."""
    await starts(talk, f"claude api flag {FLAG}")
    await talk.asks(talk.house.ana, "/drill stop")
    assert (await reads(talk.house, "chat-1", understudy_drill=True))["variant"] == "claude"


async def test_drill_status_names_services_with_and_without_the_fallback(talk: Talk) -> None:
    """So that somebody can look into the service that does not have it."""
    house = talk.house
    await starts(talk, f"claude api flag {FLAG}")
    await reads(house, "chat-1")
    await reads(house, "chat-1", understudy_drill=True)
    await reads(house, "billing-1")
    await house.passes(seconds=30)
    status = await talk.asks(house.bob, "/drill status")
    assert "Since 12:01 UTC, until 12:11 UTC." in status
    assert "chat-1 read gpt for support chat" in status
    assert "billing-1 read support chat only outside the drill" in status
    assert len(await talk.facts(DrillReadersSeen)) == 1


async def test_status_of_a_finished_drill_is_its_report(talk: Talk) -> None:
    """Found by its name; an ordinary incident has no such report."""
    house = talk.house
    await starts(talk)
    await starts(talk, "openai")
    await talk.asks(house.ana, "/drill stop INC-1")
    report = await talk.asks(house.bob, "/drill status INC-1")
    assert "Report of the drill\n• Runbook of Claude API was shown: 2 steps" in report
    assert "INC-2" not in report
    running = await talk.asks(house.bob, "/drill status 2")
    assert running.startswith("🔵 INC-2 · DRILL: OpenAI API is down.")
    await talk.asks(house.ana, "/incident declare Mail is late")
    assert await talk.asks(house.bob, "/drill status INC-3") == "INC-3 is not a drill."


async def test_real_outage_opens_its_own_incident_and_ends_the_drill(talk: Talk) -> None:
    """The real alert looks as usual, and the drill's channel is told why the drill ended."""
    house = talk.house
    await starts(talk)
    await house.fails("anthropic.api")
    await house.quiet()
    assert "SEV2 · Claude API is down. It's Claude, not us." in talk.alert()
    assert talk.said("inc-20260320-0002-claude")
    assert talk.said(CHANNEL, "The drill is over (automatic): Claude is failing for real: INC-2.")
    assert "INC-1 resolved after 2 min · DRILL: Claude API is down" in newest_alert(talk, "INC-1")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("start claude api", "INC-1 is already a drill of that provider. To end it: /drill stop INC-1"),
        ("start claude", "INC-1 is already a drill of that provider."),
        ("start claude and gpt", "Nothing is called claude and gpt."),
        ("start openai for 5h", "A drill lasts from 1 min to 2 h. Nothing was started."),
        ("start openai for", "for what? Write for 5m or flag KEY. Nothing was started."),
        ("start openai flag chat", f"There is no flag chat. Known: {FLAG}."),
        ("start", "Which component is the drill for? Known: anthropic.api"),
        ("stop INC-9", "There is no INC-9."),
        ("stop 9", "There is no INC-9."),
        ("stat", "/drill stat is not known. Did you mean start?"),
        ("", "• /drill stop [INC-7]: end the drill; its report comes in its channel"),
    ],
)
async def test_mistyped_drill_command_is_answered_and_starts_nothing(talk: Talk, words: str, expected: str) -> None:
    """One drill is running, and none of these commands starts another."""
    await starts(talk)
    assert expected in await talk.asks(talk.house.bob, f"/drill {words}")
    assert talk.house.app is not None
    assert talk.house.app.engine.world.last_incident == 1


async def test_drill_length_may_be_given_in_words(talk: Talk) -> None:
    """As people write it; the words after it still count."""
    assert "until 12:06 UTC: DRILL: OpenAI API is down. People are paged." in await starts(talk, "openai for 5 min paging")


async def test_drill_accepts_a_variants_name(talk: Talk) -> None:
    """It understands the same names as `/health gpt`."""
    assert "DRILL: OpenAI API is down" in await starts(talk, "gpt")


async def test_guest_cannot_start_a_drill(talk: Talk) -> None:
    """Guests of the workspace are refused before the command is read."""
    house = talk.house
    eve = house.workspace.add_user("eve", "Eve", guest="multi")
    house.workspace.channel("ops").members.append(eve.id)
    assert "Guests of this workspace may not do that" in await talk.asks(eve, "/drill start claude api")
    assert house.app is not None
    assert house.app.engine.world.last_incident == 0


async def test_drill_report_lists_tasks_and_runbook_steps(talk: Talk) -> None:
    """Who made which tasks and finished which steps, also in the machine-readable report."""
    house = talk.house
    await starts(talk, "claude api for 15m")
    await talk.asks(house.bob, "/incident task INC-1 Call Anthropic support")
    await talk.asks(house.ana, "/incident done INC-1 1")
    done = await talk.asks(house.bob, "/incident step INC-1 1")
    which = await talk.asks(house.bob, "/incident step INC-1")
    await talk.asks(house.ana, "/drill stop INC-1")
    await house.quiet()
    report = talk.shows(talk.said(CHANNEL, "Report of the drill")[-1])

    assert "Step 1 of the runbook is done: Confirm on the board" in done
    assert which.startswith("Which step? ")
    assert "☑ Step 1 is done (by @bob): Confirm on the board" in talk.shows(talk.said(CHANNEL, "Step 1 is done")[-1])
    assert "• @bob did: Confirm on the board" in report
    assert "• Task 1: Call Anthropic support (by @bob, done by @ana)" in report
