"""What is recorded when a verdict changes, is held back or returns, and what people are told."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core import signals as s
from bot.core.answers import base
from bot.core.answers.base import Answer
from bot.core.effects import EffectBody, OpenThread, PostLine, ReplyInThread
from bot.core.model import Actor, Fault, Level, Phase, Severity, Verdict
from bot.core.record.component_facts import AdvisoryEnded, AdvisoryRaised, AlertResumed, AlertSuppressed, VerdictChanged
from bot.core.record.fact import Body, Fact
from bot.core.record.incident_facts import ComponentJoined, ComponentMoved, Declared, PhaseChanged, SeverityChanged
from tests.desk import ANA, BOB, RULE, START, Table, Written, policy

API, WEB, MOBILE, GPT = "anthropic.api", "anthropic.web", "anthropic.mobile", "openai.api"
HELD = Actor.rule("held-back alerts")


def reach(table: Table, level: Level, id: str = API, fault: Fault = Fault.THEIRS, **more: object) -> Answer:
    found = Verdict(id, level, "HTTP 502", fault, ("req_7",), **more)  # type: ignore[arg-type]
    return table.send(s.VerdictReached(actor=RULE, verdict=found)).answer


def sent(table: Table, *kinds: type[EffectBody]) -> list[EffectBody]:
    """Effects of the last step."""
    return [effect.body for effect in table.steps[-1].effects if isinstance(effect.body, kinds)]


def lines(table: Table, kind: type[Body]) -> list[Fact]:
    """The facts of a kind that got a line of their own in some channel."""
    facts = {(fact.stream, fact.seq): fact for fact in table.facts if isinstance(fact.body, kind)}
    keys = [(e.stream, e.seq) for step in table.steps for e in step.effects if isinstance(e.body, PostLine)]
    return [facts[key] for key in keys if key in facts]


def opens(table: Table, id: str, **open_on: str) -> None:
    """Set which levels of a component open incidents from now on."""
    changed = replace(table.policy.components[id], open_on={Level(level): what for level, what in open_on.items()})
    table.policy = replace(table.policy, components={**table.policy.components, id: changed})


# --- the verdict itself


def test_changed_verdict_is_recorded_completely() -> None:
    """Before, after, whose fault, with evidence and start."""
    table = Table().all_well()
    reach(table, Level.DOWN, began_at=START - timedelta(minutes=2))
    body = VerdictChanged(
        API, Level.OPERATIONAL, Level.DOWN, "HTTP 502", Fault.THEIRS, ("req_7",), START - timedelta(minutes=2), thread=""
    )

    assert Written(body, None, RULE) == table.written(VerdictChanged)[-1]


def test_verdict_without_a_known_start_begins_now() -> None:
    """An incident needs a start."""
    table = Table().all_well()
    table.now += timedelta(minutes=3)
    reach(table, Level.DOWN)

    assert table.now == table.incident().began_at


def test_verdict_on_a_removed_component_is_only_recorded() -> None:
    """It is measured no more: written down, and that is all."""
    table = Table().all_well()
    reach(table, Level.DOWN, "mistral.api")

    assert {} == table.world.incidents


def test_repeated_verdict_is_answered_as_known() -> None:
    """And the same again as known."""
    table = Table().all_well()

    assert [base.Noted(changed=True), base.KnownAlready()] == [reach(table, Level.DOWN), reach(table, Level.DOWN)]


# --- into an incident


def test_incident_opened_by_a_verdict_is_complete() -> None:
    """Title, reason and start come from the component, the check, and the first failure."""
    table = Table().all_well()
    began = START - timedelta(minutes=2)
    reach(table, Level.DOWN, began_at=began)
    body = Declared(
        number=1, title="Claude API is down", severity=Severity.SEV2, provider="anthropic", dedup="anthropic",
        components=(API,), began_at=began, reason="HTTP 502", alerts_channel="#ops",
    )  # fmt: skip

    assert [Written(body, 1, RULE)] == table.written(Declared)


def test_incident_includes_other_bad_components_of_the_provider() -> None:
    """The one that opened it first, then the others that are bad, and no healthy one."""
    table = Table().all_well()
    opens(table, MOBILE, down="none")
    opens(table, API, down="none")
    reach(table, Level.DOWN, MOBILE)
    reach(table, Level.DOWN, API)
    opens(table, MOBILE, down="SEV3")
    opens(table, API, down="SEV3")
    reach(table, Level.DOWN, WEB)

    assert (WEB, API, MOBILE) == table.kinds(Declared)[0].components  # type: ignore[attr-defined]


def test_incident_leaves_out_muted_components() -> None:
    """Somebody wanted them quiet."""
    table = Table().all_well()
    table.send(s.Mute(actor=ANA, component=API, lasts=timedelta(hours=1)))
    reach(table, Level.DOWN, API)
    reach(table, Level.DOWN, WEB)

    assert (WEB,) == table.kinds(Declared)[0].components  # type: ignore[attr-defined]


def test_joining_component_adds_its_evidence() -> None:
    """Level, reason and start, in the incident's own record."""
    table = Table().all_well()
    reach(table, Level.DOWN, API)
    reach(table, Level.DOWN, WEB, began_at=START - timedelta(minutes=1))
    body = ComponentJoined(WEB, Level.DOWN, "HTTP 502", ("req_7",), START - timedelta(minutes=1))

    assert Written(body, 1, RULE) == table.written(ComponentJoined)[-1]


