"""Declaring by form and shortcuts: an open incident is joined with one press, and nothing is declared twice."""

import asyncio
from dataclasses import replace

import pytest

from bot.core.record.entry_facts import MessageAdded
from bot.core.record.incident import SourceMessage
from bot.core.record.incident_facts import Declared, ResponderJoined
from bot.sandbox.slack import ModalErrors, payloads
from tests.dialogs.talk import ANSWER_WITHIN_S, Talk
from tests.house import BOTH_WAYS


async def direct_message(talk: Talk, containing: str) -> str:
    """The newest direct message to Ana with these words."""
    ana = talk.house.ana
    async with asyncio.timeout(ANSWER_WITHIN_S):
        while True:
            shown = [talk.shows(message) for message in talk.house.workspace.direct_messages(ana)]
            if found := [text for text in shown if containing in text]:
                return found[-1]
            await asyncio.sleep(0.01)


@BOTH_WAYS
async def test_global_shortcut_opens_the_form(talk: Talk) -> None:
    """The reply comes as a direct message, since a global shortcut has no channel."""
    ana = talk.house.ana
    await ana.uses_shortcut("declare_incident")
    await ana.waits_for("== Declare incident ==")
    await ana.submits({"What is wrong?": "Mail is late"})

    assert "INC-1 is declared: Mail is late." in await direct_message(talk, "is declared")


async def test_open_incident_is_joined_from_the_form(outage: Talk) -> None:
    """One press adds Bob to the channel, and the form links to it."""
    bob = outage.house.bob
    await bob.uses_shortcut("declare_incident")
    form = await bob.waits_for("== Declare incident ==")
    await bob.clicks("Join INC-1")
    await bob.waits_for("You are in INC-1 now. It continues in #inc-20260320-0001-claude.")
    await outage.house.quiet()

    assert "Already open: is it one of these?\nINC-1 SEV2 " in form
    assert "== Declare incident ==" not in bob.sees()
    assert [bob.id] == [fact.actor.id for fact in await outage.facts(ResponderJoined)]
    assert [] == outage.house.workspace.direct_messages(bob)


async def test_form_lists_the_incident_of_the_same_provider_first(outage: Talk) -> None:
    """It comes before newer incidents about other providers."""
    ana = outage.house.ana
    await outage.asks(ana, "/incident declare The lights went out")
    await outage.asks(ana, "/health claude")
    await ana.clicks("Declare incident")
    form = await ana.waits_for("== Declare incident ==")

    assert form.index("INC-1 SEV2") < form.index("INC-2 SEV2")


async def test_form_submitted_twice_declares_once(talk: Talk) -> None:
    """Two presses and two triggers, but one form."""
    house, ana = talk.house, talk.house.ana
    await ana.uses_shortcut("declare_incident")
    await ana.waits_for("== Declare incident ==")
    user = house.workspace.team.users[ana.id]
    view = house.workspace.team.modals[ana.id][-1]
    view.values["title"]["title"]["value"] = "Mail is late"
    for _ in range(2):
        await house.workspace.links.deliver("interactive", payloads.view_submission(house.workspace.team, user, view))
    await direct_message(talk, "INC-1 was declared within the last half hour")

    assert 1 == len(await talk.facts(Declared))


@pytest.mark.parametrize("metadata", ["", "CNOTACHANNEL", "<!channel>", "x" * 3000, '{"channel":["C1"]}'])
async def test_forged_form_metadata_still_declares(talk: Talk, metadata: str) -> None:
    """The only loss is the channel: the reply comes as a direct message."""
    ana = talk.house.ana
    await ana.types("/incident declare")
    await ana.waits_for("== Declare incident ==")
    view = talk.house.workspace.team.modals[ana.id][-1]
    view.body["private_metadata"] = metadata
    await ana.submits({"What is wrong?": "Mail is late"})

    assert "INC-1 is declared: Mail is late." in await direct_message(talk, "is declared")


async def test_form_that_opens_too_late_says_how_to_retry(talk: Talk) -> None:
    """Slack allows three seconds to open a form; after that the person is told what to do."""
    team = talk.house.workspace.team
    team.settings = replace(team.settings, trigger_lives_s=0.0)
    await talk.house.ana.uses_shortcut("declare_incident")

    assert "try again" in await direct_message(talk, "Slack waited too long for the form to open")


