"""The board that flag readers are served from: the current snapshot, and who reads what.

Reading never touches the database: the engine swaps an immutable snapshot in after each commit.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.clock import Clock
from bot.flags.evaluate import Evaluation, NotFound, Snapshot, evaluate, targeting_key

READER_FOR_S = 900.0  # a reader that was silent for this long has gone: three of the slowest usual polling intervals
MOST_READERS = 10_000  # per flag; with user ids as targeting keys there may be millions, and the count then says "at least"
NAME_CHARS = 120


class NotReady(Exception):  # noqa: N818 # a thing that happens, not a fault
    """No snapshot was put on the board yet: the state is still being restored."""


@dataclass(frozen=True)
class Sighting:
    """One client of one flag: when it read last, and which variant it got."""

    client: str
    variant: str
    seen_at: datetime


class FlagBoard:
    """Serves evaluations from the newest snapshot and remembers each flag's readers for fifteen minutes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._snapshot: Snapshot | None = None
        self._seen: dict[str, OrderedDict[str, tuple[float, Sighting]]] = {}

    @property
    def ready(self) -> bool:
        """Whether there is a snapshot to serve."""
        return self._snapshot is not None

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot that is served now; raises NotReady before the first one."""
        if self._snapshot is None:
            raise NotReady("flags are not served before the state is restored")
        return self._snapshot

    def swap(self, snapshot: Snapshot) -> None:
        """Serve `snapshot` from now on; flags that left it lose their readers."""
        self._snapshot = snapshot
        self._seen = {key: seen for key, seen in self._seen.items() if key in snapshot.entries}

    def evaluate(self, key: str, context: Mapping[str, Any], client: str = "") -> Evaluation | NotFound:
        """Answer one reader and remember it, by its targeting key or else as `client`; raises NotReady."""
        found = evaluate(self.snapshot, key, context)
        name = targeting_key(context) or client
        if isinstance(found, Evaluation) and name:
            self._remember(key, _short(name), found.variant)
        return found

    def readers(self, key: str) -> int:
        """How many distinct clients read this flag in the last fifteen minutes, counting up to 10,000."""
        return len(self._fresh(key))

    def sightings(self, key: str) -> tuple[Sighting, ...]:
        """The clients of a flag in the last fifteen minutes, the latest first."""
        return tuple(sighting for _, sighting in reversed(self._fresh(key).values()))

    def _remember(self, key: str, client: str, variant: str) -> None:
        seen = self._seen.setdefault(key, OrderedDict())
        seen[client] = (self._clock.monotonic(), Sighting(client, variant, self._clock.now()))
        seen.move_to_end(client)
        if len(seen) > MOST_READERS:
            seen.popitem(last=False)

    def _fresh(self, key: str) -> OrderedDict[str, tuple[float, Sighting]]:
        """The flag's readers, oldest first, after those are forgotten that fell silent."""
        seen = self._seen.get(key, OrderedDict())
        horizon = self._clock.monotonic() - READER_FOR_S
        while seen and next(iter(seen.values()))[0] < horizon:
            seen.popitem(last=False)
        return seen


def _short(name: str) -> str:
    """A client's name as it is kept: long ones are cut, with a digest so that two of them stay two."""
    name = name.encode("utf-8", "replace").decode()
    if len(name) <= NAME_CHARS:
        return name
    return f"{name[: NAME_CHARS - 17]}~{hashlib.sha256(name.encode()).hexdigest()[:16]}"
