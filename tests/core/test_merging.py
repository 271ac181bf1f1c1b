"""Two incidents become one, and two again: components, flags, people and verdicts follow, and no record is lost."""

from collections import Counter
from datetime import timedelta

import pytest

from bot.core import signals as s
from bot.core.effects import InvitePeople, PostLine, To
from bot.core.model import Level, Phase, Severity
from bot.core.policy import Automation, Fallback
from bot.core.record.course.merge_facts import Merged, PartTaken
from bot.core.record.flag_facts import CarriedOver, EngageProposed
from bot.core.record.incident_facts import ComponentMoved, Declared
from bot.timeline.durations import Durations, durations
from tests.core.test_next_due import goes_on, settle, story
from tests.desk import ANA, BOB, START, Table, policy, told

FLAG, API, GPT = "support-chat.llm", "anthropic.api", "openai.api"


def two(**flag: object) -> Table:
    """INC-1 is open for OpenAI, INC-2 for Claude."""
    table = Table(policy(**flag)).all_well()
    table.sees(GPT, Level.DOWN)
    table.sees(API, Level.DOWN)
    return table


def merge(table: Table, one: int, into: int, reason: str = "") -> str:
    return told(table.send(s.Merge(actor=ANA, incident=one, into=into, reason=reason)).answer)


def unmerge(table: Table, one: int) -> str:
    return told(table.send(s.Unmerge(actor=ANA, incident=one)).answer)


def phase(table: Table, number: int, to: Phase) -> None:
    assert table.send(s.SetPhase(actor=ANA, incident=number, phase=to, force=True)).answer.ok


# --- merged


def test_a_merged_incident_ends_in_the_other_one() -> None:
    """The other one goes on, with the components of both."""
    table = two()
    said = merge(table, 2, 1, "one outage")

    assert "INC-2 is part of INC-1 now." == said
    assert (Phase.MERGED, [1]) == (table.incident(2).phase, [i.number for i in table.world.open_incidents()])
    assert {API, GPT} == set(table.incident(1).affected)


def test_verdicts_go_into_the_one_that_goes_on() -> None:
    """Also those of what had not failed before: its provider is held by that one now."""
    table = two()
    merge(table, 2, 1)
    table.sees("anthropic.web", Level.DOWN)
    table.sees(API, Level.OPERATIONAL)

    assert 2 == len(table.kinds(Declared))
    assert Level.OPERATIONAL is table.incident(1).affected[API].level
    assert "anthropic.web" in table.incident(1).affected


def test_a_flag_is_told_in_the_one_that_goes_on() -> None:
    """The way back is asked for where people work."""
    table = two()
    merge(table, 2, 1)

    assert [1] == [fact.incident for fact in table.facts if isinstance(fact.body, CarriedOver)][-1:]


def test_whoever_worked_on_it_is_invited_into_the_other_channel() -> None:
    """Nobody has to join a second time."""
    table = two()
    table.send(s.Acknowledge(actor=BOB, incident=2))
    merge(table, 2, 1)

    assert BOB in table.incident(1).people.everybody
    assert 1 in [one.incident for one in table.steps[-1].effects if isinstance(one.body, InvitePeople)]
    assert BOB == table.incident(1).people.acknowledged_by  # so nobody else is called


def test_both_channels_are_told_once() -> None:
    """And the alert of the merged one, on which somebody may look, sends them on."""
    table = two()
    merge(table, 2, 1)
    step = table.steps[-1]
    about = {(fact.stream, fact.seq): type(fact.body) for fact in step.facts}
    lines = Counter((about[one.stream, one.seq], one.body) for one in step.effects if isinstance(one.body, PostLine))

    assert 1 == lines[Merged, PostLine(To.INCIDENT)] == lines[PartTaken, PostLine(To.INCIDENT)]
    assert 1 == lines[Merged, PostLine(To.THREAD)]


