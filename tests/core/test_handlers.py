"""Every signal is answered by exactly one rule, whatever family it belongs to."""

from collections import Counter
from collections.abc import Iterator

import pytest

from bot.core import signals as s
from bot.core.decide.step import FAMILIES, HANDLERS
from tests.desk import ANA, Table, told


def every_signal(base: type[s.Signal] = s.Signal) -> Iterator[type[s.Signal]]:
    """Those that are sent; the bases between them are not."""
    for kind in base.__subclasses__():
        if kind.__subclasses__():
            yield from every_signal(kind)
        else:
            yield kind


ANSWERED = Counter(kind for family in FAMILIES for kind in family)


@pytest.mark.parametrize("kind", list(every_signal()), ids=lambda kind: kind.__name__)
def test_a_signal_is_answered_by_exactly_one_rule(kind: type[s.Signal]) -> None:
    """None falls through to an exception at night, and none is taken over by a second family."""
    assert 1 == ANSWERED[kind]


def test_nothing_else_is_answered() -> None:
    """A base is never sent, so a rule for one would never run."""
    assert set(HANDLERS) == set(every_signal())


@pytest.mark.parametrize("kind", s.OfIncident.__subclasses__(), ids=lambda kind: kind.__name__)
def test_a_signal_to_an_incident_names_it_by_the_same_field(kind: type[s.Signal]) -> None:
    """`step` asks for it in one place."""
    assert "incident" in kind.__dataclass_fields__


def test_a_signal_to_an_incident_that_is_not_there_names_the_newest() -> None:
    """A typing error is seen at once."""
    table = Table()
    table.send(s.Declare(actor=ANA, title="Chat is slow"))

    assert "There is no INC-99. The newest is INC-1." == told(table.send(s.AddNote(actor=ANA, incident=99, text="x")).answer)
