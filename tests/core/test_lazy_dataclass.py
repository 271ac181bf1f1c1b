"""A lazy dataclass behaves as the usual frozen one does."""

import copy
import dataclasses
import pickle

import pytest

from bot.core.lazy_dataclass import dataclass


@dataclass(frozen=True)
class Place:
    name: str
    floor: int = 0
    doors: list[str] = dataclasses.field(default_factory=list)
    key: str = dataclasses.field(default="k3y", repr=False)
    visits: int = dataclasses.field(default=0, compare=False)


@dataclass(frozen=True)
class Hall(Place):
    seats: int = 10


@dataclass(frozen=True, kw_only=True)
class Guest:
    seat: int = 1
    name: str


@dataclass(frozen=True)
class Nothing:
    pass


def test_fields_are_given_in_order_by_name_or_by_default() -> None:
    """The first object of a class is made like every other."""
    assert ("lobby", 0, "k3y") == (Place("lobby").name, Place("lobby").floor, Place("lobby").key)
    assert 2 == Place("lobby", floor=2).floor
    assert ("opera", 3, 400) == (Hall("opera", 3).name, Hall("opera", 3).floor, Hall("opera", seats=400).seats)


def test_what_a_default_makes_is_made_for_each() -> None:
    """Two objects share no list."""
    assert Place("a").doors is not Place("b").doors
    assert ["left"] == Place("a", doors=["left"]).doors


def test_a_required_field_may_follow_a_default_where_all_are_named() -> None:
    """As signals have them."""
    assert (1, "ana") == (Guest(name="ana").seat, Guest(name="ana").name)
    with pytest.raises(TypeError, match=r"Guest.__init__\(\)"):
        Guest(1, "ana")  # type: ignore[misc] # on purpose


def test_a_missing_or_unknown_field_is_refused_by_name() -> None:
    """With the words that Python always has for it."""
    with pytest.raises(TypeError, match=r"Place.__init__\(\) missing 1 required positional argument: 'name'"):
        Place()  # type: ignore[call-arg] # on purpose
    with pytest.raises(TypeError, match="unexpected keyword argument 'roof'"):
        Place("a", roof=1)  # type: ignore[call-arg] # on purpose


def test_equal_are_those_of_one_class_whose_compared_fields_are() -> None:
    """A subclass is none of them."""
    assert Place("a", visits=1) == Place("a", visits=2)
    assert Place("a") != Place("a", 1)
    assert Place("a") != Hall("a")
    assert Nothing() == Nothing()


def test_equal_ones_are_one_entry_of_a_set() -> None:
    """By the fields that are compared."""
    assert {Guest(name="ana")} == {Guest(name="ana"), Guest(name="ana", seat=1)}
    assert 1 == len({Nothing(), Nothing()})


def test_nothing_of_it_can_be_changed() -> None:
    """Neither a field nor anything else."""
    place = Place("a")

    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'name'"):
        place.name = "b"  # type: ignore[misc] # on purpose
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field 'name'"):
        del place.name  # type: ignore[misc] # on purpose


def test_what_is_not_to_be_shown_is_not_shown() -> None:
    """Keys stay out of logs."""
    assert "Place(name='a', floor=0, doors=[], visits=0)" == repr(Place("a"))


def test_it_is_replaced_copied_and_sent_as_any_other() -> None:
    """The tools of the standard library know it."""
    place = Place("a", 2, ["left"])

    assert Place("b", 2, ["left"]) == dataclasses.replace(place, name="b")
    assert place == copy.deepcopy(place)
    assert place == pickle.loads(pickle.dumps(place))  # noqa: S301 # our own
    assert {"name": "a", "floor": 2, "doors": ["left"], "key": "k3y", "visits": 0} == dataclasses.asdict(place)


def test_a_class_that_does_more_when_it_is_made_is_refused() -> None:
    """What would not happen must not be written."""
    with pytest.raises(TypeError, match="Busy needs the dataclass of dataclasses"):

        @dataclass(frozen=True)
        class Busy:
            def __post_init__(self) -> None:
                pass
