"""`/incident`: declaring in three ways, every verb, and what is said to those who slip."""

import asyncio

import httpx
import pytest

from bot.core.record.incident_facts import Declared, ResponderJoined, UpdateWritten
from bot.sandbox.slack import ModalErrors
from tests.dialogs.talk import ANSWER_WITHIN_S, Talk
from tests.house import BOTH_WAYS, House

CHANNEL = "inc-20260320-0001-payments-are-slow"


@pytest.fixture
async def declared(talk: Talk) -> Talk:
    """Ana has declared an incident that no check knows of."""
    await talk.asks(talk.house.ana, "/incident declare Payments are slow")
    await talk.house.quiet()
    return talk


# --- declaring


async def test_declaring_answers_with_the_place_and_opens_it(declared: Talk) -> None:
    """The declarer learns where people meet and is brought there; #ops sees who declared it."""
    ana = declared.house.ana
    answer = declared.shows(declared.whispers(ana)[-1])

    assert f"INC-1 is declared: Payments are slow. Its channel #{CHANNEL} is being created; you are invited." == answer
    assert ana.id in declared.house.workspace.channel(CHANNEL).members
    alert = declared.alert()
    for words in (
        "🔴 SEV2 · Payments are slow.\nSince 12:01 UTC · #inc-20260320-0001-payments-are-slow\n",
        "Nobody has acknowledged this.\n[Acknowledge] [Post update] [Evidence] [Resolve… |",
    ):
        assert words in alert


async def test_declaring_with_a_component_and_a_severity(talk: Talk) -> None:
    """Both are read out of the words; the runbook of that component comes along."""
    await talk.asks(talk.house.ana, "/incident declare Claude API answers slowly sev3")
    await talk.house.quiet()
    channel = "inc-20260320-0001-claude-api-answers-slowly"

    assert "🟠 SEV3 · Claude API answers slowly.\nSupport chat is served as usual.\n" in talk.alert()
    assert "🟢 Claude API: operational." in talk.evidence()
    assert "operational again" not in talk.house.ana.sees()
    assert talk.said(channel, "Runbook")


@BOTH_WAYS
async def test_declaring_without_a_title_opens_a_form(declared: Talk) -> None:
    """The form shows what is open already; a field left empty is asked for."""
    house, ana = declared.house, declared.house.ana
    await ana.types("/incident declare")
    form = await ana.waits_for("== Declare incident ==")
    assert "Already open: is it one of these?\nINC-1 SEV2 triage: Payments are slow #" in form
    with pytest.raises(ModalErrors):
        await ana.submits({"What is wrong?": ""})
    await ana.submits({"What is wrong?": "Claude makes things up", "What is affected?": "claude.ai", "severity": "SEV1"})
    await ana.waits_for("INC-2 is declared: Claude makes things up. Its channel #inc-20260320-0002-claude-makes-things-up")
    await house.quiet()

    assert "SEV1 · Claude makes things up" in declared.alert()
    assert declared.slowest_ack_s < 1.0


async def test_the_form_points_to_what_is_open_for_the_same_provider(outage: Talk) -> None:
    """The form closes, and its words come back with both ways on as buttons."""
    ana = outage.house.ana
    await ana.types("/incident declare")
    await ana.waits_for("== Declare incident ==")
    await ana.submits({"What is wrong?": "claude.ai too", "What is affected?": "claude.ai"})
    await ana.waits_for("INC-1 is already open for Claude in #inc-20260320-0001-claude: Claude API is down")

    assert "INC-2 is declared: claude.ai too" in await outage.presses(ana, "Declare a separate one")


OPEN = "INC-1 is already open for Claude in #inc-20260320-0001-claude: Claude API is down"
WAYS = "Or type /incident join INC-1, or /incident declare separate TITLE."


