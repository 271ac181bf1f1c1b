"""What rules still check after they left a flag where it is, and where they record it."""

from dataclasses import replace

from bot.core import signals as s
from bot.core.answers import flags as fa
from bot.core.model import Actor, Level, Phase
from bot.core.policy import Fallback, Policy
from bot.core.record.flag_facts import CarriedOver, Engaged, ExpiryReached, HandBackAsked, HandBackReverted, Held
from tests.desk import ANA, CHAT_FLAG, Table, Written, component, policy

FLAG = CHAT_FLAG.key
API, WEB, GPT, GEMINI = "anthropic.api", "anthropic.web", "openai.api", "google.api"
FALLBACK, HAND_BACK = Actor.rule("fallback automation"), Actor.rule("hand-back")


def three(**changes: object) -> Policy:
    """Claude with GPT and Gemini behind it."""
    fallbacks = (Fallback("gpt", GPT), Fallback("gemini", GEMINI))
    base = policy(variants=dict.fromkeys(("claude", "gpt", "gemini"), "x"), fallbacks=fallbacks, **changes)
    return replace(base, components={**base.components, GEMINI: component(GEMINI, "Gemini API", "Google")})


def two_flags(**other: object) -> Policy:
    """The search, which depends on OpenAI and has cached answers, before the chat."""
    base = policy()
    fields = {"key": "search.llm", "depends_on": (GPT,), "fallbacks": (Fallback("cached"),), **other}
    search = replace(CHAT_FLAG, **fields)  # type: ignore[arg-type]
    return replace(base, flags={search.key: search, **base.flags})


def down(policy_: Policy | None = None) -> Table:
    table = Table(policy_).all_well()
    table.sees(API, Level.DOWN)
    return table


def serving(table: Table) -> str:
    held = table.world.flag(FLAG).engagement
    return held.variant if held else "claude"


def engage(table: Table, variant: str = "", *, approves: bool = False) -> object:
    return table.send(s.EngageFlag(actor=ANA, flag=FLAG, variant=variant, approves=approves)).answer


# --- a fallback that is not well


def test_reason_for_keeping_a_slow_fallback_uses_display_names() -> None:
    """Gemini API, not google.api."""
    table = down(three())
    table.sees(GEMINI, Level.DOWN)
    table.sees(GPT, Level.DEGRADED)
    why = "OpenAI API is degraded too; staying on gpt (gemini needs Gemini API, which is down)"

    assert why == table.world.flag(FLAG).held


def test_fallback_in_an_unknown_state_is_not_left() -> None:
    """No check of it can tell: it is no cached answer that one climbs away from."""
    table = down(three())
    table.sees(GPT, Level.UNKNOWN)
    table.passes(15)

    assert "gpt" == serving(table)


def test_hand_back_is_requested_although_the_fallback_is_slow() -> None:
    """No better one exists, but Claude has recovered."""
    table = down()
    table.sees(GPT, Level.DEGRADED)
    table.sees(API, Level.OPERATIONAL)
    table.passes(10)

    assert 1 == len(table.kinds(HandBackAsked))


def test_hand_back_is_requested_although_another_fallback_would_be_better() -> None:
    """Automation only proposes: it reports both."""
    table = down(policy(automation="propose"))
    engage(table, approves=True)
    table.sees(GPT, Level.DOWN)
    table.sees(API, Level.OPERATIONAL)
    table.passes(10)

    assert 1 == len(table.kinds(HandBackAsked))


def test_better_fallback_is_reported_in_the_incident() -> None:
    """To the people who may switch to it."""
    table = down(policy(automation="propose"))
    engage(table, approves=True)
    table.sees(GPT, Level.DOWN)

    assert [Written(Held(FLAG, "OpenAI API is down too; cached would be better"), 1, FALLBACK)] == table.written(Held)


def test_automation_off_does_not_report_on_the_fallback() -> None:
    """A person switched it, and looks after it."""
    table = Table(policy(automation="off")).all_well()
    engage(table, "gpt")
    table.sees(GPT, Level.DOWN)

    assert [] == table.kinds(Held)


def test_people_are_asked_when_cached_answers_expire() -> None:
    """After four hours on the last resort."""
    table = down()
    table.sees(GPT, Level.DOWN)
    table.passes(4 * 60)

    assert 1 == len(table.kinds(ExpiryReached))


def test_leaving_an_unhealthy_fallback_ends_the_hand_back() -> None:
    """A tenth was back on Claude when both failed: everybody goes to cached answers."""
    table = down()
    table.sees(API, Level.OPERATIONAL)
    table.passes(10)
    table.send(s.StepBack(actor=ANA, flag=FLAG))
    table.sees(GPT, Level.DOWN)
    table.sees(API, Level.DOWN)

    assert ("cached", []) == (serving(table), table.kinds(HandBackReverted))