@pytest.mark.parametrize(
    "title", ["支付系统宕机", "المدفوعات بطيئة", "платежи не проходят 💳", "<!channel> & <@U0BOB> down", "e\u0301" * 90]
)
async def test_title_in_any_script_is_kept(talk: Talk, title: str) -> None:
    """The title mentions nobody and reads as it was typed."""
    ana = talk.house.ana
    await ana.uses_shortcut("declare_incident")
    await ana.waits_for("== Declare incident ==")
    await ana.submits({"What is wrong?": title})
    await direct_message(talk, "is declared")
    await talk.house.quiet()

    assert title[:80] in talk.alert()
    assert "<!channel>" not in str([m.blocks for m in talk.alerts()])


async def test_overlong_title_is_cut_and_kept_whole_as_a_note(talk: Talk) -> None:
    """If someone pastes a log, the title stays readable and no word is lost."""
    await talk.asks(talk.house.ana, "/incident declare " + "Payments time out. " * 150)
    await talk.house.quiet()
    [fact] = await talk.facts(Declared)

    assert isinstance(fact.body, Declared)
    assert len(fact.body.title) <= 200
    assert talk.said(talk.house.workspace.channels()[-1].name, "Note by @ana")


# --- afterwards


async def test_clock_time_is_read_in_the_persons_time_zone(talk: Talk) -> None:
    """Ana is in Tokyo, nine hours ahead of London."""
    house, ana = talk.house, talk.house.ana
    house.workspace.change_user(ana, tz="Asia/Tokyo")
    said = await talk.asks(ana, "/incident declare Mail is late since 20:30")
    await house.quiet()
    [fact] = await talk.facts(Declared)

    assert isinstance(fact.body, Declared)
    assert ("Mail is late", "11:30") == (fact.body.title, f"{fact.body.began_at:%H:%M}")
    assert said.startswith("INC-1 is declared at 12:01 UTC for 11:30 UTC: Mail is late.")
    assert "Since 11:30 UTC (declared at 12:01 UTC)" in talk.alert()


async def test_past_outage_is_recorded_as_resolved(talk: Talk) -> None:
    """It keeps its own duration, and the summary asks for the post-mortem."""
    said = await talk.asks(talk.house.ana, "/incident declare claude was down from 14:00 to 15:30 yesterday")
    await talk.house.quiet()
    [channel] = [one.name for one in talk.house.workspace.channels() if one.name.startswith("inc-")]
    summary = talk.shows(talk.said(channel, "post-mortem")[-1])

    assert "for 2026-03-19 14:00 UTC to 2026-03-19 15:30 UTC: claude was down. It is over, so nobody is paged." in said
    assert "🟢 INC-1 resolved after 1 h 30 min · claude was down" in talk.alert()
    assert "2026-03-19 14:00 UTC to 2026-03-19 15:30 UTC, declared by @ana at 12:01 UTC." in summary
    assert [] == talk.thread("ops", "INC-1 resolved").splitlines()


async def test_form_shows_a_wrong_time_as_an_error_at_its_field(talk: Talk) -> None:
    """The form stays open and keeps everything that was typed."""
    ana = talk.house.ana
    await ana.types("/incident declare")
    await ana.waits_for("== Declare incident ==")
    for typed, wrong in (
        ("soon", "I cannot read that as a time"),
        ("23:00", "has not come yet"),
        ("2025-01-01 9:00", "days ago"),
    ):
        with pytest.raises(ModalErrors, match=wrong):
            await ana.submits({"What is wrong?": "Mail is late", "Since when, if not now?": typed})
    await ana.submits({"Since when, if not now?": "11:30"})

    assert "INC-1 is declared at 12:01 UTC for 11:30 UTC: Mail is late." in await ana.waits_for("is declared")


@pytest.mark.parametrize("typed", ["separate", "separate since 11:00", "sev2 since 11:00"])
async def test_declaring_without_a_title_opens_the_form(talk: Talk, typed: str) -> None:
    """The form keeps the time from the command."""
    ana = talk.house.ana
    await ana.types(f"/incident declare {typed}")
    await ana.waits_for("== Declare incident ==")
    await ana.submits({"What is wrong?": "Mail is late"})
    reply = await ana.waits_for("is declared")

    assert ("for 11:00 UTC: Mail is late." in reply) == ("11:00" in typed)
    assert "Mail is late." in reply