def test_improved_component_names_its_previous_level() -> None:
    """Down to degraded is a change that the channel reads."""
    table = Table().all_well()
    reach(table, Level.DOWN)
    reach(table, Level.DEGRADED, began_at=START)
    body = ComponentMoved(API, Level.DOWN, Level.DEGRADED, "HTTP 502", START, ("req_7",))

    assert [Written(body, 1, RULE)] == table.written(ComponentMoved)


def test_other_fault_at_the_same_level_changes_nothing() -> None:
    """Down is down, whoever is to blame."""
    table = Table().all_well()
    reach(table, Level.DOWN)
    reach(table, Level.DOWN, fault=Fault.UNCLEAR)

    assert [] == table.kinds(ComponentMoved)


def test_severity_raised_by_a_rule_has_the_components_reason() -> None:
    """SEV2 to SEV1, and why."""
    table = Table().all_well()
    reach(table, Level.DOWN)
    opens(table, WEB, down="SEV1")
    reach(table, Level.DOWN, WEB)

    assert [Written(SeverityChanged(Severity.SEV2, Severity.SEV1, "HTTP 502"), 1, RULE)] == table.written(SeverityChanged)


def test_milder_component_does_not_lower_the_severity() -> None:
    """An incident is as bad as its worst part."""
    table = Table().all_well()
    reach(table, Level.DOWN)
    opens(table, WEB, down="SEV4")
    reach(table, Level.DOWN, WEB)

    assert [] == table.kinds(SeverityChanged)


def test_recovery_moves_the_incident_to_monitoring() -> None:
    """By the rule, because everything is operational again."""
    table = Table(policy(automation="off")).all_well()
    reach(table, Level.DOWN)
    reach(table, Level.OPERATIONAL)
    body = PhaseChanged(Phase.TRIAGE, Phase.MONITORING, "forward", "every component is operational again")

    assert [Written(body, 1, Actor.rule("all components well"))] == table.written(PhaseChanged)


def test_relapse_names_the_component_and_the_reason() -> None:
    """By its name, and in the words of the check."""
    table = Table(policy(automation="off")).all_well()
    reach(table, Level.DOWN)
    reach(table, Level.OPERATIONAL)
    reach(table, Level.DOWN)
    body = PhaseChanged(Phase.MONITORING, Phase.INVESTIGATING, "relapse", "Claude API is down again: HTTP 502")

    assert Written(body, 1, RULE) == table.written(PhaseChanged)[-1]


# --- quiet threads


def test_our_own_failure_gets_a_quiet_thread() -> None:
    """A refused key alerts nobody, but somebody has to fix it."""
    table = Table().all_well()
    reach(table, Level.UNKNOWN, fault=Fault.OURS_KEY)

    assert 1 == len(sent(table, OpenThread))


