"""A flag is switched for a scope of its readers, apart from the rest."""

from datetime import timedelta

import pytest

from bot.core import signals as s
from bot.core.answers import flags as fa
from bot.core.answers.base import Answer
from bot.core.answers.incident import StillFailing
from bot.core.answers.rehearsals import Unrehearsed
from bot.core.decide.due import next_due
from bot.core.model import Level, Phase
from bot.core.policy import Automation, RehearsePolicy, SinkPolicy
from bot.core.record.flag_facts import Engaged, HandBackAsked, Released
from bot.core.record.sinks.sink_facts import SinkOrdered
from bot.core.record.steering.steering_facts import ExpiryNear
from bot.core.rehearsal import Mark, NeedResult
from bot.core.scope import MOST_AT_ONCE, Scope, read_scope, scope_of, typed, whole
from tests.core.flags.steered import API, FLAG, OPENAI, bodies, calm, handing_back
from tests.desk import ANA, BOB, RULE, Table

EU = f"{FLAG}@env=eu"


def eu(table: Table, share: int = 100, variant: str = "gpt", scope: str = "env=eu") -> Answer:
    """A person sends that share of a part there."""
    return table.send(s.EngageFlag(ANA, flag=f"{FLAG}@{scope}", variant=variant, share=share, reason="they complain")).answer


def serves(table: Table, key: str) -> str | None:
    engagement = table.world.flag(key).engagement
    return engagement.variant if engagement else None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("env=eu", Scope("env", "eu")), ("a.b_c-9=x=y", Scope("a.b_c-9", "x=y")), ("tier=" + "g" * 64, Scope("tier", "g" * 64)),
        ("tenant=münchen", Scope("tenant", "münchen")), ("env=", None), ("=eu", None), ("env", None), ("9env=eu", None),
        ("env=e u", None), ("env=e\tu", None), ("env=" + "g" * 65, None), ("e" * 65 + "=eu", None), ("e nv=eu", None),
        ("env=`eu`", None),
    ],
)  # fmt: skip
def test_scope_is_an_attribute_and_a_value(text: str, found: Scope | None) -> None:
    """Anything else is refused, and nobody guesses."""
    assert found == read_scope(text)


def test_scope_is_named_by_flag_attribute_and_value() -> None:
    """As people type it, and readable back."""
    assert (FLAG, Scope("env", "eu"), f"{FLAG} scope env=eu") == (whole(EU), scope_of(EU), typed(EU))


def test_switching_a_scope_leaves_the_whole_flag() -> None:
    """It has a stream of its own."""
    table = calm()
    eu(table)

    assert ("gpt", None) == (serves(table, EU), serves(table, FLAG))
    assert [EU] == [body.flag for body in bodies(table, Engaged) if isinstance(body, Engaged)]


def test_releasing_a_scope_leaves_the_whole_flag() -> None:
    """Its readers follow that from then on, and the record says so."""
    table = calm()
    table.send(s.EngageFlag(ANA, flag=FLAG, variant="gpt", reason="we try it"))
    eu(table, variant="cached")
    table.send(s.ReleaseFlag(BOB, flag=EU, reason="done"))

    assert (None, "gpt") == (serves(table, EU), serves(table, FLAG))
    assert [Released(EU, "gpt", "done")] == bodies(table, Released)


def test_releasing_the_whole_flag_leaves_the_scope() -> None:
    """Either way round."""
    table = calm()
    table.send(s.EngageFlag(ANA, flag=FLAG, variant="gpt", reason="we try it"))
    eu(table, variant="cached")
    table.send(s.ReleaseFlag(BOB, flag=FLAG, reason="done"))

    assert ("cached", None) == (serves(table, EU), serves(table, FLAG))


def test_scope_is_switched_once() -> None:
    """A repetition is answered so; another variant moves it."""
    table = calm()
    eu(table)

    assert isinstance(eu(table), fa.ServesAlready)
    assert isinstance(eu(table, variant="cached"), fa.Switched)
    assert ["cached"] == [serves(table, key) for key in table.world.flags if serves(table, key)]


def test_at_most_sixteen_scopes_are_switched() -> None:
    """Each read examines all of them. A switched one may be moved, and a released one makes room."""
    table = calm()
    for number in range(MOST_AT_ONCE):
        assert isinstance(eu(table, scope=f"env=e{number}"), fa.Switched)

    assert fa.TooManyScopes(flag=FLAG, flag_name="support chat", most=MOST_AT_ONCE) == eu(table)
    assert isinstance(eu(table, variant="cached", scope="env=e3"), fa.Switched)
    table.send(s.ReleaseFlag(BOB, flag=f"{FLAG}@env=e0", reason="done"))
    assert isinstance(eu(table), fa.Switched)