def test_return_to_a_model_ends_the_hand_back() -> None:
    """A tenth was back on Claude when it failed again: everybody goes from cached answers to GPT."""
    table = down()
    table.sees(GPT, Level.DOWN)
    table.sees(API, Level.OPERATIONAL)
    table.passes(10)
    table.send(s.StepBack(actor=ANA, flag=FLAG))
    table.sees(GPT, Level.OPERATIONAL)
    table.sees(API, Level.DOWN)

    assert ("gpt", []) == (serving(table), table.kinds(HandBackReverted))


# --- in which incident


def test_hand_back_is_recorded_in_the_switchs_incident() -> None:
    """Not in an older one of Anthropic's, which the flag concerns as well by now."""
    table = Table(policy(depends_on=(API, GPT), fallbacks=(Fallback("cached"),))).all_well()
    table.sees(WEB, Level.DOWN)
    table.sees(GPT, Level.DOWN)
    table.sees(API, Level.DOWN)
    table.sees(API, Level.OPERATIONAL)
    table.sees(GPT, Level.OPERATIONAL)
    table.passes(10)

    assert [2] == [one.incident for one in table.written(HandBackAsked)]


def test_hand_back_is_recorded_in_an_ended_incident_if_none_is_open() -> None:
    """Where people look for the end of the switch."""
    table = down()
    table.sees(API, Level.OPERATIONAL)
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED, force=True))
    table.passes(10)

    assert [1] == [one.incident for one in table.written(HandBackAsked)]


def test_relapse_is_recorded_in_the_incident_that_it_opens() -> None:
    """The first one has ended."""
    table = down()
    table.sees(API, Level.OPERATIONAL)
    table.passes(10)
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED, force=True))
    table.sees(API, Level.DOWN)

    assert [2] == [one.incident for one in table.written(HandBackReverted)]


def test_return_to_a_model_is_recorded_in_the_incident_that_opens_with_it() -> None:
    """On cached answers since the first incident; GPT is back and Claude fails again."""
    table = down()
    table.sees(GPT, Level.DOWN)
    table.sees(API, Level.OPERATIONAL)
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED, force=True))
    table.sees(GPT, Level.OPERATIONAL)
    table.passes(10)
    table.sees(API, Level.DOWN)

    assert ("gpt", 3) == (serving(table), table.written(Engaged)[-1].incident)


def test_manual_switch_after_a_recovery_belongs_to_the_open_incident() -> None:
    """Whoever doubts the recovery works on that incident."""
    table = down(policy(automation="off"))
    table.sees(API, Level.OPERATIONAL)

    assert fa.Switched(flag=FLAG, incident=1, variant="gpt", changed=True) == engage(table, "gpt")


def test_incident_takes_over_the_second_flag_if_the_first_is_on_its_default() -> None:
    """Each flag is looked at, whatever the one before it does."""
    table = Table(two_flags()).all_well()
    engage(table, "cached")
    table.sees(API, Level.DOWN)

    assert [1] == [one.incident for one in table.written(CarriedOver)]


def test_second_incident_is_mitigated_although_the_first_has_no_flag() -> None:
    """OpenAI fails, on which no flag depends; then Claude does, and cached answers serve."""
    table = Table().all_well()
    table.sees(GPT, Level.DOWN)
    table.sees(API, Level.DOWN)

    assert Phase.MITIGATED is table.incident(2).phase


# --- what a person did


def test_no_hand_back_is_requested_for_a_manual_switch_without_an_outage() -> None:
    """Their own reasons do not end because everything is well."""
    table = Table().all_well()
    engage(table, "cached")
    table.passes(60)

    assert [] == table.kinds(HandBackAsked)


def test_approval_is_refused_if_the_fallback_failed_meanwhile() -> None:
    """With the reason."""
    table = down(policy(automation="propose", fallbacks=(Fallback("gpt", GPT),)))
    table.sees(GPT, Level.DOWN, "HTTP 502")

    assert fa.Unfit(flag=FLAG, reason="gpt needs OpenAI API, which is down: HTTP 502") == engage(table, approves=True)


def test_release_does_not_affect_unrelated_incidents() -> None:
    """OpenAI's is mitigated by the search flag; the chat returns to a slow Claude without an incident."""
    table = Table(two_flags()).all_well()
    table.sees(GPT, Level.DOWN)
    engage(table, "cached")
    table.sees(API, Level.DEGRADED)
    table.send(s.ReleaseFlag(actor=ANA, flag=FLAG, force=True))

    assert Phase.MITIGATED is table.incident(1).phase


def test_release_to_a_healthy_default_ends_no_mitigation() -> None:
    """The site is still down, but the API that the chat needs is well."""
    table = down()
    table.sees(WEB, Level.DOWN)
    table.sees(API, Level.OPERATIONAL)
    table.send(s.ReleaseFlag(actor=ANA, flag=FLAG))

    assert Phase.MITIGATED is table.incident().phase
