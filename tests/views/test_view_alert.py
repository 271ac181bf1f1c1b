"""Alert, card and their furniture say what happened, since when, what we did and what one can do."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.model import Fault, FeedState, Level, Phase, Severity
from bot.core.record.component_facts import VerdictChanged
from bot.core.record.flag_facts import Released
from bot.core.record.incident_facts import ChannelRefused, PhaseChanged, SeverityChanged
from bot.core.record.provider_facts import FeedChanged
from bot.ports import Message
from bot.views.incident.alert import alert
from bot.views.incident.card import bookmarks, card, runbook, topic
from bot.views.incident.texts import refusal
from bot.views.quiet import quiet, quiet_reply
from tests.stories import ANA, API, FLAG, MOBILE, OUTBOX, T0, WEB, Story, outage_story
from tests.views.message_checks import buttons, shown


def alert_of(story: Story) -> Message:
    return alert(story.scene(), board_url="https://board.example/")


def test_an_alert_leads_with_what_fails_and_since_when() -> None:
    """A phone shows only the text."""
    expected = "INC-7 SEV2 mitigated: Claude API down, since 12:40 UTC. support-chat.llm uses gpt"

    assert expected == alert_of(outage_story(5)).text


@pytest.mark.parametrize(
    "words",
    [
        "*Claude API*: down since",
        "3 of the last 5 runs failed: HTTP 502",
        "inference: request_id req_0042",
        "theirs: the provider fails",
        "Claude's status page> says nothing about this",
        "Which provider answers the support chat",
        "on *gpt* instead of *claude*",
        "by the rule “fallback automation”",
        "nobody has acknowledged it yet",
        "Channel: <#C0INC7>",
        "<https://board.example/|Board>",
    ],
)
def test_an_alert_tells_the_whole_story(words: str) -> None:
    """Evidence, whose fault, the vendor's words, services, switches, people, channel."""
    assert words in shown(alert_of(outage_story(5)))


def test_an_alert_quotes_the_vendor_and_its_lag() -> None:
    """Once the page says something, so does the alert."""
    text = shown(alert_of(outage_story(50)))

    assert "says “Requests fail on all surfaces” (investigating" in text
    assert "The vendor's first word came 45 min after the first failure." in text


def test_an_alert_says_when_the_page_cannot_be_read() -> None:
    """No news is not good news."""
    story = outage_story(5)
    story.add("provider/anthropic", FeedChanged("anthropic", FeedState.STALE, "HTTP 503"))

    assert "cannot be read at present (HTTP 503); before that it said nothing about this" in shown(alert_of(story))


def test_an_alert_names_our_own_fault() -> None:
    """A refused key is no outage of theirs."""
    story = outage_story(5)
    body = VerdictChanged(API, Level.DOWN, Level.DOWN, "HTTP 401", Fault.OURS_KEY, (), T0)
    story.add(f"component/{API}", body)

    assert "ours: the provider refuses our key" in shown(alert_of(story))


def test_buttons_of_an_open_alert() -> None:
    """Acknowledge, switch, hand back, end; each carries what it is about."""
    assert {
        "incident.ack": {"incident": 7},
        f"flag.release:{FLAG}": {"flag": FLAG, "incident": 7},
        "incident.resolve": {"incident": 7, "force": True},
    } == buttons(alert_of(outage_story(5)))
    assert {
        f"flag.step_back:{FLAG}": {"flag": FLAG, "incident": 7},
        f"flag.release:{FLAG}": {"flag": FLAG, "incident": 7},
        "flag.engage:search.rerank": {"flag": "search.rerank", "variant": "off", "approves": True, "incident": 7},
        "incident.resolve": {"incident": 7, "force": True},
    } == buttons(alert_of(outage_story(109)))


def test_a_flag_that_could_be_switched_has_a_button_only_while_a_fallback_is_well() -> None:
    """Nothing is offered that would be refused."""
    story = outage_story(5)
    story.add(f"flag/{FLAG}", Released(FLAG, "claude", "by hand"), ANA, 7)
    assert {"flag": FLAG, "variant": "gpt", "incident": 7} == buttons(alert_of(story))[f"flag.engage:{FLAG}"]

    story.verdict("openai.api", Level.DOWN, "HTTP 500")
    assert "cached" == buttons(alert_of(story))[f"flag.engage:{FLAG}"]["variant"]

    only_gpt = replace(story.policy.flags[FLAG], fallbacks=story.policy.flags[FLAG].fallbacks[:1])
    story.policy = replace(story.policy, flags={FLAG: only_gpt})
    assert f"flag.engage:{FLAG}" not in buttons(alert_of(story))


def test_resolving_asks_and_says_who_is_affected() -> None:
    """What still fails and who is on a fallback stands in the question."""
    rows = [block for block in alert_of(outage_story(20)).blocks if block["type"] == "actions"]
    question = next(b["confirm"] for b in rows[0]["elements"] if b["action_id"] == "incident.resolve")

    assert "Still not well: Claude API, claude.ai and Claude mobile." in question["text"]["text"]
    assert f"Still on a fallback: {FLAG}." in question["text"]["text"]


