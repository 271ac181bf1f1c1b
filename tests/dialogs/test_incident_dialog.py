"""`/incident`: three ways to declare, every verb, and the replies to mistyped commands."""

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
    """Ana has declared an incident that no check sees."""
    await talk.asks(talk.house.ana, "/incident declare Payments are slow")
    await talk.house.quiet()
    return talk


# --- declaring


async def test_declaring_links_to_the_channel_and_adds_the_declarer(declared: Talk) -> None:
    """#ops sees who declared the incident."""
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
    """Both are read from the words of the command; the component's runbook is posted."""
    await talk.asks(talk.house.ana, "/incident declare Claude API answers slowly sev3")
    await talk.house.quiet()
    channel = "inc-20260320-0001-claude-api-answers-slowly"

    assert "🟠 SEV3 · Claude API answers slowly.\nSupport chat is served as usual.\n" in talk.alert()
    assert "🟢 Claude API: operational." in talk.evidence()
    assert "operational again" not in talk.house.ana.sees()
    assert talk.said(channel, "Runbook")


@BOTH_WAYS
async def test_declaring_without_a_title_opens_a_form(declared: Talk) -> None:
    """The form lists open incidents and asks for fields that were left empty."""
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


async def test_form_points_to_an_open_incident_of_the_same_provider(outage: Talk) -> None:
    """The form closes; its words come back with two buttons: join, or declare separately."""
    ana = outage.house.ana
    await ana.types("/incident declare")
    await ana.waits_for("== Declare incident ==")
    await ana.submits({"What is wrong?": "claude.ai too", "What is affected?": "claude.ai"})
    await ana.waits_for("INC-1 is already open for Claude in #inc-20260320-0001-claude: Claude API is down")

    assert "INC-2 is declared: claude.ai too" in await outage.presses(ana, "Declare a separate one")


OPEN = "INC-1 is already open for Claude in #inc-20260320-0001-claude: Claude API is down"
WAYS = "Or type /incident join INC-1, or /incident declare separate TITLE."


@BOTH_WAYS
async def test_declaring_a_known_outage_offers_to_join_it(outage: Talk) -> None:
    """Bob declares an outage that people already work on: one press adds him to the channel, and it is recorded."""
    bob, channel = outage.house.bob, outage.house.workspace.channel("inc-20260320-0001-claude")
    pointed = await outage.asks(bob, "/incident declare Claude is broken")
    joined = await outage.presses(bob, "Join INC-1")
    await outage.house.quiet()

    assert f"{OPEN}\n{WAYS}\n[Join INC-1] [Declare a separate one]" == pointed
    assert "You are in INC-1 now. It continues in #inc-20260320-0001-claude." == joined
    assert bob.id in channel.members
    assert [bob.id] == [fact.actor.id for fact in await outage.facts(ResponderJoined)]
    assert outage.said(channel.name, "@bob joined to help.")


async def test_each_of_two_open_incidents_can_be_joined(outage: Talk) -> None:
    """The provider's own and the one that Ana declared separately: Bob chooses the second."""
    ana, bob = outage.house.ana, outage.house.bob
    await outage.asks(ana, "/incident declare separate Claude loses our files")
    await outage.house.quiet()
    pointed = await outage.asks(bob, "/incident declare Claude is broken")
    joined = await outage.presses(bob, "Join INC-2")

    assert "Or type /incident join INC-1, or /incident join INC-2, or /incident declare separate TITLE." in pointed
    assert "[Join INC-1] [Join INC-2] [Declare a separate one]" in pointed
    assert joined.startswith("You are in INC-2 now.")


async def test_api_names_channels_as_people_do(outage: Talk) -> None:
    """Slack's channel reference means nothing to a program or a terminal."""
    app = outage.house.app
    assert app is not None
    headers = {"Authorization": f"Bearer {app.local_token}"}
    async with httpx.AsyncClient(base_url=app.url, headers=headers) as client:
        pointed = await client.post("/api/v1/incidents", json={"title": "Claude is broken"})
        joined = await client.post("/api/v1/incidents/1/join", json={})

    assert (409, "open_already", OPEN) == (pointed.status_code, pointed.json()["code"], pointed.json()["text"])
    assert "You are in INC-1 now. It continues in #inc-20260320-0001-claude." == joined.json()["text"]


async def test_separate_incident_is_declared_by_command_or_button(outage: Talk) -> None:
    """The title keeps its words either way."""
    answer = await outage.asks(outage.house.bob, "/incident declare separate Claude bills us twice")

    assert answer.startswith("INC-2 is declared: Claude bills us twice.")


