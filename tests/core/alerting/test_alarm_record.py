"""What is written down when a verdict changes, is held back or comes back, and what reaches people of it."""

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
    """In the last step."""
    return [effect.body for effect in table.steps[-1].effects if isinstance(effect.body, kinds)]


def lines(table: Table, kind: type[Body]) -> list[Fact]:
    """The facts of a kind that got a line of their own somewhere."""
    facts = {(fact.stream, fact.seq): fact for fact in table.facts if isinstance(fact.body, kind)}
    keys = [(e.stream, e.seq) for step in table.steps for e in step.effects if isinstance(e.body, PostLine)]
    return [facts[key] for key in keys if key in facts]


def opens(table: Table, id: str, **open_on: str) -> None:
    """What a component opens from now on, by level."""
    changed = replace(table.policy.components[id], open_on={Level(level): what for level, what in open_on.items()})
    table.policy = replace(table.policy, components={**table.policy.components, id: changed})


# --- the verdict itself


def test_a_changed_verdict_is_written_down_whole() -> None:
    """What it was, what it is, whose fault, with its evidence and its onset."""
    table = Table().all_well()
    reach(table, Level.DOWN, began_at=START - timedelta(minutes=2))
    body = VerdictChanged(
        API, Level.OPERATIONAL, Level.DOWN, "HTTP 502", Fault.THEIRS, ("req_7",), START - timedelta(minutes=2), thread=""
    )

    assert Written(body, None, RULE) == table.written(VerdictChanged)[-1]


def test_a_verdict_without_an_onset_begins_when_it_is_reached() -> None:
    """Nobody knows it better, and an incident needs a beginning."""
    table = Table().all_well()
    table.now += timedelta(minutes=3)
    reach(table, Level.DOWN)

    assert table.now == table.incident().began_at


def test_a_verdict_of_what_left_the_configuration_reaches_nobody() -> None:
    """It is measured no more: written down, and that is all."""
    table = Table().all_well()
    reach(table, Level.DOWN, "mistral.api")

    assert {} == table.world.incidents


def test_a_verdict_is_answered_as_taken_in() -> None:
    """And the same again as known."""
    table = Table().all_well()

    assert [base.Noted(changed=True), base.KnownAlready()] == [reach(table, Level.DOWN), reach(table, Level.DOWN)]


# --- into an incident


def test_an_incident_that_a_verdict_opens_is_declared_whole() -> None:
    """Its title says what is down, its reason is what the check saw, and its beginning is the first failure."""
    table = Table().all_well()
    began = START - timedelta(minutes=2)
    reach(table, Level.DOWN, began_at=began)
    body = Declared(
        number=1, title="Claude API is down", severity=Severity.SEV2, provider="anthropic", dedup="anthropic",
        components=(API,), began_at=began, reason="HTTP 502", alerts_channel="#ops",
    )  # fmt: skip

    assert [Written(body, 1, RULE)] == table.written(Declared)


def test_a_declaration_takes_the_bad_family_in() -> None:
    """The one that opens it first, then the others of its provider that are bad, and none that is well."""
    table = Table().all_well()
    opens(table, MOBILE, down="none")
    opens(table, API, down="none")
    reach(table, Level.DOWN, MOBILE)
    reach(table, Level.DOWN, API)
    opens(table, MOBILE, down="SEV3")
    opens(table, API, down="SEV3")
    reach(table, Level.DOWN, WEB)

    assert (WEB, API, MOBILE) == table.kinds(Declared)[0].components  # type: ignore[attr-defined]


def test_a_declaration_leaves_what_is_muted_out() -> None:
    """Somebody meant it to be quiet."""
    table = Table().all_well()
    table.send(s.Mute(actor=ANA, component=API, lasts=timedelta(hours=1)))
    reach(table, Level.DOWN, API)
    reach(table, Level.DOWN, WEB)

    assert (WEB,) == table.kinds(Declared)[0].components  # type: ignore[attr-defined]


def test_a_component_that_joins_brings_its_evidence_along() -> None:
    """Its level, its words and since when, in the incident's own record."""
    table = Table().all_well()
    reach(table, Level.DOWN, API)
    reach(table, Level.DOWN, WEB, began_at=START - timedelta(minutes=1))
    body = ComponentJoined(WEB, Level.DOWN, "HTTP 502", ("req_7",), START - timedelta(minutes=1))

    assert Written(body, 1, RULE) == table.written(ComponentJoined)[-1]


