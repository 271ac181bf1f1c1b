"""A wall clock that is set forward or back during a hand-back."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core import signals as s
from bot.core.record.flag_facts import HandBackStepped
from tests.core.flags.steered import FLAG, handing_back, served
from tests.desk import RULE, Table

READERS = [f"user-{n}" for n in range(40)]
MINUTES = st.lists(st.integers(-180, 180), max_size=12)


def on_default(table: Table) -> set[str]:
    return {reader for reader in READERS if served(table, reader) == "claude"}


@settings(max_examples=40)
@given(MINUTES)
def test_nobody_changes_sides_twice(steps: list[int]) -> None:
    """Readers back on the default stay there, and each look takes one step at most."""
    table = handing_back()
    assert 0 < len(on_default(table)) < len(READERS)
    for minutes in steps:
        back, taken = on_default(table), len(table.kinds(HandBackStepped))
        table.now += timedelta(minutes=minutes)
        table.send(s.TimePassed(actor=RULE))
        assert back <= on_default(table)
        assert len(table.kinds(HandBackStepped)) <= taken + 1


@settings(max_examples=40)
@given(MINUTES)
def test_hand_back_still_ends(steps: list[int]) -> None:
    """Once the clock has passed the time from which it was set back."""
    table = handing_back()
    for minutes in steps:
        table.now += timedelta(minutes=minutes)
        table.send(s.TimePassed(actor=RULE))
    table.now += timedelta(minutes=12 * 180)
    table.passes(60)
    assert table.world.flag(FLAG).engagement is None
