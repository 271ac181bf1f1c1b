"""Each reason to alert nobody: in which words, until when, and where it is told instead."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.core import signals as s
from bot.core.decide.alerting.suppression import Quiet, beginnings, look
from bot.core.maintenance_windows import Window
from bot.core.model import Actor, FeedReport, FeedState, Level, Notice, Phase
from bot.core.record.sight import Sight
from tests.desk import ANA, RULE, START, Table, policy

API, WEB, GPT = "anthropic.api", "anthropic.web", "openai.api"
PAGE = Actor.vendor("anthropic")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def why(table: Table, component: str = API, at: datetime | None = None) -> Quiet | None:
    return look(table.world, table.policy, component, at or table.now)


def depending(child: str, *parents: str) -> Table:
    base = policy(automation="off")
    part = replace(base.components[child], depends_on=parents)
    return Table(replace(base, components={**base.components, child: part})).all_well()


def read(*notices: Notice, state: FeedState = FeedState.FRESH, maintenance: tuple[str, ...] = ()) -> Table:
    table = Table().all_well()
    report = FeedReport("anthropic", table.now, state, notices=notices, maintenance=maintenance)
    table.send(s.FeedRead(actor=PAGE, report=report))
    return table


def upkeep(status: str, starts: datetime | None, ends: datetime | None, *components: str) -> Notice:
    about = components or (API,)
    return Notice(
        "anthropic", "m1", "u1", "Database move", "", status, "maintenance", START, components=about, starts_at=starts,
        ends_at=ends,
    )  # fmt: skip


def planned(until: datetime) -> Quiet:
    return Quiet("announced maintenance: Database move", until, planned=True)


# --- ourselves


def test_blindness_has_no_end_of_its_own_and_nobody_planned_it() -> None:
    """Such a component still joins an incident of its provider."""
    table = Table().all_well()
    table.send(s.SightChanged(actor=RULE, sight=Sight(blind=True, reason="both controls are unreachable", began_at=START)))

    assert Quiet("we are blind: both controls are unreachable", None, planned=False) == why(table)


def test_a_mute_ends_at_its_time() -> None:
    """Somebody meant it: the component joins nothing meanwhile."""
    table = Table().all_well()
    table.send(s.Mute(actor=ANA, component=API, lasts=HOUR, reason="we move"))

    assert Quiet("muted by ana: we move", START + HOUR, planned=True) == why(table)


def test_a_mute_is_over_at_its_time_though_nobody_has_ended_it_yet() -> None:
    """The alert does not wait for the rule that clears it away."""
    table = Table().all_well()
    table.send(s.Mute(actor=ANA, component=API, lasts=HOUR))

    assert why(table, at=START + HOUR) is None


def test_a_mute_by_somebody_without_a_name_says_their_id() -> None:
    """As Slack has it where the profile could not be read."""
    table = Table().all_well()
    table.send(s.Mute(actor=Actor.person("U0ANA", ""), component=API, lasts=HOUR))

    assert Quiet("muted by U0ANA", START + HOUR) == why(table)


@pytest.mark.parametrize(("reason", "words"), [("", "our own maintenance"), ("we move", "our own maintenance: we move")])
def test_our_maintenance_lasts_until_its_window_ends(reason: str, words: str) -> None:
    """In the words of who planned it."""
    window = Window((API,), START - HOUR, START + HOUR, reason=reason)
    table = Table(replace(policy(), maintenance=(window,)))

    assert Quiet(words, START + HOUR) == why(table)


def test_the_second_window_counts_where_the_first_is_over() -> None:
    """Each window is looked at."""
    windows = (Window((API,), START - DAY, START - HOUR), Window((API,), START, START + HOUR))
    table = Table(replace(policy(), maintenance=windows))

    assert Quiet("our own maintenance", START + HOUR) == why(table)


# --- what the vendor announced


def test_maintenance_of_another_component_is_no_reason() -> None:
    """The page tells what it is about."""
    assert why(read(upkeep("in_progress", START, START + HOUR, WEB))) is None


def test_maintenance_of_another_vendor_is_no_reason() -> None:
    """Each component has one page."""
    assert why(read(upkeep("in_progress", START, START + HOUR)), GPT) is None


@pytest.mark.parametrize("status", ["in_progress", "verifying"])
def test_maintenance_under_way_may_take_an_hour_more(status: str) -> None:
    """Vendors end late, and forget to say so."""
    assert planned(START + 3 * HOUR) == why(read(upkeep(status, START, START + 2 * HOUR)))


def test_maintenance_is_believed_to_its_last_moment_and_not_longer() -> None:
    """An hour after the plan alerts come."""
    table = read(upkeep("in_progress", START, START + 2 * HOUR))
    second = timedelta(seconds=1)

    assert planned(START + 3 * HOUR) == why(table, at=START + 3 * HOUR - second)
    assert why(table, at=START + 3 * HOUR) is None


def test_maintenance_that_nobody_called_begun_ends_with_its_plan() -> None:
    """By the plan alone there is no hour more: perhaps it never began."""
    assert planned(START + HOUR) == why(read(upkeep("scheduled", START, START + HOUR)))


def test_maintenance_that_is_only_scheduled_has_not_begun() -> None:
    """Neither before its time nor without one."""
    ahead = read(upkeep("scheduled", START + HOUR, START + 2 * HOUR))
    undated = read(upkeep("scheduled", None, None))

    assert [None, None] == [why(ahead), why(undated)]


def test_maintenance_without_an_end_is_believed_for_a_day() -> None:
    """From the vendor's last word."""
    assert planned(START + DAY) == why(read(upkeep("in_progress", START, None)))


