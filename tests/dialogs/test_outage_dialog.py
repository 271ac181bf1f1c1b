"""An outage as people live through it: alert, channel, flag, updates, recovery, switching back, resolution."""

import pytest

from bot.core.record.incident_facts import Declared
from bot.sandbox.slack import NotThere
from tests.dialogs.talk import Talk
from tests.house import BOTH_WAYS, FLAG, House

CHANNEL = "inc-20260320-0001-claude"


async def test_single_failed_check_posts_nothing(talk: Talk) -> None:
    """One failed run is no outage."""
    before = talk.house.ana.sees("ops")
    talk.house.vendor.answers["anthropic.api"] = 502
    await talk.house.passes(seconds=30)
    talk.house.vendor.answers.clear()
    await talk.house.passes(minutes=5)
    await talk.house.quiet()

    assert before == talk.house.ana.sees("ops")
    assert [] == talk.said("ops")
    assert [] == [c.name for c in talk.house.workspace.channels() if c.name.startswith("inc-")]


@BOTH_WAYS
async def test_alert_explains_a_vendors_outage_to_a_newcomer(outage: Talk) -> None:
    """What fails, since when, the evidence, whose fault it is, what was switched, and what people can do."""
    assert (
        "🔴 SEV2 · Claude API is down. It's Claude, not us.\n"
        "Customers are served: support chat switched to gpt at 12:02 UTC (automatic).\n"
        f"Since 12:01 UTC · Claude's status page shows no problem yet · #{CHANNEL}\n"
        "Nobody has acknowledged this.\n"
        "[Acknowledge] [Post update] [Evidence] "
        "[Switch back… | Resolve… | Change phase… | Change severity… | No incident, or merge…]"
    ) == outage.alert()
    assert 1 == len(outage.alerts())


async def test_evidence_is_the_first_reply_under_the_alert(outage: Talk) -> None:
    """One line per component with the results of its checks, and the vendor's words."""
    for words in (
        "🔴 Claude API: down since 12:01 UTC. Front: ",
        "HTTP 502 after",
        "• front: request id req_test_1",
        "• front: status 502",
        "Claude's status page shows no problem.",
    ):
        assert words in outage.evidence()


async def test_evidence_is_edited_in_place(outage: Talk) -> None:
    """A component that joins gets its line there, without another notification."""
    await outage.house.fails("anthropic.web")
    await outage.house.quiet()
    root = outage.alerts()[-1]

    assert "🔴 claude.ai: down since" in outage.evidence()
    assert 2 == len(outage.house.workspace.messages("ops", thread_ts=root.ts))


async def test_evidence_button_answers_only_the_person_who_pressed(outage: Talk) -> None:
    """Others see nothing of it."""
    answer = await outage.presses(outage.house.bob, "Evidence", channel="ops")

    assert outage.evidence() == answer


async def test_notification_of_an_outage_fits_a_phone(outage: Talk) -> None:
    """The text without blocks is the first line: what is down, and whose fault it is."""
    expected = "🔴 SEV2 · Claude API is down. It's Claude, not us."

    assert expected == outage.said("ops")[0].text


async def test_new_incidents_channel_is_set_up(empty_house: House) -> None:
    """Pinned card, topic, bookmarks, runbook, and the configured people."""
    house = empty_house
    oncall = house.workspace.add_group("oncall", "On call", ["bob"])
    house.changes = {"slack": {"invite": [oncall]}}
    await house.start()
    await house.passes(minutes=1)
    await house.fails("anthropic.api")
    await house.quiet()
    talk, channel = Talk(house), house.workspace.channel(CHANNEL)

    assert "🔴 SEV2 · no lead yet · next update 13:02 UTC · Claude API is down" == channel.topic
    assert ["Claude status page", "Runbook: Claude API"] == [bookmark.title for bookmark in channel.bookmarks]
    assert [house.bob.id] == [member for member in channel.members if member != house.workspace.bot_user_id]
    card, runbook, switched, mitigated = (talk.shows(message) for message in talk.said(CHANNEL))
    assert [talk.said(CHANNEL)[0].ts] == list(channel.pins)
    assert card.startswith("🔴 SEV2 · Claude API is down. It's Claude, not us.\nCustomers are served: support chat")
    assert "Mitigated · next update by 13:02 UTC · declared at 12:02 UTC (automatic)" in card
    assert "/incident update TEXT tells everybody" in card
    assert "☐ 1. Confirm on the board\n☐ 2. Tell support" in runbook
    assert "Support chat switched to gpt at 12:02 UTC (automatic), instead of claude." in switched
    assert f"Undo: /fallback release {FLAG}" in switched
    assert "Customers are served again: support chat switched to gpt (automatic)." in mitigated


