"""The hourly update and the summary."""

from collections.abc import Sequence
from datetime import timedelta

from bot.core.model import Phase, Severity
from bot.core.record.fact import Fact
from bot.core.record.incident_facts import NoteAdded, PhaseChanged, Posted, SeverityChanged
from bot.ports import Message
from bot.views.incident.updates import summary, update
from tests.stories import ANA, FLAG, T0, Story, outage_story
from tests.views.message_checks import buttons, shown


def update_of(story: Story, *, text: str = "", missed: int = 0, since: Sequence[Fact] | None = None) -> Message:
    facts = story.about(7) if since is None else since
    return update(
        story.scene(), slot=3, text=text, missed=missed, since_facts=facts, readers={FLAG: 4}, author=ANA,
    )  # fmt: skip


def test_an_update_always_says_when_the_next_one_comes() -> None:
    """In the notification, and as a token in the channel."""
    made = update_of(outage_story(63))

    assert made.text.endswith("Next update by 14:43 UTC.")
    assert "*Next update by* <!date^" in shown(made)


def test_an_update_without_cadence_says_so() -> None:
    """SEV4 speaks on change."""
    story = outage_story(63)
    story.add("incident/7", SeverityChanged(Severity.SEV2, Severity.SEV4, "nobody notices"), ANA)

    assert "At SEV4 updates come on change only." in shown(update_of(story))


def test_an_update_holds_everything_that_people_ask() -> None:
    """State by component, what happened, flags and readers, the vendor, what is asked."""
    text = shown(update_of(outage_story(109)))

    for words in (
        "*Claude API*: operational again",
        "*claude.ai*: degraded",
        "belongs to INC-7",
        "Clients reading it: 4.",
        "We are looking for the cause",
        f"The hand-back of `{FLAG}` waits for a yes",
        "`/fallback engage search.rerank off`",
    ):
        assert words in text


def test_an_update_without_news_is_one_line() -> None:
    """Nobody reads the same page twice."""
    story = outage_story(90)
    made = update_of(story, since=[fact for fact in story.about(7) if isinstance(fact.body, Posted)])

    assert 1 == len(made.blocks)
    assert made.text.startswith("INC-7 update 3: nothing changed, Claude API and Claude mobile down; claude.ai degraded.")


def test_missed_updates_are_counted() -> None:
    """One update stands for all that the bot could not write."""
    story = outage_story(90)

    assert "2 updates before this one were missed" in shown(update_of(story, missed=2))
    assert "1 update before this one was missed" in shown(update_of(story, missed=1, since=[]))


def test_a_persons_update_is_quoted_with_its_author() -> None:
    """Their words first, the facts behind."""
    made = update_of(outage_story(90), text="All good.\nReally.", since=[])

    assert "<@U0ANA> writes:\n> All good.\n> Really." in shown(made)
    assert made.text.startswith("INC-7 update 3: All good. Really. Claude API and Claude mobile down")


def test_an_update_shows_the_newest_events_only() -> None:
    """A storm of notes does not fill the message."""
    story = outage_story(63)
    for n in range(30):
        story.add("incident/7", NoteAdded(f"note {n}"), ANA)
    text = shown(update_of(story))

    assert "note 29" in text and "note 2:" not in text
    assert "earlier: `/incident timeline`" in text


def test_nobody_has_it_in_hand_is_asked_for() -> None:
    """The first thing that an incident needs."""
    assert "• Acknowledge it" in shown(update_of(outage_story(5)))


def test_a_summary_measures_everything() -> None:
    """Durations, the vendor's lag, outages, flags, and the question for the owner."""
    story = outage_story()
    made = summary(story.scene(), story.about(7))
    text = shown(made)

    assert "INC-7 resolved at 15:50 UTC after 3 h 10 min: Claude API down" == made.text
    for words in (
        "*Impact to end*\n3 h 10 min",
        "*Vendor's first word after impact*\n45 min",
        "*Longest silence*\n1 h 00 min",
        "1 h 47 min, at worst down",
        f"`{FLAG}` on gpt",
        "2 h 02 min",
        "updates: 3, missed: 0",
        "*Who owns the post-mortem?*",
    ):
        assert words in text
    assert {"incident.reopen", "incident.export"} == set(buttons(made))


def test_a_summary_never_shows_zero_for_what_was_not_recorded() -> None:
    """Nobody acknowledged, the vendor never spoke."""
    story = outage_story(3)
    story.now = T0 + timedelta(minutes=20)
    story.add("incident/7", PhaseChanged(story.incident().phase, Phase.RESOLVED, "forward", "over"), ANA)
    text = shown(summary(story.scene(), story.about(7)))

    assert "*Vendor's first word after impact*\nnot recorded" in text
    assert "*Detection to acknowledgement*\nnot recorded" in text
    assert "*still away*" in text