def test_a_component_that_gets_better_says_what_it_was() -> None:
    """Down and then degraded is a change that its channel reads."""
    table = Table().all_well()
    reach(table, Level.DOWN)
    reach(table, Level.DEGRADED, began_at=START)
    body = ComponentMoved(API, Level.DOWN, Level.DEGRADED, "HTTP 502", START, ("req_7",))

    assert [Written(body, 1, RULE)] == table.written(ComponentMoved)


def test_another_fault_of_the_same_level_moves_nothing() -> None:
    """Down is down, whoever is to blame."""
    table = Table().all_well()
    reach(table, Level.DOWN)
    reach(table, Level.DOWN, fault=Fault.UNCLEAR)

    assert [] == table.kinds(ComponentMoved)


def test_a_severity_that_a_rule_raises_has_the_components_reason() -> None:
    """SEV2 to SEV1, and why."""
    table = Table().all_well()
    reach(table, Level.DOWN)
    opens(table, WEB, down="SEV1")
    reach(table, Level.DOWN, WEB)

    assert [Written(SeverityChanged(Severity.SEV2, Severity.SEV1, "HTTP 502"), 1, RULE)] == table.written(SeverityChanged)


def test_a_milder_component_lowers_no_severity() -> None:
    """An incident is as bad as its worst part."""
    table = Table().all_well()
    reach(table, Level.DOWN)
    opens(table, WEB, down="SEV4")
    reach(table, Level.DOWN, WEB)

    assert [] == table.kinds(SeverityChanged)


def test_recovery_is_the_rules_word() -> None:
    """Monitoring, because everything is operational again."""
    table = Table(policy(automation="off")).all_well()
    reach(table, Level.DOWN)
    reach(table, Level.OPERATIONAL)
    body = PhaseChanged(Phase.TRIAGE, Phase.MONITORING, "forward", "every component is operational again")

    assert [Written(body, 1, Actor.rule("all components well"))] == table.written(PhaseChanged)


def test_a_relapse_says_which_component_and_why() -> None:
    """By its name, and in the words of the check."""
    table = Table(policy(automation="off")).all_well()
    reach(table, Level.DOWN)
    reach(table, Level.OPERATIONAL)
    reach(table, Level.DOWN)
    body = PhaseChanged(Phase.MONITORING, Phase.INVESTIGATING, "relapse", "Claude API is down again: HTTP 502")

    assert Written(body, 1, RULE) == table.written(PhaseChanged)[-1]


# --- quiet threads


def test_our_own_failure_gets_a_quiet_thread() -> None:
    """A key that is refused alerts nobody, and somebody has to see to it."""
    table = Table().all_well()
    reach(table, Level.UNKNOWN, fault=Fault.OURS_KEY)

    assert 1 == len(sent(table, OpenThread))


def test_another_failure_of_ours_is_told_in_the_same_thread() -> None:
    """The key was mended and the quota is used up: the level is the same, and what to do is not."""
    table = Table().all_well()
    reach(table, Level.UNKNOWN, fault=Fault.OURS_KEY)
    reach(table, Level.UNKNOWN, fault=Fault.OURS_QUOTA)

    assert 1 == len(sent(table, ReplyInThread))


def test_a_quiet_level_opens_no_thread_beside_an_incident() -> None:
    """The degraded site joins the incident of the API, whose channel tells of it."""
    table = Table().all_well()
    reach(table, Level.DOWN, API)
    reach(table, Level.DEGRADED, WEB)

    assert [] == sent(table, OpenThread)


def test_what_opens_nothing_has_no_thread() -> None:
    """`open_on: none`."""
    table = Table().all_well()
    opens(table, API, degraded="none")
    reach(table, Level.DEGRADED)

    assert [] == sent(table, OpenThread)


@pytest.mark.parametrize("seen_before", [True, False])
def test_a_quiet_thread_is_called_after_the_verdict_that_opens_it(seen_before: bool) -> None:
    """No other fact can have its name, neither of this component nor of another, also where it is the first of all."""
    table = Table().all_well() if seen_before else Table()
    reach(table, Level.DEGRADED)
    fact = table.facts[-1]

    assert [OpenThread(OpenThread.of_fact(f"component/{API}", fact.seq, "quiet"))] == sent(table, OpenThread)


def test_all_of_a_quiet_spell_is_told_in_one_thread() -> None:
    """Slow, down, slow and well again, where all that is for the thread only."""
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


def test_an_advisory_is_written_down_whole() -> None:
    """What, why, with which evidence, and in which thread it is told."""
    table = Table().all_well()
    reach(table, Level.OPERATIONAL, fault=Fault.NONE, advisory="haiku fails since 11:40 UTC")
    [thread] = sent(table, OpenThread)
    body = AdvisoryRaised(API, "haiku fails since 11:40 UTC", "HTTP 502", ("req_7",), thread.thread)  # type: ignore[attr-defined]

    assert [Written(body, None, RULE)] == table.written(AdvisoryRaised)


