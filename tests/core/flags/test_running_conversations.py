"""A hand-back that leaves running conversations where they are: for how long, and what ends it sooner."""

from datetime import timedelta

import pytest

from bot.core import signals as s
from bot.core.decide.due import next_due
from bot.core.model import Fault, Level, Verdict
from bot.core.record.flag import ShareStep
from bot.core.record.flag_facts import ConversationsFollowed, ExpiryReached, HandBackReverted, HandBackStepped, Released
from bot.core.record.steering.steering_facts import ExpiryNear
from bot.flags.conversation import as_ms
from bot.flags.evaluate import bucket, evaluate, snapshot
from tests.core.flags.steered import API, FLAG, OPENAI, bodies, calm, engaged
from tests.desk import ANA, RULE, Table, policy

NEW = {"stays_for": timedelta(minutes=30), "steps": (25, 50, 100), "hold": timedelta(minutes=5)}
NAME = next(name for n in range(100) if bucket(f"{FLAG}#1", name := f"c-{n}") < 2_500)  # among the first quarter


def stepped(**changes: object) -> Table:
    """Claude failed and is well again; ana began the hand-back a minute ago."""
    table = calm(**NEW | changes)
    table.sees(API, Level.DOWN)
    table.passes(15)
    table.sees(API, Level.OPERATIONAL)
    table.send(s.StepBack(ANA, flag=FLAG))
    return table


def side(table: Table, minutes_ago: float, name: str = NAME) -> str:
    """Where a conversation is that began so long ago."""
    began = as_ms(table.now - timedelta(minutes=minutes_ago)) / 1000
    found = evaluate(snapshot(table.world, table.policy, 1), FLAG, {"targetingKey": name, "conversation_started_at": began})
    return found.variant  # type: ignore[union-attr] # it is configured


def test_conversation_running_at_the_step_stays() -> None:
    """Only later ones are on the default."""
    table = stepped()
    table.passes(2)
    assert ["claude", "gpt"] == [side(table, 1), side(table, 3)]


def test_conversation_follows_after_its_time() -> None:
    """It may never end by itself."""
    table = stepped(hold=timedelta(hours=3))
    table.passes(29)
    before = side(table, 40)
    table.passes(1)
    assert ("gpt", "claude") == (before, side(table, 41))
    assert [ConversationsFollowed(FLAG, 25)] == bodies(table, ConversationsFollowed)


def test_switch_ends_when_the_last_conversations_had_their_time() -> None:
    """After the last step new ones are on the default."""
    table = stepped()
    for _ in range(10):
        table.passes(1)
    waiting = [side(table, 30), side(table, 0), [], engaged(table).share_back]
    for _ in range(29):
        table.passes(1)
    assert ["gpt", "claude", bodies(table, Released), 100] == waiting
    table.passes(1)
    assert [Released(FLAG, "claude", "Claude API is operational")] == bodies(table, Released)


def test_without_only_new_the_last_step_ends_the_switch() -> None:
    """Everybody goes along."""
    table = stepped(stays_for=None)
    for _ in range(10):
        table.passes(1)
    assert 1 == len(bodies(table, Released))


def test_everybody_leaves_a_default_that_fails_again() -> None:
    """New conversations too."""
    table = stepped()
    table.sees(API, Level.DOWN)
    assert (1, 0, ()) == (len(bodies(table, HandBackReverted)), engaged(table).share_back, engaged(table).running)


def test_nobody_stays_on_a_failing_fallback() -> None:
    """A broken-off conversation is better than one without answers."""
    table = stepped()
    table.sees(OPENAI, Level.DOWN)
    table.passes(1)
    assert ("claude", ()) == (side(table, 40), engaged(table).running)


@pytest.mark.parametrize("keeps_off", [s.PinFlag(ANA, flag=FLAG), s.FreezeFlags(ANA)])
def test_pin_and_freeze_keep_conversations_where_they_are(keeps_off: s.Signal) -> None:
    """Even after their time."""
    table = stepped()
    table.send(keeps_off)
    table.passes(60)
    assert ("gpt", 25) == (side(table, 100), engaged(table).share_back)


def test_nobody_moves_while_we_are_blind() -> None:
    """Our own network failed."""
    table = stepped(hold=timedelta(hours=3))
    table.send(s.VerdictReached(RULE, verdict=_unknown(table)))
    table.passes(60)
    assert "gpt" == side(table, 100)


def _unknown(table: Table) -> Verdict:
    return Verdict(API, Level.UNKNOWN, "our network", Fault.LOCAL, (), table.now)