def test_a_resolved_alert_is_a_line_of_record() -> None:
    """Who ended it, why, how long it took; the only button leads back."""
    made = alert_of(outage_story())

    assert "INC-7 resolved at 15:50 UTC after 3 h 10 min: Claude API down" == made.text
    assert "by <@U0ANA>: vendor confirms the fix" in shown(made)
    assert {"incident.reopen": {"incident": 7}} == buttons(made)


def test_a_canceled_incident_is_not_called_resolved() -> None:
    """A false alarm says so, and cannot be reopened."""
    story = outage_story(5)
    story.add("incident/7", PhaseChanged(Phase.MITIGATED, Phase.CANCELED, "cancel", "false-alarm"), ANA)
    made = alert_of(story)

    assert "INC-7 was canceled at 12:44 UTC (false-alarm): Claude API down" == made.text
    assert {} == buttons(made)


def test_a_closed_incident_cannot_be_reopened() -> None:
    """No button promises what LEGAL refuses."""
    story = outage_story()
    story.add("incident/7", PhaseChanged(Phase.RESOLVED, Phase.CLOSED, "close", "written up"), ANA)

    assert {} == buttons(alert_of(story))


def test_a_card_tells_the_next_update_and_what_came_back() -> None:
    """Whoever opens the channel sees how it stands."""
    story = outage_story(109)
    text = shown(card(story.scene()))

    assert "2 updates so far, next update by <!date^" in text
    assert "*Claude API*: operational again since" in text
    assert "*claude.ai*: degraded since" in text


def test_a_topic_is_plain_and_in_utc() -> None:
    """Severity, phase, next update, then the title without anything that Slack would read as markup."""
    story = outage_story(5, title="<!channel> down & out")

    expected = "INC-7 · SEV2 · mitigated · next update by 13:43 UTC · ‹!channel› down + out"
    assert expected == topic(story.scene())


def test_a_topic_without_cadence_says_so() -> None:
    """At SEV4 updates come on change."""
    story = outage_story(5)
    story.add("incident/7", SeverityChanged(Severity.SEV2, Severity.SEV4, "nobody notices"), ANA)

    assert "INC-7 · SEV4 · mitigated · updates on change · Claude API down" == topic(story.scene())


def test_bookmarks_lead_to_the_page_the_runbook_and_the_board() -> None:
    """The board only where it has an address."""
    story = outage_story(5)
    page = ("Claude status page", "https://status.anthropic.example/")
    book = ("Runbook: Claude API", "https://wiki.example/claude")

    assert [page, book] == bookmarks(story.incident(), story.policy)
    assert ("Board", "https://b.example") == bookmarks(story.incident(), story.policy, board_url="https://b.example")[-1]


def test_a_runbook_is_a_checklist() -> None:
    """Each step can be ticked off."""
    story = outage_story(5)
    made = runbook(story.incident(), story.policy)

    assert made is not None
    assert "☐ 1. Open the board\n☐ 2. Tell the support team" in shown(made)


def test_no_runbook_is_no_message() -> None:
    """An empty checklist would be noise."""
    story = outage_story(5)
    bare = {id: replace(c, runbook_steps=(), runbook_url="") for id, c in story.policy.components.items()}

    assert runbook(story.incident(), replace(story.policy, components=bare)) is None


def test_a_refused_channel_says_why_and_what_to_do() -> None:
    """Where the incident goes on, and how the next one gets its channel."""
    story = outage_story(3)
    made = refusal(story.incident(), "Slack refused: restricted_action", story.policy)

    assert "INC-7 has no channel of its own: Slack refused: restricted_action" == made.text
    assert "goes on in the thread under its alert in #ops" in shown(made)
    assert "an owner can allow it" in shown(made)
    story.add("incident/7", ChannelRefused("Slack refused: restricted_action"), OUTBOX)
    assert "No channel of its own, go on in the thread here: Slack refused" in shown(alert_of(story))


def test_a_quiet_thread_has_evidence_and_a_way_to_declare() -> None:
    """Degraded is no incident by itself; a person may think otherwise."""
    story = outage_story(-1)
    story.at(1).verdict(WEB, Level.DEGRADED, "front: slow", ("front: status 504",))
    fact = story.facts[-1]
    made = quiet(fact, story.world, story.policy)

    assert "claude.ai: degraded since 12:40 UTC" == made.text
    assert "front: status 504" in shown(made)
    assert {f"incident.declare:{WEB}": {"component": WEB}} == buttons(made)


def test_a_quiet_thread_hears_that_it_is_over() -> None:
    """The reply is one line."""
    story = outage_story(-1)
    story.at(1).verdict(MOBILE, Level.DEGRADED, "front: slow")
    story.at(9).verdict(MOBILE, Level.OPERATIONAL, "5 of the last 5 runs were fine")

    assert "Claude mobile: operational again since 12:48 UTC" == quiet_reply(story.facts[-1], story.world, story.policy).text


def test_a_running_alert_over_midnight_names_the_day() -> None:
    """`since 12:40 UTC` would lie the next morning."""
    story = outage_story(5)
    story.now += timedelta(days=1)

    assert "since 2026-03-20 12:40 UTC" in alert_of(story).text
