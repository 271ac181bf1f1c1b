"""The law of `next_due`: it is never later than the first moment at which `TimePassed` would change anything.

Whoever sleeps until then misses nothing: no update, no step back, no mute that ends. Random worlds, made of real signals;
the same ones at every run.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest

from bot.core import signals as s
from bot.core.decide.due import deadlines, next_due
from bot.core.decide.step import step
from bot.core.maintenance_windows import Recurrence, Window
from bot.core.model import Actor, Fault, FeedReport, FeedState, Level, Notice, Phase, Severity, Verdict
from bot.core.paging import PagingPolicy, QuietHours
from bot.core.policy import Policy
from bot.core.record.sight import Sight
from tests.desk import ANA, BOB, RULE, START, Table, policy

STORIES, SIGNALS = 200, 12
SIGHT = timedelta(hours=9)  # how far is looked where no deadline is known
TICK = timedelta(microseconds=1)
FLAG, COMPONENTS = "support-chat.llm", ("anthropic.api", "anthropic.api", "anthropic.web", "openai.api")
LEVELS = (Level.OPERATIONAL, Level.OPERATIONAL, Level.DEGRADED, Level.DOWN, Level.DOWN, Level.UNKNOWN)


# --- random worlds


def some_policy(dice: random.Random) -> Policy:
    """The desk's, with a flag of any temper, a component that stands on another, and work of our own planned."""
    base = policy(
        automation=dice.choice(["off", "propose", "auto", "auto"]), first_step=dice.choice(["ask", "auto"]),
        on_expiry=dice.choice(["hold", "release"]), engage_on=dice.choice([Level.DOWN, Level.DEGRADED]),
        expires_after=timedelta(hours=dice.choice([1, 24])), quorum=dice.choice([1, 2]),
        stays_for=dice.choice([None, timedelta(minutes=3), timedelta(minutes=90)]),
    )  # fmt: skip
    child = replace(base.components["anthropic.web"], depends_on=("openai.api",))
    starts = START + minutes(dice, 240)
    windows = (
        Window(("anthropic",), starts, starts + minutes(dice, 120), reason="a new proxy"),
        Window(recurrence=Recurrence(time(dice.randrange(12, 20)), timedelta(minutes=45)), reason="the daily load test"),
    )
    hours = QuietHours(frozenset(dice.sample(list(Severity), 2)), time(dice.randrange(12, 16)), time(17))
    return replace(
        base, components={**base.components, child.id: child}, maintenance=dice.choice([(), windows[:1], windows]),
        paging=PagingPolicy(quiet=dice.choice([None, hours])),
        incidents=replace(
            base.incidents, resolve=dice.choice(["ask", "auto"]), resolve_after=timedelta(minutes=dice.choice([2, 30, 30])),
        ),
    )  # fmt: skip


def minutes(dice: random.Random, most: int) -> timedelta:
    return timedelta(minutes=dice.randint(1, most))


def verdict(dice: random.Random, now: datetime) -> s.Signal:
    component, level = dice.choice(COMPONENTS), dice.choice(LEVELS)
    fault = Fault.THEIRS if level.bad else Fault.NONE
    return s.VerdictReached(RULE, verdict=Verdict(component, level, f"it is {level}", fault, (), now))


def reading(dice: random.Random, now: datetime) -> s.Signal:
    """The vendor's page, now and then with a maintenance that is planned or under way."""
    notices = [
        Notice(
            "anthropic", f"n{dice.randint(1, 2)}", f"u{dice.getrandbits(40)}", "Database move", "",
            dice.choice(["scheduled", "scheduled", "in_progress", "investigating", "resolved"]), "maintenance", now,
            components=("anthropic.api",), starts_at=now + minutes(dice, 120),
            ends_at=dice.choice([None, now + timedelta(hours=2) + minutes(dice, 120)]),
        )
        for _ in range(dice.randint(0, 2))
    ]  # fmt: skip
    state = dice.choice([FeedState.FRESH, FeedState.FRESH, FeedState.STALE])
    maintenance = dice.choice([(), (), ("anthropic.web",)])
    report = FeedReport("anthropic", now, state, notices=tuple(notices), maintenance=maintenance)
    return s.FeedRead(Actor.vendor("anthropic"), report=report)


def ending(dice: random.Random, now: datetime) -> s.Signal:
    phase = dice.choice([Phase.RESOLVED, Phase.CANCELED, Phase.INVESTIGATING, Phase.MITIGATED])
    return s.SetPhase(ANA, incident=dice.randint(1, 3), phase=phase, reason="external", force=dice.random() < 0.7)


def word(dice: random.Random, now: datetime) -> s.Signal:
    number = dice.randint(1, 3)
    return dice.choice([
        s.WriteUpdate(ANA, incident=number, text="words"),
        s.Acknowledge(ANA, incident=number),
        s.SnoozeReminders(ANA, incident=number, lasts=dice.choice([None, minutes(dice, 90)])),
        s.ResumeReminders(ANA, incident=number),
        s.SetSeverity(ANA, incident=number, severity=dice.choice(list(Severity)), reason="so we see it"),
        s.Declare(ANA, title=dice.choice(["Chat is slow", "OpenAI is down"])),
    ])  # fmt: skip


