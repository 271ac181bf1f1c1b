"""docs/messages.md shows every kind of message as it is rendered; messages are short and use the product's words."""

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

# Facts without a message of their own: alert, card and timeline show them, or nothing does.
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
NO_WORDS = {OpenChannel, InvitePeople, PinCard, UploadExport, FeedSink}  # effects without text


@cache
def gallery() -> dict[str, list[Entry]]:
    return dict(entries())


@cache
def shown() -> set[object]:
    """The facts, answers and effects that the gallery has messages for."""
    return {it for made in gallery().values() for one in made for it in one.shows}


def test_gallery_page_is_up_to_date() -> None:
    """If a message changed on purpose, rebuild the page with the command at its top and read the diff."""
    written = PAGE.read_text(encoding="utf-8")

    assert page() == written, f"docs/messages.md is out of date; rebuild it: {HOW}"


def test_every_kind_of_fact_is_in_the_gallery_or_listed_without_message() -> None:
    """A new kind of fact must not be forgotten."""
    announced = {body for body in BODIES.values() if body.ANNOUNCED or body not in NO_MESSAGE}

    assert [] == sorted(body.KIND for body in announced - shown())


def test_every_answer_is_in_the_gallery() -> None:
    """A new answer must not be forgotten."""
    assert [] == sorted(answer.KIND for answer in set(ANSWERS.values()) - shown())


def test_every_effect_is_in_the_gallery_or_listed_as_silent() -> None:
    """A new effect must not be forgotten."""
    assert [] == sorted(effect.KIND for effect in set(EFFECTS.values()) - NO_WORDS - shown())


def test_every_form_is_in_the_gallery() -> None:
    """A new modal must not be forgotten."""
    views = [one for of in (forms, tasks, timeline) for one in inspect.getmembers(of, inspect.isfunction)]
    made = {call for name, call in views if name.endswith("_modal")}

    assert [] == sorted(form.__name__ for form in made - shown() if form.__name__ != "modal")


def test_help_of_every_command_is_in_the_gallery() -> None:
    """A new slash command must not be forgotten."""
    assert [] == sorted(word.word for word in WORDS if word.word not in shown())


@pytest.mark.parametrize("chapter", TITLES)
def test_no_message_exceeds_its_word_limit(chapter: str) -> None:
    """If a message became shorter, lower its debt in tests/gallery/debts.py."""
    long = {one.title: one.words for one in gallery()[chapter] if one.kind.most and one.words > one.kind.most}

    assert OVERLONG.get(chapter, {}) == long


@pytest.mark.parametrize("chapter", TITLES)
def test_notification_fits_a_phone(chapter: str) -> None:
    """It is the plain-text form of the message."""
    pushed = [one for one in gallery()[chapter] if one.kind in PUSHED]
    long = {one.title: one.push_words for one in pushed if one.push_words > PUSH_MOST}

    assert LONG_PUSHES.get(chapter, {}) == long


@pytest.mark.parametrize("chapter", TITLES)
def test_messages_avoid_banned_words(chapter: str) -> None:
    """If a chapter no longer has an old word, remove the word from its debts."""
    old = {word for one in gallery()[chapter] for word in old_words(one.everything)}

    assert OLD_WORDS.get(chapter, set()) == old


def test_messages_with_a_debt_have_unique_titles() -> None:
    """A debt refers to its message by title."""
    titles = [one.title for made in gallery().values() for one in made if one.kind.most and one.words > one.kind.most]

    assert sorted(set(titles)) == sorted(titles)
