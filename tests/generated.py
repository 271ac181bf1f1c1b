"""Hypothesis strategies for any of our dataclasses, from its type hints, with hostile text."""

import dataclasses
import types
import typing
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

HOSTILE = st.text(st.characters(exclude_categories=()), max_size=30)  # NUL and lone surrogates included


def instances(kind: Any) -> st.SearchStrategy[Any]:
    """Instances of a type."""
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*(instances(arg) for arg in args))
    if origin is tuple:
        return st.lists(instances(args[0]), max_size=3).map(tuple)
    if origin in (dict, Mapping):
        return st.dictionaries(instances(args[0]), instances(args[1]), max_size=3)
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        build: Any = kind
        return st.builds(build, **{field.name: instances(hints[field.name]) for field in dataclasses.fields(kind)})
    return PLAIN[kind] if kind in PLAIN else st.from_type(kind)


PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: HOSTILE,
    datetime: st.datetimes(timezones=st.just(UTC)),
    timedelta: st.timedeltas(),
    float: st.floats(allow_nan=False, allow_infinity=False),  # JSON has no others, and no rule makes one
}