async def test_unclear_start_time_declares_nothing(talk: Talk) -> None:
    """A person who gives a start time does not mean now."""
    said = await talk.asks(talk.house.ana, "/incident declare Mail is late since last night")

    assert said.startswith("since last night: when was that? Write since 14:00")
    assert said.endswith("Nothing was declared.")
    assert [] == list(await talk.facts(Declared))


async def test_declaring_separately_keeps_the_given_times(outage: Talk) -> None:
    """The button carries the times along."""
    ana = outage.house.ana
    await outage.asks(ana, "/incident declare Claude loses our files since 11:30")
    said = await outage.presses(ana, "Declare a separate one")

    assert "for 11:30 UTC: Claude loses our files" in said


# --- from a message


@pytest.fixture
def said(talk: Talk) -> Talk:
    """Bob has posted what he sees in a channel without the bot."""
    talk.house.workspace.add_channel("support", members=[talk.house.ana, talk.house.bob])
    return talk


async def first_entry(talk: Talk) -> SourceMessage:
    """The only message in the timeline of INC-1."""
    await talk.house.quiet()
    [fact] = await talk.facts(MessageAdded)
    assert isinstance(fact.body, MessageAdded)
    assert 1 == fact.incident
    return fact.body.message


@BOTH_WAYS
async def test_message_becomes_the_first_timeline_entry(said: Talk) -> None:
    """The entry keeps author, time and link; the form suggests the message's words as the title."""
    ana, bob = said.house.ana, said.house.bob
    ts = await bob.says("Claude API answers nothing & customers wait\nsince noon", channel="support")
    await ana.uses_shortcut("declare_from_message", message_containing="customers wait")
    form = await ana.waits_for("== Declare incident ==")
    await ana.submits({})
    reply = await direct_message(said, "is declared")
    entry = await first_entry(said)

    assert "Claude API answers nothing & customers wait" in form
    assert "for 12:00 UTC: Claude API answers nothing & customers wait." in reply
    assert (ts, bob.id, "bob") == (entry.ts, entry.author.id, entry.author.name)
    assert "Claude API answers nothing & customers wait\nsince noon" == entry.text
    assert entry.link.startswith("https://")


async def test_start_time_is_read_from_the_message(said: Talk) -> None:
    """It fills its own field, in the declarer's time zone, and is left out of the title."""
    house, ana = said.house, said.house.ana
    house.workspace.change_user(ana, tz="Asia/Tokyo")
    await house.bob.says("Mail is late since 20:40, customers wait", channel="support")
    await ana.uses_shortcut("declare_from_message", message_containing="Mail is late")
    form = await ana.waits_for("== Declare incident ==")
    await ana.submits({})

    assert "20:40" in form
    assert "for 11:40 UTC: Mail is late, customers wait." in await direct_message(said, "is declared")


async def test_message_without_a_clear_time_leaves_the_field_to_the_person(said: Talk) -> None:
    """The form does not assume now; the person who submits it gives the time."""
    ana = said.house.ana
    await said.house.bob.says("Mail is late since yesterday", channel="support")
    await ana.uses_shortcut("declare_from_message", message_containing="Mail is late")
    await ana.waits_for("== Declare incident ==")
    with pytest.raises(ModalErrors, match="I cannot read that as a time"):
        await ana.submits({})
    await ana.submits({"Since when, if not now?": "yesterday 14:00"})

    assert "for 2026-03-19 14:00 UTC: Mail is late." in await direct_message(said, "is declared")


async def test_messages_of_bots_and_outsiders_can_be_declared_from(said: Talk) -> None:
    """Their words are foreign text: they mention nobody and open nothing."""
    house = said.house
    alarm = house.workspace.add_user("alarm", is_bot=True)
    house.workspace.channel("support").members.append(alarm.id)
    await alarm.says("<!channel> 500s: `rm -rf` <https://evil.example|click> *now*", channel="support")
    await house.ana.uses_shortcut("declare_from_message", message_containing="500s")
    await house.ana.waits_for("== Declare incident ==")
    await house.ana.submits({})
    await direct_message(said, "is declared")
    entry = await first_entry(said)

    assert alarm.id == entry.author.id
    for message in [*said.said("ops"), *said.said(house.workspace.channels()[-1].name)]:
        assert "<!channel>" not in str(message.blocks) + message.text
        assert "<https://evil.example" not in str(message.blocks) + message.text


