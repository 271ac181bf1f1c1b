"""Each reason to hold an alert back: its wording, its end, and where it is reported instead."""

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


def test_blindness_has_no_known_end_and_is_unplanned() -> None:
    """Such a component still joins its provider's incident."""
    table = Table().all_well()
    table.send(s.SightChanged(actor=RULE, sight=Sight(blind=True, reason="both controls are unreachable", began_at=START)))

    assert Quiet("we are blind: both controls are unreachable", None, planned=False) == why(table)


def test_mute_ends_at_its_time_and_is_planned() -> None:
    """So the component joins nothing meanwhile."""
    table = Table().all_well()
    table.send(s.Mute(actor=ANA, component=API, lasts=HOUR, reason="we move"))

    assert Quiet("muted by ana: we move", START + HOUR, planned=True) == why(table)


def test_expired_mute_no_longer_counts() -> None:
    """The alert does not wait for the rule that removes it."""
    table = Table().all_well()
    table.send(s.Mute(actor=ANA, component=API, lasts=HOUR))

    assert why(table, at=START + HOUR) is None


def test_mute_by_somebody_without_a_name_shows_their_id() -> None:
    """Slack could not return the profile."""
    table = Table().all_well()
    table.send(s.Mute(actor=Actor.person("U0ANA", ""), component=API, lasts=HOUR))

    assert Quiet("muted by U0ANA", START + HOUR) == why(table)


@pytest.mark.parametrize(("reason", "words"), [("", "our own maintenance"), ("we move", "our own maintenance: we move")])
def test_our_maintenance_lasts_until_its_window_ends(reason: str, words: str) -> None:
    """In the words of whoever planned it."""
    window = Window((API,), START - HOUR, START + HOUR, reason=reason)
    table = Table(replace(policy(), maintenance=(window,)))

    assert Quiet(words, START + HOUR) == why(table)


def test_second_window_counts_if_the_first_is_over() -> None:
    """Each window is looked at."""
    windows = (Window((API,), START - DAY, START - HOUR), Window((API,), START, START + HOUR))
    table = Table(replace(policy(), maintenance=windows))

    assert Quiet("our own maintenance", START + HOUR) == why(table)


# --- what the vendor announced


def test_vendors_maintenance_of_another_component_is_no_reason() -> None:
    """The page tells what it is about."""
    assert why(read(upkeep("in_progress", START, START + HOUR, WEB))) is None


def test_maintenance_of_another_vendor_is_no_reason() -> None:
    """Each component has one page."""
    assert why(read(upkeep("in_progress", START, START + HOUR)), GPT) is None


@pytest.mark.parametrize("status", ["in_progress", "verifying"])
def test_maintenance_in_progress_may_take_an_hour_longer(status: str) -> None:
    """Vendors end late, and forget to say so."""
    assert planned(START + 3 * HOUR) == why(read(upkeep(status, START, START + 2 * HOUR)))


def test_maintenance_counts_until_exactly_an_hour_after_its_plan() -> None:
    """An hour after the plan alerts come."""
    table = read(upkeep("in_progress", START, START + 2 * HOUR))
    second = timedelta(seconds=1)

    assert planned(START + 3 * HOUR) == why(table, at=START + 3 * HOUR - second)
    assert why(table, at=START + 3 * HOUR) is None


def test_maintenance_never_called_in_progress_ends_with_its_plan() -> None:
    """Perhaps it never began."""
    assert planned(START + HOUR) == why(read(upkeep("scheduled", START, START + HOUR)))


def test_scheduled_maintenance_does_not_count_before_its_time() -> None:
    """Nor without a time."""
    ahead = read(upkeep("scheduled", START + HOUR, START + 2 * HOUR))
    undated = read(upkeep("scheduled", None, None))

    assert [None, None] == [why(ahead), why(undated)]


def test_maintenance_without_an_end_counts_for_a_day() -> None:
    """From the vendor's last update."""
    assert planned(START + DAY) == why(read(upkeep("in_progress", START, None)))


def test_maintenance_without_a_start_counts_if_called_in_progress() -> None:
    """Some pages only give an end."""
    assert planned(START + 3 * HOUR) == why(read(upkeep("in_progress", None, START + 2 * HOUR)))


def test_maintenance_of_weeks_counts_for_one() -> None:
    """From the vendor's update; one of the dates must be wrong."""
    notice = upkeep("in_progress", START + 30 * DAY, START + 31 * DAY)

    assert planned(START + 7 * DAY + HOUR) == why(read(notice))


def test_completed_maintenance_is_no_reason() -> None:
    """Whatever its plan says."""
    assert why(read(upkeep("completed", START, START + HOUR))) is None


def test_second_maintenance_counts_if_the_first_is_over() -> None:
    """Each notice is looked at."""
    first = upkeep("scheduled", START - 3 * HOUR, START - HOUR)
    second = replace(upkeep("in_progress", START, START + HOUR), id="m2", update="u2")

    assert planned(START + 2 * HOUR) == why(read(first, second))


