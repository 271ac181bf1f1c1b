"""People keep rules off one flag, or off all of them."""

import pytest

from bot.core import signals as s
from bot.core.answers import flags as fa
from bot.core.decide.due import next_due
from bot.core.model import Level
from bot.core.policy import Automation
from bot.core.record.flag_facts import (
    Engaged,
    EngageProposed,
    HandBackAsked,
    Held,
    ProposalDropped,
    Released,
)
from bot.core.record.steering.freeze import Frozen, Thawed
from bot.core.record.steering.steering_facts import Pinned, Unpinned
from bot.core.scope import MOST_AT_ONCE
from tests.core.flags.steered import API, FLAG, bodies, calm, engaged, handing_back, share
from tests.desk import ANA, BOB, Written

EU = f"{FLAG}@env=eu"


def test_rules_do_not_switch_a_pinned_flag() -> None:
    """Customers are not served, so people are notified."""
    table = calm()
    table.send(s.PinFlag(ANA, flag=FLAG))
    table.sees(API, Level.DOWN)
    table.passes(60)

    assert table.world.flag(FLAG).engagement is None
    assert [Held(FLAG, "Claude API is down, and it is pinned by ana", True)] == bodies(table, Held)


def test_unpinned_flag_fails_over_at_once() -> None:
    """Without waiting for the next check."""
    table = calm()
    table.send(s.PinFlag(ANA, flag=FLAG))
    table.sees(API, Level.DOWN)
    table.send(s.UnpinFlag(BOB, flag=FLAG))

    assert "gpt" == engaged(table).variant


def test_pin_with_a_variant_switches_to_it() -> None:
    """Both are recorded."""
    table = calm()
    table.send(s.PinFlag(ANA, flag=FLAG, variant="gpt", reason="a test"))

    assert ("gpt", 1) == (engaged(table).variant, len(bodies(table, Engaged)))
    assert [Pinned(FLAG, "gpt", "a test")] == bodies(table, Pinned)
    table.send(s.PinFlag(ANA, flag=FLAG, variant="claude"))
    assert table.world.flag(FLAG).engagement is None


def test_people_may_switch_a_pinned_flag() -> None:
    """The pin keeps rules off, not people."""
    table = calm()
    table.send(s.PinFlag(ANA, flag=FLAG))
    share(table, 100)
    assert "gpt" == engaged(table).variant
    assert table.world.flag(FLAG).pin is not None


def test_pinned_flag_is_neither_handed_back_nor_expired() -> None:
    """Not even where it would switch back by its time."""
    table = calm(first_step="auto", on_expiry="release")
    table.sees(API, Level.DOWN)
    table.send(s.PinFlag(ANA, flag=FLAG))
    table.sees(API, Level.OPERATIONAL)
    table.passes(5 * 60)

    assert 100 == engaged(table).share


def test_pin_withdraws_an_open_proposal() -> None:
    """So that an old button switches nothing."""
    table = calm(automation="propose")
    table.sees(API, Level.DOWN)
    table.send(s.PinFlag(ANA, flag=FLAG))

    assert table.world.flag(FLAG).proposal is None
    assert fa.NothingWaits is type(table.send(s.EngageFlag(ANA, flag=FLAG, variant="gpt", approves=True)).answer)


def test_frozen_automation_proposes_instead_of_switching() -> None:
    """And resumes by itself after the thaw."""
    table = calm()
    table.send(s.FreezeFlags(ANA, reason="the board lies"))
    table.sees(API, Level.DOWN)
    asked = EngageProposed(FLAG, "gpt", "Claude API is down, and automation is frozen by ana")
    assert [asked] == bodies(table, EngageProposed)
    assert table.world.flag(FLAG).engagement is None

    table.send(s.ThawFlags(BOB))
    assert "gpt" == engaged(table).variant


def test_freeze_is_in_the_timeline_of_open_incidents() -> None:
    """And in its own stream."""
    table = calm()
    table.sees(API, Level.DOWN)
    table.send(s.FreezeFlags(ANA))

    assert ["automation", "incident/1"] == [fact.stream for fact in table.facts if isinstance(fact.body, Frozen)]


def test_frozen_hand_back_stops_and_reports_the_consequence() -> None:
    """A quarter is on a default that fails again."""
    table = handing_back()
    table.send(s.FreezeFlags(ANA))
    table.passes(60)
    assert 25 == engaged(table).share_back

    table.sees(API, Level.DOWN)
    why = "Claude API is down, and 25 % stays on claude, since automation is frozen by ana"
    assert why == bodies(table, Held)[-1].reason  # type: ignore[attr-defined] # a Held
    table.send(s.ThawFlags(ANA))
    assert 100 == engaged(table).share


def test_frozen_automation_requests_the_hand_back() -> None:
    """Even if a rule would start it otherwise."""
    table = calm(first_step="auto")
    table.sees(API, Level.DOWN)
    table.send(s.FreezeFlags(ANA))
    table.sees(API, Level.OPERATIONAL)
    table.passes(15)

    assert (100, 1) == (engaged(table).share, len(bodies(table, HandBackAsked)))


def test_nothing_frozen_or_pinned_is_due() -> None:
    """A deadline in the past would keep the bot busy for ever."""
    table = handing_back()
    table.send(s.FreezeFlags(ANA))
    table.passes(30)

    assert (due := next_due(table.world, table.policy)) is not None
    assert due > table.now


# --- what was done, and where it stands