def test_another_failure_of_ours_goes_to_the_same_thread() -> None:
    """The key was fixed and the quota is exhausted: the same level, but something else to do."""
    table = Table().all_well()
    reach(table, Level.UNKNOWN, fault=Fault.OURS_KEY)
    reach(table, Level.UNKNOWN, fault=Fault.OURS_QUOTA)

    assert 1 == len(sent(table, ReplyInThread))


def test_quiet_level_opens_no_thread_beside_an_incident() -> None:
    """The degraded site joins the API's incident, whose channel reports it."""
    table = Table().all_well()
    reach(table, Level.DOWN, API)
    reach(table, Level.DEGRADED, WEB)

    assert [] == sent(table, OpenThread)


def test_component_with_open_on_none_has_no_thread() -> None:
    """`open_on: none`."""
    table = Table().all_well()
    opens(table, API, degraded="none")
    reach(table, Level.DEGRADED)

    assert [] == sent(table, OpenThread)


@pytest.mark.parametrize("seen_before", [True, False])
def test_quiet_thread_is_named_after_its_first_verdict(seen_before: bool) -> None:
    """No other fact can have that name, even if it is the very first."""
    table = Table().all_well() if seen_before else Table()
    reach(table, Level.DEGRADED)
    fact = table.facts[-1]

    assert [OpenThread(OpenThread.of_fact(f"component/{API}", fact.seq, "quiet"))] == sent(table, OpenThread)


def test_quiet_episode_stays_in_one_thread() -> None:
    """Slow, down, slow and well again, if all levels are quiet."""
    table = Table().all_well()
    opens(table, API, down="thread", degraded="thread")
    reach(table, Level.DEGRADED)
    opened = [one.thread for one in sent(table, OpenThread)]  # type: ignore[attr-defined]
    roots = []
    for level in (Level.DOWN, Level.DEGRADED, Level.OPERATIONAL):
        reach(table, level)
        roots += [one.root for one in sent(table, ReplyInThread)]  # type: ignore[attr-defined]

    assert opened * 3 == roots


# --- a small part


def test_advisory_is_recorded_completely() -> None:
    """What, why, its evidence and its thread."""
    table = Table().all_well()
    reach(table, Level.OPERATIONAL, fault=Fault.NONE, advisory="haiku fails since 11:40 UTC")
    [thread] = sent(table, OpenThread)
    body = AdvisoryRaised(API, "haiku fails since 11:40 UTC", "HTTP 502", ("req_7",), thread.thread)  # type: ignore[attr-defined]

    assert [Written(body, None, RULE)] == table.written(AdvisoryRaised)


def test_changed_advisory_goes_to_the_same_thread() -> None:
    """A second model joins the first."""
    table = Table().all_well()
    reach(table, Level.OPERATIONAL, fault=Fault.NONE, advisory="haiku fails since 11:40 UTC")
    root = OpenThread.of_fact(f"component/{API}", table.facts[-1].seq, "advisory")
    opened = sent(table, OpenThread)
    reach(table, Level.OPERATIONAL, fault=Fault.NONE, advisory="haiku fails, opus fails")

    assert [OpenThread(root)] == opened
    assert [ReplyInThread(root)] == sent(table, OpenThread, ReplyInThread)


def test_unchanged_advisory_is_no_news() -> None:
    """The whole has another reason, but the part fails as before."""
    table = Table().all_well()
    for fault in (Fault.NONE, Fault.UNCLEAR):
        reach(table, Level.OPERATIONAL, fault=fault, advisory="haiku fails since 11:40 UTC")

    assert 1 == len(table.kinds(AdvisoryRaised))


def test_advisory_of_a_removed_component_is_only_recorded() -> None:
    """Nobody measures it any more."""
    table = Table().all_well()
    reach(table, Level.OPERATIONAL, "mistral.api", fault=Fault.NONE, advisory="haiku fails since 11:40 UTC")

    assert [] == table.kinds(AdvisoryRaised)