@BOTH_WAYS
async def test_acknowledging_takes_one_click_and_posts_one_line(outage: Talk) -> None:
    """The alert changes in place, the button goes, and the new lead is invited to the channel."""
    before = outage.said("ops")[0].ts
    assert "INC-1 is yours." == await outage.presses(outage.house.ana, "Acknowledge", channel="ops")
    await outage.house.quiet()

    assert [before] == [message.ts for message in outage.said("ops")]
    assert "Acknowledged by @ana at 12:03 UTC" in outage.alert()
    assert "[Acknowledge]" not in outage.alert()
    assert ["@ana acknowledged INC-1."] == [outage.shows(m) for m in outage.said(CHANNEL, "acknowledged INC-1.")]
    assert outage.house.ana.id in outage.house.workspace.channel(CHANNEL).members


@BOTH_WAYS
async def test_hand_back_runs_step_by_step_after_approval(outage: Talk) -> None:
    """A person starts it when asked, and it goes on by itself; the used button becomes a record."""
    house = outage.house
    await house.recovers("anthropic.api")
    await house.passes(minutes=10)
    await house.quiet()
    asked = outage.shows(outage.said(CHANNEL, "back to claude?")[-1])
    assert "Send 10 % of support chat back to claude? (automatic)" in asked
    assert "Each further step follows after 5 min while it stays operational." in asked

    answer = await outage.presses(house.bob, "Send 10 % back to claude", channel=CHANNEL)
    assert "The first share of support chat is back on its default." == answer
    await house.passes(minutes=16)
    await house.quiet()

    asked = outage.shows(outage.said(CHANNEL, "back to claude?")[-1])
    assert asked.endswith("“Send 10 % back to claude” was pressed by @bob, 2026-03-20 12:15 UTC.")
    steps = [
        outage.shows(message).partition("\n")[0] for message in outage.said(CHANNEL, " % of support chat is back on claude")
    ]
    assert [
        "10 % of support chat is back on claude, 90 % on gpt (by @bob).",
        "25 % of support chat is back on claude, 75 % on gpt (automatic).",
        "50 % of support chat is back on claude, 50 % on gpt (automatic).",
    ] == steps
    assert outage.said(CHANNEL, "Support chat went back to claude at 12:30 UTC (automatic).")


@BOTH_WAYS
async def test_resolution_is_proposed_and_summarized(outage: Talk) -> None:
    """After half an hour of health the bot asks; a yes posts summary and file, and the alert keeps one button."""
    house = outage.house
    await house.recovers("anthropic.api")
    await house.passes(minutes=31)
    await house.quiet()
    question = outage.shows(outage.said(CHANNEL, "Is INC-1 over?")[-1])
    assert "Is INC-1 over? Every component has been operational for 30 min." in question

    assert "INC-1 is resolved now." == await outage.presses(house.ana, "Resolve", channel=CHANNEL)
    await house.quiet()

    summary = outage.shows(outage.said(CHANNEL, "INC-1 resolved")[-1])
    for words in (
        "INC-1 resolved after 35 min · Claude API is down\n12:01 UTC to 12:36 UTC, ended by @ana.",
        "We noticed 1 min after it began; the vendor's status page said nothing.",
        "• Claude API: down 12:01 UTC to 12:03 UTC, 2 min",
        "• support chat on gpt 12:02 UTC until now: still away",
        "Who writes the post-mortem?",
        "[Reopen] [Export timeline]",
    ):
        assert words in summary
    assert outage.said(CHANNEL, "[file: INC-1-timeline.md]")
    assert outage.alert().endswith("[Reopen] [Export timeline]")
    assert "[Resolve]" not in outage.alert()
    question = outage.shows(outage.said(CHANNEL, "Is INC-1 over?")[-1])
    assert "[Resolve]" not in question
    assert "“Resolve” was pressed by @ana" in question
    assert 1 == len(outage.alerts())
    assert 1 == len(await outage.facts(Declared))