def test_maintenance_without_a_beginning_is_under_way_by_the_vendors_word() -> None:
    """Some pages give an end alone."""
    assert planned(START + 3 * HOUR) == why(read(upkeep("in_progress", None, START + 2 * HOUR)))


def test_a_plan_of_weeks_is_believed_for_one_from_the_vendors_word() -> None:
    """It is under way although its time is next month: a slip in one date or the other."""
    notice = upkeep("in_progress", START + 30 * DAY, START + 31 * DAY)

    assert planned(START + 7 * DAY + HOUR) == why(read(notice))


def test_maintenance_that_is_over_is_no_reason() -> None:
    """Completed is completed, whatever the plan says."""
    assert why(read(upkeep("completed", START, START + HOUR))) is None


def test_the_second_maintenance_counts_where_the_first_is_over() -> None:
    """Each notice is looked at."""
    first = upkeep("scheduled", START - 3 * HOUR, START - HOUR)
    second = replace(upkeep("in_progress", START, START + HOUR), id="m2", update="u2")

    assert planned(START + 2 * HOUR) == why(read(first, second))


def test_a_component_that_the_page_calls_under_maintenance_is_quiet_as_long_as_it_is_read() -> None:
    """No end of its own."""
    assert Quiet("the vendor's page calls it under maintenance") == why(read(maintenance=(API,)))


def test_a_page_that_cannot_be_read_is_believed_for_an_hour() -> None:
    """From when it could not be read any more."""
    table = read(maintenance=(API,))
    table.now += timedelta(minutes=10)
    table.send(s.FeedRead(actor=PAGE, report=FeedReport("anthropic", table.now, FeedState.STALE)))

    assert Quiet("the vendor's page calls it under maintenance", table.now + HOUR) == why(table)
    assert why(table, at=table.now + HOUR) is None


# --- what it depends on


def test_a_child_is_told_of_in_its_parents_incident() -> None:
    """No end of its own while the parent is bad, and nobody planned it."""
    table = depending(GPT, API)
    table.sees(API, Level.DOWN)

    assert Quiet("it depends on Claude API, see INC-1", None, 1, planned=False) == why(table, GPT)


def test_a_child_has_five_minutes_after_its_parent() -> None:
    """What stands on another component comes back a little after it."""
    table = depending(GPT, API)
    table.sees(API, Level.DOWN)
    table.passes(7)
    table.sees(API, Level.OPERATIONAL)
    until = table.now + timedelta(minutes=5)

    assert Quiet("it depends on Claude API, see INC-1", until, 1, planned=False) == why(table, GPT)
    assert why(table, GPT, until) is None


