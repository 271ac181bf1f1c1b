"""What a rule still looks at after it left a flag where it is, and where it writes that down."""

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


def test_why_a_slow_fallback_is_kept_names_the_others_as_people_do() -> None:
    """Gemini API, not google.api."""
    table = down(three())
    table.sees(GEMINI, Level.DOWN)
    table.sees(GPT, Level.DEGRADED)
    why = "OpenAI API is degraded too; staying on gpt (gemini needs Gemini API, which is down)"

    assert why == table.world.flag(FLAG).held


def test_a_fallback_that_nobody_knows_is_not_left() -> None:
    """No check of it can tell: it is no cached answer that one climbs away from."""
    table = down(three())
    table.sees(GPT, Level.UNKNOWN)
    table.passes(15)

    assert "gpt" == serving(table)


def test_the_hand_back_is_asked_for_although_the_fallback_is_slow() -> None:
    """It stays on GPT for want of a better one; Claude is well again, and that is told."""
    table = down()
    table.sees(GPT, Level.DEGRADED)
    table.sees(API, Level.OPERATIONAL)
    table.passes(10)

    assert 1 == len(table.kinds(HandBackAsked))


def test_the_hand_back_is_asked_for_although_another_fallback_would_be_better() -> None:
    """Automation only proposes: it says that cached answers would be better, and that Claude is well again."""
    table = down(policy(automation="propose"))
    engage(table, approves=True)
    table.sees(GPT, Level.DOWN)
    table.sees(API, Level.OPERATIONAL)
    table.passes(10)

    assert 1 == len(table.kinds(HandBackAsked))


def test_a_better_fallback_is_told_of_in_the_incident() -> None:
    """Where the people are who may switch to it."""
    table = down(policy(automation="propose"))
    engage(table, approves=True)
    table.sees(GPT, Level.DOWN)

    assert [Written(Held(FLAG, "OpenAI API is down too; cached would be better"), 1, FALLBACK)] == table.written(Held)


def test_automation_that_is_off_says_nothing_of_the_fallback() -> None:
    """A person switched, and a person looks after it."""
    table = Table(policy(automation="off")).all_well()
    engage(table, "gpt")
    table.sees(GPT, Level.DOWN)

    assert [] == table.kinds(Held)


def test_cached_answers_run_out_while_nothing_better_is_there() -> None:
    """Four hours on the last resort: somebody is asked whether that may go on."""
    table = down()
    table.sees(GPT, Level.DOWN)
    table.passes(4 * 60)

    assert 1 == len(table.kinds(ExpiryReached))


def test_who_leaves_a_sick_fallback_in_a_hand_back_has_nothing_to_revert() -> None:
    """A tenth was back on Claude when both failed: the switch to cached answers takes everybody along."""
    table = down()
    table.sees(API, Level.OPERATIONAL)
    table.passes(10)
    table.send(s.StepBack(actor=ANA, flag=FLAG))
    table.sees(GPT, Level.DOWN)
    table.sees(API, Level.DOWN)

    assert ("cached", []) == (serving(table), table.kinds(HandBackReverted))


def test_who_climbs_in_a_hand_back_has_nothing_to_revert() -> None:
    """From cached answers a tenth was back on Claude when that failed again: the switch to GPT takes everybody along."""
    table = down()
    table.sees(GPT, Level.DOWN)
    table.sees(API, Level.OPERATIONAL)
    table.passes(10)
    table.send(s.StepBack(actor=ANA, flag=FLAG))
    table.sees(GPT, Level.OPERATIONAL)
    table.sees(API, Level.DOWN)

    assert ("gpt", []) == (serving(table), table.kinds(HandBackReverted))


# --- in which incident


def test_the_incident_of_the_switch_hears_of_the_way_back() -> None:
    """The flag was switched in OpenAI's incident; an older one of Anthropic's is open, which concerns it as well by now."""
    table = Table(policy(depends_on=(API, GPT), fallbacks=(Fallback("cached"),))).all_well()
    table.sees(WEB, Level.DOWN)
    table.sees(GPT, Level.DOWN)
    table.sees(API, Level.DOWN)
    table.sees(API, Level.OPERATIONAL)
    table.sees(GPT, Level.OPERATIONAL)
    table.passes(10)

    assert [2] == [one.incident for one in table.written(HandBackAsked)]