@pytest.mark.parametrize("by_person", [False, True])
def test_the_worse_severity_counts(by_person: bool) -> None:
    """Whoever set the other one: merging is no way to make it quieter."""
    table = two()
    table.send(s.SetSeverity(actor=ANA, incident=2, severity=Severity.SEV1, reason="nobody is served"))
    if by_person:
        table.send(s.SetSeverity(actor=ANA, incident=1, severity=Severity.SEV3, reason="few notice"))
    merge(table, 2, 1)

    assert Severity.SEV1 is table.incident(1).severity


def test_what_fails_in_a_part_is_a_relapse_of_what_was_only_watched() -> None:
    """Nobody watches what is down."""
    table = two(automation=Automation.OFF)
    phase(table, 1, Phase.MONITORING)
    merge(table, 2, 1)

    assert Phase.INVESTIGATING is table.incident(1).phase


def test_a_title_names_what_fails_of_two_providers() -> None:
    """It is no longer one of them."""
    table = two()
    merge(table, 2, 1)

    assert "Claude API and OpenAI API are down" == table.incident(1).title


# --- refused


@pytest.mark.parametrize(
    ("one", "into", "said"),
    [
        (2, 2, "INC-2 cannot become part of itself."),
        (2, 9, "There is no INC-9. The newest is INC-4."),
        (3, 2, "INC-3 is already part of INC-2."),
        (1, 3, "That one is part of INC-2. Merge INC-1 into INC-2."),
        (2, 1, "INC-3 is part of INC-2. Unmerge it first, or merge the other way round."),
        (2, 4, "INC-4 is over. Merge into one that is open."),
        (4, 2, "INC-4 is canceled; only an open incident can be merged."),
    ],
)
def test_there_are_no_chains_and_no_circles(one: int, into: int, said: str) -> None:
    """INC-3 is part of INC-2, and INC-4 was none."""
    table = two()
    for title in ("Mail is late", "A drill"):
        table.send(s.Declare(actor=ANA, title=title, separate=True))
    table.send(s.SetPhase(actor=ANA, incident=4, phase=Phase.CANCELED, reason="drill"))
    merge(table, 3, 2)
    before = len(table.facts)

    assert said == merge(table, one, into)
    assert before == len(table.facts)


def test_a_merged_incident_is_moved_by_unmerging_alone() -> None:
    """Neither resolved nor reopened: it has no course of its own."""
    table = two()
    merge(table, 2, 1)
    said = table.send(s.SetPhase(actor=ANA, incident=2, phase=Phase.INVESTIGATING)).answer

    assert "INC-2 is merged; unmerge it first. Nothing was changed." == told(said)


# --- taken apart


def test_an_unmerged_incident_is_open_in_its_phase_with_what_is_its_own() -> None:
    """Its components leave the other one, those that failed since among them."""
    table = two()
    phase(table, 2, Phase.IDENTIFIED)
    merge(table, 2, 1)
    table.sees("anthropic.web", Level.DOWN)
    said = unmerge(table, 2)

    assert "INC-2 is its own incident again: identified." == said
    assert {API, "anthropic.web"} == set(table.incident(2).affected)
    assert {GPT} == set(table.incident(1).affected)


@pytest.mark.parametrize(("component", "level"), [("anthropic.web", Level.DOWN), (API, Level.OPERATIONAL)])
def test_what_happened_meanwhile_is_not_told_again_where_it_comes_back(component: str, level: Level) -> None:
    """Its channel reads once that it is its own incident again; the rest was told when it happened."""
    table = two()
    merge(table, 2, 1)
    table.sees(component, level)
    before = len(table.effects(PostLine))
    unmerge(table, 2)

    lines = [key for key in table.effects(PostLine)[before:] if key.startswith("incident/2/") and key.endswith("/line")]
    assert 1 == len(lines)


def test_what_stayed_as_it_was_meanwhile_makes_no_entry() -> None:
    """A timeline holds what happened."""
    table = two()
    merge(table, 2, 1)
    unmerge(table, 2)

    assert [] == [fact.body for fact in table.steps[-1].facts if isinstance(fact.body, ComponentMoved)]


