"""Declaring by hand: a provider's name finds its open incident, and a declared incident gets the provider's verdicts."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core import signals as s
from bot.core.answers.base import Answer
from bot.core.answers.incident import OpenAlready, OpenOne, RoomRef
from bot.core.decide.incident.declaring import named, whose_names_appear
from bot.core.effects import OpenChannel, SetTopic
from bot.core.model import Level, Phase
from bot.core.record.incident_facts import ResponderJoined
from tests.desk import ANA, BOB, Table, component, policy, told


def outage() -> Table:
    table = Table().all_well()
    table.sees("anthropic.api", Level.DOWN)
    return table


def declare(table: Table, title: str, *, separate: bool = False, warned: tuple[int, ...] = ()) -> Answer:
    return table.send(s.Declare(actor=BOB, title=title, separate=separate, warned=warned)).answer


@pytest.mark.parametrize(
    "title", ["Claude is broken", "is CLAUDE down?", "anthropic: 529s", "claude.ai is slow", "anthropic.web"]
)
def test_any_name_of_a_provider_finds_its_open_incident(title: str) -> None:
    """The provider's, a component's or an id, in any case."""
    said = declare(outage(), title)

    assert not said.ok
    assert 1 == said.incident
    assert type(said) is OpenAlready


@pytest.mark.parametrize("title", ["Payments are slow", "Claudette cannot log in", "OpenAI is broken"])
def test_other_words_open_another_incident(title: str) -> None:
    """A name must be a whole word, and another provider is separate."""
    said = declare(outage(), title)

    assert said.ok
    assert 2 == said.incident


def test_free_text_points_to_a_recent_free_text_incident() -> None:
    """Two people describe the same thing differently, and would work separately."""
    table = Table().all_well()
    declare(table, "Nobody can log in")
    table.passes(10)
    said = declare(table, "The login page is blank")

    assert "INC-1 was declared within the last half hour: Nobody can log in" == told(said)
    assert (OpenOne(1, "Nobody can log in", "", RoomRef()),) == said.open  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Login page broken", "Payments are slow"),
        ("Nobody can log in", "Nobody can pay"),
        ("Mail is late", "The site is slow since the deploy"),
    ],
)
def test_free_text_about_another_thing_opens_another_incident(first: str, second: str) -> None:
    """Words found in any title mean nothing; the person is told of the other one."""
    table = Table().all_well()
    declare(table, first)
    said = declare(table, second)

    assert f"INC-2 is declared: {second}. Declared shortly before: INC-1 {first}" == told(said).partition(". Its channel")[0]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Nobody can pay", "payments are slow"),
        ("Checkout hangs", "customers cannot check out"),
        ("Mail is late", "mails do not arrive"),
        ("Search returns nothing", "Everything is broken"),
        ("支付系统宕机", "支付很慢"),
    ],
)
def test_similar_free_text_points_to_the_first_incident(first: str, second: str) -> None:
    """In any form of a meaningful word; without one, it may be about anything."""
    table = Table().all_well()
    declare(table, first)

    assert isinstance(declare(table, second), OpenAlready)


def test_free_text_incident_can_be_declared_separately() -> None:
    """With one press; the open one is unchanged."""
    table = Table().all_well()
    declare(table, "Nobody can log in")
    said = declare(table, "Invoices are wrong", separate=True)

    assert 2 == said.incident


def test_free_text_opens_an_incident_if_the_open_one_is_old() -> None:
    """This morning's is in everybody's list, and no answer to tonight's."""
    table = Table().all_well()
    declare(table, "Nobody can log in")
    table.passes(31)

    assert declare(table, "Invoices are wrong").ok


def test_free_text_opens_an_incident_if_the_other_one_ended() -> None:
    """Nobody is called into an empty channel."""
    table = Table().all_well()
    declare(table, "Nobody can log in")
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED, reason="a certificate", force=True))

    assert declare(table, "Invoices are wrong").ok


def test_every_recent_incident_is_offered() -> None:
    """The newest first."""
    table = Table().all_well()
    declare(table, "Nobody can log in")
    declare(table, "Invoices are wrong", separate=True)

    assert (2, 1) == declare(table, "Everything is slow").choices