def test_pin_is_recorded_in_its_incident() -> None:
    """And its answer links there."""
    table = calm()
    table.sees(API, Level.DOWN)
    done = table.send(s.PinFlag(ANA, flag=FLAG)).answer

    assert fa.Pinned(flag=FLAG, incident=1, changed=True, variant="gpt") == done
    assert [Written(Pinned(FLAG, "gpt", "no reason given"), 1, ANA)] == table.written(Pinned)


def test_unpinning_is_recorded_in_the_incident() -> None:
    """With how rules treat the flag from now on."""
    table = calm()
    table.sees(API, Level.DOWN)
    table.send(s.PinFlag(ANA, flag=FLAG))
    done = table.send(s.UnpinFlag(BOB, flag=FLAG)).answer

    assert fa.Unpinned(flag=FLAG, incident=1, changed=True, automation=Automation.AUTO) == done
    assert [Written(Unpinned(FLAG), 1, BOB)] == table.written(Unpinned)


def test_pin_that_switches_is_a_manual_switch_with_its_reason() -> None:
    """In the incident of what is in trouble."""
    table = calm(automation="off")
    table.sees(API, Level.DOWN)
    table.send(s.PinFlag(ANA, flag=FLAG, variant="gpt", reason="we know it well"))

    engagement = engaged(table)
    assert ("manual", "we know it well", 1) == (engagement.mode, engagement.reason, engagement.incident)


def test_pin_that_switches_without_a_reason_says_so() -> None:
    """It says that none was given."""
    table = calm()
    table.send(s.PinFlag(ANA, flag=FLAG, variant="gpt"))
    assert "no reason given" == engaged(table).reason


@pytest.mark.parametrize(("said", "kept"), [("all is well", "all is well"), ("", "no reason given")])
def test_pin_to_the_default_releases_the_flag_in_its_incident(said: str, kept: str) -> None:
    """With the given reason."""
    table = calm()
    table.sees(API, Level.DOWN)
    table.sees(API, Level.OPERATIONAL)
    table.send(s.PinFlag(ANA, flag=FLAG, variant="claude", reason=said))

    assert [Written(Released(FLAG, "claude", kept), 1, ANA)] == table.written(Released)


def test_pin_to_a_failing_default_is_refused() -> None:
    """The switch stays."""
    table = calm()
    table.sees(API, Level.DOWN)

    refused = fa.DefaultUnwell(flag=FLAG, unwell="Claude API is down")
    assert refused == table.send(s.PinFlag(ANA, flag=FLAG, variant="claude")).answer
    assert ("gpt", None) == (engaged(table).variant, table.world.flag(FLAG).pin)


def test_pin_to_an_unknown_variant_is_refused() -> None:
    """With the known ones."""
    refused = fa.NoVariant(flag=FLAG, variant="gtp", known=("claude", "gpt", "cached"))
    assert refused == calm().send(s.PinFlag(ANA, flag=FLAG, variant="gtp")).answer


def test_second_pin_is_refused_with_the_first_person() -> None:
    """Whoever comes second hears who was first."""
    table = calm()
    table.send(s.PinFlag(ANA, flag=FLAG))

    assert fa.PinnedAlready(flag=FLAG, by=ANA) == table.send(s.PinFlag(BOB, flag=FLAG)).answer


@pytest.mark.parametrize("variant", ["", "claude"])
def test_scope_that_follows_the_whole_flag_cannot_be_pinned(variant: str) -> None:
    """It has no variant of its own to keep."""
    assert fa.ScopeFollows(flag=EU) == calm().send(s.PinFlag(ANA, flag=EU, variant=variant)).answer


def test_switched_scope_is_pinned_to_its_variant() -> None:
    """Without naming it again."""
    table = calm()
    table.send(s.EngageFlag(ANA, flag=EU, variant="gpt"))

    assert fa.Pinned(flag=EU, changed=True, variant="gpt") == table.send(s.PinFlag(ANA, flag=EU)).answer


def test_pin_respects_the_limit_of_scopes() -> None:
    """A seventeenth is refused here too."""
    table = calm()
    for number in range(MOST_AT_ONCE):
        table.send(s.EngageFlag(ANA, flag=f"{FLAG}@tenant={number}", variant="gpt"))

    refused = fa.TooManyScopes(flag=FLAG, most=MOST_AT_ONCE)
    assert refused == table.send(s.PinFlag(ANA, flag=EU, variant="gpt")).answer


def test_answer_to_a_pin_says_what_it_prevents() -> None:
    """Claude is down already, and no rule will help."""
    table = calm(automation="propose")
    table.sees(API, Level.DOWN)
    table.send(s.PinFlag(ANA, flag=FLAG))

    assert [Held(FLAG, "Claude API is down, and it is pinned by ana", True)] == bodies(table, Held)
    assert [1] == [written.incident for written in table.written(ProposalDropped)]


def test_second_freeze_names_who_did_the_first() -> None:
    """Nothing is recorded twice."""
    table = calm()
    table.send(s.FreezeFlags(ANA))

    assert fa.FrozenAlready(by=ANA) == table.send(s.FreezeFlags(BOB)).answer


@pytest.mark.parametrize(("said", "kept"), [("the board lies", "the board lies"), ("", "no reason given")])
def test_freeze_and_thaw_are_recorded_with_reasons(said: str, kept: str) -> None:
    """For whoever asks in a week why nothing was switched."""
    table = calm()
    table.send(s.FreezeFlags(ANA, reason=said))
    table.send(s.ThawFlags(BOB, reason=said))

    assert [Written(Frozen(kept), None, ANA)] == table.written(Frozen)
    assert [Written(Thawed(kept), None, BOB)] == table.written(Thawed)