@BOTH_WAYS
async def test_a_providers_name_finds_its_open_incident_and_one_press_joins_it(outage: Talk) -> None:
    """Bob declares what everybody works on already: he is brought there, and it is on record."""
    bob, channel = outage.house.bob, outage.house.workspace.channel("inc-20260320-0001-claude")
    pointed = await outage.asks(bob, "/incident declare Claude is broken")
    joined = await outage.presses(bob, "Join INC-1")
    await outage.house.quiet()

    assert f"{OPEN}\n{WAYS}\n[Join INC-1] [Declare a separate one]" == pointed
    assert "You are in INC-1 now. It continues in #inc-20260320-0001-claude." == joined
    assert bob.id in channel.members
    assert [bob.id] == [fact.actor.id for fact in await outage.facts(ResponderJoined)]
    assert outage.said(channel.name, "@bob joined to help.")


async def test_each_of_two_open_incidents_is_joined_by_one_press(outage: Talk) -> None:
    """Claude's own, and the one that Ana declared beside it: Bob chooses the second."""
    ana, bob = outage.house.ana, outage.house.bob
    await outage.asks(ana, "/incident declare separate Claude loses our files")
    await outage.house.quiet()
    pointed = await outage.asks(bob, "/incident declare Claude is broken")
    joined = await outage.presses(bob, "Join INC-2")

    assert "Or type /incident join INC-1, or /incident join INC-2, or /incident declare separate TITLE." in pointed
    assert "[Join INC-1] [Join INC-2] [Declare a separate one]" in pointed
    assert joined.startswith("You are in INC-2 now.")


async def test_the_api_names_channels_as_people_do(outage: Talk) -> None:
    """Slack's reference to a channel means nothing to a program or a terminal."""
    app = outage.house.app
    assert app is not None
    headers = {"Authorization": f"Bearer {app.local_token}"}
    async with httpx.AsyncClient(base_url=app.url, headers=headers) as client:
        pointed = await client.post("/api/v1/incidents", json={"title": "Claude is broken"})
        joined = await client.post("/api/v1/incidents/1/join", json={})

    assert (409, "open_already", OPEN) == (pointed.status_code, pointed.json()["code"], pointed.json()["text"])
    assert "You are in INC-1 now. It continues in #inc-20260320-0001-claude." == joined.json()["text"]


async def test_a_separate_incident_is_declared_all_the_same(outage: Talk) -> None:
    """By the word as by the button; the words of the title are kept."""
    answer = await outage.asks(outage.house.bob, "/incident declare separate Claude bills us twice")

    assert answer.startswith("INC-2 is declared: Claude bills us twice.")


async def test_a_form_sent_from_elsewhere_is_answered_directly(talk: Talk) -> None:
    """Typed where the bot is no member: the answer comes as a direct message."""
    ana = talk.house.ana
    await ana.types("/incident declare", channel="general")
    await ana.waits_for("== Declare incident ==")
    await ana.submits({"What is wrong?": "Mail is late"})
    await ana.waits_for("INC-1 is declared: Mail is late.")

    [message] = talk.house.workspace.direct_messages(ana)
    assert "Its channel #inc-20260320-0001-mail-is-late is being created; you are invited." in message.text
    assert "Something broke" not in ana.sees()


# --- the verbs, in the incident's own channel, where no name is needed