def test_text_that_names_two_providers_lists_open_incidents_of_both() -> None:
    """Claude's, and that none is open for OpenAI; both if both are open."""
    table = outage()
    one = declare(table, "Claude and OpenAI are slow")
    table.sees("openai.api", Level.DOWN)
    two = declare(table, "OpenAI and Claude are slow")

    assert "INC-1 is already open for Claude: Claude API is down. Nothing is open for OpenAI." == told(one)
    both = "INC-1 is already open for Claude: Claude API is down; INC-2 is already open for OpenAI: OpenAI API is down"
    assert both == told(two)


def test_every_matching_open_incident_is_offered() -> None:
    """Claude's own and the separate one beside it, not another provider's."""
    table = outage()
    declare(table, "Claude loses our files", separate=True)
    table.sees("openai.api", Level.DOWN)
    said = declare(table, "Claude is broken")

    assert 1 == said.incident
    assert (1, 2) == said.choices
    one = "INC-1 is already open for Claude: Claude API is down"
    two = "INC-2 is already open for Claude: Claude loses our files"
    assert f"{one}; {two}" == told(said)


def test_incidents_of_two_named_providers_are_both_offered() -> None:
    """Whoever names both may join either."""
    table = outage()
    table.sees("openai.api", Level.DOWN)

    assert (1, 2) == declare(table, "Claude and OpenAI are slow").choices


def test_failure_joins_the_incident_that_a_person_declared() -> None:
    """The check fails a minute after ana declared it."""
    table = Table().all_well()
    declare(table, "Claude is broken")
    table.passes(1)
    table.sees("anthropic.api", Level.DOWN)

    assert 1 == table.world.last_incident
    assert ["anthropic.api"] == list(table.incident().affected)


def test_separate_incident_gets_no_verdicts() -> None:
    """Two incidents never share a component."""
    table = outage()
    said = declare(table, "Claude bills us twice", separate=True)
    table.sees("anthropic.web", Level.DOWN)

    assert 2 == said.incident
    assert [] == list(table.incident(2).affected)
    assert 2 == len(table.incident(1).affected)


def test_joining_twice_is_recorded_once() -> None:
    """A second press changes nothing."""
    table = outage()
    first = table.send(s.Join(actor=ANA, incident=1)).answer
    second = table.send(s.Join(actor=ANA, incident=1)).answer

    assert first.ok
    assert "You are already in INC-1." == told(second)
    assert 1 == len(table.kinds(ResponderJoined))


def test_separate_incident_takes_no_component_from_the_open_one() -> None:
    """Even if it was named."""
    table = outage()
    table.send(s.Declare(actor=BOB, title="Web too", components=("anthropic.web",), separate=True))

    assert {} == table.incident(2).affected


def test_name_is_matched_literally() -> None:
    """`C++ (EU` is a name, no pattern."""
    odd = {id: replace(one, provider_name="C++ (EU") for id, one in policy().components.items()}
    table = Table(replace(policy(), components=odd)).all_well()
    table.sees("anthropic.api", Level.DOWN)

    assert 1 == declare(table, "c++ (eu does not answer").incident
    assert declare(table, "c and EU do not answer").ok


def test_ended_incident_cannot_be_joined() -> None:
    """Nobody is called into an empty channel."""
    table = outage()
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.CANCELED, reason="false-alarm"))
    said = table.send(s.Join(actor=ANA, incident=1)).answer

    assert not said.ok
    assert "INC-1 is canceled; there is nothing to join." == told(said)


def test_components_of_two_providers_need_two_incidents() -> None:
    """One incident is about one provider."""
    table = Table().all_well()
    said = table.send(s.Declare(actor=BOB, title="All is slow", components=("anthropic.api", "openai.api"))).answer

    assert not said.ok
    assert "One incident is about one provider. Declare one for each." == told(said)


def test_declared_incident_begins_when_its_component_failed() -> None:
    """Its alert was muted, and somebody declares ten minutes later."""
    table = Table().all_well()
    table.send(s.Mute(actor=ANA, component="anthropic.api", lasts=timedelta(hours=1)))
    table.sees("anthropic.api", Level.DOWN)
    began = table.now
    table.passes(10)
    table.send(s.Declare(actor=BOB, title="Customers complain", components=("anthropic.api",)))

    assert began == table.incident().began_at


