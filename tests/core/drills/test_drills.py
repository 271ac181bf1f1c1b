"""Drills: what people get, when they end, and that they give way to what is real."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core import signals as s
from bot.core.answers.base import NoComponent
from bot.core.answers.incident import TwoProviders
from bot.core.decide.drills import DrillStarted
from bot.core.decide.due import next_due
from bot.core.effects import InvitePeople, PageMention, PostAlert, PostBroadcast, PostSummary
from bot.core.model import Actor, Level, Phase, Severity
from bot.core.paging import PageStep, PagingPolicy
from bot.core.policy import BroadcastPolicy
from bot.core.record.drills.drill_facts import DrillEnded, DrillReadersSeen
from bot.core.record.incident import Incident
from bot.core.record.paging_facts import Paged
from tests.desk import ANA, BOB, RULE, START, Table, policy, told

FLAG = "support-chat.llm"
CLAUDE = ("anthropic.api", "anthropic.web", "anthropic.mobile")
MINUTE = timedelta(minutes=1)


def start(*components: str, minutes: int = 10, paging: bool = False, flag: str = "", who: Actor = ANA) -> s.StartDrill:
    return s.StartDrill(who, components=components or ("anthropic.api",), lasts=minutes * MINUTE, paging=paging, flag=flag)


@pytest.fixture
def table() -> Table:
    """All is well, and SEV2 pages somebody at once and again after five minutes."""
    steps = (PageStep(timedelta(0), mention=("primary",)), PageStep(5 * MINUTE, mention=("primary",)))
    return Table(replace(policy(), paging=PagingPolicy({Severity.SEV2: steps}))).all_well()


def drill(table: Table) -> Incident:
    return table.incident(table.world.last_incident)


def test_a_drill_opens_an_incident_that_says_what_it_is(table: Table) -> None:
    """In its title and in the name of its channel, before anybody reads further."""
    answer = table.send(start()).answer
    assert drill(table).title == "DRILL: Claude API is down"
    assert drill(table).room.name == "drill-20260320-0001-claude"
    assert told(answer) == (
        "🔵 INC-1 has begun, until 12:10 UTC: DRILL: Claude API is down. Nobody is paged. "
        "Its channel #drill-20260320-0001-claude is being created. To end it: `/drill stop INC-1`"
    )


def test_a_provider_is_down_with_all_that_is_named_of_it(table: Table) -> None:
    """As a real one is called."""
    table.send(start(*CLAUDE))
    assert drill(table).title == "DRILL: Claude is down (API, claude.ai, mobile)"


def test_it_keeps_its_mark_when_it_is_renamed(table: Table) -> None:
    """Nobody takes it for a real one because somebody gave it a better name."""
    table.send(start())
    table.send(s.Rename(ANA, incident=1, title="Chat answers with errors"))
    assert drill(table).title == "DRILL: Chat answers with errors"


def test_nobody_is_paged(table: Table) -> None:
    """Not at its start, nor while nobody acknowledges it."""
    table.send(start(minutes=30))
    table.passes(20)
    assert not table.kinds(Paged)
    assert not table.effects(PageMention)


def test_people_are_paged_where_whoever_started_it_wanted_that(table: Table) -> None:
    """By the steps of its severity."""
    table.send(start(paging=True))
    table.passes(6)
    assert len(table.kinds(Paged)) == 2


@pytest.mark.parametrize(("minutes", "ended"), [(9, False), (10, True)])
def test_it_recovers_when_its_time_is_over(table: Table, minutes: int, ended: bool) -> None:
    """The components are well again, and people resolve it."""
    table.send(start())
    table.passes(minutes)
    assert drill(table).well is ended
    assert drill(table).phase is (Phase.MONITORING if ended else Phase.TRIAGE)


def test_it_resolves_itself_half_an_hour_after_its_end(table: Table) -> None:
    """A drill that everybody forgot is no open incident for ever."""
    table.send(start())
    table.passes(39)
    assert drill(table).phase is Phase.MONITORING
    table.passes(1)
    assert drill(table).phase is Phase.RESOLVED
    assert drill(table).ending.reason == "nobody resolved it within 30 min of the end of the drill"


def test_whoever_sleeps_until_the_next_deadline_misses_neither_end(table: Table) -> None:
    """The end of the drill, and the end of its incident."""
    plain = replace(table.policy, incidents=replace(table.policy.incidents, update_every={}, nag_after=None))
    table.policy = plain
    table.send(start())
    assert next_due(table.world, table.policy) == START + 10 * MINUTE
    table.passes(10)
    assert next_due(table.world, table.policy) == START + 40 * MINUTE


def test_whoever_stops_it_ends_its_incident(table: Table) -> None:
    """And its report comes."""
    table.send(start())
    answer = table.send(s.StopDrill(BOB, incident=1)).answer
    assert told(answer) == "The drill INC-1 is over; its report comes in its channel."
    assert drill(table).phase is Phase.RESOLVED
    assert table.kinds(DrillEnded) == [DrillEnded("somebody stopped it")]
    assert len(table.effects(PostSummary)) == 1


def test_what_is_over_is_not_stopped_again(table: Table) -> None:
    table.send(start())
    table.send(s.StopDrill(ANA, incident=1))
    assert told(table.send(s.StopDrill(ANA, incident=1)).answer) == "INC-1 is not a running drill."


def test_a_real_incident_is_not_stopped_like_a_drill(table: Table) -> None:
    table.sees("anthropic.api", Level.DOWN)
    assert told(table.send(s.StopDrill(ANA, incident=1)).answer) == "INC-1 is not a running drill."
    assert table.incident(1).phase.open


def test_resolving_asks_first_while_it_pretends_a_failure(table: Table) -> None:
    """As of a real one."""
    table.send(start())
    answer = table.send(s.SetPhase(ANA, incident=1, phase=Phase.RESOLVED)).answer
    assert told(answer) == "INC-1 is not over: Claude API is down. Nothing was changed."


def test_a_drill_is_not_reopened(table: Table) -> None:
    """It would pretend nothing."""
    table.send(start())
    table.send(s.StopDrill(ANA, incident=1))
    answer = table.send(s.SetPhase(ANA, incident=1, phase=Phase.INVESTIGATING)).answer
    assert told(answer) == "INC-1 was a drill. It is not reopened; start another one."


def test_one_drill_at_a_time_for_a_provider(table: Table) -> None:
    """Also where the second is about another surface of it."""
    table.send(start())
    again = table.send(start("anthropic.web")).answer
    assert told(again) == "INC-1 is already a drill of that provider. To end it: `/drill stop INC-1`"


def test_two_providers_may_have_a_drill_each(table: Table) -> None:
    table.send(start())
    assert table.send(start("openai.api")).answer.ok


@pytest.mark.parametrize("minutes", [0, 121])
def test_a_drill_has_a_sensible_length(table: Table, minutes: int) -> None:
    answer = table.send(start(minutes=minutes)).answer
    assert told(answer) == "A drill lasts from 1 min to 2 h. Nothing was started."


def test_whoever_starts_it_reads_what_it_will_do(table: Table) -> None:
    """Whether it pages, and which flag it would switch to what."""
    answer = table.send(start(paging=True, flag=FLAG)).answer

    assert isinstance(answer, DrillStarted)
    assert (FLAG, "gpt", True) == (answer.flag, answer.variant, answer.paging)


@pytest.mark.parametrize(
    ("components", "wrong"), [((), ""), (("nope.api",), "nope.api"), (("anthropic.api", "nope.api"), "nope.api")]
)
def test_what_is_not_watched_is_not_drilled(table: Table, components: tuple[str, ...], wrong: str) -> None:
    """Whoever mistyped it reads what, and what there is."""
    answer = table.send(s.StartDrill(ANA, components=components, lasts=10 * MINUTE)).answer
    assert NoComponent(component=wrong, known=tuple(sorted(table.policy.components))) == answer
    assert not table.world.incidents


def test_a_drill_is_of_one_provider(table: Table) -> None:
    """As an incident is."""
    assert TwoProviders() == table.send(start("anthropic.api", "openai.api")).answer
    assert not table.world.incidents


def test_an_outsider_starts_none(table: Table) -> None:
    """Who may not declare an incident may not pretend one."""
    assert not table.send(start(who=Actor.outsider("U0GUEST", "guest"))).answer.ok
    assert not table.world.incidents


def test_what_really_fails_is_not_drilled(table: Table) -> None:
    table.sees("anthropic.api", Level.DOWN)
    assert told(table.send(start("anthropic.web")).answer) == "No drill now: Claude is failing for real: INC-1."


def test_what_is_slow_in_a_thread_is_not_drilled(table: Table) -> None:
    """Nobody could tell which of the two is meant."""
    table.sees("anthropic.api", Level.DEGRADED)
    assert told(table.send(start()).answer) == "No drill now: Claude API is really degraded."


def test_a_real_outage_opens_its_own_incident_pages_and_ends_the_drill(table: Table) -> None:
    """At once and with all that it always has; the drill says why it is over."""
    table.send(start())
    table.sees("anthropic.api", Level.DOWN)
    real = table.incident(2)
    assert (real.title, real.drill, real.phase) == ("Claude API is down", None, Phase.MITIGATED)
    assert [fact.incident for fact in table.facts if isinstance(fact.body, Paged)] == [2]
    assert table.incident(1).phase is Phase.RESOLVED
    assert table.kinds(DrillEnded) == [DrillEnded("Claude is failing for real: INC-2")]


def test_a_real_outage_ends_a_drill_that_nobody_has_resolved_yet(table: Table) -> None:
    """Two open incidents of one name would confuse everybody."""
    table.send(start())
    table.passes(15)
    table.sees("anthropic.web", Level.DOWN)
    assert not table.incident(1).phase.open


def test_an_outage_elsewhere_leaves_the_drill_alone(table: Table) -> None:
    table.send(start())
    table.sees("openai.api", Level.DOWN)
    assert table.incident(1).phase.open


def test_somebody_who_declares_the_real_thing_gets_an_incident(table: Table) -> None:
    """Nobody is pointed to a drill."""
    table.send(start())
    assert table.send(s.Declare(BOB, title="Claude is slow for customers")).answer.ok
    assert not table.incident(1).phase.open


def test_what_is_switched_for_a_real_reason_is_on_no_drills_record(table: Table) -> None:
    """An engagement goes to a real incident or to none."""
    table.send(start())
    table.send(s.EngageFlag(ANA, flag=FLAG, variant="gpt"))
    engagement = table.world.flag(FLAG).engagement
    assert engagement is not None
    assert engagement.incident is None


def test_the_flag_of_a_drill_stays_as_it_is(table: Table) -> None:
    """Only the scope reads the first fallback that is fit."""
    table.send(start(flag=FLAG))
    assert table.world.flag(FLAG).engagement is None
    assert drill(table).drill.plan.variant == "gpt"  # type: ignore[union-attr] # it is one


def test_a_fallback_that_fails_is_not_tried(table: Table) -> None:
    table.sees("openai.api", Level.DOWN)
    table.send(start(flag=FLAG))
    assert drill(table).drill.plan.variant == "cached"  # type: ignore[union-attr] # it is one


def test_a_flag_that_is_switched_is_in_no_drill(table: Table) -> None:
    table.send(s.EngageFlag(ANA, flag=FLAG, variant="gpt"))
    assert told(table.send(start(flag=FLAG)).answer).startswith("Support chat has no fallback to try: it is switched already.")


def test_readers_are_kept_once_each(table: Table) -> None:
    """However often they are seen."""
    table.send(start(flag=FLAG))
    for _ in range(2):
        table.send(s.ReadInDrill(RULE, incident=1, fallback=("chat-1",), other=("chat-1", "chat-2")))
    assert table.kinds(DrillReadersSeen) == [DrillReadersSeen(FLAG, ("chat-1",), ("chat-1", "chat-2"))]


def test_no_more_readers_are_kept_than_anybody_reads(table: Table) -> None:
    table.send(start(flag=FLAG))
    table.send(s.ReadInDrill(RULE, incident=1, fallback=tuple(f"chat-{n}" for n in range(60))))
    assert len(drill(table).drill.fallback_readers) == 50  # type: ignore[union-attr] # it is one


def test_the_alert_and_the_invitations_come_as_in_a_real_one(table: Table) -> None:
    """People meet what they will meet at night."""
    table.send(start())
    assert len(table.effects(PostAlert)) == 1
    assert len(table.effects(InvitePeople)) == 1


def test_a_drill_and_a_real_incident_do_not_become_one(table: Table) -> None:
    """In neither direction: what is pretended would stand among what is real."""
    table.send(start())
    table.sees("openai.api", Level.DOWN)
    assert told(table.send(s.Merge(ANA, incident=1, into=2)).answer) == "INC-1 is a drill, which stays by itself."
    assert told(table.send(s.Merge(ANA, incident=2, into=1)).answer) == "INC-1 is a drill, which stays by itself."


@pytest.mark.parametrize(("paging", "told_elsewhere"), [(False, 0), (True, 1)])
def test_stakeholders_are_told_only_where_people_are_paged(table: Table, paging: bool, told_elsewhere: int) -> None:
    """Who is outside of the incident knows nothing of a drill."""
    elsewhere = BroadcastPolicy("#stakeholders", frozenset(Severity))
    table.policy = replace(table.policy, broadcast=(elsewhere,))
    table.send(start(paging=paging))
    assert len(table.effects(PostBroadcast)) == told_elsewhere