def test_unknown_flag_has_no_scopes() -> None:
    """Nor has one that is named in another way."""
    table = calm()

    assert "no_flag" == table.send(s.EngageFlag(ANA, flag="nothing@env=eu", reason="x")).answer.KIND
    assert "no_flag" == table.send(s.EngageFlag(ANA, flag=f"{FLAG}@env", reason="x")).answer.KIND


# --- rules


def test_rules_engage_the_whole_flag_beside_a_switched_scope() -> None:
    """The scope does not cover everybody."""
    table = calm()
    eu(table, variant="cached")
    table.sees(API, Level.DOWN)

    assert ("gpt", "cached") == (serves(table, FLAG), serves(table, EU))


def test_switched_scope_is_no_mitigation() -> None:
    """Only some customers are served."""
    table = calm(automation=Automation.OFF)
    table.sees(API, Level.DOWN)
    eu(table)

    (incident,) = table.world.open_incidents()
    assert (Phase.TRIAGE, None) == (incident.phase, incident.mitigation)


def test_releasing_a_scope_ends_no_mitigation() -> None:
    """Its readers go to the whole flag's fallback."""
    table = calm()
    table.sees(API, Level.DOWN)
    eu(table, variant="cached")
    table.send(s.ReleaseFlag(BOB, flag=EU, reason="done"))

    (incident,) = table.world.open_incidents()
    assert (None, Phase.MITIGATED) == (serves(table, EU), incident.phase)


def test_scope_is_not_released_to_a_failing_default() -> None:
    """Except by force, like the whole flag."""
    table = calm(automation=Automation.OFF)
    table.sees(API, Level.DOWN)
    eu(table)

    refused = table.send(s.ReleaseFlag(BOB, flag=EU, reason="done")).answer
    assert isinstance(refused, fa.DefaultUnwell)
    table.send(s.ReleaseFlag(BOB, flag=EU, reason="done", force=True))
    assert serves(table, EU) is None


def test_rules_do_not_move_a_scope_to_another_fallback() -> None:
    """Its person is told that the fallback fails."""
    table = calm()
    eu(table)
    table.sees(OPENAI, Level.DOWN)
    table.passes(30)

    assert ("gpt", "OpenAI API is down; cached would be better") == (serves(table, EU), table.world.flag(EU).held)


def test_scope_switched_in_an_outage_is_handed_back_by_rule() -> None:
    """After a question, step by step, each scope by itself."""
    table = calm(automation=Automation.PROPOSE)
    table.sees(API, Level.DOWN)
    eu(table)
    table.passes(15)
    table.sees(API, Level.OPERATIONAL)

    assert 1 == sum(isinstance(fact.body, HandBackAsked) and fact.body.flag == EU for fact in table.facts)
    table.send(s.StepBack(ANA, flag=EU))
    table.passes(60)
    assert serves(table, EU) is None


def test_people_are_asked_about_the_end_of_a_scope() -> None:
    """Like the whole flag's, and `next_due` knows it."""
    table = calm()
    eu(table)
    engagement = table.world.flag(EU).engagement
    assert engagement is not None
    due = next_due(table.world, table.policy)
    table.passes(4 * 60)

    assert due is not None
    assert due < engagement.expires_at
    assert [EU] == [body.flag for body in bodies(table, ExpiryNear) if isinstance(body, ExpiryNear)]


def test_hand_back_of_the_whole_flag_goes_on_beside_a_scope() -> None:
    """One is none of the other's business."""
    table = handing_back()
    eu(table, variant="cached")
    table.passes(60)

    assert (None, "cached") == (serves(table, FLAG), serves(table, EU))


def test_incident_takes_over_a_switched_scope() -> None:
    """It reports it, and asks about it before it is resolved."""
    table = calm()
    eu(table, variant="cached")
    table.sees(API, Level.DOWN)
    (incident,) = table.world.open_incidents()
    engagement = table.world.flag(EU).engagement

    assert engagement is not None
    assert incident.number == engagement.incident
    table.sees(API, Level.OPERATIONAL)
    table.send(s.ReleaseFlag(BOB, flag=FLAG, reason="done"))
    refused = table.send(s.SetPhase(ANA, incident=incident.number, phase=Phase.RESOLVED)).answer
    assert isinstance(refused, StillFailing)
    assert [EU] == [one.flag for one in refused.away]


