"""Alert, evidence and card: what is down, whose fault, whether customers are served, who leads, and the buttons."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.model import LEAD, Fault, FeedState, Level, Phase, Severity
from bot.core.record.component_facts import VerdictChanged
from bot.core.record.flag_facts import Released
from bot.core.record.incident_facts import (
    ComponentJoined,
    Declared,
    PhaseChanged,
    RoleChanged,
    SeverityChanged,
    TitleChanged,
)
from bot.core.record.provider_facts import FeedChanged
from bot.core.record.room.room_facts import ChannelRefused
from bot.core.record.sight import SightLost
from bot.ports import Message
from bot.views.incident.alert import alert
from bot.views.incident.card import bookmarks, card, runbook, topic
from bot.views.incident.evidence import evidence
from bot.views.incident.texts import refusal
from bot.views.quiet import quiet, quiet_reply
from tests.stories import ANA, API, BOB, FLAG, MOBILE, OUTBOX, T0, WEB, Story, outage_story
from tests.views.message_checks import buttons, labels, shown, words_above_buttons

MENU = "incident.more"


def alert_of(story: Story) -> Message:
    return alert(story.scene())


def lines(story: Story) -> list[str]:
    """The lines of an alert as people read them."""
    return shown(alert_of(story)).split("\n")


def unserved_story() -> Story:
    """Claude's API is down, the flag is on its default, and GPT is down as well."""
    story = outage_story(5)
    story.add(f"flag/{FLAG}", Released(FLAG, "claude", "by hand"), ANA, 7)
    story.verdict("openai.api", Level.DOWN, "HTTP 500")
    only_gpt = replace(story.policy.flags[FLAG], fallbacks=story.policy.flags[FLAG].fallbacks[:1], aliases={"gpt": "GPT"})
    story.policy = replace(story.policy, flags={FLAG: only_gpt})
    return story


# --- the four lines


def test_notification_says_what_is_down_and_whose_fault_it_is() -> None:
    """It is the alert's first line."""
    assert "🔴 SEV2 · Claude API down. It's Claude, not us." == alert_of(outage_story(5)).text


def test_second_line_says_by_what_customers_are_served() -> None:
    """Everybody asks that next."""
    second = lines(outage_story(5))[1]

    assert second.startswith("Customers are served: *support chat* switched to *gpt* at <!date^")
    assert second.endswith("(automatic).")


def test_unserved_customers_come_first_with_the_reason() -> None:
    """In bold, and with the reason why nothing was switched."""
    assert "*Support chat is failing.* No fallback is healthy: GPT is down too." == lines(unserved_story())[1]


def test_failing_fallback_does_not_count_as_serving() -> None:
    """A switch alone does not help customers."""
    story = outage_story(5)
    story.verdict("openai.api", Level.DOWN, "HTTP 500")

    assert "*Support chat is failing.* It is on *gpt*, and OpenAI API is down too." == lines(story)[1]


def test_alert_names_the_switch_that_people_could_make() -> None:
    """Automation leaves it to people here."""
    story = outage_story(5)
    story.add(f"flag/{FLAG}", Released(FLAG, "claude", "by hand"), ANA, 7)

    assert "*Support chat is failing.* It can be switched to *gpt*." == lines(story)[1]


def test_alert_without_flags_says_that_nothing_was_switched() -> None:
    """People look for the answer there."""
    story = outage_story(5)
    story.policy = replace(story.policy, flags={})

    assert "No flag depends on it, so nothing was switched." == lines(story)[1]


def test_released_flag_is_served_as_usual_while_others_fail() -> None:
    """Two of three components still fail, but none that customers use."""
    story = outage_story(140)
    story.policy = replace(story.policy, flags={FLAG: story.policy.flags[FLAG]})

    assert "*Support chat* is served as usual." == lines(story)[1]


def test_third_line_gives_start_vendor_status_and_channel() -> None:
    """In short form; the evidence has the vendor's full words."""
    page = "<https://status.anthropic.example/|Claude's status page>"

    assert lines(outage_story(5))[2].endswith(f" · {page} shows no problem yet · <#C0INC7>")
    assert lines(outage_story(50))[2].endswith(f" · {page}: “Requests fail on all surfaces” (investigating) · <#C0INC7>")


def test_alert_says_if_the_status_page_cannot_be_read() -> None:
    """No news is not good news."""
    story = outage_story(5)
    story.add("provider/anthropic", FeedChanged("anthropic", FeedState.STALE, "HTTP 503"))

    assert "Claude's status page> cannot be read ·" in lines(story)[2]