TABLE = [
    ("list", "🔴 INC-1 · SEV2 · Payments are slow #inc-20260320-0001-payments-are-slow\nSince 12:01 UTC (0 s)"),
    ("show", "🔴 SEV2 · Payments are slow.\nSince 12:01 UTC · #inc-20260320-0001-payments-are-slow\nNobody"),
    ("ack", "INC-1 is yours."),
    ("ack", "ana has already acknowledged INC-1."),
    ("update The queue is full", "Update 1 of INC-1 is written."),
    ("note The bank was called", "Noted in the timeline of INC-1."),
    ("note", "A note needs words: /incident note Vendor support says: database failover."),
    ("severity SEV1 no checkout", "INC-1 is SEV1 now."),
    ("severity 1", "INC-1 is already SEV1."),
    ("severity sev9", "sev9 is not a severity. Write SEV1 (no way to serve customers) to SEV4 (watch)."),
    ("severity high", "high is not a severity. Write SEV1 (no way to serve customers) to SEV4 (watch)."),
    ("phase over", "over is not a phase. INC-1 is investigating. Possible now: identified, mitigated,"),
    ("phase identified a full disk", "INC-1 is identified now."),
    ("mitigated we take orders by mail", "INC-1: customers are served again. Its phase is identified."),
    ("mitigated", "It is already on record that customers of INC-1 are served (by ana)."),
    ("mitigated off the mail is full", "INC-1: customers are no longer served. Its phase is identified."),
    ("phase triage", "INC-1 cannot go from identified to triage. Possible now: mitigated, monitoring, resolved,"),
    ("phase identifed", "identifed is not a phase. INC-1 is identified. Possible now: mitigated, monitoring,"),
    ("phase monitorin", "monitorin is not a phase. Did you mean monitoring? INC-1 is identified. Possible now:"),
    ("reopen", "INC-1 is open, identified: there is nothing to reopen. Use phase to move it."),
    ("timeline", "12:01 UTC INC-1 is identified, was investigating: a full disk (ana)"),
    ("export", "The timeline of INC-1 will be posted as a file in its channel."),
    ("export csv", "The timeline of INC-1 will be posted as a file in its channel."),
    ("export pdf", "pdf is not an export format. There are: md, json, csv."),
    ("resolve disk replaced", "INC-1 is resolved now."),
    ("resolve", "INC-1 is already resolved."),
    ("update one more thing", "INC-1 is resolved; reopen it first, or add a note."),
    ("severity sev3", "INC-1 is resolved; its severity stays."),
    ("ack", "INC-1 is resolved; there is nothing to acknowledge."),
    ("note It was the disk", "Noted in the timeline of INC-1."),
    ("show", "🟢 INC-1 resolved after 0 s · Payments are slow\n12:01 UTC to 12:01 UTC, ended by @ana: disk replaced."),
    ("list", "No incident is open. /incident list all shows those that are over. /incident declare TITLE opens one."),
    ("list all", "🟢 INC-1 · SEV1 · Payments are slow #inc-20260320-0001-payments-are-slow\nResolved; began 12:01 UTC"),
    ("reopen it fills again", "INC-1 is investigating now."),
    ("cancel it", "Cancel needs a reason: one of false-alarm, duplicate, external, drill."),
    ("cancel false alarm", "INC-1 is canceled now."),
    ("reopen", "INC-1 is canceled, which is final. Declare a new incident instead."),
    ("phase fixed", "fixed is not a phase. INC-1 is canceled, which is final. Declare a new incident instead."),
    ("resolv", "/incident resolv is not known. Did you mean resolve? /incident help shows what is."),
    ("frobnicate", "/incident frobnicate is not known. /incident help shows what is."),
    ("help", "• /incident update [INC-7] TEXT: tell everybody; without text a form opens"),
    ("", "• /incident declare Claude API answers with errors: open an incident; without a title a form opens"),
]  # fmt: skip


@BOTH_WAYS
async def test_every_verb_is_answered_and_the_channel_tells_the_story(declared: Talk) -> None:
    """A whole life by hand: each word gets its sentence within a second, and the channel reads like minutes."""
    house = declared.house
    for words, expected in TABLE:
        answer = await declared.asks(house.ana, f"/incident {words}", channel=CHANNEL)
        assert expected in answer, words
        await house.quiet()
    assert declared.slowest_ack_s < 1.0

    story = [
        "⚪ INC-1 canceled · Payments are slow. It was a false alarm (by @ana, 12:01 UTC).",
        "@ana acknowledged INC-1.",
        "Update 1 of INC-1 · SEV2 · investigating, 0 s in\n@ana writes:\n> The queue is full\n",
        "Note by @ana:\n> The bank was called",
        "⬆️ INC-1 is SEV1 now, was SEV2 (by @ana). No checkout. Updates come every 30 min.",
        "INC-1 is identified (by @ana). A full disk.",
        "🟢 Customers are served again: we take orders by mail (by @ana).",
        "🔴 Customers are no longer served (by @ana). The mail is full.",
        "Timeline of INC-1\n[file: INC-1-timeline.md]",
        "Timeline of INC-1\n[file: INC-1-timeline.csv]",
        "🟢 INC-1 resolved after 0 s · Payments are slow\n12:01 UTC to 12:01 UTC, ended by @ana: disk replaced.",
        "Timeline of INC-1\n[file: INC-1-timeline.md]",
        "Note by @ana:\n> It was the disk",
        "INC-1 was reopened (by @ana). It fills again.",
        "INC-1 is canceled (by @ana): it was a false alarm.",
    ]
    told = [declared.shows(message) for message in declared.said(CHANNEL)]
    assert story == [text[: len(begin)] for text, begin in zip(told, story, strict=True)]