def test_the_second_parent_counts_where_the_first_is_well() -> None:
    """Each parent is looked at."""
    table = depending(GPT, WEB, API)
    table.sees(API, Level.DOWN)

    assert Quiet("it depends on Claude API, see INC-1", None, 1, planned=False) == why(table, GPT)


def test_a_component_is_not_its_own_parent() -> None:
    """A slip in the configuration must not silence it."""
    table = depending(API, API)
    table.sees(API, Level.DOWN)

    assert why(table) is None


def test_what_is_not_configured_depends_on_nothing() -> None:
    """It left the configuration and is still on record."""
    assert why(Table().all_well(), "mistral.api") is None


# --- what a person ended


def ended(phase: Phase, reason: str = "") -> Table:
    """Its incident was ended by hand while it was down."""
    table = Table(policy(automation="off")).all_well()
    table.sees(API, Level.DEGRADED)
    table.send(s.Declare(actor=ANA, title="Claude is slow", components=(API,)))
    table.send(s.SetPhase(actor=ANA, incident=1, phase=phase, reason=reason, force=True))
    return table


def test_a_canceled_incident_keeps_what_it_was_about_quiet() -> None:
    """People said that this is no incident: without an end, and with their reason."""
    table = ended(Phase.CANCELED, "false-alarm")

    assert Quiet("INC-1 was canceled: false-alarm", None, planned=False) == why(table)


def test_a_resolved_incident_keeps_it_quiet_for_half_an_hour() -> None:
    """Then it opens again by itself."""
    table = ended(Phase.RESOLVED)
    until = START + timedelta(minutes=30)

    assert Quiet("INC-1 was resolved while it failed", until, planned=False) == why(table)
    assert why(table, at=until) is None


@pytest.mark.parametrize("phase", [Phase.CANCELED, Phase.RESOLVED])
def test_what_gets_worse_is_quiet_no_longer(phase: Phase) -> None:
    """Slow was no incident; down is another matter."""
    table = ended(phase, "false-alarm")
    table.sees(API, Level.DOWN)

    assert [1, 2] == list(table.world.incidents)


@pytest.mark.parametrize("phase", [Phase.CANCELED, Phase.RESOLVED])
def test_what_was_well_meanwhile_is_quiet_no_longer(phase: Phase) -> None:
    """The next trouble is another one."""
    table = ended(phase, "false-alarm")
    table.sees(API, Level.OPERATIONAL)
    table.now += timedelta(minutes=1)
    table.sees(API, Level.DEGRADED)

    assert why(table) is None


def test_what_is_in_an_incident_again_is_quiet_no_longer() -> None:
    """Resolved by hand, and declared anew by somebody who knew better: that one tells of it."""
    table = ended(Phase.RESOLVED)
    table.send(s.Declare(actor=ANA, title="Claude is still slow", components=(API,)))

    assert why(table) is None


# --- when a plan begins


def test_the_beginnings_are_those_of_our_windows_and_of_the_vendors_plans() -> None:
    """Each that is still to come, for this component."""
    table = read(upkeep("scheduled", START + HOUR, START + 2 * HOUR))
    ours = (Window((API,), START + 3 * HOUR, START + 4 * HOUR), Window((WEB,), START + 5 * HOUR, START + 6 * HOUR))
    planned = replace(table.policy, maintenance=ours)

    assert [START + 3 * HOUR, START + HOUR] == list(beginnings(table.world, planned, API, START))


def test_what_began_begins_no_more() -> None:
    """Neither at that very moment nor behind it, and a completed one not at all."""
    begun = read(upkeep("scheduled", START, START + HOUR))
    completed = read(upkeep("completed", START + HOUR, START + 2 * HOUR))
    undated = read(upkeep("scheduled", None, None))

    assert [[], [], []] == [list(beginnings(t.world, t.policy, API, START)) for t in (begun, completed, undated)]
