"""What is recorded when a flag switches or waits: in which incident, by whom, and in which words."""

from dataclasses import replace
from datetime import timedelta

from bot.core import signals as s
from bot.core.answers.base import Answer
from bot.core.model import Actor, Level, Phase
from bot.core.policy import Fallback, Policy
from bot.core.record.fact import Body
from bot.core.record.flag_facts import CarriedOver, Engaged, EngageProposed, HandBackAsked, Held, ProposalDropped
from bot.core.record.incident_facts import PhaseChanged
from tests.desk import ANA, CHAT_FLAG, START, Table, Written, component, policy

FLAG = CHAT_FLAG.key
API = "anthropic.api"
FALLBACK = Actor.rule("fallback automation")


def written(table: Table, kind: type[Body]) -> Written:
    """The only fact of a kind."""
    [found] = table.written(kind)
    return found


def last(table: Table, kind: type[Body]) -> Written:
    return table.written(kind)[-1]


def down(policy_: Policy | None = None) -> Table:
    table = Table(policy_).all_well()
    table.sees(API, Level.DOWN)
    return table


def engage(table: Table, variant: str = "", **more: object) -> Answer:
    return table.send(s.EngageFlag(actor=ANA, flag=FLAG, variant=variant, **more)).answer  # type: ignore[arg-type]


def serving(table: Table) -> str:
    held = table.world.flag(FLAG).engagement
    return held.variant if held else "claude"


# --- to a fallback


def test_switch_by_a_rule_records_why_and_until_when() -> None:
    """In its incident, with the failing component's name and the flag's time limit."""
    body = Engaged(FLAG, f"{FLAG}#1", "gpt", "claude", "Claude API is down", "auto", START + timedelta(hours=4), because=(API,))

    assert Written(body, 1, FALLBACK) == written(down(), Engaged)


def test_manual_switch_records_who_and_for_how_long() -> None:
    """Without an outage there is no incident; reason and time limit are the person's."""
    table = Table().all_well()
    engage(table, "cached", reason="cost", hold_for=timedelta(hours=2))
    body = Engaged(FLAG, f"{FLAG}#1", "cached", "claude", "cost", "manual", START + timedelta(hours=2), because=())

    assert Written(body, None, ANA) == written(table, Engaged)


def test_switch_between_fallbacks_records_the_previous_variant() -> None:
    """Whoever reads the record sees each step."""
    table = down()
    engage(table, "cached", reason="GPT answers nonsense")
    body = Engaged(
        FLAG, f"{FLAG}#2", "cached", "gpt", "GPT answers nonsense", "manual", START + timedelta(hours=4), because=(API,)
    )

    assert Written(body, 1, ANA) == last(table, Engaged)


def test_manual_switch_without_a_reason_names_the_outage() -> None:
    """At night nobody types a reason."""
    table = down(policy(automation="off"))
    engage(table, "gpt")

    assert "Claude API is down" == table.world.flag(FLAG).engagement.reason  # type: ignore[union-attr]


def test_manual_switch_names_a_degradation_that_no_rule_acts_on() -> None:
    """The hand-back then knows what to wait for."""
    table = Table().all_well()
    table.sees(API, Level.DEGRADED)
    engage(table, "gpt")
    body = Engaged(
        FLAG, f"{FLAG}#1", "gpt", "claude", "Claude API is degraded", "manual", START + timedelta(hours=4), because=(API,)
    )

    assert body == written(table, Engaged).body


def test_manual_switch_without_an_outage_and_reason_says_so() -> None:
    """Nobody has to guess whether a reason was lost."""
    table = Table().all_well()
    engage(table, "cached")

    assert "no reason given" == table.world.flag(FLAG).engagement.reason  # type: ignore[union-attr]


def test_approved_switch_has_the_proposals_reason() -> None:
    """Whoever presses the button types nothing."""
    table = down(policy(automation="propose", depends_on=(API, "anthropic.web")))
    table.sees("anthropic.web", Level.DOWN)
    engage(table, approves=True)

    assert "Claude API is down" == table.world.flag(FLAG).engagement.reason  # type: ignore[union-attr]


def test_proposal_records_what_and_why() -> None:
    """In its incident."""
    proposed = written(down(policy(automation="propose")), EngageProposed)

    assert Written(EngageProposed(FLAG, "gpt", "Claude API is down"), 1, FALLBACK) == proposed


def test_proposal_is_made_once() -> None:
    """Time alone does not repeat it."""
    table = down(policy(automation="propose"))
    table.passes(30)

    assert 1 == len(table.kinds(EngageProposed))


def test_withdrawal_is_recorded_where_the_proposal_was() -> None:
    """Who looks at the question sees that it is no longer asked."""
    table = down(policy(automation="propose"))
    table.sees(API, Level.OPERATIONAL)
    body = ProposalDropped(FLAG, "the default is no longer in trouble")

    assert Written(body, 1, FALLBACK) == written(table, ProposalDropped)


def test_waiting_records_why_in_its_incident() -> None:
    """Nothing healthy to switch to, with the reason for each."""
    table = Table(policy(fallbacks=(Fallback("gpt", "openai.api"),))).all_well()
    table.sees("openai.api", Level.DEGRADED)
    table.sees("openai.api", Level.DOWN)
    table.sees(API, Level.DOWN)
    body = Held(FLAG, "no fallback is healthy: gpt needs OpenAI API, which is down", unserved=True)

    assert Written(body, 2, FALLBACK) == written(table, Held)