def test_another_advisory_is_told_in_the_same_thread() -> None:
    """A second model joins the first: one conversation."""
    table = Table().all_well()
    reach(table, Level.OPERATIONAL, fault=Fault.NONE, advisory="haiku fails since 11:40 UTC")
    root = OpenThread.of_fact(f"component/{API}", table.facts[-1].seq, "advisory")
    opened = sent(table, OpenThread)
    reach(table, Level.OPERATIONAL, fault=Fault.NONE, advisory="haiku fails, opus fails")

    assert [OpenThread(root)] == opened
    assert [ReplyInThread(root)] == sent(table, OpenThread, ReplyInThread)


def test_the_same_advisory_again_is_no_news() -> None:
    """The whole has another reason, the part fails as before."""
    table = Table().all_well()
    for fault in (Fault.NONE, Fault.UNCLEAR):
        reach(table, Level.OPERATIONAL, fault=fault, advisory="haiku fails since 11:40 UTC")

    assert 1 == len(table.kinds(AdvisoryRaised))


def test_an_advisory_of_what_left_the_configuration_reaches_nobody() -> None:
    """Nobody measures it any more."""
    table = Table().all_well()
    reach(table, Level.OPERATIONAL, "mistral.api", fault=Fault.NONE, advisory="haiku fails since 11:40 UTC")

    assert [] == table.kinds(AdvisoryRaised)


@pytest.mark.parametrize(
    ("level", "reason"), [(Level.OPERATIONAL, "all of it is operational again"), (Level.DOWN, "all of it is down now")]
)
def test_an_advisory_ends_with_how_the_whole_is(level: Level, reason: str) -> None:
    """Well again, or worse than a small part."""
    table = Table().all_well()
    reach(table, Level.OPERATIONAL, fault=Fault.NONE, advisory="haiku fails")
    reach(table, level, fault=Fault.NONE)

    assert [Written(AdvisoryEnded(API, "haiku fails", reason), None, RULE)] == table.written(AdvisoryEnded)


def test_an_advisory_of_what_is_muted_is_noted_and_not_told() -> None:
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


def test_an_alert_that_is_held_back_says_why_and_until_when() -> None:
    """Written down by the check that found it, and announced to nobody."""
    table = muted()
    reach(table, Level.DEGRADED)

    assert [Written(AlertSuppressed(API, "muted by ana: we move", START + timedelta(hours=1)), None, RULE)] == (
        table.written(AlertSuppressed)
    )
    assert [] == sent(table, PostLine)


def test_an_alert_that_comes_back_says_why_it_was_held_back() -> None:
    """By the rule, not by whoever unmuted."""
    table = muted()
    reach(table, Level.DEGRADED)
    table.send(s.Unmute(actor=BOB, component=API))
    [thread] = sent(table, OpenThread)

    assert [Written(AlertResumed(API, "muted by ana: we move", thread.thread), None, HELD)] == (  # type: ignore[attr-defined]
        table.written(AlertResumed)
    )


def test_a_mute_without_a_reason_names_who_muted() -> None:
    """And leaves no colon behind."""
    table = muted("")
    reach(table, Level.DOWN)

    assert "muted by ana" == table.world.component(API).held_back.why  # type: ignore[union-attr]


def test_an_alert_that_another_incident_tells_of_is_announced_there_once() -> None:
    """What depends on Claude fails with it: its channel says so, and says it once."""
    base = policy()
    child = replace(base.components[GPT], depends_on=(API,))
    table = Table(replace(base, components={**base.components, GPT: child})).all_well()
    reach(table, Level.DOWN, API)
    reach(table, Level.DOWN, GPT)
    table.passes(5)

    assert [Written(AlertSuppressed(GPT, "it depends on Claude API, see INC-1"), 1, RULE)] == (table.written(AlertSuppressed))
    assert 1 == len(lines(table, AlertSuppressed))


def test_another_moment_until_which_it_is_held_back_is_announced_no_second_time() -> None:
    """The parent is well again: what depends on it has a while to follow, and the channel knows of it."""
    base = policy(automation="off")
    child = replace(base.components[GPT], depends_on=(API,))
    table = Table(replace(base, components={**base.components, GPT: child})).all_well()
    reach(table, Level.DOWN, API)
    reach(table, Level.DOWN, GPT)
    reach(table, Level.OPERATIONAL, API)

    assert 2 == len(table.written(AlertSuppressed))
    assert 1 == len(lines(table, AlertSuppressed))