def test_declared_incident_includes_a_degraded_component() -> None:
    """It had a quiet thread; `Claude is slow` means just that, and its recovery is noticed."""
    table = Table().all_well()
    table.sees("anthropic.api", Level.DEGRADED)
    began = table.now
    table.passes(5)
    declare(table, "Claude is slow")
    table.sees("anthropic.api", Level.OPERATIONAL)

    assert ["anthropic.api"] == list(table.incident().affected)
    assert began == table.incident().began_at
    assert Phase.MONITORING == table.incident().phase


def test_muted_component_joins_only_if_named() -> None:
    """A muted component that fails is in an incident only where somebody names it."""
    table = Table().all_well()
    table.send(s.Mute(actor=ANA, component="anthropic.api", lasts=timedelta(hours=1)))
    table.sees("anthropic.api", Level.DOWN)
    declare(table, "Claude is broken")

    assert {} == table.incident().affected


def test_incident_for_two_providers_is_found_by_either_name() -> None:
    """Two people who see the same thing meet in one channel."""
    table = Table().all_well()
    declare(table, "Claude and OpenAI are slow")
    said = declare(table, "OpenAI is broken")

    assert isinstance(said, OpenAlready)
    assert [1] == [one.number for one in said.open]


def test_separate_incident_gets_verdicts_if_the_provider_has_no_other() -> None:
    """The open one is about two providers, and gets none."""
    table = Table().all_well()
    declare(table, "Claude and OpenAI are slow")
    declare(table, "Claude is broken", separate=True)
    table.sees("anthropic.api", Level.DOWN)

    assert 2 == table.world.last_incident
    assert ["anthropic.api"] == list(table.incident(2).affected)


def test_longest_name_wins() -> None:
    """`Azure OpenAI` is a provider of its own, and not OpenAI."""
    azure = component("azure.api", "Azure OpenAI API", "Azure OpenAI")
    table = Table(replace(policy(), components={**policy().components, "azure.api": azure})).all_well()
    table.sees("openai.api", Level.DOWN)
    said = declare(table, "Azure OpenAI is slow")

    assert said.ok
    assert "azure" == table.incident(2).provider


def test_each_provider_is_found_by_its_own_names_only() -> None:
    """An empty name matches nothing."""
    base = policy()
    nameless = replace(base.components["openai.api"], name="", provider_name="")
    world = replace(base, components={**base.components, "openai.api": nameless})

    sonnet = replace(base.components["anthropic.api"], name="Sonnet")

    assert () == named(world, "- payments hang -")
    assert ("anthropic",) == named(replace(base, components={**base.components, "anthropic.api": sonnet}), "Sonnet hangs")
    assert ("anthropic",) == named(world, "claude.ai")
    assert ("openai",) == named(world, "openai.api")


def test_name_inside_a_longer_one_does_not_match_alone() -> None:
    """At its end or its beginning."""
    names = {"a": ["OpenAI"], "b": ["Azure OpenAI"], "c": ["Azure"]}

    assert ("b",) == whose_names_appear("Azure OpenAI is slow", names)


def test_channel_belongs_to_one_incident() -> None:
    """A second conversion is refused with the incident."""
    table = Table().all_well()
    talk = {"channel": "C0TALK", "channel_name": "talk"}
    first = table.send(s.Declare(actor=BOB, title="Payments are slow", **talk))
    second = table.send(s.Declare(actor=ANA, title="Mail is late", separate=True, **talk)).answer

    assert ("C0TALK", "talk") == (table.incident().room.channel, table.incident().room.name)
    assert [] == [one for one in first.effects if isinstance(one.body, OpenChannel)]
    assert 1 == len([one for one in first.effects if isinstance(one.body, SetTopic)])
    assert "This is already the channel of INC-1. Nothing was declared." == told(second)


def test_offered_button_declares_a_separate_incident() -> None:
    """By the press that the answer offered."""
    table = outage()
    pointed = declare(table, "Claude loses our files")
    assert isinstance(pointed, OpenAlready)

    assert 2 == declare(table, "Claude loses our files", warned=pointed.choices).incident


def test_incident_opened_meanwhile_is_shown_before_a_separate_one_is_declared() -> None:
    """Two simultaneous presses, or a double one, do not open two."""
    table = outage()
    pointed = declare(table, "Claude loses our files")
    assert isinstance(pointed, OpenAlready)
    declare(table, "Claude loses our files", warned=pointed.choices)
    again = declare(table, "Claude loses our files", warned=pointed.choices)

    assert isinstance(again, OpenAlready)
    assert (1, 2) == again.choices