def mute(dice: random.Random, now: datetime) -> s.Signal:
    component = dice.choice(COMPONENTS)
    return dice.choice([s.Mute(ANA, component=component, lasts=minutes(dice, 200)), s.Unmute(ANA, component=component)])


def flag(dice: random.Random, now: datetime) -> s.Signal:
    return dice.choice([
        s.EngageFlag(ANA, flag=FLAG, variant=dice.choice(["", "gpt"]), hold_for=dice.choice([None, minutes(dice, 200)])),
        s.ReleaseFlag(ANA, flag=FLAG, force=True),
        s.StepBack(ANA, flag=FLAG), s.StepBack(ANA, flag=FLAG), s.StepBack(ANA, flag=FLAG),
    ])  # fmt: skip


def apart(dice: random.Random, now: datetime) -> s.Signal:
    """The same, or a share and what is done to that, for a part of the readers."""
    signal = dice.choice([flag, flag, steering])(dice, now)
    return replace(signal, flag=f"{FLAG}@env=eu") if getattr(signal, "flag", "") else signal  # type: ignore[call-arg] # it has one


def steering(dice: random.Random, now: datetime) -> s.Signal:
    share = dice.choice([10, 25, 50, 90, 100])
    return dice.choice([
        s.EngageFlag(ANA, flag=FLAG, variant="gpt", share=share), s.RampFlag(ANA, flag=FLAG, share=share, force=True),
        s.HoldHandBack(ANA, flag=FLAG), s.ResumeHandBack(ANA, flag=FLAG), s.ExtendFlag(ANA, flag=FLAG, lasts=minutes(dice, 90)),
        s.PinFlag(ANA, flag=FLAG, variant=dice.choice(["", "", "gpt", "claude"])), s.UnpinFlag(ANA, flag=FLAG),
        s.FreezeFlags(ANA), s.ThawFlags(ANA),
        s.RejectProposal(ANA, flag=FLAG), s.EngageFlag(dice.choice([ANA, BOB]), flag=FLAG, approves=True),
    ])  # fmt: skip


def sight(dice: random.Random, now: datetime) -> s.Signal:
    return s.SightChanged(RULE, sight=Sight(dice.random() < 0.4, "no network", now))


HAPPENS: tuple[Callable[[random.Random, datetime], s.Signal], ...] = (
    verdict, verdict, verdict, verdict, reading, ending, ending, word, mute, flag, flag, steering, steering, sight,
    apart, apart,
)  # fmt: skip


def story(seed: int) -> tuple[random.Random, Table]:
    """Everything was well, then Claude went down."""
    dice = random.Random(seed)  # a story, no secret
    table = Table(some_policy(dice)).all_well()
    table.now += minutes(dice, 60)
    table.sees("anthropic.api", Level.DOWN)
    own = random.Random(-seed)  # what is to be done changes nothing else
    for owner in (None, ANA, ANA):
        due_at = table.now + minutes(own, 400)
        table.send(s.AddTask(ANA, incident=1, text="To do", owner=owner, due_at=due_at, follow_up=own.random() < 0.5))
    return dice, table


def goes_on(dice: random.Random, table: Table) -> set[datetime]:
    """A while later something happens; now and then a start with another configuration.

    Gives the deadlines that had passed before: they are no news.
    """
    if dice.random() < 0.1:
        table.policy = some_policy(dice)
    table.now += timedelta(minutes=dice.randint(0, 70))
    settle(table)
    passed = {due for due in deadlines(table.world, table.policy) if due <= table.now}
    table.send(dice.choice(HAPPENS)(dice, table.now))
    return passed


def settle(table: Table) -> None:
    """Time does all that it can at this moment."""
    for _ in looks(table):
        pass


def looks(table: Table) -> Iterator[list[str]]:
    """What each look at this moment would change, until none does."""
    for _ in range(10):
        changes = time_changes(table, table.now)
        if not changes:
            return
        yield changes
        table.send(s.TimePassed(RULE))
    raise AssertionError(f"time changes something at every look: {table.steps[-1].facts}")


def time_changes(table: Table, at: datetime) -> list[str]:
    return [fact.kind for fact in step(table.world, s.TimePassed(RULE), at, table.policy).facts]


# --- the law


@pytest.mark.parametrize("seed", range(STORIES))
def test_nothing_changes_by_time_before_the_next_deadline(seed: int) -> None:
    """Deadlines that passed were looked at already: what comes later needs one that comes later."""
    dice, table = story(seed)
    for _ in range(SIGNALS):
        goes_on(dice, table)
        settle(table)
        until = min((due for due in deadlines(table.world, table.policy) if due > table.now), default=table.now + SIGHT)
        between = [table.now + (until - table.now) * dice.random() for _ in range(4)]
        found = {at: kinds for at in (*between, until - TICK) if (kinds := time_changes(table, at))}

        assert {} == found