async def test_recovery_is_announced_component_by_component(outage: Talk) -> None:
    """With the API back and the web still failing, people must see which half works."""
    house = outage.house
    await house.fails("anthropic.web")
    await house.recovers("anthropic.api")
    await house.quiet()

    joined = outage.shows(outage.said(CHANNEL, "claude.ai is down too")[-1])
    assert joined.startswith("🔴 claude.ai is down too, since 12:03 UTC. Front: ")
    assert outage.said(CHANNEL, "🟢 Claude API is back (since 12:05 UTC). claude.ai still fails.")
    assert "🔴 claude.ai: down since" in outage.evidence()
    assert "🟢 Claude API: operational again since 12:05 UTC" in outage.evidence()

    await house.recovers("anthropic.web")
    await house.quiet()
    assert outage.said(CHANNEL, "🟢 claude.ai is back (since 12:08 UTC). Everything in this incident")
    assert outage.said(CHANNEL, "INC-1 is monitoring (automatic).")
    assert "Claude API and claude.ai are back (since 12:08 UTC)." in outage.alert()


async def test_relapse_continues_the_incident_and_stops_the_hand_back(outage: Talk) -> None:
    """When the provider fails again during the hand-back, all traffic returns to the fallback."""
    house = outage.house
    await house.recovers("anthropic.api")
    await house.passes(minutes=10)
    await house.quiet()
    await outage.presses(house.ana, "Send 10 % back to claude", channel=CHANNEL)
    await house.fails("anthropic.api")
    await house.quiet()

    relapse = outage.shows(outage.said(CHANNEL, "is back to investigating")[-1])
    assert "It fails again. INC-1 is back to investigating (automatic). Claude API is down again:" in relapse
    assert relapse.endswith("so it counts as recovered only once it was steady for 10 min.")
    reverted = outage.shows(outage.said(CHANNEL, "is on gpt again")[-1])
    assert "🟠 All of support chat is on gpt again (automatic).\nWhy: Claude API is down." == reverted
    assert "relapses: 1" in outage.card(CHANNEL)
    assert 1 == len(outage.said("ops"))


async def test_alert_about_an_unused_fallback_says_so(talk: Talk) -> None:
    """OpenAI fails while nobody uses it: the alert says for which service it is the fallback."""
    await talk.house.fails("openai.api")
    await talk.house.quiet()

    assert "No flag depends on it, so nothing was switched." in talk.alert()
    assert "Not usable as a fallback meanwhile: gpt of support chat." in talk.card(talk.house.incident_channel)


@BOTH_WAYS
async def test_every_press_and_command_is_acknowledged_in_time(outage: Talk) -> None:
    """Slack waits three seconds, people one."""
    await outage.presses(outage.house.ana, "Acknowledge", channel="ops")
    await outage.asks(outage.house.ana, "/incident note we called the vendor", channel="ops")
    await outage.asks(outage.house.bob, "/health claude")
    await outage.house.quiet()

    assert outage.slowest_ack_s < 1.0


async def test_messages_name_people_and_things_never_ids(outage: Talk) -> None:
    """No user, channel or component id appears in place of a name."""
    house = outage.house
    await outage.presses(house.ana, "Acknowledge", channel="ops")
    await house.recovers("anthropic.api")
    await house.passes(minutes=31)
    await house.quiet()
    await outage.presses(house.ana, "Resolve", channel=CHANNEL)
    await house.quiet()
    screen = house.ana.sees()

    for id in ("anthropic.api", "openai.api", house.ana.id, house.workspace.bot_user_id, house.workspace.channel(CHANNEL).id):
        assert id not in screen, id


async def test_outage_mentions_neither_channel_nor_here(outage: Talk) -> None:
    """No message has @channel or @here."""
    await outage.house.passes(minutes=61)
    await outage.house.quiet()
    bodies = [str(m.text) + str(m.blocks) for c in outage.house.workspace.channels() for m in c.messages]

    assert [] == [body for body in bodies if "<!channel" in body or "<!here" in body or "<!everyone" in body]


async def test_used_button_is_removed_from_its_message(outage: Talk) -> None:
    """After the approval nothing is left to press by mistake."""
    await outage.house.recovers("anthropic.api")
    await outage.house.passes(minutes=10)
    await outage.house.quiet()
    await outage.presses(outage.house.ana, "Send 10 % back to claude", channel=CHANNEL)
    await outage.house.ana.waits_for("was pressed by @ana", channel=CHANNEL)

    with pytest.raises(NotThere):
        await outage.house.bob.clicks("Send 10 % back to claude", channel=CHANNEL)


async def test_identifying_the_cause_keeps_the_incident_mitigated(outage: Talk) -> None:
    """The cause is found while the fallback serves: the card shows both, and no rule resets the phase."""
    ana = outage.house.ana
    await ana.types("/incident phase INC-1 identified their database")
    await outage.house.passes(minutes=2)
    await outage.house.quiet()

    card = outage.shows(outage.said(CHANNEL)[0])
    assert "Identified · mitigated since 12:02 UTC (automatic) · next update by" in card
