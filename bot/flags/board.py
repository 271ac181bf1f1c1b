"""Where flag readers are served from: the current snapshot, and who reads what.

Reading never touches the database: after each commit the engine replaces an immutable snapshot.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from bot.core.lazy_dataclass import dataclass
from bot.flags.audience import EVERYBODY, Audience
from bot.flags.conversation import began_ms, identity, targeting_key
from bot.flags.evaluate import Evaluation, NotFound, Snapshot, in_drill
from bot.flags.readers import MOST_CONVERSATIONS, Conversations, Copies, DrillReaders, Readers
from bot.flags.serving import NEVER, Answer, Heard, Read, Serving
from bot.system.clock import Clock


class NotReady(Exception):  # noqa: N818 # a thing that happens, not a fault
    """There is no snapshot yet: the state is still being restored."""


@dataclass(frozen=True)
class Reader:
    """A client that reads a flag, and whether it has the current value.

    One that asks at each evaluation (`copy` False) always has; one that keeps a copy of all flags has it if it asked after the
    flag's last change. `revision` is that of its copy.
    """

    name: str
    silent_for: float  # seconds
    copy: bool = False
    current: bool = True
    revision: int = 0


class FlagBoard:
    """Serves evaluations from the newest snapshot and remembers each flag's readers for fifteen minutes."""

    def __init__(self, clock: Clock, most_conversations: int = MOST_CONVERSATIONS) -> None:
        self._clock = clock
        self._serving: dict[Audience, Serving] = {}
        self._picture: Snapshot | None = None  # as committed, whatever its age
        self._tag = ""  # of that picture, once somebody asked
        self._unheard_since: Callable[[], datetime | None] | None = None
        self._aged: datetime | None = None  # since when it may be outdated; None while it is current
        self._changed: dict[str, int] = {}  # by flag, the revision at its last observed change
        self._readers = Readers(clock)
        self._copies = Copies(clock)
        self._in_drill = DrillReaders()
        self._conversations = Conversations(clock, most_conversations)
        self._reads: Counter[Read] = Counter()
        self._told: list[Callable[[], None]] = []

    @property
    def ready(self) -> bool:
        """Whether there is a snapshot to serve."""
        return bool(self._serving)

    @property
    def snapshot(self) -> Snapshot:
        """The current snapshot; raises NotReady before the first one."""
        return self.serving().picture

    @property
    def tag(self) -> str:
        """A word for all that is served now, whatever its age: the same on another replica, and after a restart, that serves
        the same. A revision would not do: a drill, and a configuration that was changed, serve something new under the old one.

        Raises NotReady.
        """
        serving = self.serving()
        if not self._tag:
            fresh = serving if self._aged is None or self._picture is None else Serving(self._picture)
            self._tag = fresh.rules().etag.strip('"')
        return self._tag

    def ages(self, unheard_since: Callable[[], datetime | None]) -> None:
        """Mark answers with their age while `unheard_since` returns since when commits may be missing."""
        self._unheard_since = unheard_since

    def serving(self, audience: Audience = EVERYBODY) -> Serving:
        """The answers of the current snapshot; raises NotReady."""
        if self._unheard_since is not None and (since := self._unheard_since()) != self._aged:
            self._show_age(since)
        serving = self._serving.get(audience)
        if serving is None:
            if EVERYBODY not in self._serving:
                raise NotReady("flags are not served before the state is restored")
            serving = self._serving[audience] = Serving(self._serving[EVERYBODY].picture, audience)
        return serving

    def swap(self, snapshot: Snapshot) -> None:
        """Serve `snapshot` from now on and forget readers of removed flags. Changes are announced to readers."""
        before, self._picture = self._picture, snapshot
        if snapshot == before:
            return  # answers already built stay valid
        self._tag = ""
        self._serve(snapshot.aged(self._aged) if self._aged else snapshot)
        self._readers.keep_only(snapshot.entries)
        if not self.serving().heeding:
            self._conversations.forget()
        self._in_drill.keep_only({key for key, entry in snapshot.entries.items() if entry.drill})
        if before is not None:
            changed = [key for key, entry in snapshot.entries.items() if not entry.serves_like(before.entries.get(key))]
            self._changed |= dict.fromkeys(changed, snapshot.revision)
        if before is None or before.entries != snapshot.entries:
            for tell in self._told:
                tell()

    def _serve(self, snapshot: Snapshot) -> None:
        for serving in self._serving.values():
            self._reads += serving.take_reads()
        self._serving = {EVERYBODY: Serving(snapshot)}

    def _show_age(self, since: datetime | None) -> None:
        """Without announcing it: values do not change, and ten thousand clients asking again would not help."""
        self._aged = since
        if self._picture is not None:
            self._serve(self._picture.aged(since) if since else self._picture)

    def tells(self, tell: Callable[[], None]) -> None:
        """Call `tell` from now on whenever readers may get something new."""
        self._told.append(tell)

    def tells_no_more(self, tell: Callable[[], None]) -> None:
        """Stop calling it."""
        self._told.remove(tell)

    # --- reading

    def evaluate(self, key: str, context: Mapping[str, Any], client: str = "") -> Evaluation | NotFound:
        """Answer one reader and remember it, by targeting key or else as `client`; raises NotReady."""
        answer = self.one(key, context, client)
        return answer if isinstance(answer, NotFound) else answer.found[0]

    def one(self, key: str, context: Mapping[str, Any], client: str = "", audience: Audience = EVERYBODY) -> Answer | NotFound:
        """The same answer in the form in which it is sent."""
        serving = self.serving(audience)
        answer = serving.one(key, context, self._heard(serving, context, key) if key in serving.heeding else NEVER)
        if isinstance(answer, Answer):
            answer.reads += 1
            if name := audience.reader(targeting_key(context) or client):
                self._readers.note(key, name)
                if key in serving.parted:
                    self._note_drill(key, context, name)
        return answer

    def all(self, context: Mapping[str, Any], client: str = "", audience: Audience = EVERYBODY) -> Answer:
        """Every flag for one reader, who keeps a copy of them from now on."""
        serving, name = self.serving(audience), audience.reader(targeting_key(context) or client)
        answer = serving.all(context, self._heard(serving, context, *serving.heeding) if serving.heeding else NEVER)
        answer.reads += 1
        if name:
            self._copies.note(name, serving.picture.revision, audience)
            for key in serving.parted:
                self._note_drill(key, context, name)
        return answer

    def rules(self, client: str, audience: Audience = EVERYBODY) -> Answer:
        """All flags for a client that evaluates them itself and keeps a copy from now on."""
        serving = self.serving(audience)
        self._copies.note(audience.reader(client), serving.picture.revision, audience)
        return serving.rules()

    def definitions(self, client: str, audience: Audience = EVERYBODY, *, overlay: bool) -> Answer:
        """All flags, or those engaged, in flagd's format; the client keeps a copy from now on."""
        serving = self.serving(audience)
        self._copies.note(audience.reader(client), serving.picture.revision, audience)
        return serving.definitions(overlay=overlay)

    def _heard(self, serving: Serving, context: Mapping[str, Any], *keys: str) -> Heard:
        """When this reader's conversation was first seen, by flag, if that matters and the context does not say."""
        if began_ms(context) is not None:
            return NEVER
        heard = {}
        for key in keys:
            entry = serving.heeding[key]
            for one in (entry, *(part.entry for part in entry.parts if part.holds(context))):
                if one.engagement is not None and (reader := identity(context, one.engagement.sticky_by)):
                    newest = one.split.newest_ms if one.split else 0
                    heard[one.policy.key] = self._conversations.heard(one.policy.key, reader, newest)
        return heard

    def note_in_drill(self, client: str, keys: Iterable[str], *, fallback: bool) -> None:
        """This client evaluated these flags itself, inside or outside their drill's scope; flags without one are ignored."""
        for key in keys:
            entry = self.snapshot.entries.get(key)
            if entry is not None and entry.drill:
                self._in_drill.note(key, client, fallback=fallback)

    def _note_drill(self, key: str, context: Mapping[str, Any], name: str) -> None:
        if self.snapshot.entries[key].drill:
            self._in_drill.note(key, name, fallback=in_drill(context))

    # --- who reads

    @property
    def conversations(self) -> int:
        """The number of conversations whose first sighting is remembered."""
        return len(self._conversations)

    @property
    def began(self) -> Conversations:
        """The remembered conversations, for the other replicas."""
        return self._conversations

    def read_in_drill(self, key: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Known readers of the flag since its drill began: of the fallback inside the scope; outside the scope."""
        return self._in_drill.of(key)

    def readers(self, key: str) -> int:
        """The number of distinct clients that read this flag in the last fifteen minutes, as far as remembered."""
        asking = self._readers.of(key)
        return len(asking) + sum(name not in asking for name, _ in self._copies.of(key))

    def readers_of(self, key: str) -> tuple[Reader, ...]:
        """These readers: first those whose copy is older than the flag's last change, then the most recent."""
        now, changed = self._clock.monotonic(), self._changed.get(key, 0)
        copies = {
            name: Reader(name, now - held.at, True, held.revision >= changed, held.revision)
            for name, held in self._copies.of(key)
        }
        asking = [Reader(name, self._readers.silent_for(key, name)) for name in self._readers.of(key) if name not in copies]
        return tuple(sorted((*copies.values(), *asking), key=lambda one: (one.current, one.silent_for, one.name)))

    def take_reads(self) -> Counter[Read]:
        """How often each flag was read with which answer, since the last call."""
        for serving in self._serving.values():
            self._reads += serving.take_reads()
        taken, self._reads = self._reads, Counter()
        return taken