def test_fourth_line_names_the_lead_or_says_that_nobody_leads() -> None:
    """First nobody, then the person who acknowledged, then the person who was given the lead."""
    story = outage_story(20)
    story.add("incident/7", RoleChanged(LEAD, None, BOB), ANA)

    assert "*Nobody has acknowledged this.*" == lines(outage_story(5))[3]
    assert lines(outage_story(20))[3].startswith("Acknowledged by <@U0ANA> at <!date^")
    assert "Lead: <@U0BOB>" == lines(story)[3]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault.OURS_KEY, "It's us: Claude refuses our key."),
        (Fault.OURS_QUOTA, "It's us: our quota is used up."),
        (Fault.LOCAL, "It's us: our own network or machine."),
        (Fault.UNCLEAR, "Not clear yet whether it's Claude or us."),
    ],
)
def test_alert_says_if_the_fault_is_ours(fault: Fault, words: str) -> None:
    """A refused API key is no outage of the vendor's."""
    story = outage_story(5)
    story.add(f"component/{API}", VerdictChanged(API, Level.DOWN, Level.DOWN, "HTTP 401", fault, (), T0))

    assert words in lines(story)[0]


def test_alert_says_if_the_bot_is_blind() -> None:
    """The rest of the alert may be outdated."""
    story = outage_story(5)
    story.add("sight", SightLost("no name resolves", T0, "sight/1"))

    assert lines(story)[4].startswith("*We have been blind* since")


def test_alert_of_an_incident_without_checks_blames_nobody() -> None:
    """Nobody can tell whose fault it is."""
    story = outage_story(-1)
    body = Declared(7, "Payments are slow", Severity.SEV4, "", "declared/7", (), T0, "declared by ana", "#ops")
    story.at(1).add("incident/7", body, ANA)

    assert "🟠 SEV4 · Payments are slow." == alert_of(story).text


@pytest.mark.parametrize("minute", [4, 5, 20, 50, 109, 160, 1000])
def test_alert_fits_one_phone_screen(minute: int) -> None:
    """At most 60 words above the buttons, at every hour of a long night."""
    assert words_above_buttons(alert_of(outage_story(minute))) <= 60


def test_recovered_alert_says_so_first() -> None:
    """Green, also in words, and since when."""
    story = outage_story(160)

    assert "🟢 SEV2 · Claude API, claude.ai and Claude mobile are back (since 15:09 UTC)." == alert_of(story).text
    assert "Customers are served as usual." == lines(story)[1]


def test_recovered_alert_keeps_a_persons_title() -> None:
    """The declarer recognizes the incident by its title."""
    story = outage_story(160)
    story.add("incident/7", TitleChanged(story.incident().title, "Nobody can chat"), ANA)

    said = "🟢 SEV2 · Nobody can chat. Claude API, claude.ai and Claude mobile are back (since 15:09 UTC)."
    assert said == alert_of(story).text


def test_alert_older_than_midnight_names_the_day() -> None:
    """`since 12:40` would be wrong the next morning."""
    story = outage_story(5)
    story.now += timedelta(days=1)

    assert lines(story)[2].startswith("Since <!date^1774010400^{date_short_pretty} {time}|2026-03-20 12:40 UTC>")


# --- buttons


def test_buttons_are_ordered_by_likely_use() -> None:
    """Acknowledge comes first; rare actions are in the menu."""
    rare = "⋯ Switch back…, Resolve…, Change phase…, Change severity…, No incident, or merge…"

    assert ["Acknowledge", "Post update", "Evidence", rare] == labels(alert_of(outage_story(5)))


def test_each_buttons_value_names_its_incident_and_flag() -> None:
    """A press needs nothing that its message does not hold."""
    made = buttons(alert_of(outage_story(5)))

    assert {"incident": 7} == made["incident.ack"]
    assert {"do": "resolve", "incident": 7} == made[MENU]["Resolve…"]


def test_switch_waiting_for_approval_is_the_first_button() -> None:
    """Customers wait for it."""
    story = outage_story(5)
    story.add(f"flag/{FLAG}", Released(FLAG, "claude", "by hand"), ANA, 7)
    made = alert_of(story)

    assert "Switch support chat to gpt" == labels(made)[0]
    assert {"flag": FLAG, "variant": "gpt", "incident": 7} == buttons(made)[f"flag.engage:{FLAG}"]


