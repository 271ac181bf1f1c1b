"""An immutable mapping that is cheap to change even if large: past incidents, and the seq of every stream."""

from collections.abc import Collection, Iterator, Mapping
from itertools import chain
from typing import Any, TypeVar

K = TypeVar("K")
V = TypeVar("V")

MOST_ON_TOP = 64


class Layered(Mapping[K, V]):
    """An immutable mapping; `but` returns a copy with one entry replaced.

    Recent changes are in a small layer over a large one that versions share, so a change copies at most 64 entries, and all of
    them once every 64 changes.
    """

    __slots__ = ("_below", "_top")

    def __init__(self, below: Mapping[K, V] | None = None, top: Mapping[K, V] | None = None) -> None:
        self._below: Mapping[K, V] = below if below is not None else {}
        self._top: Mapping[K, V] = top if top is not None else {}

    def but(self, key: K, value: V) -> "Layered[K, V]":
        """This mapping with one entry added or replaced."""
        if len(self._top) < MOST_ON_TOP:
            return Layered(self._below, {**self._top, key: value})
        return Layered({**self._below, **self._top, key: value})

    def without(self, keys: Collection[K]) -> "Layered[K, V]":
        """This mapping without these entries; all others are copied."""
        gone = frozenset(keys)
        return Layered({key: self[key] for key in self if key not in gone})

    def differing(self, before: "Layered[K, V]") -> Iterator[tuple[K, V]]:
        """The entries that differ from `before`, by identity; a shared lower layer is not compared."""
        if self is before:
            return
        entries = self._top.items() if self._below is before._below else self.items()
        for key, value in entries:
            if before.get(key) is not value:
                yield key, value

    def __getitem__(self, key: K) -> V:
        return self._top[key] if key in self._top else self._below[key]

    def get(self, key: Any, default: Any = None) -> Any:
        """The value, or `default`; avoids the exception that `Mapping.get` raises and catches for a missing key."""
        if key in self._top:
            return self._top[key]
        return self._below.get(key, default)

    def __contains__(self, key: object) -> bool:
        return key in self._top or key in self._below

    def __iter__(self) -> Iterator[K]:
        return chain(self._below, (key for key in self._top if key not in self._below))

    def __len__(self) -> int:
        return len(self._below) + sum(key not in self._below for key in self._top)
