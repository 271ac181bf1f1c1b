"""People keep rules off one flag, or off all of them."""

from bot.core import signals as s
from bot.core.answers import flags as fa
from bot.core.decide.due import next_due
from bot.core.model import Level
from bot.core.record.flag_facts import (
    Engaged,
    EngageProposed,
    HandBackAsked,
    Held,
)
from bot.core.record.steering.freeze import Frozen
from bot.core.record.steering.steering_facts import Pinned
from tests.core.flags.steered import API, FLAG, bodies, calm, engaged, handing_back, share
from tests.desk import ANA, BOB


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
