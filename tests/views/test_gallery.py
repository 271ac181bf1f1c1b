"""Every message of every kind stands in docs/messages.md as it is rendered, is short, and uses the words that people know."""

import inspect
from functools import cache
from pathlib import Path

import pytest

from bot.core.answers.base import ANSWERS
from bot.core.effects import EFFECTS, FeedSink, InvitePeople, OpenChannel, PinCard, UploadExport
from bot.core.record import component_facts, entry_facts, flag_facts, incident_facts, paging_facts, provider_facts, task_facts
from bot.core.record.course import merge_facts, served_facts
from bot.core.record.drills import drill_facts
from bot.core.record.fact import Body
from bot.core.record.kinds import BODIES
from bot.core.record.rehearsals import rehearsal_facts
from bot.core.record.room import room_facts
from bot.core.record.sinks import sink_facts
from bot.views.incident import forms, tasks, timeline
from commands.table import WORDS
from tests.gallery.debts import LONG_PUSHES, OLD_WORDS, OVERLONG
from tests.gallery.page import CHAPTERS, HOW, entries, page
from tests.gallery.phone import PUSH_MOST, PUSHED, Entry
from tests.gallery.wording import old_words

PAGE = Path(__file__).resolve().parents[2] / "docs" / "messages.md"
TITLES = [title for title, _ in CHAPTERS]

# Facts that no message is about: they show in alert, card and timeline, or not at all.
NO_MESSAGE: set[type[Body]] = {
    component_facts.VerdictChanged, flag_facts.CarriedOver, flag_facts.ConversationsFollowed, flag_facts.HoldEnded,
    room_facts.ChannelNamed,
    room_facts.BroadcastBegun,
    room_facts.ChannelOpened, room_facts.ChannelRefused, incident_facts.Declared, incident_facts.Exported,
    room_facts.PeopleInvited, room_facts.Posted, room_facts.PostGone, room_facts.Repaired,
    paging_facts.PageHeld, paging_facts.PagingResumed, paging_facts.PagingSettled, drill_facts.DrillReadersSeen,
    served_facts.CustomersServed,
    provider_facts.ListingChanged, provider_facts.MaintenanceSaid, provider_facts.PageFirstRead,
    provider_facts.UpdatesForgotten,
    sink_facts.SinkOrdered, sink_facts.SinkAgreed,
    merge_facts.PartSwitched, rehearsal_facts.RehearsalAsked, task_facts.TaskMoved, task_facts.TaskCame,
    *(set(BODIES.values()) & set(entry_facts.OfEntry.__subclasses__())),
}  # fmt: skip
NO_WORDS = {OpenChannel, InvitePeople, PinCard, UploadExport, FeedSink}  # effects that say nothing


@cache
def gallery() -> dict[str, list[Entry]]:
    return dict(entries())


@cache
def shown() -> set[object]:
    """What the messages of the gallery stand for."""
    return {it for made in gallery().values() for one in made for it in one.shows}


def test_the_page_is_what_is_rendered() -> None:
    """Where this fails on purpose, write the page anew with the command that it names, and read what changed."""
    written = PAGE.read_text(encoding="utf-8")

    assert page() == written, f"docs/messages.md is not what is rendered; write it anew: {HOW}"


def test_every_kind_of_fact_is_shown_or_said_to_have_no_message() -> None:
    """A new kind of fact that people are told of cannot be forgotten."""
    told = {body for body in BODIES.values() if body.ANNOUNCED or body not in NO_MESSAGE}

    assert [] == sorted(body.KIND for body in told - shown())


def test_every_answer_is_shown() -> None:
    """A new answer cannot be forgotten."""
    assert [] == sorted(answer.KIND for answer in set(ANSWERS.values()) - shown())


def test_every_effect_is_shown_or_says_nothing() -> None:
    """A new effect cannot be forgotten."""
    assert [] == sorted(effect.KIND for effect in set(EFFECTS.values()) - NO_WORDS - shown())


def test_every_form_is_shown() -> None:
    """A new modal cannot be forgotten."""
    views = [one for of in (forms, tasks, timeline) for one in inspect.getmembers(of, inspect.isfunction)]
    made = {call for name, call in views if name.endswith("_modal")}

    assert [] == sorted(form.__name__ for form in made - shown() if form.__name__ != "modal")


def test_help_of_every_word_is_shown() -> None:
    """A new slash command cannot be forgotten."""
    assert [] == sorted(word.word for word in WORDS if word.word not in shown())


@pytest.mark.parametrize("chapter", TITLES)
def test_no_message_is_longer_than_a_tired_person_reads(chapter: str) -> None:
    """Where a message got shorter, lower its debt in tests/gallery/debts.py."""
    long = {one.title: one.words for one in gallery()[chapter] if one.kind.most and one.words > one.kind.most}

    assert OVERLONG.get(chapter, {}) == long


@pytest.mark.parametrize("chapter", TITLES)
def test_a_notification_fits_the_phone(chapter: str) -> None:
    """The plain-text form of what is posted."""
    pushed = [one for one in gallery()[chapter] if one.kind in PUSHED]
    long = {one.title: one.push_words for one in pushed if one.push_words > PUSH_MOST}

    assert LONG_PUSHES.get(chapter, {}) == long


@pytest.mark.parametrize("chapter", TITLES)
def test_messages_use_the_words_that_people_know(chapter: str) -> None:
    """Where the last message of a chapter lost an old word, take the word out of its debts."""
    old = {word for one in gallery()[chapter] for word in old_words(one.everything)}

    assert OLD_WORDS.get(chapter, set()) == old


def test_no_two_messages_of_a_debt_are_called_alike() -> None:
    """A debt is known by its title."""
    titles = [one.title for made in gallery().values() for one in made if one.kind.most and one.words > one.kind.most]

    assert sorted(set(titles)) == sorted(titles)
