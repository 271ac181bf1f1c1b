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


def test_no_rule_switches_a_pinned_flag_and_it_says_so() -> None:
    """Customers are not served, so it pushes."""
    table = calm()
    table.send(s.PinFlag(ANA, flag=FLAG))
    table.sees(API, Level.DOWN)
    table.passes(60)

    assert table.world.flag(FLAG).engagement is None
    assert [Held(FLAG, "Claude API is down, and it is pinned by ana", True)] == bodies(table, Held)


def test_a_flag_that_is_unpinned_fails_over_at_once() -> None:
    """Nobody waits for the next check."""
    table = calm()
    table.send(s.PinFlag(ANA, flag=FLAG))
    table.sees(API, Level.DOWN)
    table.send(s.UnpinFlag(BOB, flag=FLAG))

    assert "gpt" == engaged(table).variant


def test_a_flag_is_pinned_to_a_variant_that_it_is_switched_to() -> None:
    """One word instead of two; both are on record."""
    table = calm()
    table.send(s.PinFlag(ANA, flag=FLAG, variant="gpt", reason="a test"))

    assert ("gpt", 1) == (engaged(table).variant, len(bodies(table, Engaged)))
    assert [Pinned(FLAG, "gpt", "a test")] == bodies(table, Pinned)
    table.send(s.PinFlag(ANA, flag=FLAG, variant="claude"))
    assert table.world.flag(FLAG).engagement is None


def test_people_switch_a_pinned_flag() -> None:
    """It keeps rules off, not them."""
    table = calm()
    table.send(s.PinFlag(ANA, flag=FLAG))
    share(table, 100)
    assert "gpt" == engaged(table).variant
    assert table.world.flag(FLAG).pin is not None


def test_a_pinned_flag_is_not_handed_back_nor_ended() -> None:
    """Not even where it would switch back by its time."""
    table = calm(first_step="auto", on_expiry="release")
    table.sees(API, Level.DOWN)
    table.send(s.PinFlag(ANA, flag=FLAG))
    table.sees(API, Level.OPERATIONAL)
    table.passes(5 * 60)

    assert 100 == engaged(table).share


def test_what_waits_for_a_yes_is_withdrawn_by_a_pin() -> None:
    """An old button switches nothing then."""
    table = calm(automation="propose")
    table.sees(API, Level.DOWN)
    table.send(s.PinFlag(ANA, flag=FLAG))

    assert table.world.flag(FLAG).proposal is None
    assert fa.NothingWaits is type(table.send(s.EngageFlag(ANA, flag=FLAG, variant="gpt", approves=True)).answer)


def test_frozen_automation_asks_instead_of_switching() -> None:
    """And goes on by itself after the thaw."""
    table = calm()
    table.send(s.FreezeFlags(ANA, reason="the board lies"))
    table.sees(API, Level.DOWN)
    asked = EngageProposed(FLAG, "gpt", "Claude API is down, and automation is frozen by ana")
    assert [asked] == bodies(table, EngageProposed)
    assert table.world.flag(FLAG).engagement is None

    table.send(s.ThawFlags(BOB))
    assert "gpt" == engaged(table).variant


def test_a_freeze_stands_in_the_timeline_of_what_people_work_on() -> None:
    """In its own stream, and in that of each open incident."""
    table = calm()
    table.sees(API, Level.DOWN)
    table.send(s.FreezeFlags(ANA))

    assert ["automation", "incident/1"] == [fact.stream for fact in table.facts if isinstance(fact.body, Frozen)]


def test_a_frozen_hand_back_stands_still_and_says_what_it_costs() -> None:
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


def test_frozen_automation_asks_for_the_way_back() -> None:
    """Also where a rule would begin it."""
    table = calm(first_step="auto")
    table.sees(API, Level.DOWN)
    table.send(s.FreezeFlags(ANA))
    table.sees(API, Level.OPERATIONAL)
    table.passes(15)

    assert (100, 1) == (engaged(table).share, len(bodies(table, HandBackAsked)))


def test_nothing_that_stands_still_is_ever_due() -> None:
    """No deadline lies in the past for ever: the bot would look at it without end."""
    table = handing_back()
    table.send(s.FreezeFlags(ANA))
    table.passes(30)

    assert (due := next_due(table.world, table.policy)) is not None
    assert due > table.now


# --- what was done, and where it stands


def test_a_pin_stands_in_the_incident_that_it_belongs_to() -> None:
    """And its answer leads there."""
    table = calm()
    table.sees(API, Level.DOWN)
    done = table.send(s.PinFlag(ANA, flag=FLAG)).answer

    assert fa.Pinned(flag=FLAG, incident=1, changed=True, variant="gpt") == done
    assert [Written(Pinned(FLAG, "gpt", "no reason given"), 1, ANA)] == table.written(Pinned)


def test_an_unpinned_flag_says_so_in_the_incident() -> None:
    """And how rules treat it from now on."""
    table = calm()
    table.sees(API, Level.DOWN)
    table.send(s.PinFlag(ANA, flag=FLAG))
    done = table.send(s.UnpinFlag(BOB, flag=FLAG)).answer

    assert fa.Unpinned(flag=FLAG, incident=1, changed=True, automation=Automation.AUTO) == done
    assert [Written(Unpinned(FLAG), 1, BOB)] == table.written(Unpinned)