def test_an_incident_that_is_over_has_the_way_back_on_record() -> None:
    """Nothing else is open: the record of the switch is where somebody looks for its end."""
    table = down()
    table.sees(API, Level.OPERATIONAL)
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED, force=True))
    table.passes(10)

    assert [1] == [one.incident for one in table.written(HandBackAsked)]


def test_a_relapse_is_on_record_in_the_incident_that_it_opens() -> None:
    """The first one is over; the people of the second see that everybody is on the fallback again."""
    table = down()
    table.sees(API, Level.OPERATIONAL)
    table.passes(10)
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED, force=True))
    table.sees(API, Level.DOWN)

    assert [2] == [one.incident for one in table.written(HandBackReverted)]


def test_climbing_is_on_record_in_the_incident_that_opens_with_it() -> None:
    """On cached answers since the first incident; GPT is back and Claude fails again."""
    table = down()
    table.sees(GPT, Level.DOWN)
    table.sees(API, Level.OPERATIONAL)
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED, force=True))
    table.sees(GPT, Level.OPERATIONAL)
    table.passes(10)
    table.sees(API, Level.DOWN)

    assert ("gpt", 3) == (serving(table), table.written(Engaged)[-1].incident)


def test_a_switch_by_hand_after_the_recovery_belongs_to_the_incident_that_is_open() -> None:
    """Claude is well as far as we see; who doubts it works on that incident."""
    table = down(policy(automation="off"))
    table.sees(API, Level.OPERATIONAL)

    assert fa.Switched(flag=FLAG, incident=1, variant="gpt", changed=True) == engage(table, "gpt")


def test_an_incident_takes_over_the_second_flag_where_the_first_serves_its_default() -> None:
    """Each flag is looked at, whatever the one before it does."""
    table = Table(two_flags()).all_well()
    engage(table, "cached")
    table.sees(API, Level.DOWN)

    assert [1] == [one.incident for one in table.written(CarriedOver)]


def test_the_second_incident_is_mitigated_where_the_first_has_no_flag() -> None:
    """OpenAI fails, on which no flag depends; then Claude does, and cached answers serve."""
    table = Table().all_well()
    table.sees(GPT, Level.DOWN)
    table.sees(API, Level.DOWN)

    assert Phase.MITIGATED is table.incident(2).phase


# --- what a person did


def test_a_switch_by_hand_without_trouble_is_not_asked_back() -> None:
    """Their own reasons do not end because everything is well."""
    table = Table().all_well()
    engage(table, "cached")
    table.passes(60)

    assert [] == table.kinds(HandBackAsked)


def test_a_proposal_whose_fallback_fell_sick_is_refused_with_what_ails_it() -> None:
    """The button was made for GPT; GPT is down by now, and nothing else is there."""
    table = down(policy(automation="propose", fallbacks=(Fallback("gpt", GPT),)))
    table.sees(GPT, Level.DOWN, "HTTP 502")

    assert fa.Unfit(flag=FLAG, reason="gpt needs OpenAI API, which is down: HTTP 502") == engage(table, approves=True)


def test_a_release_moves_no_incident_that_has_nothing_to_do_with_it() -> None:
    """OpenAI's incident is mitigated by the search; the chat goes back to a slow Claude, for which no incident is open."""
    table = Table(two_flags()).all_well()
    table.sees(GPT, Level.DOWN)
    engage(table, "cached")
    table.sees(API, Level.DEGRADED)
    table.send(s.ReleaseFlag(actor=ANA, flag=FLAG, force=True))

    assert Phase.MITIGATED is table.incident(1).phase


def test_a_release_onto_a_default_that_is_well_takes_no_mitigation_back() -> None:
    """The site is still down; the API, which the chat depends on, is well."""
    table = down()
    table.sees(WEB, Level.DOWN)
    table.sees(API, Level.OPERATIONAL)
    table.send(s.ReleaseFlag(actor=ANA, flag=FLAG))

    assert Phase.MITIGATED is table.incident().phase