@pytest.mark.parametrize(
    ("level", "reason"), [(Level.OPERATIONAL, "all of it is operational again"), (Level.DOWN, "all of it is down now")]
)
def test_end_of_an_advisory_says_how_the_component_is(level: Level, reason: str) -> None:
    """Well again, or worse than a small part."""
    table = Table().all_well()
    reach(table, Level.OPERATIONAL, fault=Fault.NONE, advisory="haiku fails")
    reach(table, level, fault=Fault.NONE)

    assert [Written(AdvisoryEnded(API, "haiku fails", reason), None, RULE)] == table.written(AdvisoryEnded)


def test_advisory_of_a_muted_component_is_recorded_but_not_posted() -> None:
    """Somebody meant it to be quiet."""
    table = Table().all_well()
    table.send(s.Mute(actor=ANA, component=API, lasts=timedelta(hours=1)))
    reach(table, Level.OPERATIONAL, fault=Fault.NONE, advisory="haiku fails")

    assert ([""], []) == ([one.body.thread for one in table.written(AdvisoryRaised)], sent(table, OpenThread))  # type: ignore[attr-defined]


# --- held back


def muted(reason: str = "we move") -> Table:
    table = Table().all_well()
    table.send(s.Mute(actor=ANA, component=API, lasts=timedelta(hours=1), reason=reason))
    return table


def test_held_back_alert_says_why_and_until_when() -> None:
    """Recorded, but posted nowhere."""
    table = muted()
    reach(table, Level.DEGRADED)

    assert [Written(AlertSuppressed(API, "muted by ana: we move", START + timedelta(hours=1)), None, RULE)] == (
        table.written(AlertSuppressed)
    )
    assert [] == sent(table, PostLine)


def test_released_alert_says_why_it_was_held_back() -> None:
    """By the rule, not by whoever unmuted."""
    table = muted()
    reach(table, Level.DEGRADED)
    table.send(s.Unmute(actor=BOB, component=API))
    [thread] = sent(table, OpenThread)

    assert [Written(AlertResumed(API, "muted by ana: we move", thread.thread), None, HELD)] == (  # type: ignore[attr-defined]
        table.written(AlertResumed)
    )


def test_mute_without_a_reason_names_the_person() -> None:
    """Without a dangling colon."""
    table = muted("")
    reach(table, Level.DOWN)

    assert "muted by ana" == table.world.component(API).held_back.why  # type: ignore[union-attr]


def test_alert_covered_by_another_incident_is_posted_there_once() -> None:
    """Whatever depends on Claude fails with it."""
    base = policy()
    child = replace(base.components[GPT], depends_on=(API,))
    table = Table(replace(base, components={**base.components, GPT: child})).all_well()
    reach(table, Level.DOWN, API)
    reach(table, Level.DOWN, GPT)
    table.passes(5)

    assert [Written(AlertSuppressed(GPT, "it depends on Claude API, see INC-1"), 1, RULE)] == (table.written(AlertSuppressed))
    assert 1 == len(lines(table, AlertSuppressed))


def test_new_end_of_a_hold_is_not_posted_again() -> None:
    """The dependency recovered and its dependants may take a while; the channel knows."""
    base = policy(automation="off")
    child = replace(base.components[GPT], depends_on=(API,))
    table = Table(replace(base, components={**base.components, GPT: child})).all_well()
    reach(table, Level.DOWN, API)
    reach(table, Level.DOWN, GPT)
    reach(table, Level.OPERATIONAL, API)

    assert 2 == len(table.written(AlertSuppressed))
    assert 1 == len(lines(table, AlertSuppressed))


def test_component_without_a_rule_is_not_held_back() -> None:
    """Nobody would have been alerted."""
    table = muted()
    opens(table, API)
    reach(table, Level.DOWN)

    assert [] == table.written(AlertSuppressed)


def test_component_with_a_thread_is_not_held_back() -> None:
    """It was reported before somebody muted it."""
    table = Table().all_well()
    reach(table, Level.DEGRADED)
    table.send(s.Mute(actor=ANA, component=API, lasts=timedelta(hours=1)))

    assert [] == table.written(AlertSuppressed)


