"""Every view at every stage of a story with hostile texts: Slack accepts it, and the texts are inert."""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core.answers import incident as a
from bot.core.answers.base import Answer
from bot.core.decide.incident.naming import CalledAlready, Renamed
from bot.core.model import Actor, Severity
from bot.core.policy import Policy
from bot.core.record.fact import Fact
from bot.core.record.incident import Incident
from bot.core.record.incident_facts import Declared
from bot.core.record.kinds import BODIES
from bot.ports import Message
from bot.timeline.story import story as story_rows
from bot.views import in_short
from bot.views.answers.in_slack import shown as shown_answer
from bot.views.flags.board import flag_status
from bot.views.health import board, provider
from bot.views.help import help_text
from bot.views.home import home
from bot.views.incident import paging
from bot.views.incident.alert import alert
from bot.views.incident.briefing import briefing
from bot.views.incident.broadcast import broadcast
from bot.views.incident.card import bookmarks, card, runbook, topic
from bot.views.incident.evidence import evidence
from bot.views.incident.fact_messages import fact_line
from bot.views.incident.forms import (
    cancel_modal,
    declare_modal,
    phase_modal,
    resolve_modal,
    severity_modal,
    switch_back_modal,
    update_modal,
)
from bot.views.incident.lists import incident_list, incident_show
from bot.views.incident.texts import refusal
from bot.views.incident.timeline import choose_modal, timeline_page
from bot.views.incident.updates import summary, update
from bot.views.quiet import quiet, quiet_reply
from tests.generated import HOSTILE as ANY_TEXT
from tests.generated import instances
from tests.stories import ANA, FLAG, HOSTILE, T0, Story, latencies, one_of_each, outage_story
from tests.views.message_checks import OUR_TOKENS, assert_taken, assert_view_taken, marked_up

MINUTES = (5, 50, 109, 120, 1000)


def every_view(story: Story, words: str) -> Iterator[tuple[str, Message]]:
    """All messages that a stage of the story can bring."""
    incident, world, policy, now = story.incident(), story.world, story.policy, story.now
    facts = story.about(7)
    rows = story_rows(facts)
    yield "alert", alert(story.scene())
    yield "evidence", evidence(story.scene())
    yield "card", card(story.scene())
    yield "summary", summary(story.scene(), facts)
    yield "refusal", refusal(incident, words, policy)
    yield "show", incident_show(story.scene())
    yield "timeline", timeline_page(incident, rows, now)
    yield "list", incident_list(world, policy, now)
    yield "list all", incident_list(world, policy, now, everything=True)
    yield "board", board(world, policy, now, latencies(), trouble=words)
    yield "provider", provider("anthropic", world, policy, now, latencies())
    yield "nobody", provider("unknown", world, policy, now, {})
    yield "home", Message("home", tuple(home(world, policy, now, ANA)["blocks"]))
    yield "briefing", briefing(story.scene())
    yield "page", paging.reply(incident, (ANA.id,), now)
    yield "page by direct message", paging.direct(incident, now)
    yield "in short", in_short.reply([in_short.incident_line(incident, policy, now)], world, now)
    yield "whose timeline", Message("form", tuple(choose_modal([incident], [], words, "{}")["blocks"]))
    for full in (False, True):
        yield "broadcast", broadcast(story.scene(), full=full)
    for answer in answers_about(incident):
        yield answer.KIND, shown_answer(answer)
    yield "flags", flag_status(world, policy, now, {FLAG: 3})
    yield "help", help_text(words, [(words, words)])
    for text, since, missed in ((words, facts, 2), ("", facts, 0), ("", [], 1)):
        yield "update", update(
            story.scene(), slot=3, text=text, missed=missed, since_facts=since, author=ANA
        )  # fmt: skip
    steps = runbook(incident, policy, list(policy.components))
    if steps:
        yield "runbook", steps
    for fact in [*story.facts, *one_of_each(words)]:
        yield fact.kind, fact_line(fact, world, policy)
        yield f"quiet {fact.kind}", quiet(fact, world, policy)
        yield f"reply {fact.kind}", quiet_reply(fact, world, policy)


def answers_about(incident: Incident) -> Iterator[Answer]:
    """The answers that name a title."""
    number, title = incident.number, incident.title
    other = a.OpenOne(number, "Claude", title, a.RoomRef())
    yield a.Declared(incident=number, title=title, channel_name="inc-7")
    yield a.OpenAlready(open=(other,), free=())
    yield Renamed(incident=number, title=title)
    yield CalledAlready(incident=number, title=title)
    yield a.NeedsOriginal(incident=number, known=(a.Other(4, title),))


def every_form(story: Story) -> Iterator[dict[str, Any]]:
    """All forms about an incident that can be opened at a stage of the story."""
    yield update_modal(story.scene(), story.about(7))
    yield phase_modal(story.incident())
    yield severity_modal(story.incident())
    yield resolve_modal(story.scene())
    yield cancel_modal(story.scene())
    if story.scene().flags_away:
        yield switch_back_modal(story.scene())