def test_manually_lowered_share_leaves_conversations_where_they_are() -> None:
    """It is a step like any other, and they follow after their time."""
    table = calm(**NEW)
    table.send(s.EngageFlag(ANA, flag=FLAG, variant="gpt", reason="we try it"))
    table.send(s.RampFlag(ANA, flag=FLAG, share=50, force=True))
    table.passes(1)
    before = [side(table, 0), side(table, 2)]
    table.passes(29)
    assert (["claude", "gpt"], "claude") == (before, side(table, 40))


def test_manually_raised_share_moves_readers_at_once() -> None:
    """Those already on the fallback stay there."""
    table = stepped()
    for _ in range(5):
        table.passes(1)
    assert 50 == engaged(table).share_back
    table.send(s.RampFlag(ANA, flag=FLAG, share=70))
    at = [step.at for step in engaged(table).running]
    shares = [(step.before, step.share) for step in engaged(table).running]
    assert ([(0, 25), (25, 30)], sorted(at)) == (shares, at)


def test_halt_keeps_conversations_where_they_are() -> None:
    """Whatever their time."""
    table = stepped()
    table.passes(1)
    table.send(s.HoldHandBack(ANA, flag=FLAG, reason="it looks odd"))
    table.passes(60)
    before = side(table, 100)
    table.send(s.ResumeHandBack(ANA, flag=FLAG))
    table.passes(1)
    assert ("gpt", "claude") == (before, side(table, 101))


def test_nobody_stays_on_a_failing_fallback_even_if_halted() -> None:
    """The switch itself ends only when the person ends it."""
    table = stepped(steps=(100,))
    table.passes(1)
    table.send(s.HoldHandBack(ANA, flag=FLAG, reason="it looks odd"))
    table.sees(OPENAI, Level.DOWN)
    table.passes(1)
    left = (side(table, 40), engaged(table).running, bodies(table, Released))
    table.send(s.ResumeHandBack(ANA, flag=FLAG))
    table.passes(5)
    assert ("claude", (), []) == left
    assert (1, [100]) == (len(bodies(table, Released)), [step.share for step in bodies(table, HandBackStepped)])  # type: ignore[attr-defined]


def test_release_moves_everybody_at_once() -> None:
    """At once means at once."""
    table = stepped()
    table.send(s.ReleaseFlag(ANA, flag=FLAG))
    assert "claude" == side(table, 40)


def test_step_keeps_the_settings_at_its_time() -> None:
    """A reload in the middle moves nobody; the next step uses the new ones."""
    table = stepped()
    table.policy = policy(**NEW | {"stays_for": None})
    table.passes(1)
    stays = side(table, 10)
    table.passes(4)
    assert ("gpt", "claude", 50) == (stays, side(table, 60), engaged(table).share_back)


def test_expired_switch_lets_conversations_end_too() -> None:
    """`on_expiry: release` is a step for all that are left."""
    table = calm(**NEW | {"on_expiry": "release", "first_step": "ask", "expires_after": timedelta(hours=1)})
    table.send(s.EngageFlag(ANA, flag=FLAG, variant="gpt", reason="we try it"))
    for _ in range(12):
        table.passes(5)
    waiting = (side(table, 0), side(table, 20), bodies(table, Released))
    for _ in range(6):
        table.passes(5)
    assert (("claude", "gpt", []), 1) == (waiting, len(bodies(table, Released)))


def test_people_are_not_asked_about_an_automatic_end() -> None:
    """While the last conversations run there is nothing to decide."""
    table = stepped(expires_after=timedelta(minutes=40))
    for _ in range(10):
        table.passes(1)
    asked = len(bodies(table, ExpiryNear))
    for _ in range(29):
        table.passes(1)
    assert (0, asked) == (len(bodies(table, ExpiryReached)), len(bodies(table, ExpiryNear)))


def test_nothing_changes_before_the_next_conversations_follow() -> None:
    """So the bot can sleep until then."""
    table = stepped(steps=(100,))
    assert table.now + timedelta(minutes=30) == next_due(table.world, table.policy)


@pytest.mark.parametrize(("stay_s", "lasts"), [(-5, None), (0, None), (60, 60), (10**12, 86_400)])
def test_nonsensical_time_in_the_ledger_is_limited(stay_s: int, lasts: int | None) -> None:
    """A step lasts at most a day."""
    table = stepped(stays_for=None)
    running = engaged(table).stepping(50, table.now, stay_s)
    expected = () if lasts is None else (ShareStep(table.now, table.now + timedelta(seconds=lasts), 50, 25),)
    assert expected == running