def test_an_unmerged_incident_knows_what_its_components_did_meanwhile() -> None:
    """As a reopened one does."""
    table = two()
    merge(table, 2, 1)
    table.sees(API, Level.OPERATIONAL)
    unmerge(table, 2)

    assert Level.OPERATIONAL is table.incident(2).affected[API].level


def test_a_mitigation_leaves_with_the_part_that_it_rested_on() -> None:
    """The other one had no flag of its own: nobody serves its customers."""
    table = Table(policy()).all_well()
    table.send(s.Declare(actor=ANA, title="Orders fail"))
    table.sees(API, Level.DOWN)
    merge(table, 2, 1)
    assert table.incident(1).mitigation
    unmerge(table, 2)

    assert (None, Phase.INVESTIGATING) == (table.incident(1).mitigation, table.incident(1).phase)
    assert table.incident(2).mitigation


def test_its_flag_is_told_in_it_again() -> None:
    """It depends on nothing of the other one."""
    table = two()
    merge(table, 2, 1)
    unmerge(table, 2)

    engagement = table.world.flag(FLAG).engagement
    assert engagement is not None and 2 == engagement.incident


def test_no_update_counts_as_missed_for_the_time_in_between() -> None:
    """Its clock starts afresh."""
    table = two()
    merge(table, 2, 1)
    table.passes(180)
    unmerge(table, 2)
    updates = table.incident(2).updates
    table.passes(30)

    assert updates == table.incident(2).updates


def test_it_stays_merged_where_another_one_is_open_for_its_provider() -> None:
    """The one that held its place is over, and a new one was opened: one incident a provider."""
    table = two()
    merge(table, 2, 1)
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED, force=True))
    table.passes(40)

    opened = [i.number for i in table.world.open_incidents() if i.dedup == "anthropic"]
    assert f"INC-{opened[0]} is open for the same provider; continue there." == unmerge(table, 2)


def test_it_is_taken_out_of_one_that_is_over() -> None:
    """It was another matter, and goes on."""
    table = two()
    merge(table, 2, 1)
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED, force=True))

    assert "INC-2 is its own incident again: mitigated." == unmerge(table, 2)


def unmerged_while_over() -> Table:
    """INC-2 was part of INC-1, and was unmerged when that was resolved."""
    table = two()
    merge(table, 2, 1)
    table.sees("anthropic.web", Level.DOWN)
    phase(table, 1, Phase.RESOLVED)
    unmerge(table, 2)
    return table


def test_the_other_one_is_reopened_without_the_part_that_runs_alone() -> None:
    """Each has what is its own."""
    table = unmerged_while_over()
    phase(table, 1, Phase.INVESTIGATING)

    assert {GPT} == set(table.incident(1).affected)
    assert {API, "anthropic.web"} == set(table.incident(2).affected)


def test_what_was_unmerged_is_no_obstacle_afterwards() -> None:
    """Neither to merging the other one, nor to reopening the part."""
    table = unmerged_while_over()
    phase(table, 2, Phase.RESOLVED)
    phase(table, 1, Phase.INVESTIGATING)
    table.send(s.Declare(actor=ANA, title="Mail is late", separate=True))

    assert "INC-1 is part of INC-3 now." == merge(table, 1, 3)
    phase(table, 2, Phase.INVESTIGATING)


def test_the_other_one_is_not_reopened_while_a_new_one_holds_its_part() -> None:
    """One incident a provider."""
    table = two()
    merge(table, 2, 1)
    phase(table, 1, Phase.RESOLVED)
    table.passes(40)
    said = table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.INVESTIGATING)).answer

    assert told(said).endswith("is open for the same provider; continue there.")


# --- what the exports measure


def measured(table: Table, number: int) -> Durations:
    return durations(table.incident(number), [fact for fact in table.facts if fact.incident == number])


def test_an_outage_goes_with_the_part_that_it_belongs_to() -> None:
    """Of what another incident has, the one that goes on cannot know when it ends."""
    table = two()
    merge(table, 2, 1)
    unmerge(table, 2)

    assert [[GPT], [API]] == [[outage.component for outage in measured(table, n).outages] for n in (1, 2)]