def test_keeping_an_unhealthy_fallback_records_why() -> None:
    """Both providers fail, and cached answers would be worse."""
    table = down()
    table.sees("openai.api", Level.DEGRADED)
    body = Held(FLAG, "OpenAI API is degraded too; staying on gpt (cached would be worse)")

    assert Written(body, 1, FALLBACK) == written(table, Held)


def test_lone_unhealthy_fallback_is_not_called_unhealthy_too() -> None:
    """The default is well."""
    table = Table(policy(automation="propose")).all_well()
    engage(table, "gpt", reason="cost")
    table.sees("openai.api", Level.DOWN)
    body = Held(FLAG, "OpenAI API is down; cached would be better", unserved=True)

    assert body == written(table, Held).body


def test_leaving_an_unhealthy_fallback_records_its_reason() -> None:
    """The switch still knows the original outage, so that the hand-back waits for Claude and not for OpenAI."""
    table = down()
    table.sees("openai.api", Level.DOWN)
    body = Engaged(
        FLAG, f"{FLAG}#2", "cached", "gpt", "OpenAI API is down too", "auto", START + timedelta(hours=4), because=(API,)
    )

    assert Written(body, 1, FALLBACK) == last(table, Engaged)


def test_return_to_a_model_records_what_recovered() -> None:
    """From cached answers to GPT, after min_hold, in the same incident."""
    table = down()
    table.sees("openai.api", Level.DOWN)
    table.sees("openai.api", Level.OPERATIONAL)
    table.passes(10)
    body = Engaged(
        FLAG, f"{FLAG}#3", "gpt", "cached", "OpenAI API is operational", "auto", START + timedelta(hours=4, minutes=10),
        because=(API,),
    )  # fmt: skip

    assert Written(body, 1, FALLBACK) == last(table, Engaged)


def test_return_to_a_model_waits_for_min_hold() -> None:
    """A flapping fallback must not move customers back and forth."""
    table = down()
    table.sees("openai.api", Level.DOWN)
    table.sees("openai.api", Level.OPERATIONAL)
    table.passes(9)

    assert "cached" == serving(table)


def test_incident_that_takes_over_a_flag_records_since_when() -> None:
    """By the rule, with the served variant."""
    table = Table(policy(automation="off")).all_well()
    engage(table, "cached", reason="a load test")
    table.passes(7)
    table.sees(API, Level.DOWN)

    assert Written(CarriedOver(FLAG, "cached", START), 1, FALLBACK) == written(table, CarriedOver)


def test_mitigation_names_its_flags() -> None:
    """By the rule."""
    body = PhaseChanged(Phase.TRIAGE, Phase.MITIGATED, "forward", "support chat switched to gpt")

    assert Written(body, 1, FALLBACK) == written(down(), PhaseChanged)


# --- several flags, several components


def test_switch_names_all_failing_components() -> None:
    """It depends on two, and both are down."""
    table = Table(policy(automation="off", depends_on=(API, "anthropic.web"))).all_well()
    table.sees(API, Level.DOWN)
    table.sees("anthropic.web", Level.DOWN)
    engage(table, "gpt")

    assert "Claude API is down, claude.ai is down" == table.world.flag(FLAG).engagement.reason  # type: ignore[union-attr]


def test_hand_back_names_all_recovered_components() -> None:
    """And waits for the last of them."""
    table = Table(policy(depends_on=(API, "anthropic.web"))).all_well()
    table.sees(API, Level.DOWN)
    table.sees("anthropic.web", Level.DOWN)
    table.sees(API, Level.OPERATIONAL)
    table.passes(15)
    table.sees("anthropic.web", Level.OPERATIONAL)
    table.passes(1)

    assert "Claude API is operational, claude.ai is operational" == (
        written(table, HandBackAsked).body.reason  # type: ignore[attr-defined]
    )


def test_incident_is_mitigated_when_all_its_flags_are_on_fallbacks() -> None:
    """One of two serves only half of the customers."""
    other = replace(CHAT_FLAG, key="search.llm", automation="propose")
    base = policy()
    table = down(replace(base, flags={**base.flags, other.key: other}))
    half = table.incident().phase
    table.send(s.EngageFlag(actor=ANA, flag="search.llm", variant="gpt"))

    assert Phase.TRIAGE is half
    assert "support chat switched to gpt, search switched to gpt" == written(table, PhaseChanged).body.reason  # type: ignore[attr-defined]


def test_flag_of_another_provider_does_not_count_for_the_mitigation() -> None:
    """It serves its default, which is well."""
    other = replace(CHAT_FLAG, key="search.llm", depends_on=("google.api",), fallbacks=())
    base = policy()
    google = component("google.api", "Gemini API", "Google")
    table = Table(replace(base, flags={**base.flags, other.key: other}, components={**base.components, google.id: google}))
    table.all_well().sees(API, Level.DOWN)

    assert Phase.MITIGATED is table.incident().phase


def test_incident_without_flags_is_not_mitigated_by_a_rule() -> None:
    """Nothing is served by anybody else."""
    table = Table(policy(depends_on=("openai.api",))).all_well()
    table.sees("anthropic.web", Level.DOWN)

    assert Phase.TRIAGE is table.incident().phase