@pytest.mark.parametrize("seed", range(STORIES))
def test_what_time_changes_at_a_moment_is_due_at_that_moment(seed: int) -> None:
    """Right after whatever happened, and after each look."""
    dice, table = story(seed)
    for _ in range(SIGNALS):
        passed = goes_on(dice, table)
        for changes in looks(table):
            due = {due for due in deadlines(table.world, table.policy) if due <= table.now} - passed

            assert due, changes


# --- rare cases, by hand


def canceled() -> Table:
    """Claude API is down, and people said that this is no incident."""
    table = Table().all_well()
    table.sees("anthropic.api", Level.DOWN)
    table.send(s.SetPhase(ANA, incident=1, phase=Phase.CANCELED, reason="external"))
    return table


def at_once(table: Table) -> list[str]:
    """What a look right now would change, unless one is due."""
    due = next_due(table.world, table.policy)
    return [] if due is not None and due <= table.now else time_changes(table, table.now)


def test_a_window_that_begins_after_a_cancelled_incident_is_due() -> None:
    """It is the reason from then on why nobody is alerted."""
    table = canceled()
    begins = START + timedelta(minutes=30)
    table.policy = replace(table.policy, maintenance=(Window(("anthropic",), begins, begins + timedelta(hours=1)),))

    assert begins in deadlines(table.world, table.policy)


def test_a_window_that_begins_during_a_mute_is_not_due() -> None:
    """The mute goes on holding the alert back: looking at every beat until its end would find nothing."""
    table = Table().all_well()
    table.send(s.Mute(ANA, component="anthropic.api", lasts=timedelta(hours=2)))
    table.sees("anthropic.api", Level.DOWN)
    begins = START + timedelta(minutes=30)
    table.policy = replace(table.policy, maintenance=(Window(("anthropic",), begins, begins + timedelta(minutes=9)),))

    assert begins not in deadlines(table.world, table.policy)


def test_a_mute_of_what_is_held_back_leaves_nothing_to_do() -> None:
    """The reason is the mute from the moment of the mute on."""
    table = canceled()
    table.send(s.Mute(ANA, component="anthropic.api", lasts=timedelta(hours=2)))

    assert [] == at_once(table)


def test_a_declaration_about_what_failed_already_takes_it_in_at_once() -> None:
    """Its own incident was cancelled; whoever declares one for the provider again sees in it what fails."""
    table = canceled()
    table.send(s.Declare(ANA, title="Claude is down"))

    assert [] == at_once(table)
    assert ["anthropic.api"] == list(table.incident(2).affected)


def test_a_fallback_that_a_person_chose_though_it_is_slow_is_looked_at_at_once() -> None:
    """The rule says why it stays there, or leaves."""
    table = Table(policy(automation="propose")).all_well()
    table.sees("openai.api", Level.DEGRADED)
    table.sees("anthropic.api", Level.DOWN)
    table.send(s.EngageFlag(ANA, flag=FLAG, variant="gpt"))

    assert [] == at_once(table)


@pytest.mark.parametrize("automation", ["auto", "off"])
def test_a_hand_back_that_cannot_come_yet_is_not_due(automation: str) -> None:
    """The default is down for longer than `min_hold`: nothing to look at at every beat until it is well."""
    table = Table(policy(automation=automation)).all_well()
    table.sees("anthropic.api", Level.DOWN)
    table.send(s.EngageFlag(ANA, flag=FLAG, variant="gpt"))
    engagement = table.world.flag(FLAG).engagement
    assert engagement is not None

    assert engagement.at + table.policy.flags[FLAG].min_hold not in set(deadlines(table.world, table.policy))


def test_an_incident_that_was_asked_about_is_due_where_nobody_is_asked_any_more() -> None:
    """The configuration was changed to `resolve: auto` while the question stood."""
    table = Table().all_well()
    table.sees("anthropic.api", Level.DOWN)
    table.all_well()
    table.passes(40)
    table.policy = replace(table.policy, incidents=replace(table.policy.incidents, resolve="auto"))

    assert ["incident.phase_changed"] == time_changes(table, table.now)
    assert [] == at_once(table)


def test_what_was_told_in_an_incident_that_ended_is_due() -> None:
    """Its parent is well, and the parent's incident resolved itself within minutes: nothing holds the alert back."""
    base = policy()
    child = replace(base.components["anthropic.web"], depends_on=("openai.api",))
    table = Table(replace(
        base, components={**base.components, child.id: child},
        incidents=replace(base.incidents, resolve="auto", resolve_after=timedelta(minutes=2)),
    )).all_well()  # fmt: skip
    table.sees("openai.api", Level.DOWN)
    table.sees("anthropic.web", Level.DOWN)
    table.sees("openai.api", Level.OPERATIONAL)
    table.now += timedelta(minutes=2)
    table.send(s.TimePassed(RULE))

    assert "alert.resumed" in time_changes(table, table.now)
    assert [] == at_once(table)