def test_flag_has_a_button_only_while_a_fallback_is_healthy() -> None:
    """The alert must not offer what would be refused."""
    assert f"flag.engage:{FLAG}" not in buttons(alert_of(unserved_story()))


def test_recovered_flag_has_no_switch_button() -> None:
    """Nobody should switch it by mistake."""
    story = outage_story(160)

    assert f"flag.engage:{FLAG}" not in buttons(alert_of(story))


def test_switch_back_button_is_offered_while_it_is_proposed() -> None:
    """With the share that goes back first, and the variant."""
    assert "Send 10 % of support chat back to claude" == labels(alert_of(outage_story(109)))[0]


def test_recovered_alert_has_a_resolve_button() -> None:
    """It moves out of the menu."""
    assert "Resolve" in labels(alert_of(outage_story(160)))
    assert "Resolve…" not in buttons(alert_of(outage_story(160)))[MENU]


def test_resolved_alert_is_a_record_of_what_happened() -> None:
    """What it was, how long it took, and who resolved it why."""
    made = alert_of(outage_story())

    assert "🟢 INC-7 resolved after 3 h 10 min · Claude API down" == made.text
    assert "ended by <@U0ANA>: vendor confirms the fix." in shown(made)
    assert "The vendor's first word came 45 min after the first failure." in shown(made)


def test_resolved_alert_offers_reopening_and_the_timeline() -> None:
    """No other button is left."""
    assert ["Reopen", "Export timeline"] == labels(alert_of(outage_story()))


def test_canceled_incident_is_not_called_resolved() -> None:
    """A false alarm says so."""
    story = outage_story(5)
    story.add("incident/7", PhaseChanged(Phase.MITIGATED, Phase.CANCELED, "cancel", "false-alarm"), ANA)

    assert "⚪ INC-7 canceled · Claude API down. It was a false alarm (by <@U0ANA>, 12:44 UTC)." == alert_of(story).text


@pytest.mark.parametrize(("phase", "move"), [(Phase.CANCELED, "cancel"), (Phase.CLOSED, "close")])
def test_incident_that_cannot_be_reopened_has_no_reopen_button(phase: Phase, move: str) -> None:
    """A button must not promise what LEGAL refuses."""
    story = outage_story()
    story.add("incident/7", PhaseChanged(Phase.RESOLVED, phase, move, "duplicate"), ANA)

    assert "incident.reopen" not in buttons(alert_of(story))


# --- evidence


def test_evidence_names_the_error_and_the_request_id() -> None:
    """People send both to the vendor's support."""
    text = shown(evidence(outage_story(5).scene()))

    assert "Inference: 3 of 5 checks failed: HTTP 502.\n• inference: status 502\n• inference: request_id req_0042" in text


def test_evidence_quotes_the_vendor_and_its_lag() -> None:
    """In the vendor's own words, once the status page says something."""
    text = shown(evidence(outage_story(50).scene()))

    assert "We are investigating the cause. The vendor's first word came 45 min after the first failure." in text


def test_evidence_lists_the_worst_components_first() -> None:
    """Down before degraded before operational."""
    text = shown(evidence(outage_story(109).scene()))

    assert text.index("🔴 *Claude mobile*: down") < text.index("🟠 *claude.ai*: degraded") < text.index("🟢 *Claude API*")


# --- the card and the channel


def test_card_starts_like_the_alert() -> None:
    """People who come from the alert find the same words."""
    story = outage_story(20)

    assert shown(card(story.scene())).startswith(shown(alert_of(story)))


def test_card_shows_the_next_update_and_recovered_components() -> None:
    """So that people who open the channel know the state."""
    text = shown(card(outage_story(109).scene()))

    assert "🟢 *Claude API*: operational again since" in text
    assert "🟠 *claude.ai*: degraded since" in text


def test_card_names_the_services_that_read_the_flag() -> None:
    """A switch that no service reads helps nobody."""
    text = shown(card(outage_story(20).scene(), readers={FLAG: 3}))

    assert "*support chat*: gpt until <!date^" in text and "at the latest · read by 3 clients" in text


def test_card_names_the_flags_that_lose_this_fallback() -> None:
    """Another outage may depend on this provider as its fallback."""
    story = outage_story(5)
    story.verdict("openai.api", Level.DOWN, "HTTP 500")
    body = Declared(8, "OpenAI API down", Severity.SEV2, "openai", "openai", ("openai.api",), T0, "HTTP 500", "#ops")
    story.add("incident/8", body)
    story.add("incident/8", ComponentJoined("openai.api", Level.DOWN, "HTTP 500"))

    assert "Not usable as a fallback meanwhile: gpt of support chat." in shown(card(story.scene(8)))