def test_held_back_component_is_part_of_an_incident_declared_for_it() -> None:
    """The mute is for alerts; whoever declares wants to hear of it."""
    table = muted()
    reach(table, Level.DOWN)
    table.send(s.Declare(actor=BOB, title="Claude", components=(API,)))

    assert [Written(AlertResumed(API, "muted by ana: we move"), None, HELD)] == table.written(AlertResumed)


def test_removed_component_holds_nothing_back() -> None:
    """It was held back and is no longer checked; the next one is reported."""
    table = muted()
    reach(table, Level.DOWN, API)
    table.policy = replace(table.policy, components={id: c for id, c in table.policy.components.items() if id != API})
    table.send(s.Mute(actor=ANA, component=GPT, lasts=timedelta(hours=1)))
    reach(table, Level.DOWN, GPT)
    table.send(s.Unmute(actor=BOB, component=GPT))

    assert [(GPT,)] == [body.components for body in table.kinds(Declared)]  # type: ignore[attr-defined]


def test_level_without_a_rule_raises_no_severity() -> None:
    """It joins the incident, and that is all."""
    table = Table().all_well()
    reach(table, Level.DOWN)
    opens(table, WEB)
    reach(table, Level.DOWN, WEB)

    assert [] == table.kinds(SeverityChanged)


def test_released_component_keeps_its_reason_evidence_and_start() -> None:
    """Its incident was canceled while a mute held it back; the next one has them."""
    table = muted()
    began = START - timedelta(minutes=2)
    reach(table, Level.DOWN, began_at=began)
    table.send(s.Unmute(actor=BOB, component=API))
    body = ComponentJoined(API, Level.DOWN, "HTTP 502", ("req_7",), began)

    assert [Written(body, 1, HELD)] == table.written(ComponentJoined)
    assert "HTTP 502" == table.kinds(Declared)[0].reason  # type: ignore[attr-defined]


def test_component_still_held_back_does_not_block_others() -> None:
    """The first by name is muted on; the others are told of."""
    table = Table().all_well()
    for id in (API, GPT):
        table.send(s.Mute(actor=ANA, component=id, lasts=timedelta(hours=1)))
        reach(table, Level.DOWN, id)
    table.send(s.Unmute(actor=BOB, component=GPT))

    assert [(GPT,)] == [body.components for body in table.kinds(Declared)]  # type: ignore[attr-defined]


def test_released_alert_that_opens_an_incident_opens_no_thread() -> None:
    """The incident's channel reports it."""
    table = muted()
    reach(table, Level.DEGRADED)
    reach(table, Level.DOWN)
    table.send(s.Unmute(actor=BOB, component=API))

    assert [""] == [one.body.thread for one in table.written(AlertResumed)]  # type: ignore[attr-defined]
    assert [] == sent(table, OpenThread)


def test_released_alert_that_joins_an_incident_opens_no_thread() -> None:
    """The slow API joins the site's open incident."""
    table = muted()
    reach(table, Level.DEGRADED, API)
    reach(table, Level.DOWN, WEB)
    table.send(s.Unmute(actor=BOB, component=API))

    assert ({API, WEB}, []) == (set(table.incident().affected), sent(table, OpenThread))
    assert ComponentJoined(API, Level.DEGRADED, "HTTP 502", ("req_7",), START) == table.kinds(ComponentJoined)[-1]


def test_each_released_alert_has_its_own_thread() -> None:
    """Two providers were slow during our maintenance, and their threads are not mixed up."""
    table = Table().all_well()
    for id in (API, GPT):
        table.send(s.Mute(actor=ANA, component=id, lasts=timedelta(hours=1)))
        reach(table, Level.DEGRADED, id)
    table.send(s.Unmute(actor=BOB, component=API))
    first = sent(table, OpenThread)
    table.send(s.Unmute(actor=BOB, component=GPT))

    assert first != sent(table, OpenThread)
