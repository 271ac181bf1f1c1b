"""The hourly update and the summary."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from bot.core.model import Actor, Notice, Phase, Severity
from bot.core.record.fact import Fact
from bot.core.record.incident_facts import (
    NoteAdded,
    PhaseChanged,
    SeverityChanged,
    TitleChanged,
)
from bot.core.record.provider_facts import NoticeSeen
from bot.core.record.room.room_facts import Posted
from bot.ports import Message
from bot.views.incident.updates import summary, update
from tests.stories import ANA, API, CLAUDE, T0, Story, outage_story
from tests.views.message_checks import labels, shown, words_above_buttons


def update_of(story: Story, *, text: str = "", missed: int = 0, since: Sequence[Fact] | None = None) -> Message:
    facts = story.about(7) if since is None else since
    return update(story.scene(), slot=3, text=text, missed=missed, since_facts=facts, author=ANA)


def test_update_says_when_the_next_is_due() -> None:
    """In the notification, and as a date token in the channel."""
    made = update_of(outage_story(63))

    assert made.text.endswith("Next update by 14:43 UTC.")
    assert "*Next update by <!date^" in shown(made)


def test_update_without_a_cadence_says_so() -> None:
    """At SEV4 updates come on change."""
    story = outage_story(63)
    story.add("incident/7", SeverityChanged(Severity.SEV2, Severity.SEV4, "nobody notices"), ANA)

    assert "At SEV4 updates come on change." in shown(update_of(story))


@pytest.mark.parametrize(
    "words",
    [
        "🟢 *Claude API*: operational again since",
        "🟠 *claude.ai*: degraded since",
        "Customers are served: *support chat* switched to *gpt*",
        "We are investigating the cause",
        "Switching support chat back waits for your yes",
        "`/fallback engage search.rerank off`",
    ],
)
def test_update_answers_what_people_ask(words: str) -> None:
    """State by component, customers, the vendor, and what is asked of people."""
    assert words in shown(update_of(outage_story(109)))


def test_update_does_not_repeat_its_state_as_events() -> None:
    """A component's line already says that it failed."""
    assert "belongs to INC-7" not in shown(update_of(outage_story(63)))


@pytest.mark.parametrize("minute", [4, 20, 50, 63, 90, 109, 120, 160])
def test_update_stays_under_120_words(minute: int) -> None:
    """People read it between two other things."""
    assert words_above_buttons(update_of(outage_story(minute))) <= 120


def test_update_without_news_is_one_line() -> None:
    """Nobody reads the same page twice."""
    story = outage_story(90)
    made = update_of(story, since=[fact for fact in story.about(7) if isinstance(fact.body, Posted)])

    assert "\n" not in shown(made)
    assert made.text.startswith("Update 3 of INC-7: nothing new. Claude API and Claude mobile down; claude.ai degraded.")


def test_missed_updates_are_counted() -> None:
    """One update covers all that the bot could not post."""
    story = outage_story(90)

    assert "2 updates before this one were missed" in shown(update_of(story, missed=2))
    assert "1 update before this one was missed" in shown(update_of(story, missed=1, since=[]))


def test_persons_update_is_quoted_with_its_author() -> None:
    """Their words come before the facts."""
    made = update_of(outage_story(90), text="All good.\nReally.", since=[])

    assert "<@U0ANA> writes:\n> All good.\n> Really." in shown(made)
    assert made.text.startswith("Update 3 of INC-7: All good. Really. Claude API and Claude mobile down")


def test_update_shows_only_the_newest_events() -> None:
    """A flood of notes must not fill the message."""
    story = outage_story(63)
    for n in range(30):
        story.add("incident/7", NoteAdded(f"note {n}"), ANA)
    text = shown(update_of(story))

    assert "note 29" in text and "note 2:" not in text
    assert "earlier: `/incident timeline`" in text


def test_update_of_an_unacknowledged_incident_asks_for_somebody() -> None:
    """An incident needs that first."""
    assert "Nobody has acknowledged this: press *Acknowledge*" in shown(update_of(outage_story(5)))


# --- the summary


def test_summary_starts_with_the_duration() -> None:
    """Everybody who was asleep asks for it first."""
    story = outage_story()

    assert "INC-7 resolved after 3 h 10 min: Claude API down" == summary(story.scene(), story.about(7)).text


@pytest.mark.parametrize(
    "words",
    [
        "ended by <@U0ANA>: vendor confirms the fix.",
        "We noticed 3 min after it began, 42 min before the vendor's status page.",
        "Customers were served again 3 min after it began.",
        "• Claude API: down <!date^",
        "1 h 47 min",
        "• support chat on gpt <!date^",
        "2 h 02 min",
        "3 updates · longest silence 1 h",
        "<@U0ANA>, please write the post-mortem.",
    ],
)
def test_summary_has_what_a_post_mortem_needs(words: str) -> None:
    """Who noticed first, what customers felt, outages, flags, updates, and who writes it up."""
    story = outage_story()

    assert words in shown(summary(story.scene(), story.about(7)))


def test_summary_offers_reopening_and_the_timeline() -> None:
    """Nothing else can be done with a resolved incident."""
    story = outage_story()

    assert ["Reopen", "Export timeline"] == labels(summary(story.scene(), story.about(7)))


def test_summary_says_if_the_vendor_noticed_first() -> None:
    """The bot does not claim what others did."""
    story = outage_story(3)
    notice = Notice("anthropic", "n1", "u1", "Errors", "", "identified", "major", T0 - timedelta(minutes=5), "", (API,))
    story.add("provider/anthropic", NoticeSeen(notice), CLAUDE, 7)
    story.add("incident/7", PhaseChanged(story.incident().phase, Phase.RESOLVED, "forward", "over"), ANA)

    assert "The vendor's status page was first, 8 min before us." in shown(summary(story.scene(), story.about(7)))


def _unattended() -> Story:
    """Nobody acknowledged, the vendor never posted, and the flag is still switched."""
    story = outage_story(3)
    story.now = T0 + timedelta(minutes=20)
    story.add("incident/7", PhaseChanged(story.incident().phase, Phase.RESOLVED, "forward", "over"), ANA)
    return story


@pytest.mark.parametrize(
    "words", ["the vendor's status page said nothing.", "*still away*", "*Nobody led this.* Who writes the post-mortem?"]
)
def test_summary_says_what_did_not_happen(words: str) -> None:
    """Never zero for what was not recorded."""
    story = _unattended()

    assert words in shown(summary(story.scene(), story.about(7)))


def test_update_leaves_out_titles_made_by_rules() -> None:
    """A title that follows what fails is no news; one that a person gave is."""
    story = outage_story(63)
    by_rule = story.add("incident/7", TitleChanged("Claude API down", "Claude is down (API, web)"), Actor.rule("title"))
    quiet = update_of(story, since=[by_rule])
    by_person = story.add("incident/7", TitleChanged("Claude is down (API, web)", "Support chat is slow"), ANA)

    assert "nothing new" in shown(quiet)
    assert "Support chat is slow" in shown(update_of(story, since=[by_rule, by_person])).split("Since the last update")[1]


def test_update_with_a_reminder_says_whom_it_reminds() -> None:
    """And how long nobody has posted an update; with the reminder's buttons, even without news."""
    story = outage_story(63)
    made = update(story.scene(), slot=3, text="", missed=0, since_facts=[], overdue=T0 + timedelta(minutes=3))

    assert "<@U0ANA>: no person has written an update for 1 h." in shown(made)
    assert ["Post update", "Snooze 30 min"] == labels(made)