async def test_the_incident_must_be_named_when_several_are_open(declared: Talk) -> None:
    """Elsewhere the bot asks which one; by name, number or channel it knows."""
    ana = declared.house.ana
    await declared.asks(ana, "/incident declare separate Mail is late")
    await declared.house.quiet()

    which = "Which incident? Open are INC-1 (Payments are slow), INC-2 (Mail is late). Name it first, or type in its channel."
    assert which == await declared.asks(ana, "/incident ack")
    assert "INC-2 is yours." == await declared.asks(ana, "/incident ack INC-2")
    assert "Noted in the timeline of INC-1." == await declared.asks(ana, f"/incident note #{CHANNEL} seen")
    assert "There is no INC-9. /incident list all shows every one." == await declared.asks(ana, "/incident show inc-9")


async def test_of_many_open_ones_the_newest_are_named(declared: Talk) -> None:
    """And where all of them are listed."""
    ana = declared.house.ana
    for number in range(2, 6):
        await declared.asks(ana, f"/incident declare separate Trouble {number}")
    said = await declared.asks(ana, "/incident ack")

    assert said == (
        "Which incident? Open are INC-3 (Trouble 3), INC-4 (Trouble 4), INC-5 (Trouble 5) and 2 more (/incident list all). "
        "Name it first, or type in its channel."
    )


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("fixed it was the proxy", "INC-1 is resolved now."),
        ("close", "INC-1 is resolved now."),
        ("mine", "INC-1 is yours."),
        ("sev1 nobody can pay", "INC-1 is SEV1 now."),
        ("sev1 INC-1 nobody can pay", "INC-1 is SEV1 now."),
        ("INC-1", "Payments are slow"),
        ("lead me", "ana leads INC-1 now."),
        ("lead", "ana leads INC-1 now."),
        ("comms INC-1 me", "ana is communications for INC-1 now."),
        ("identified their database", "INC-1 is identified now."),
        ("mitigate by hand", "INC-1: customers are served again."),
        ("title Payments hang", "INC-1 is now called “Payments hang”."),
        ("new separate Mail is late", "INC-2 is declared: Mail is late."),
    ],
)
async def test_what_tired_people_type_is_understood(typed: str, answer: str, declared: Talk) -> None:
    """Words for what a verb does, a severity alone, a number alone."""
    assert answer in await declared.asks(declared.house.ana, f"/incident {typed}")


async def test_a_bare_number_is_the_incident_that_it_names(declared: Talk) -> None:
    """Also in the channel of another one, which stays as it is; what may be a reason or a text is left to be one."""
    ana = declared.house.ana
    await declared.asks(ana, "/incident declare separate Mail is late")
    await declared.house.quiet()

    async def says(words: str) -> str:
        return await declared.asks(ana, f"/incident {words}", channel=CHANNEL)

    assert await says("ack 2") == "INC-2 is yours."
    assert "Mail is late" in await says("2")
    assert "Mail is late" in await says("show inc2")
    assert await says("ack #9") == "There is no INC-9. /incident list all shows every one."
    assert await says("role 2 lead me") == "ana leads INC-2 now."
    assert await says("resolve 2") == "INC-2 is resolved now."
    assert await says("note 2 shops cannot pay") == "Noted in the timeline of INC-1."
    assert await says("resolve 2 shops were on an old key") == "INC-1 is resolved now."


