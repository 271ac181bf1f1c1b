"""The board that flag readers are served from: the current snapshot, and who reads what.

Reading never touches the database: the engine swaps an immutable snapshot in after each commit.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bot.flags.evaluate import Evaluation, NotFound, Snapshot, evaluate, in_drill, targeting_key
from bot.flags.readers import DrillReaders, Readers
from bot.system.clock import Clock


class NotReady(Exception):  # noqa: N818 # a thing that happens, not a fault
    """No snapshot was put on the board yet: the state is still being restored."""


class FlagBoard:
    """Serves evaluations from the newest snapshot and remembers each flag's readers for fifteen minutes."""

    def __init__(self, clock: Clock) -> None:
        self._snapshot: Snapshot | None = None
        self._readers = Readers(clock)
        self._in_drill = DrillReaders()
        self._told: list[Callable[[], None]] = []

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
        """Serve `snapshot` from now on; flags that left it lose their readers. Where it says something new, that is told."""
        before, self._snapshot = self._snapshot, snapshot
        self._readers.keep_only(snapshot.entries)
        self._in_drill.keep_only({key for key, entry in snapshot.entries.items() if entry.drill})
        if before is None or before.entries != snapshot.entries:
            for tell in self._told:
                tell()

    def tells(self, tell: Callable[[], None]) -> None:
        """Call `tell` from now on whenever readers may get something new."""
        self._told.append(tell)

    def evaluate(self, key: str, context: Mapping[str, Any], client: str = "") -> Evaluation | NotFound:
        """Answer one reader and remember it, by its targeting key or else as `client`; raises NotReady."""
        found = evaluate(self.snapshot, key, context)
        name = targeting_key(context) or client
        if isinstance(found, Evaluation) and name:
            self._readers.note(key, name)
            if self.snapshot.entries[key].drill:
                self._in_drill.note(key, name, fallback=in_drill(context))
        return found

    def note_reader(self, client: str) -> None:
        """This client has just read all flags, to evaluate them by itself."""
        for key in self.snapshot.entries:
            self._readers.note(key, client)

    def note_in_drill(self, client: str, keys: Iterable[str], *, fallback: bool) -> None:
        """This client read these flags by itself in the scope of their drill, or without it; flags without one are left out."""
        for key in keys:
            entry = self.snapshot.entries.get(key)
            if entry is not None and entry.drill:
                self._in_drill.note(key, client, fallback=fallback)

    def read_in_drill(self, key: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Who read the flag since its drill began, as far as they are kept: its fallback in the scope; without the scope."""
        return self._in_drill.of(key)

    def readers(self, key: str) -> int:
        """How many distinct clients read this flag in the last fifteen minutes, as far as they are remembered."""
        return self._readers.count(key)