def test_a_pin_that_switches_is_a_switch_by_hand_for_its_reason() -> None:
    """In the incident of what is in trouble."""
    table = calm(automation="off")
    table.sees(API, Level.DOWN)
    table.send(s.PinFlag(ANA, flag=FLAG, variant="gpt", reason="we know it well"))

    engagement = engaged(table)
    assert ("manual", "we know it well", 1) == (engagement.mode, engagement.reason, engagement.incident)


def test_a_pin_is_a_switch_by_hand_without_a_reason_too() -> None:
    """It says that none was given."""
    table = calm()
    table.send(s.PinFlag(ANA, flag=FLAG, variant="gpt"))
    assert "no reason given" == engaged(table).reason


@pytest.mark.parametrize(("said", "kept"), [("all is well", "all is well"), ("", "no reason given")])
def test_a_pin_onto_the_default_ends_the_switch_in_its_incident(said: str, kept: str) -> None:
    """With the reason that was given."""
    table = calm()
    table.sees(API, Level.DOWN)
    table.sees(API, Level.OPERATIONAL)
    table.send(s.PinFlag(ANA, flag=FLAG, variant="claude", reason=said))

    assert [Written(Released(FLAG, "claude", kept), 1, ANA)] == table.written(Released)


def test_nobody_is_pinned_onto_a_default_that_fails() -> None:
    """The switch stays as it is."""
    table = calm()
    table.sees(API, Level.DOWN)

    refused = fa.DefaultUnwell(flag=FLAG, unwell="Claude API is down")
    assert refused == table.send(s.PinFlag(ANA, flag=FLAG, variant="claude")).answer
    assert ("gpt", None) == (engaged(table).variant, table.world.flag(FLAG).pin)


def test_nobody_is_pinned_onto_a_variant_that_there_is_none_of() -> None:
    """It names those that there are."""
    refused = fa.NoVariant(flag=FLAG, variant="gtp", known=("claude", "gpt", "cached"))
    assert refused == calm().send(s.PinFlag(ANA, flag=FLAG, variant="gtp")).answer


def test_a_flag_is_pinned_once() -> None:
    """Whoever comes second hears who was first."""
    table = calm()
    table.send(s.PinFlag(ANA, flag=FLAG))

    assert fa.PinnedAlready(flag=FLAG, by=ANA) == table.send(s.PinFlag(BOB, flag=FLAG)).answer


@pytest.mark.parametrize("variant", ["", "claude"])
def test_a_part_that_follows_the_whole_is_not_pinned_apart_from_it(variant: str) -> None:
    """Nothing of its own could be kept."""
    assert fa.ScopeFollows(flag=EU) == calm().send(s.PinFlag(ANA, flag=EU, variant=variant)).answer


def test_a_part_that_is_switched_is_pinned_where_it_is() -> None:
    """Without naming its variant again."""
    table = calm()
    table.send(s.EngageFlag(ANA, flag=EU, variant="gpt"))

    assert fa.Pinned(flag=EU, changed=True, variant="gpt") == table.send(s.PinFlag(ANA, flag=EU)).answer


def test_a_pin_is_no_way_around_the_number_of_parts() -> None:
    """Sixteen are switched; a seventeenth is refused here too."""
    table = calm()
    for number in range(MOST_AT_ONCE):
        table.send(s.EngageFlag(ANA, flag=f"{FLAG}@tenant={number}", variant="gpt"))

    refused = fa.TooManyScopes(flag=FLAG, most=MOST_AT_ONCE)
    assert refused == table.send(s.PinFlag(ANA, flag=EU, variant="gpt")).answer


def test_what_a_pin_costs_is_said_with_it() -> None:
    """Claude is down already, and nobody waits for the next check to hear that no rule will help."""
    table = calm(automation="propose")
    table.sees(API, Level.DOWN)
    table.send(s.PinFlag(ANA, flag=FLAG))

    assert [Held(FLAG, "Claude API is down, and it is pinned by ana", True)] == bodies(table, Held)
    assert [1] == [written.incident for written in table.written(ProposalDropped)]


def test_what_is_frozen_already_says_who_did_it() -> None:
    """Nothing is written down twice."""
    table = calm()
    table.send(s.FreezeFlags(ANA))

    assert fa.FrozenAlready(by=ANA) == table.send(s.FreezeFlags(BOB)).answer


@pytest.mark.parametrize(("said", "kept"), [("the board lies", "the board lies"), ("", "no reason given")])
def test_a_freeze_and_a_thaw_are_on_record_with_their_reasons(said: str, kept: str) -> None:
    """For whoever asks in a week why nothing was switched."""
    table = calm()
    table.send(s.FreezeFlags(ANA, reason=said))
    table.send(s.ThawFlags(BOB, reason=said))

    assert [Written(Frozen(kept), None, ANA)] == table.written(Frozen)
    assert [Written(Thawed(kept), None, BOB)] == table.written(Thawed)