def test_component_under_maintenance_is_held_back_while_the_page_says_so() -> None:
    """Without a known end."""
    assert Quiet("the vendor's page calls it under maintenance") == why(read(maintenance=(API,)))


def test_unreadable_page_counts_for_an_hour() -> None:
    """From when it became unreadable."""
    table = read(maintenance=(API,))
    table.now += timedelta(minutes=10)
    table.send(s.FeedRead(actor=PAGE, report=FeedReport("anthropic", table.now, FeedState.STALE)))

    assert Quiet("the vendor's page calls it under maintenance", table.now + HOUR) == why(table)
    assert why(table, at=table.now + HOUR) is None


# --- what it depends on


def test_dependent_component_is_reported_in_the_parents_incident() -> None:
    """Without a known end, and unplanned."""
    table = depending(GPT, API)
    table.sees(API, Level.DOWN)

    assert Quiet("it depends on Claude API, see INC-1", None, 1, planned=False) == why(table, GPT)


def test_dependent_component_has_five_minutes_after_its_parent() -> None:
    """It recovers slightly later."""
    table = depending(GPT, API)
    table.sees(API, Level.DOWN)
    table.passes(7)
    table.sees(API, Level.OPERATIONAL)
    until = table.now + timedelta(minutes=5)

    assert Quiet("it depends on Claude API, see INC-1", until, 1, planned=False) == why(table, GPT)
    assert why(table, GPT, until) is None


def test_second_parent_counts_if_the_first_is_well() -> None:
    """Each parent is looked at."""
    table = depending(GPT, WEB, API)
    table.sees(API, Level.DOWN)

    assert Quiet("it depends on Claude API, see INC-1", None, 1, planned=False) == why(table, GPT)


def test_component_that_depends_on_itself_is_not_held_back() -> None:
    """A configuration mistake must not silence it."""
    table = depending(API, API)
    table.sees(API, Level.DOWN)

    assert why(table) is None


def test_removed_component_depends_on_nothing() -> None:
    """It is still on record."""
    assert why(Table().all_well(), "mistral.api") is None


# --- what a person ended


def ended(phase: Phase, reason: str = "") -> Table:
    """A component whose incident was ended by hand while it was down."""
    table = Table(policy(automation="off")).all_well()
    table.sees(API, Level.DEGRADED)
    table.send(s.Declare(actor=ANA, title="Claude is slow", components=(API,)))
    table.send(s.SetPhase(actor=ANA, incident=1, phase=phase, reason=reason, force=True))
    return table


def test_canceled_incident_holds_its_components_back() -> None:
    """Without an end, and with the people's reason."""
    table = ended(Phase.CANCELED, "false-alarm")

    assert Quiet("INC-1 was canceled: false-alarm", None, planned=False) == why(table)


def test_resolved_incident_holds_its_components_back_for_half_an_hour() -> None:
    """Then an incident opens again."""
    table = ended(Phase.RESOLVED)
    until = START + timedelta(minutes=30)

    assert Quiet("INC-1 was resolved while it failed", until, planned=False) == why(table)
    assert why(table, at=until) is None


@pytest.mark.parametrize("phase", [Phase.CANCELED, Phase.RESOLVED])
def test_worse_component_is_no_longer_held_back(phase: Phase) -> None:
    """Slow was no incident; down is another matter."""
    table = ended(phase, "false-alarm")
    table.sees(API, Level.DOWN)

    assert [1, 2] == list(table.world.incidents)


@pytest.mark.parametrize("phase", [Phase.CANCELED, Phase.RESOLVED])
def test_component_that_recovered_in_between_is_no_longer_held_back(phase: Phase) -> None:
    """The next trouble is another one."""
    table = ended(phase, "false-alarm")
    table.sees(API, Level.OPERATIONAL)
    table.now += timedelta(minutes=1)
    table.sees(API, Level.DEGRADED)

    assert why(table) is None


def test_component_in_a_new_incident_is_no_longer_held_back() -> None:
    """Somebody declared it again."""
    table = ended(Phase.RESOLVED)
    table.send(s.Declare(actor=ANA, title="Claude is still slow", components=(API,)))

    assert why(table) is None


# --- when a plan begins


def test_upcoming_starts_come_from_our_windows_and_vendors_plans() -> None:
    """Those in the future, for this component."""
    table = read(upkeep("scheduled", START + HOUR, START + 2 * HOUR))
    ours = (Window((API,), START + 3 * HOUR, START + 4 * HOUR), Window((WEB,), START + 5 * HOUR, START + 6 * HOUR))
    planned = replace(table.policy, maintenance=ours)

    assert [START + 3 * HOUR, START + HOUR] == list(beginnings(table.world, planned, API, START))


def test_past_starts_are_not_upcoming() -> None:
    """Nor one at this very moment, nor that of a completed maintenance."""
    begun = read(upkeep("scheduled", START, START + HOUR))
    completed = read(upkeep("completed", START + HOUR, START + 2 * HOUR))
    undated = read(upkeep("scheduled", None, None))

    assert [[], [], []] == [list(beginnings(t.world, t.policy, API, START)) for t in (begun, completed, undated)]