def test_releasing_a_scope_leaves_the_incident_mitigated() -> None:
    """Even to a slow variant: the whole flag is on its fallback."""
    table = calm()
    table.sees(API, Level.DOWN)
    eu(table, variant="cached")
    table.sees(OPENAI, Level.DEGRADED)
    assert isinstance(table.send(s.ReleaseFlag(BOB, flag=EU, reason="done")).answer, fa.DefaultUnwell)
    table.send(s.ReleaseFlag(BOB, flag=EU, reason="done", force=True))

    (incident,) = table.world.open_incidents()
    assert incident.mitigation is not None


def test_unswitched_scope_is_served_as_the_whole_flag() -> None:
    """It is compared with that when a person names no variant."""
    table = calm()
    table.send(s.EngageFlag(ANA, flag=FLAG, variant="gpt", reason="we try it"))
    table.sees(API, Level.DOWN)

    assert isinstance(table.send(s.EngageFlag(ANA, flag=EU, reason="x")).answer, fa.NoneBetter)
    eu(table, variant="cached")
    assert ["claude", "gpt"] == [body.previous for body in bodies(table, Engaged) if isinstance(body, Engaged)]


def test_rehearsal_of_the_whole_flag_counts_for_a_scope() -> None:
    """The fallback is the same."""
    table = calm(rehearse=RehearsePolicy())
    assert isinstance(eu(table), Unrehearsed)
    results = (NeedResult("stream", Mark.OK),)
    ended = s.RehearsalEnded(
        RULE, flag=FLAG, variant="gpt", model="gpt-5", answered="gpt-5", results=results, dollars=0.01, skipped=""
    )  # fmt: skip
    table.send(ended)
    assert isinstance(eu(table), fa.Switched)


# --- people


@pytest.mark.parametrize(
    "signal",
    [
        s.ReleaseFlag(ANA, flag=EU, reason="x"), s.RampFlag(ANA, flag=EU, share=50), s.HoldHandBack(ANA, flag=EU),
        s.ResumeHandBack(ANA, flag=EU), s.ExtendFlag(ANA, flag=EU, lasts=timedelta(hours=1)),
    ],
)  # fmt: skip
def test_unswitched_scope_cannot_be_steered(signal: s.Signal) -> None:
    """And the whole flag is not touched instead."""
    table = calm()
    table.send(s.EngageFlag(ANA, flag=FLAG, variant="gpt", reason="we try it"))
    before = table.world.flag(FLAG)

    assert isinstance(table.send(signal).answer, fa.NotEngaged)
    assert before == table.world.flag(FLAG)


def test_share_of_a_scope_is_changed_separately() -> None:
    """A share of a part."""
    table = calm()
    eu(table, share=25)
    table.send(s.RampFlag(ANA, flag=EU, share=50))

    engagement = table.world.flag(EU).engagement
    assert engagement is not None
    assert (50, None) == (engagement.share, serves(table, FLAG))


def test_scope_is_pinned_while_it_is_switched() -> None:
    """An unswitched one cannot be; after a release it follows the whole flag."""
    table = calm()

    assert isinstance(table.send(s.PinFlag(ANA, flag=EU)).answer, fa.ScopeFollows)
    table.send(s.PinFlag(ANA, flag=EU, variant="gpt"))
    assert table.world.flag(EU).pin is not None
    assert isinstance(table.send(s.PinFlag(ANA, flag=EU, variant="claude")).answer, fa.ScopeFollows)
    table.send(s.ReleaseFlag(BOB, flag=EU, reason="done"))
    assert (None, None) == (serves(table, EU), table.world.flag(EU).pin)


def test_plan_for_a_scope_names_the_sinks_it_leaves_out() -> None:
    """They do not support scopes."""
    table = calm(sinks=(SinkPolicy("webhook:https://example.com/", "hook"),))
    told = len(bodies(table, SinkOrdered))
    planned = table.send(s.PlanSwitch(ANA, flag=EU, variant="gpt")).answer
    eu(table)

    assert isinstance(planned, fa.Planned)
    assert (("hook",), told) == (planned.left_out, len(bodies(table, SinkOrdered)))