async def test_form_from_a_channel_without_the_bot_is_answered_directly(talk: Talk) -> None:
    """The reply comes as a direct message."""
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
async def test_every_verb_is_answered_and_announced_in_the_channel(declared: Talk) -> None:
    """A whole incident by hand: each command is answered within a second, and the channel reads like minutes."""
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
    messages = [declared.shows(message) for message in declared.said(CHANNEL)]
    assert story == [text[: len(begin)] for text, begin in zip(messages, story, strict=True)]


async def test_incident_must_be_named_when_several_are_open(declared: Talk) -> None:
    """Outside their channels the bot asks which one; it accepts the name, the number or the channel."""
    ana = declared.house.ana
    await declared.asks(ana, "/incident declare separate Mail is late")
    await declared.house.quiet()

    which = "Which incident? Open are INC-1 (Payments are slow), INC-2 (Mail is late). Name it first, or type in its channel."
    assert which == await declared.asks(ana, "/incident ack")
    assert "INC-2 is yours." == await declared.asks(ana, "/incident ack INC-2")
    assert "Noted in the timeline of INC-1." == await declared.asks(ana, f"/incident note #{CHANNEL} seen")
    assert "There is no INC-9. /incident list all shows every one." == await declared.asks(ana, "/incident show inc-9")


async def test_question_for_the_incident_names_the_newest(declared: Talk) -> None:
    """With many open incidents, it also says where to see all of them."""
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
async def test_synonyms_and_short_forms_are_understood(typed: str, answer: str, declared: Talk) -> None:
    """Other words for a verb, a severity alone, a number alone."""
    assert answer in await declared.asks(declared.house.ana, f"/incident {typed}")


async def test_bare_number_names_its_incident(declared: Talk) -> None:
    """Also in another incident's channel, which stays unchanged; a number that may be a reason or a text stays one."""
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
    """As people say it aloud."""
    ana = declared.house.ana
    await declared.asks(ana, "/incident declare separate Mail is late")
    assert (await declared.asks(ana, "/incident merge 2 into 1")).startswith("INC-2 is part of INC-1 now")


async def test_verbs_say_so_when_no_incident_is_open(talk: Talk) -> None:
    """The bot must not guess which incident was meant."""
    for verb in ("ack", "update all good", "note x", "resolve", "timeline", "show"):
        assert "No incident is open." == await talk.asks(talk.house.ana, f"/incident {verb}")


async def test_provider_has_one_open_incident(outage: Talk) -> None:
    """Declaring again points to the first incident and creates nothing."""
    answer = await outage.asks(outage.house.bob, "/incident declare Claude API is broken")

    assert f"{OPEN}\n{WAYS}\n[Join INC-1] [Declare a separate one]" == answer
    assert 1 == len(await outage.facts(Declared))


async def test_updates_name_people_instead_of_their_ids(declared: Talk) -> None:
    """Mentions, ampersands and links read as they were typed, and mention nobody."""
    words = "@bob & I see <500> at #ops"
    await declared.asks(declared.house.ana, f"/incident update {words}", channel=CHANNEL)
    await declared.house.quiet()

    update = declared.said(CHANNEL, "Update 1 of INC-1")[0]
    assert f"> {words}" in declared.shows(update)
    assert declared.house.bob.id not in str(update.blocks) + update.text
    [fact] = await declared.facts(UpdateWritten)
    assert isinstance(fact.body, UpdateWritten)
    assert words == fact.body.text


async def test_resolved_incident_can_be_reopened_and_exported(declared: Talk) -> None:
    """Reopening is a button that asks for the reason; the export stays available."""
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


async def test_commands_work_with_the_manifests_prefix(house: House) -> None:
    """A workspace that has /us-incident gets help under that name."""
    assert house.workspace.team.commands["/incident"].should_escape
    spec = house.workspace.team.commands["/incident"]
    house.workspace.team.commands["/us-incident"] = spec
    answer = await Talk(house).asks(house.ana, "/us-incident")

    assert answer.startswith("/us-incident: Declare and run an incident")
    assert "• /us-incident ack [INC-7]: acknowledge it: you are working on it" in answer


async def test_second_declarer_is_shown_the_incident_declared_just_before(declared: Talk) -> None:
    """Bob gives the same outage another title: he may join Ana's incident, or declare his own."""
    bob = declared.house.bob
    pointed = await declared.asks(bob, "/incident declare Nobody can pay")

    assert f"INC-1 was declared within the last half hour in #{CHANNEL}: Payments are slow" in pointed
    assert f"{WAYS}\n[Join INC-1] [Declare a separate one]" in pointed
    assert "INC-2 is declared: Nobody can pay" in await declared.presses(bob, "Declare a separate one")