async def test_merging_understands_bare_numbers(declared: Talk) -> None:
    """As one says it aloud."""
    ana = declared.house.ana
    await declared.asks(ana, "/incident declare separate Mail is late")
    assert (await declared.asks(ana, "/incident merge 2 into 1")).startswith("INC-2 is part of INC-1 now")


async def test_nothing_open_is_said_as_such(talk: Talk) -> None:
    """Without an incident every verb says so instead of guessing."""
    for verb in ("ack", "update all good", "note x", "resolve", "timeline", "show"):
        assert "No incident is open." == await talk.asks(talk.house.ana, f"/incident {verb}")


async def test_a_provider_has_one_open_incident(outage: Talk) -> None:
    """Declaring it again points to the first one, and nothing is made."""
    answer = await outage.asks(outage.house.bob, "/incident declare Claude API is broken")

    assert f"{OPEN}\n{WAYS}\n[Join INC-1] [Declare a separate one]" == answer
    assert 1 == len(await outage.facts(Declared))


async def test_people_are_named_in_updates_not_numbered(declared: Talk) -> None:
    """Mentions, ampersands and links come out as they were typed, and mention nobody."""
    words = "@bob & I see <500> at #ops"
    await declared.asks(declared.house.ana, f"/incident update {words}", channel=CHANNEL)
    await declared.house.quiet()

    update = declared.said(CHANNEL, "Update 1 of INC-1")[0]
    assert f"> {words}" in declared.shows(update)
    assert declared.house.bob.id not in str(update.blocks) + update.text
    [fact] = await declared.facts(UpdateWritten)
    assert isinstance(fact.body, UpdateWritten)
    assert words == fact.body.text


async def test_the_summary_can_be_reopened_and_exported(declared: Talk) -> None:
    """The way back is a button that asks why; the export stays."""
    await declared.asks(declared.house.ana, "/incident resolve", channel=CHANNEL)
    await declared.house.quiet()
    await declared.house.bob.clicks("Reopen", channel=CHANNEL, message_containing="post-mortem")
    await declared.submits_when_open(declared.house.bob, reason="it fills again")
    await declared.house.quiet()
    async with asyncio.timeout(ANSWER_WITHIN_S):
        while "[Reopen]" in (summary := declared.shows(declared.said(CHANNEL, "post-mortem")[-1])):
            await asyncio.sleep(0.01)

    assert 1 == len(declared.said(CHANNEL, "INC-1 was reopened (by @bob). It fills again."))
    assert "“Reopen” was pressed by @bob" in summary
    assert "[Export timeline]" in summary
    assert "[Acknowledge] [Post update]" in declared.alert()


async def test_words_work_with_the_manifests_prefix(house: House) -> None:
    """A workspace that calls it /us-incident gets help under that name."""
    assert house.workspace.team.commands["/incident"].should_escape
    spec = house.workspace.team.commands["/incident"]
    house.workspace.team.commands["/us-incident"] = spec
    answer = await Talk(house).asks(house.ana, "/us-incident")

    assert answer.startswith("/us-incident: Declare and run an incident")
    assert "• /us-incident ack [INC-7]: acknowledge it: you are working on it" in answer


async def test_a_second_declarer_is_pointed_to_what_was_declared_just_now(declared: Talk) -> None:
    """Bob sees the same and calls it otherwise: he may join ana with one press, or go on alone with another."""
    bob = declared.house.bob
    pointed = await declared.asks(bob, "/incident declare Nobody can pay")

    assert f"INC-1 was declared within the last half hour in #{CHANNEL}: Payments are slow" in pointed
    assert f"{WAYS}\n[Join INC-1] [Declare a separate one]" in pointed
    assert "INC-2 is declared: Nobody can pay" in await declared.presses(bob, "Declare a separate one")