def test_time_in_another_incident_is_no_silence() -> None:
    """People were told there."""
    table = two()
    table.passes(10)
    merge(table, 2, 1)
    table.passes(180)
    unmerge(table, 2)
    table.passes(60)

    assert timedelta(minutes=60) == measured(table, 2).longest_silence


def switch(table: Table, variant: str) -> None:
    assert table.send(s.EngageFlag(actor=ANA, flag=FLAG, variant=variant)).answer.ok


def away(table: Table, number: int) -> list[tuple[str, timedelta, timedelta | None]]:
    """Variant, after how long, and until when, of each stretch away."""
    return [
        (one.variant, one.began_at - START, one.ended_at - START if one.ended_at else None)
        for one in measured(table, number).away
    ]


def test_a_flag_goes_with_the_part_that_it_belongs_to() -> None:
    """Who goes on never hears when it is back, and would measure it for ever."""
    table = two()
    merge(table, 2, 1)
    unmerge(table, 2)

    assert [0, 1] == [len(away(table, number)) for number in (1, 2)]


def test_a_part_measures_what_its_flag_served_while_it_was_merged() -> None:
    """Every change, not only the last one: its own post-mortem needs them."""
    table = two(automation=Automation.OFF)
    switch(table, "cached")
    merge(table, 2, 1)
    table.passes(10)
    table.send(s.ReleaseFlag(actor=ANA, flag=FLAG, force=True))
    table.passes(10)
    switch(table, "cached")
    table.passes(10)
    unmerge(table, 2)
    table.passes(10)
    table.send(s.ReleaseFlag(actor=ANA, flag=FLAG, force=True))

    minutes = [timedelta(minutes=n) for n in (0, 10, 20, 40)]
    assert [("cached", minutes[0], minutes[1]), ("cached", minutes[2], minutes[3])] == away(table, 2)


# --- what waits for a person


def asking() -> Table:
    """A switch is proposed in INC-2."""
    table = two(automation=Automation.PROPOSE, fallbacks=(Fallback("cached"),))
    assert [2] == [fact.incident for fact in table.facts if isinstance(fact.body, EngageProposed)]
    return table


def test_what_is_proposed_is_asked_in_the_one_that_goes_on() -> None:
    """Nobody reads the channel of the other one any more; phones rang once."""
    table = asking()
    merge(table, 2, 1)
    [fact] = [fact for fact in table.steps[-1].facts if isinstance(fact.body, EngageProposed)]
    proposal = table.world.flag(FLAG).proposal

    assert (1, False) == (fact.incident, fact.body.pushed())
    assert proposal is not None and 1 == proposal.incident


def test_what_is_proposed_is_asked_in_the_part_again() -> None:
    """It is about nothing of the other one."""
    table = asking()
    merge(table, 2, 1)
    unmerge(table, 2)
    proposal = table.world.flag(FLAG).proposal

    assert proposal is not None and 2 == proposal.incident


# --- the law


@pytest.mark.parametrize("seed", range(100))
def test_one_incident_is_open_for_a_provider_whatever_is_merged(seed: int) -> None:
    """At any moment; and what is merged is part of one that knows it, while that runs."""
    dice, table = story(seed)
    table.send(s.Declare(actor=ANA, title="Something else"))
    for _ in range(14):
        goes_on(dice, table)
        settle(table)
        numbers = list(table.world.incidents)
        one, into = dice.choice(numbers), dice.choice(numbers)
        table.send(dice.choice([s.Merge(actor=ANA, incident=one, into=into), s.Unmerge(actor=ANA, incident=one)]))
        settle(table)
        held = Counter(key for incident in table.world.open_incidents() for key in incident.holds)
        assert not [key for key, count in held.items() if count > 1]
        for incident in table.world.incidents.values():
            if incident.merged and incident.merged.number in table.world.running:
                assert incident.number in table.incident(incident.merged.number).parts
            for part in incident.parts if incident.phase.open else ():
                merged = table.incident(part).merged
                assert merged and incident.number == merged.number