def test_what_has_no_rule_is_not_held_back_either() -> None:
    """Nobody would have been told of it."""
    table = muted()
    opens(table, API)
    reach(table, Level.DOWN)

    assert [] == table.written(AlertSuppressed)


def test_what_has_its_thread_already_is_not_held_back() -> None:
    """It was told before somebody muted it."""
    table = Table().all_well()
    reach(table, Level.DEGRADED)
    table.send(s.Mute(actor=ANA, component=API, lasts=timedelta(hours=1)))

    assert [] == table.written(AlertSuppressed)


def test_what_is_held_back_is_told_in_the_incident_that_a_person_declares_for_it() -> None:
    """The mute is for alerts; whoever declares wants to hear of it."""
    table = muted()
    reach(table, Level.DOWN)
    table.send(s.Declare(actor=BOB, title="Claude", components=(API,)))

    assert [Written(AlertResumed(API, "muted by ana: we move"), None, HELD)] == table.written(AlertResumed)


def test_what_left_the_configuration_keeps_nothing_back() -> None:
    """It was held back, and is measured no more; the next one by name is told of."""
    table = muted()
    reach(table, Level.DOWN, API)
    table.policy = replace(table.policy, components={id: c for id, c in table.policy.components.items() if id != API})
    table.send(s.Mute(actor=ANA, component=GPT, lasts=timedelta(hours=1)))
    reach(table, Level.DOWN, GPT)
    table.send(s.Unmute(actor=BOB, component=GPT))

    assert [(GPT,)] == [body.components for body in table.kinds(Declared)]  # type: ignore[attr-defined]


def test_a_level_without_a_rule_raises_no_severity() -> None:
    """Configuration does not say what a degraded site is worth: it joins, and that is all."""
    table = Table().all_well()
    reach(table, Level.DOWN)
    opens(table, WEB)
    reach(table, Level.DOWN, WEB)

    assert [] == table.kinds(SeverityChanged)


def test_what_nobody_was_told_of_comes_back_with_all_that_was_seen() -> None:
    """Its incident was canceled while a mute held it back; the next one has its words, its evidence and its beginning."""
    table = muted()
    began = START - timedelta(minutes=2)
    reach(table, Level.DOWN, began_at=began)
    table.send(s.Unmute(actor=BOB, component=API))
    body = ComponentJoined(API, Level.DOWN, "HTTP 502", ("req_7",), began)

    assert [Written(body, 1, HELD)] == table.written(ComponentJoined)
    assert "HTTP 502" == table.kinds(Declared)[0].reason  # type: ignore[attr-defined]


def test_what_is_held_back_still_does_not_keep_others_back() -> None:
    """The first by name is muted on; the others are told of."""
    table = Table().all_well()
    for id in (API, GPT):
        table.send(s.Mute(actor=ANA, component=id, lasts=timedelta(hours=1)))
        reach(table, Level.DOWN, id)
    table.send(s.Unmute(actor=BOB, component=GPT))

    assert [(GPT,)] == [body.components for body in table.kinds(Declared)]  # type: ignore[attr-defined]


def test_an_alert_that_comes_back_as_an_incident_opens_no_thread() -> None:
    """The incident's channel tells of it; a second place would say the same."""
    table = muted()
    reach(table, Level.DEGRADED)
    reach(table, Level.DOWN)
    table.send(s.Unmute(actor=BOB, component=API))

    assert [""] == [one.body.thread for one in table.written(AlertResumed)]  # type: ignore[attr-defined]
    assert [] == sent(table, OpenThread)


def test_an_alert_that_comes_back_into_an_incident_opens_no_thread() -> None:
    """The site's incident is open: the slow API joins it instead of getting a thread beside it."""
    table = muted()
    reach(table, Level.DEGRADED, API)
    reach(table, Level.DOWN, WEB)
    table.send(s.Unmute(actor=BOB, component=API))

    assert ({API, WEB}, []) == (set(table.incident().affected), sent(table, OpenThread))
    assert ComponentJoined(API, Level.DEGRADED, "HTTP 502", ("req_7",), START) == table.kinds(ComponentJoined)[-1]


def test_each_alert_that_comes_back_has_a_thread_of_its_own() -> None:
    """Two providers were slow under one maintenance of ours: what is said of one is not said under the other."""
    table = Table().all_well()
    for id in (API, GPT):
        table.send(s.Mute(actor=ANA, component=id, lasts=timedelta(hours=1)))
        reach(table, Level.DEGRADED, id)
    table.send(s.Unmute(actor=BOB, component=API))
    first = sent(table, OpenThread)
    table.send(s.Unmute(actor=BOB, component=GPT))

    assert first != sent(table, OpenThread)
