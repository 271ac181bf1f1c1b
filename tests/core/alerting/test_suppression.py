"""Which alerts are held back and why, and that they come when the reason ends; checks and recoveries go on."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.core import signals as s
from bot.core.decide.alerting.suppression import look
from bot.core.decide.due import next_due
from bot.core.effects import OpenThread, PostLine, ReplyInThread
from bot.core.maintenance_windows import Window
from bot.core.model import Actor, FeedReport, FeedState, Level, Notice, Phase
from bot.core.record.component_facts import AlertSuppressed, Unmuted, VerdictChanged
from bot.core.record.sight import Sight
from tests.desk import ANA, CHAT_FLAG, RULE, START, Table, policy, told

API, WEB, GPT = "anthropic.api", "anthropic.web", "openai.api"
PAGE = Actor.vendor("anthropic")


def until(table: Table, moment: timedelta) -> None:
    """Let time pass as the watch does, looking whenever something is due."""
    end = START + moment
    while (due := next_due(table.world, table.policy)) is not None and due <= end and table.now < end:
        table.now = due if due > table.now else min(end, table.now + timedelta(minutes=1))
        table.send(s.TimePassed(actor=RULE))
    table.now = end


def muted(lasts: timedelta = timedelta(hours=1)) -> Table:
    table = Table().all_well()
    table.send(s.Mute(actor=ANA, component=API, lasts=lasts, reason="we move"))
    return table


def depending(*pairs: tuple[str, str]) -> Table:
    """A table on which each first component depends on the second."""
    base = policy()
    parts = dict(base.components)
    for child, parent in pairs:
        parts[child] = replace(parts[child], depends_on=(parent,))
    return Table(replace(base, components=parts)).all_well()


def reads(table: Table, *notices: Notice, maintenance: tuple[str, ...] = (), state: FeedState = FeedState.FRESH) -> None:
    report = FeedReport("anthropic", table.now, state, notices=notices, maintenance=maintenance)
    table.send(s.FeedRead(actor=PAGE, report=report))


def upkeep(status: str, update: str = "u1") -> Notice:
    starts, ends = START + timedelta(minutes=10), START + timedelta(minutes=70)
    return Notice(
        "anthropic", "m1", update, "Database move", "", status, "maintenance", START, components=(API,), starts_at=starts,
        ends_at=ends,
    )  # fmt: skip


def held(table: Table) -> list[str]:
    return [body.why for body in table.kinds(AlertSuppressed) if isinstance(body, AlertSuppressed)]


# --- muting


def test_muted_component_opens_no_incident_but_is_checked() -> None:
    """Its verdict is committed and the flag switches; only nobody is alerted."""
    table = muted()
    table.sees(API, Level.DOWN)

    assert {} == table.world.incidents
    assert Level.DOWN == table.world.component(API).level
    assert ["muted by ana: we move"] == held(table)
    assert "gpt" == table.world.flags[CHAT_FLAG.key].engagement.variant  # type: ignore[union-attr] # it is there or the test fails


def test_incident_opens_when_the_mute_ends_if_still_bad() -> None:
    """By time alone, with its true start."""
    table = muted()
    table.sees(API, Level.DOWN)
    until(table, timedelta(minutes=61))

    assert START == table.incident().began_at
    assert START + timedelta(hours=1) == table.incident().declared_at
    assert None is table.world.component(API).mute


def test_incident_opens_at_once_when_somebody_unmutes() -> None:
    """A person ends it."""
    table = muted()
    table.sees(API, Level.DOWN)
    said = table.send(s.Unmute(actor=ANA, component=API)).answer

    assert said.ok
    assert 1 == len(table.world.incidents)
    assert Phase.MITIGATED == table.incident().phase  # the flag was switched already


def test_incident_after_unmuting_is_declared_by_a_rule() -> None:
    """So rules may still raise its severity; the person is recorded with the unmuting."""
    table = Table().all_well()
    table.send(s.Mute(actor=ANA, component=API, lasts=timedelta(hours=4)))
    table.sees(API, Level.DOWN)
    table.send(s.Unmute(actor=ANA, component=API))

    assert "held-back alerts" == table.incident().declared_by.name
    assert not table.incident().severity_by_person
    assert [ANA] == [fact.actor for fact in table.facts if isinstance(fact.body, Unmuted)]


def said_quietly(table: Table) -> list[str]:
    return [key for key in table.effects(OpenThread) if key.startswith("muted/")]


def test_outage_of_a_muted_component_is_posted_once_quietly() -> None:
    """A mute must not hide an outage: one line in the ops channel, however often it goes down."""
    table = muted()
    for _ in range(3):
        table.sees(API, Level.DOWN)
        table.sees(API, Level.OPERATIONAL)
    table.sees(API, Level.DOWN)

    assert [f"muted/component/{API}/4"] == said_quietly(table)
    assert {} == table.world.incidents


def test_degradation_of_a_muted_component_is_not_posted() -> None:
    """Slow answers are what people mute for."""
    table = muted()
    table.sees(API, Level.DEGRADED)
    before = said_quietly(table)
    table.sees(API, Level.DOWN)

    assert [] == before
    assert 1 == len(said_quietly(table))


def test_outage_from_before_a_mute_is_no_news() -> None:
    """Whoever mutes knows."""
    table = depending((API, GPT))
    table.sees(GPT, Level.DOWN)
    table.sees(API, Level.DOWN)
    table.now += timedelta(minutes=1)
    table.send(s.Mute(actor=ANA, component=API, lasts=timedelta(hours=1)))
    table.send(s.TimePassed(actor=RULE))

    assert [] == said_quietly(table)


def test_outage_is_posted_again_under_a_new_mute() -> None:
    """The next person on duty has not read the earlier line."""
    table = muted()
    table.sees(API, Level.DOWN)
    table.sees(API, Level.OPERATIONAL)
    until(table, timedelta(hours=2))
    table.send(s.Mute(actor=ANA, component=API, lasts=timedelta(hours=1)))
    table.sees(API, Level.DOWN)

    assert 2 == len(said_quietly(table))


def test_outage_of_a_muted_component_is_posted_only_when_not_blind() -> None:
    """When we see again, and it is still down."""
    table = muted()
    table.send(s.SightChanged(actor=RULE, sight=Sight(True, "both controls are unreachable", START)))
    table.sees(API, Level.DOWN)
    before = said_quietly(table)
    table.send(s.SightChanged(actor=RULE, sight=Sight(False, ended_at=table.now)))

    assert [] == before
    assert 1 == len(said_quietly(table))


@pytest.mark.parametrize(("lasts", "ok"), [(timedelta(hours=2), True), (timedelta(hours=2, seconds=1), False)])
def test_mute_has_a_maximum(lasts: timedelta, ok: bool) -> None:
    """Nobody hides an outage for a month."""
    table = Table(replace(policy(), longest_mute=timedelta(hours=2)))
    said = table.send(s.Mute(actor=ANA, component=API, lasts=lasts)).answer

    assert ok == said.ok
    assert ok or "A mute lasts at most 2 hours here (mutes.longest in the configuration)." == told(said)


def test_no_incident_opens_if_it_recovered_before_the_mute_ended() -> None:
    """The recovery is committed like any other."""
    table = muted()
    table.sees(API, Level.DOWN)
    table.sees(API, Level.OPERATIONAL)
    until(table, timedelta(hours=2))

    assert {} == table.world.incidents
    assert Level.OPERATIONAL == table.world.component(API).level


def test_mute_does_not_stop_an_open_incident() -> None:
    """Its updates and its recovery go on."""
    table = Table().all_well()
    table.sees(API, Level.DOWN)
    said = table.send(s.Mute(actor=ANA, component=API, lasts=timedelta(hours=4))).answer
    table.sees(API, Level.OPERATIONAL)

    assert "INC-1 is open and continues." in told(said)
    assert Phase.MONITORING == table.incident().phase


def test_muted_component_joins_no_incident() -> None:
    """Neither when it opens nor later; when the mute ends it joins."""
    table = muted()
    table.sees(API, Level.DOWN)
    table.sees(WEB, Level.DOWN)
    before = set(table.incident().affected)
    until(table, timedelta(minutes=61))

    assert {WEB} == before
    assert {WEB, API} == set(table.incident().affected)


def test_degraded_component_gets_its_quiet_thread_when_the_mute_ends() -> None:
    """Not an incident."""
    table = muted()
    table.sees(API, Level.DEGRADED)
    before = len(table.effects(OpenThread))
    until(table, timedelta(minutes=61))
    table.sees(API, Level.OPERATIONAL)

    assert 0 == before
    assert 1 == len(table.effects(OpenThread))
    assert 1 == len(table.effects(ReplyInThread))
    assert {} == table.world.incidents


def test_pointless_mute_is_refused() -> None:
    """With what to do instead."""
    table = Table().all_well()
    for signal in (
        s.Mute(actor=ANA, component="nothing.here", lasts=timedelta(hours=1)),
        s.Mute(actor=ANA, component=API, lasts=timedelta(0)),
        s.Mute(actor=ANA, component=API, lasts=timedelta(days=400)),
        s.Unmute(actor=ANA, component=API),
    ):
        assert not table.send(signal).answer.ok


# --- maintenance


def test_our_maintenance_holds_alerts_back_until_its_end() -> None:
    """It began before the failure, and ends before the recovery."""
    window = Window(("anthropic",), START, START + timedelta(minutes=30), reason="new proxy")
    table = Table(replace(policy(), maintenance=(window,))).all_well()
    table.sees(API, Level.DOWN)
    quiet, before = held(table), dict(table.world.incidents)
    until(table, timedelta(minutes=31))

    assert ["our own maintenance: new proxy"] == quiet
    assert {} == before
    assert START + timedelta(minutes=30) == table.incident().declared_at


def test_maintenance_of_another_component_changes_nothing() -> None:
    """OpenAI is under maintenance, Claude fails."""
    table = Table(replace(policy(), maintenance=(Window(("openai",), START, START + timedelta(hours=1)),))).all_well()
    table.sees(API, Level.DOWN)

    assert [1] == list(table.world.incidents)


def test_change_of_the_reason_is_recorded() -> None:
    """A mute ends within a maintenance window."""
    window = Window((), START, START + timedelta(hours=3))
    base = policy()
    table = Table(replace(base, maintenance=(window,))).all_well()
    table.send(s.Mute(actor=ANA, component=API, lasts=timedelta(hours=1)))
    table.sees(API, Level.DOWN)
    until(table, timedelta(hours=2))

    assert ["muted by ana", "our own maintenance"] == held(table)
    assert {} == table.world.incidents


def test_vendors_maintenance_in_progress_holds_alerts_back() -> None:
    """By its word, in progress."""
    table = Table().all_well()
    reads(table, upkeep("in_progress"))
    table.sees(API, Level.DOWN)
    table.sees(WEB, Level.OPERATIONAL)

    assert {} == table.world.incidents
    assert ["announced maintenance: Database move"] == held(table)


def test_scheduled_maintenance_holds_alerts_back_during_its_window() -> None:
    """From 12:10 to 13:10, although the vendor never says that it began; not before, and not after."""
    table = Table().all_well()
    reads(table, upkeep("scheduled"))
    quiet = [look(table.world, table.policy, API, START + timedelta(minutes=m)) is not None for m in (9, 10, 69, 70)]

    assert [False, True, True, False] == quiet


def test_incident_opens_when_the_vendors_maintenance_is_completed() -> None:
    """If the component is still down."""
    table = Table().all_well()
    reads(table, upkeep("in_progress"))
    table.sees(API, Level.DOWN)
    reads(table, upkeep("in_progress"), replace(upkeep("completed", "u2"), at=START + timedelta(minutes=1)))

    assert [1] == list(table.world.incidents)


def test_incident_opens_an_hour_after_the_planned_end_of_a_maintenance() -> None:
    """Vendors forget to close it."""
    table = Table().all_well()
    reads(table, upkeep("in_progress"))
    table.sees(API, Level.DOWN)
    until(table, timedelta(hours=3))

    assert START + timedelta(minutes=130) == table.incident().declared_at


def test_component_under_maintenance_on_the_page_is_held_back() -> None:
    """Without any notice, until the page says otherwise."""
    table = Table().all_well()
    reads(table, maintenance=(API,))
    table.sees(API, Level.DOWN)
    before = dict(table.world.incidents)
    reads(table)

    assert {} == before
    assert [1] == list(table.world.incidents)


def test_maintenance_expires_when_its_page_is_unreadable_for_an_hour() -> None:
    """The last state of a dead page must not keep us silent."""
    table = Table().all_well()
    reads(table, maintenance=(API,))
    table.sees(API, Level.DOWN)
    reads(table, state=FeedState.STALE)
    until(table, timedelta(minutes=61))

    assert START + timedelta(minutes=60) == table.incident().declared_at


# --- dependencies


def test_dependent_component_is_posted_in_the_parents_incident() -> None:
    """It has no incident of its own."""
    table = depending((GPT, API))
    table.sees(API, Level.DOWN)
    lines = len(table.effects(PostLine))
    table.sees(GPT, Level.DOWN)
    told = [fact.incident for fact in table.facts if isinstance(fact.body, AlertSuppressed)]

    assert [1] == list(table.world.incidents)
    assert [1] == told
    assert {API} == set(table.incident().affected)
    assert len(table.effects(PostLine)) > lines


def test_recovery_of_a_dependent_component_is_posted_there_too() -> None:
    """Whoever read that it fails reads that it is well."""
    table = depending((GPT, API))
    table.sees(API, Level.DOWN)
    table.sees(GPT, Level.DOWN)
    fact = table.sees(GPT, Level.OPERATIONAL).facts[0]

    assert 1 == fact.incident
    assert type(fact.body) is VerdictChanged
    assert f"{fact.stream}/{fact.seq}/line" in table.effects(PostLine)


def test_dependent_component_gets_its_own_incident_if_the_parent_recovers() -> None:
    """Slightly later, since it needs a moment to recover itself."""
    table = depending((GPT, API))
    table.sees(API, Level.DOWN)
    table.sees(GPT, Level.DOWN)
    table.sees(API, Level.OPERATIONAL)
    before = list(table.world.incidents)
    until(table, timedelta(minutes=6))

    assert [1] == before
    assert [1, 2] == list(table.world.incidents)
    assert START + timedelta(minutes=5) == table.incident(2).declared_at


def test_dependent_component_gets_its_own_incident_if_the_parents_is_closed() -> None:
    """Nobody works on the parent any more."""
    table = depending((GPT, API))
    table.sees(API, Level.DOWN)
    table.sees(GPT, Level.DOWN)
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.CANCELED, reason="external"))
    until(table, timedelta(minutes=1))

    assert [1, 2] == list(table.world.incidents)


def test_mutually_dependent_components_open_one_incident() -> None:
    """The first to fail is alerted, the second is a line in its incident."""
    table = depending((GPT, API), (API, GPT))
    table.sees(GPT, Level.DOWN)
    table.sees(API, Level.DOWN)

    assert [1] == list(table.world.incidents)
    assert {GPT} == set(table.incident().affected)


def test_dependent_component_joins_the_incident_of_its_own_provider() -> None:
    """If there is one."""
    table = depending((WEB, GPT))
    table.sees(GPT, Level.DOWN)
    table.sees(API, Level.DOWN)
    table.sees(WEB, Level.DOWN)

    assert {API, WEB} == set(table.incident(2).affected)


# --- blindness


def blind(table: Table, at: timedelta = timedelta(0)) -> None:
    table.send(s.SightChanged(actor=RULE, sight=Sight(True, "both controls are unreachable", START + at)))


def sees_again(table: Table) -> None:
    table.send(s.SightChanged(actor=RULE, sight=Sight(False, ended_at=table.now)))


def test_no_incident_opens_while_we_are_blind() -> None:
    """Not even for error answers; it opens when we see again, if still bad."""
    table = Table().all_well()
    blind(table)
    table.sees(API, Level.DOWN)
    before = dict(table.world.incidents)
    table.now += timedelta(minutes=10)
    sees_again(table)

    assert {} == before
    assert [1] == list(table.world.incidents)


def test_blindness_has_one_notice_and_one_reply() -> None:
    """However often it is signalled."""
    table = Table().all_well()
    blind(table)
    blind(table)
    sees_again(table)
    sees_again(table)
    roots = [effect.body.root for step in table.steps for effect in step.effects if isinstance(effect.body, ReplyInThread)]

    assert ["sight/1"] == table.effects(OpenThread)
    assert ["sight/1"] == roots


def test_blindness_is_in_the_timeline_of_an_open_incident() -> None:
    """Its people must know that the evidence stopped."""
    table = Table().all_well()
    table.sees(API, Level.DOWN)
    blind(table)
    sees_again(table)

    assert ["sight.lost", "sight.regained"] == [x.kind for x in table.facts if x.incident == 1 and x.kind.startswith("sight")]


def test_rules_switch_no_flag_while_we_are_blind() -> None:
    """Neither way; people still may."""
    table = Table().all_well()
    blind(table)
    table.sees(API, Level.DOWN)
    before = table.world.flag(CHAT_FLAG.key).engagement
    said = table.send(s.EngageFlag(actor=ANA, flag=CHAT_FLAG.key, variant="cached", reason="I know")).answer

    assert before is None
    assert said.ok


NEVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def test_maintenance_until_the_year_9999_holds_alerts_back_for_a_week() -> None:
    """A wrong date neither breaks the watch nor turns alerts off for good."""
    table = Table().all_well()
    reads(table, replace(upkeep("in_progress"), starts_at=START, ends_at=NEVER))
    table.sees(API, Level.DOWN)
    assert ["announced maintenance: Database move"] == held(table)

    table.now = START + timedelta(days=7, hours=2)
    table.send(s.TimePassed(actor=RULE))
    assert Phase.MITIGATED == table.incident().phase


def test_maintenance_announced_long_before_counts_for_its_whole_window() -> None:
    """Three weeks before."""
    table = Table().all_well()
    starts = START + timedelta(days=21)
    reads(table, replace(upkeep("scheduled"), starts_at=starts, ends_at=starts + timedelta(days=2)))

    table.now = starts + timedelta(days=1)
    quiet = look(table.world, table.policy, API, table.now)
    assert quiet is not None
    assert "announced maintenance: Database move" == quiet.why