@pytest.mark.parametrize("minute", MINUTES)
@pytest.mark.parametrize("words", HOSTILE, ids=lambda words: ascii(words[:12]))
def test_foreign_text_breaks_no_view(words: str, minute: int) -> None:
    """Mentions, fences, 40,000 characters, emoji only, or empty: Slack accepts every view."""
    story = outage_story(minute, title=words, words=words)
    for name, message in every_view(story, words):
        assert_taken(message, edited=name in ("alert", "card", "evidence"))
    assert len(topic(story.scene())) <= 250
    assert "<" not in topic(story.scene())
    assert_view_taken(declare_modal(story.world.open_incidents(), story.policy, private_metadata=words, component=words))
    for form in every_form(story):
        assert_view_taken(form)


MARKED = st.text(st.sampled_from("*_~`: a1<&>"), min_size=1, max_size=24) | st.sampled_from(
    ["5* *hotel*", "_now_ ~gone~", "`rm -rf`", ":fire: :+1::skin-tone-2: :100:", "*", "a*b_c~d`e", "::smile::", "_ _", "~"]
)
DRAWN = re.compile(r"[*`]|(?<![^\W_])_|_(?![^\W_])|(?<![^\W_])~|~(?![^\W_])|:(?=(?:[\w+'-]*[^\W\d_ˍ][\w+'-]*|[+-]1|100|1234):)")


def marks(message: Message) -> list[str]:
    """What Slack would format in a text, without quotes and commands to type."""
    every = marked_up([dict(block) for block in message.blocks])
    ours = [re.sub(r"(?m)^> .*$|`[^`\n]*`", "", OUR_TOKENS.sub("", text)) for text in every]
    return [mark for text in ours for mark in DRAWN.findall(text)]


@cache
def calm_marks(minute: int) -> list[list[str]]:
    """What harmless texts format in each view."""
    return [marks(message) for _, message in every_view(outage_story(minute, title="x" * 9, words="x" * 9), "x" * 9)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(MARKED, st.sampled_from(MINUTES))
def test_foreign_text_formats_nothing(title: str, minute: int) -> None:
    """`*`, `_`, `~`, backticks and `:emoji:` in a title, a notice or a reason format no more than harmless words do."""
    hostile = outage_story(minute, title=title, words=title)

    for (name, drawn), expected in zip(every_view(hostile, title), calm_marks(minute), strict=True):
        if name not in ("board", "help"):  # their other texts are the bot's own
            assert expected == marks(drawn), name


def ill_named(policy: Policy, words: str) -> Policy:
    """The same policy with hostile names and the same ids."""
    components = {
        id: replace(c, name=words, provider_name=words, page_url=words, runbook_url=words, runbook_steps=(words,) * 40)
        for id, c in policy.components.items()
    }
    flags = {
        key: replace(flag, description=words, aliases=dict.fromkeys(flag.variants, words)) for key, flag in policy.flags.items()
    }
    return replace(policy, components=components, flags=flags)


@pytest.mark.parametrize("words", HOSTILE, ids=lambda words: ascii(words[:12]))
def test_hostile_configured_names_break_no_view(words: str) -> None:
    """Names and runbook steps are shown as they are, inert too."""
    story = outage_story(109)
    story.policy = ill_named(story.policy, words)
    for name, message in every_view(story, ""):
        assert_taken(message, edited=name in ("alert", "card", "evidence"))
    for form in [*every_form(story), declare_modal(story.world.open_incidents(), story.policy)]:
        assert_view_taken(form)
    assert [] == bookmarks(story.incident(), story.policy, board_url=words)


def test_views_work_after_everything_left_the_configuration() -> None:
    """Removed components and flags are named by their ids."""
    story = outage_story(109)
    story.policy = replace(story.policy, components={}, flags={})
    for name, message in every_view(story, "words"):
        assert_taken(message, edited=name in ("alert", "card", "evidence"))


def test_incident_without_components_has_every_view() -> None:
    """A person may declare what no check covers."""
    story = outage_story(-1)
    body = Declared(7, "Payments are slow", Severity.SEV4, "", "declared/7", (), T0, "declared by ana", "#ops")
    story.at(1).add("incident/7", body, ANA)
    for name, message in every_view(story, "words"):
        assert_taken(message, edited=name in ("alert", "card", "evidence"))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_any_fact_has_a_line(data: st.DataObject) -> None:
    """Whatever the ledger may hold has words."""
    kind = data.draw(st.sampled_from(sorted(BODIES)))
    stream = {"flag": "flag/x", "incident": "incident/7"}.get(kind.partition(".")[0], "component/x")
    actor = Actor(
        data.draw(st.sampled_from(["person", "operator", "rule", "vendor"])), data.draw(ANY_TEXT), data.draw(ANY_TEXT)
    )
    fact = Fact(stream, 1, T0, actor, data.draw(st.sampled_from([7, None, 99])), data.draw(instances(BODIES[kind])))
    story = STORY

    for message in (fact_line(fact, story.world, story.policy), quiet(fact, story.world, story.policy)):
        assert_taken(message)


STORY = outage_story(109)