async def test_message_of_any_length_and_script_fits_the_form(said: Talk) -> None:
    """The form cuts what is too long; the original message is untouched."""
    house = said.house
    await house.bob.says("支付系统宕机 \U0001f4b3 \\ '<>& " * 900, channel="support")
    await house.ana.uses_shortcut("declare_from_message", message_containing="支付")
    await house.ana.waits_for("== Declare incident ==")
    await house.ana.submits({})
    await direct_message(said, "is declared")

    assert (await first_entry(said)).text.startswith("支付系统宕机")


@pytest.mark.parametrize("metadata", ["{}", '{"channel":"<!channel>","ts":"x"}', "[1]", "{" * 3000])
async def test_form_whose_message_is_gone_still_declares(said: Talk, metadata: str) -> None:
    """Nobody should have to type it again at three in the morning."""
    ana = said.house.ana
    await said.house.bob.says("Mail is late", channel="support")
    await ana.uses_shortcut("declare_from_message", message_containing="Mail is late")
    await ana.waits_for("== Declare incident ==")
    said.house.workspace.team.modals[ana.id][-1].body["private_metadata"] = metadata
    await ana.submits({})
    await direct_message(said, "INC-1 is declared: Mail is late.")
    await said.house.quiet()

    assert [] == list(await said.facts(MessageAdded))


@pytest.fixture
async def pointed(outage: Talk) -> Talk:
    """Ana declares from Bob's message, and is shown the incident that is already open for Claude."""
    house = outage.house
    await house.bob.says("Claude is broken", channel="ops")
    await house.ana.uses_shortcut("declare_from_message", message_containing="Claude is broken")
    await house.ana.waits_for("== Declare incident ==")
    return outage


async def test_message_is_not_added_to_an_open_incident_without_a_press(pointed: Talk) -> None:
    """The reply says which button adds the message."""
    await pointed.house.ana.submits({})
    reply = await pointed.house.ana.waits_for("The message is in no timeline yet")

    assert "[Join INC-1] [Declare a separate one]" in reply
    assert [] == list(await pointed.facts(MessageAdded))


async def test_joining_from_the_reply_adds_the_message(pointed: Talk) -> None:
    """Pressing the reply's button joins the incident and adds the message."""
    ana = pointed.house.ana
    await ana.submits({})
    await ana.waits_for("The message is in no timeline yet")
    reply = await pointed.presses(ana, "Join INC-1")

    assert "The message is in its timeline." in reply
    assert "Claude is broken" == (await first_entry(pointed)).text


async def test_joining_from_the_form_adds_the_message(pointed: Talk) -> None:
    """By the button above the fields, also for people who joined before."""
    ana = pointed.house.ana
    await pointed.asks(ana, "/incident join INC-1")
    await ana.clicks("Join INC-1")
    await ana.waits_for("The message is in its timeline.")

    assert "Claude is broken" == (await first_entry(pointed)).text


async def test_separate_incident_keeps_the_message(pointed: Talk) -> None:
    """The message is its first entry."""
    ana = pointed.house.ana
    await ana.submits({})
    await ana.waits_for("The message is in no timeline yet")
    await pointed.presses(ana, "Declare a separate one")
    [fact] = await pointed.facts(MessageAdded)

    assert 2 == fact.incident


async def test_evidence_says_whether_checks_cover_the_reported_component(talk: Talk) -> None:
    """Claude has checks that see no failure; mail has no checks."""
    ana, house = talk.house.ana, talk.house
    await talk.asks(ana, "/incident declare Claude answers nonsense")
    await house.quiet()
    assert talk.evidence().startswith("No check of Claude has seen it; what people report is all there is.")
    await talk.asks(ana, "/incident declare Mail is late")
    await house.quiet()
    assert talk.evidence().startswith("No check watches this;")
