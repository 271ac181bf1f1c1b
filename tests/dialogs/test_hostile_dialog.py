"""Hostile texts: from people, from vendors, and in the answers of a broken service."""

from typing import Any

import pytest

from bot.sandbox.slack import Message
from tests.dialogs.talk import Talk

CHANNEL = "inc-20260320-0001-claude"
LOUD = "<!channel> <!here> <!subteam^S1|@oncall> <@U1> <https://evil.example|click> *bold* ```code"
# Texts that would take effect if they reached a message unescaped.
LIVE = ("<!channel", "<!here", "<!subteam", "<@U1>", "<https://evil", "\x00", "\u202e", "```")


def live(messages: list[Message]) -> list[str]:
    """Every dangerous piece of text that appears unescaped where Slack reads markup."""

    def texts(part: Any) -> list[str]:
        if isinstance(part, list):
            return [text for each in part for text in texts(each)]
        if not isinstance(part, dict):
            return []
        mine = [str(part["text"])] if part.get("type") == "mrkdwn" else []
        return mine + [text for each in part.values() for text in texts(each)]

    every = [text for m in messages for text in [m.text, *texts(m.blocks)]]
    return [f"{piece!r} in {text[:80]!r}" for text in every for piece in LIVE if piece in text]


def everything(talk: Talk) -> list[Message]:
    """All that the bot ever said, in public or to one person."""
    bot = talk.house.workspace.bot_user_id
    aloud = [m for channel in talk.house.workspace.team.channels.values() for m in channel.messages if m.user == bot]
    return [m for m in [*aloud, *talk.house.workspace.team.ephemerals] if not m.subtype]


async def test_markup_typed_by_people_is_shown_as_text(talk: Talk) -> None:
    """Title, update, note, reasons and flags appear as typed, and nobody is mentioned."""
    ana = talk.house.ana
    await talk.asks(ana, f"/incident declare Trouble {LOUD}")
    await talk.house.quiet()
    assert "SEV2 · Trouble <!channel> <!here> <!subteam^S1|@oncall>" in talk.shows(talk.said("ops")[-1])
    for words in ("update", "note", "severity sev1", "phase identified", "resolve", "reopen", f"{LOUD}", "show", "timeline"):
        await talk.asks(ana, f"/incident {words} {LOUD}")
    for words in ("engage", "engage support-chat.llm", "release support-chat.llm", f"{LOUD}"):
        await talk.asks(ana, f"/fallback {words} {LOUD}")
    await talk.asks(ana, f"/health {LOUD}")
    await talk.asks(ana, f"/incident declare Claude API {LOUD}")
    await talk.asks(ana, "/incident declare Claude API once more")
    await talk.asks(ana, "/incident ack")
    await talk.asks(ana, "/incident list all")
    await talk.house.quiet()

    assert [] == live(everything(talk))
    assert "<!channel> <!here>" in ana.sees("ops")


async def test_markup_typed_into_a_form_is_shown_as_text(talk: Talk) -> None:
    """Slack delivers form fields unescaped; the bot must escape what it posts."""
    ana = talk.house.ana
    await ana.types("/incident declare")
    await ana.waits_for("== Declare incident ==")
    await ana.submits({"What is wrong?": LOUD})
    await ana.waits_for("INC-1 is declared:")
    await talk.house.quiet()

    assert [] == live(everything(talk))
    assert "SEV2 · <!channel> <!here> <!subteam^S1|@oncall>" in talk.shows(talk.said("ops")[-1])


async def test_markup_in_a_vendors_notice_is_shown_as_text(outage: Talk) -> None:
    """Forty thousand characters with mentions are cut, quoted and inert, and everything else still fits."""
    body = (LOUD + " words of the vendor \x00 \u202e backwards\n") * 400
    update = {"id": "u1", "status": "investigating", "body": body[:40_000], "created_at": "2026-03-20T12:05:00Z"}
    outage.house.vendor.page["incidents"] = [
        {"id": "n1", "name": LOUD * 20, "status": "investigating", "impact": LOUD, "shortlink": "javascript:alert(1)",
         "components": [{"id": "p-api"}], "incident_updates": [update]}
    ]  # fmt: skip
    await outage.house.passes(minutes=4)
    await outage.asks(outage.house.ana, "/health claude")
    await outage.house.passes(minutes=60)
    await outage.house.quiet()

    assert [] == live(everything(outage))
    notice = next(said for said in outage.said(CHANNEL, "(investigating") if "On the page" in outage.shows(said))
    assert "> <!channel> <!here>" in outage.shows(notice)
    assert len(outage.shows(notice)) < 4_000
    assert "Claude's status page: “" in outage.alert()
    assert "[Acknowledge]" in outage.alert()
    assert outage.said(CHANNEL, "Update 1 of INC-1")


async def test_markup_in_a_services_answer_is_quoted_as_evidence(talk: Talk) -> None:
    """What a failing server sends back has no effect in Slack."""
    talk.house.vendor.answers["anthropic.api"] = 502
    await talk.house.passes(minutes=2)
    await talk.house.quiet()

    assert [] == live(everything(talk))
    assert 'front: excerpt {"path": "/anthropic/api"}' in talk.evidence()


@pytest.mark.parametrize(
    ("title", "channel"),
    [
        ("🔥🔥🔥", "inc-20260320-0001-incident"),
        ("¿Qué pasó? Ñandú & Co.", "inc-20260320-0001-que-paso-nandu-co"),
        ("支払いが遅い", "inc-20260320-0001-incident"),
        ("\u202eevil\u202c title", "inc-20260320-0001-evil-title"),
        ("A_B.C/D:E #general", "inc-20260320-0001-a-b-c-d-e-general"),
        ("nul\x00 and \x07bell", "inc-20260320-0001-nul-and-bell"),
        ("x" * 300, f"inc-20260320-0001-{'x' * 40}"),
    ],
)
async def test_any_title_gives_a_valid_channel_name(talk: Talk, title: str, channel: str) -> None:
    """Slack allows few characters; the number keeps the names unique."""
    await talk.asks(talk.house.ana, f"/incident declare {title}")
    await talk.house.quiet()

    assert channel == talk.house.incident_channel
    assert talk.cards(channel)
    assert "\u202e" not in talk.house.ana.sees()


async def test_endless_update_is_cut_in_slack_and_whole_in_the_timeline(talk: Talk) -> None:
    """Slack accepts long texts from people, but the bot's message has a limit."""
    ana = talk.house.ana
    await talk.asks(ana, "/incident declare Payments are slow")
    answer = await talk.asks(ana, "/incident update " + "long words " * 3_600)
    await talk.house.quiet()

    assert "Update 1 of INC-1 is written." == answer
    update = talk.said(talk.house.incident_channel, "Update 1 of INC-1")[-1]
    assert "long words long words" in talk.shows(update)
    assert "…" in talk.shows(update)
    assert "Next update by" in talk.shows(update)


async def test_secret_in_a_note_is_hidden(talk: Talk) -> None:
    """The bot does not repeat a token that somebody pasted."""
    ana = talk.house.ana
    await talk.asks(ana, "/incident declare Payments are slow")
    await talk.asks(ana, "/incident note the key is xoxb-1234567890-abcdefghij and sk-ant-REDACTED")
    await talk.asks(ana, "/incident timeline")
    await talk.house.quiet()

    assert "xoxb-1234567890" not in ana.sees()
    assert "sk-ant-api03" not in ana.sees()
    assert "the key is [secret] and [secret]" in ana.sees()
