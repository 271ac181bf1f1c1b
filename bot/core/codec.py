"""Converts frozen dataclasses to JSON-ready values and back, guided by their type hints.

The ledger keeps facts and state as JSON. Times travel as ISO 8601 in UTC, spans as seconds, enums by value, tuples as lists.
Unknown keys are ignored and missing ones take the field's default, so a row from a newer or older version still reads.
"""

import dataclasses
import math
import types
import typing
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import Enum
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")
PLAIN = frozenset({str, int, float, bool, type(None)})


def encode(value: Any) -> Any:
    """Turn a dataclass, enum, time, span, tuple or mapping into what `json.dumps` takes."""
    kind: Any = type(value)
    return value if kind in PLAIN else _encoder(kind)(value)


@cache
def _encoder(kind: Any) -> Callable[[Any], Any]:
    """How to encode a `kind`. Cached: inspecting a type costs more than writing its values."""
    if dataclasses.is_dataclass(kind):
        return _encoder_of_fields(tuple(field.name for field in dataclasses.fields(kind)))
    if issubclass(kind, Enum):
        return lambda value: value.value
    if issubclass(kind, datetime):
        return lambda value: value.isoformat()
    if issubclass(kind, timedelta):
        return lambda value: value.total_seconds()
    if issubclass(kind, (tuple, list, frozenset)):
        return lambda value: [encode(item) for item in value]
    if issubclass(kind, Mapping):
        return lambda value: {(key.value if isinstance(key, Enum) else str(key)): encode(item) for key, item in value.items()}
    return _as_is


def _encoder_of_fields(names: tuple[str, ...]) -> Callable[[Any], Any]:
    def write(value: Any) -> dict[str, Any]:
        written = {}
        for name in names:
            item = getattr(value, name)
            kind: Any = type(item)
            written[name] = item if kind in PLAIN else _encoder(kind)(item)
        return written

    return write


def sparse(value: Any, without: frozenset[str] = frozenset()) -> Any:
    """Encode like `encode`, but leave out every field that has its default; `decode` fills those in again.

    Saves space for objects that are written often and are mostly at their defaults. Fields named in `without` are left out at
    any depth.
    """
    kind: Any = type(value)
    return value if kind in PLAIN else _writer(kind, without)(value)


def decode(kind: type[T], data: Any) -> T:
    """Rebuild a `kind` from what `encode` made; raises ValueError or KeyError for data that does not fit."""
    try:
        result: T = _reader(typing.cast(Any, kind))(data)
    except (TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"not a valid {kind.__name__}: {error}") from error
    return result


@cache
def _reader(kind: Any) -> Callable[[Any], Any]:
    """How to rebuild a `kind`. Cached: resolving its type hints costs more than reading its values."""
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        options = [option for option in typing.get_args(kind) if option is not types.NoneType]
        if len(options) > 1:
            return _as_is
        read = _reader(options[0])
        return lambda data: None if data is None else read(data)
    if origin is tuple:
        each = _reader(typing.get_args(kind)[0])
        return lambda data: tuple(each(entry) for entry in _list(data))
    if origin in (dict, Mapping):
        name, item = (_reader(part) for part in typing.get_args(kind))
        return lambda data: {name(key): item(entry) for key, entry in data.items()}
    if dataclasses.is_dataclass(kind):
        made = typing.cast(Any, kind)
        return lambda data: _rebuilt(made, data)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    return SCALARS.get(kind, _as_is)


def _rebuilt(kind: Any, data: Any) -> Any:
    known = _fields(kind)  # looked up here, not in advance: a kind may contain itself
    return kind(**{name: known[name](entry) for name, entry in data.items() if name in known})


def _as_is(data: Any) -> Any:
    return data


def _list(data: Any) -> list[Any]:
    if type(data) is not list:
        raise ValueError(f"expected a list, got {type(data).__name__}")
    return data


def _moment(data: Any) -> datetime:
    moment = datetime.fromisoformat(data)
    if moment.tzinfo is None:
        raise ValueError("a time without its zone")
    return moment


def _text(data: Any) -> str:
    if type(data) is not str:
        raise ValueError(f"no text, but {type(data).__name__}")
    return data


def _truth(data: Any) -> bool:
    if type(data) is not bool:
        raise ValueError(f"neither true nor false, but {type(data).__name__}")
    return data


def _whole(data: Any) -> int:
    """Turn a mapping's key back into an int: JSON keys are text."""
    if type(data) is str:
        return int(data)
    if type(data) is not int:
        raise ValueError(f"no whole number, but {type(data).__name__}")
    return data


def _number(data: Any) -> float:
    """Keep whole numbers whole, as they were written."""
    if type(data) is not float and type(data) is not int:
        raise ValueError(f"no number, but {type(data).__name__}")
    if not math.isfinite(data):
        raise ValueError("no finite number")
    return data


SCALARS: Mapping[Any, Callable[[Any], Any]] = {
    str: _text,
    bool: _truth,
    int: _whole,
    float: _number,
    datetime: _moment,
    timedelta: lambda data: timedelta(seconds=_number(data)),
}


@cache
def _writer(kind: Any, without: frozenset[str]) -> Callable[[Any], Any]:
    """How to write a `kind` sparsely; cached like the other encoders."""
    if kind is datetime:
        return datetime.isoformat
    if issubclass(kind, Enum):
        return {member: member.value for member in kind}.__getitem__
    if kind is tuple:
        return lambda value: [sparse(item, without) for item in value]
    if kind is dict:
        return lambda value: {str(key): sparse(item, without) for key, item in value.items()}
    if not dataclasses.is_dataclass(kind):
        return encode
    made = {f.name: f.default_factory() for f in dataclasses.fields(kind) if f.default_factory is not dataclasses.MISSING}
    usual = [(f.name, made.get(f.name, f.default)) for f in dataclasses.fields(kind) if f.name not in without]

    def write(value: Any) -> dict[str, Any]:
        written = {}
        for name, default in usual:
            item = getattr(value, name)
            if item is not default and item != default:
                of: Any = type(item)
                written[name] = item if of in PLAIN else _writer(of, without)(item)
        return written

    return write


@cache
def _fields(kind: Any) -> dict[str, Callable[[Any], Any]]:
    hints = typing.get_type_hints(kind)
    return {field.name: _reader(hints[field.name]) for field in dataclasses.fields(kind)}
