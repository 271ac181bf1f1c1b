"""Frozen dataclasses to JSON-ready values and back, by their type hints.

The ledger keeps facts and state as JSON. Times travel as ISO 8601 in UTC, spans as seconds, enums by value, tuples as lists.
Unknown keys are ignored and missing ones take the field's default, so that a newer or older row still reads.
"""

import dataclasses
import types
import typing
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")


def encode(value: Any) -> Any:
    """Turn a dataclass, enum, time, span, tuple or mapping into what `json.dumps` takes."""
    if dataclasses.is_dataclass(value):
        return {f.name: encode(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, (tuple, list, frozenset)):
        return [encode(item) for item in value]
    if isinstance(value, Mapping):
        return {(key.value if isinstance(key, Enum) else str(key)): encode(item) for key, item in value.items()}
    return value


def decode(kind: type[T], data: Any) -> T:
    """Rebuild a `kind` from what `encode` made; raises ValueError or KeyError for what does not fit."""
    try:
        result: T = _decode(kind, data)
    except (TypeError, AttributeError) as error:
        raise ValueError(f"this is no {kind.__name__}: {error}") from error
    return result


def _decode(kind: Any, data: Any) -> Any:
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        options = [option for option in typing.get_args(kind) if option is not types.NoneType]
        return None if data is None else _decode(options[0], data) if len(options) == 1 else data
    if origin is tuple:
        item = typing.get_args(kind)[0]
        return tuple(_decode(item, entry) for entry in data)
    if origin in (dict, Mapping):
        key, item = typing.get_args(kind)
        return {_decode(key, name): _decode(item, entry) for name, entry in data.items()}
    if dataclasses.is_dataclass(kind):
        known = _fields(typing.cast(Any, kind))
        return kind(**{name: _decode(known[name], entry) for name, entry in data.items() if name in known})  # type: ignore[operator] # a class, as is_dataclass proved
    if kind is datetime:
        return datetime.fromisoformat(data)
    if kind is timedelta:
        return timedelta(seconds=data)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(data)
    return int(data) if kind is int and isinstance(data, str) else data


@cache
def _fields(kind: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}