@pytest.mark.parametrize("minute", [4, 5, 20, 50, 109, 160, 1000])
def test_card_stays_under_250_words(minute: int) -> None:
    """People read it on phones, too."""
    assert words_above_buttons(card(outage_story(minute).scene())) < 250


def test_topic_is_plain_text_in_utc() -> None:
    """State, lead, next update and title, without anything that Slack would read as markup."""
    story = outage_story(5, title="<!channel> down & out")

    assert "🔴 SEV2 · no lead yet · next update 13:43 UTC · ‹!channel› down + out" == topic(story.scene())


def test_topic_names_the_lead() -> None:
    """So that people know whom to ask."""
    assert topic(outage_story(20).scene()).startswith("🔴 SEV2 · no lead yet · next update")


def test_topic_without_a_cadence_says_so() -> None:
    """At SEV4 updates come on change."""
    story = outage_story(5)
    story.add("incident/7", SeverityChanged(Severity.SEV2, Severity.SEV4, "nobody notices"), ANA)

    assert "🔴 SEV4 · no lead yet · updates on change · Claude API down" == topic(story.scene())


def test_topic_of_a_resolved_incident_says_so() -> None:
    """Nobody should wait for an update there."""
    assert "🟢 SEV2 · resolved · Claude API down" == topic(outage_story().scene())


def test_bookmarks_link_status_page_runbook_and_board() -> None:
    """The board only if it has an address."""
    story = outage_story(5)
    page = ("Claude status page", "https://status.anthropic.example/")
    book = ("Runbook: Claude API", "https://wiki.example/claude")

    assert [page, book] == bookmarks(story.incident(), story.policy)
    assert ("Board", "https://b.example") == bookmarks(story.incident(), story.policy, board_url="https://b.example")[-1]


def test_runbook_is_a_checklist() -> None:
    """Each step can be ticked off."""
    story = outage_story(5)
    made = runbook(story.incident(), story.policy, [API])

    assert made is not None
    assert "☐ 1. Open the board\n☐ 2. Tell the support team" in shown(made)


def test_incident_without_runbook_has_no_checklist() -> None:
    """An empty checklist would be noise."""
    story = outage_story(5)
    bare = {id: replace(c, runbook_steps=(), runbook_url="") for id, c in story.policy.components.items()}

    assert runbook(story.incident(), replace(story.policy, components=bare), [API]) is None


def test_refused_channel_message_says_why_and_what_to_do() -> None:
    """Where the incident goes on, and how the next one can get a channel."""
    story = outage_story(3)
    made = refusal(story.incident(), "Slack refused: restricted_action", story.policy)

    assert "INC-7 has no channel of its own: Slack refused: restricted_action" == made.text
    assert "continues in the thread under its alert in #ops" in shown(made)
    assert "an owner can allow it" in shown(made)


def test_alert_without_a_channel_points_to_its_thread() -> None:
    """It also gives the id to type in commands."""
    story = outage_story(3)
    story.add("incident/7", ChannelRefused("Slack refused: restricted_action"), OUTBOX)

    assert lines(story)[2].endswith("INC-7, in this thread (it has no channel)")


# --- quiet threads


def test_quiet_thread_has_buttons_for_evidence_and_declaring() -> None:
    """A degraded component opens no incident by itself, but a person may want one."""
    story = outage_story(-1)
    story.at(1).verdict(WEB, Level.DEGRADED, "front: slow", ("front: status 504",))
    fact = story.facts[-1]
    made = quiet(fact, story.world, story.policy)

    assert "🟠 claude.ai is degraded (since 12:40 UTC)" == made.text
    assert f"Evidence: `/health {WEB}`" in shown(made)
    assert {f"incident.declare:{WEB}": {"component": WEB}} == buttons(made)


def test_quiet_thread_gets_a_reply_when_it_is_over() -> None:
    """The reply is one line."""
    story = outage_story(-1)
    story.at(1).verdict(MOBILE, Level.DEGRADED, "front: slow")
    story.at(9).verdict(MOBILE, Level.OPERATIONAL, "5 of 5 checks passed")

    reply = quiet_reply(story.facts[-1], story.world, story.policy)
    assert "🟢 Claude mobile is operational again (since 12:48 UTC)" == reply.text
