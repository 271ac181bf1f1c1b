"""What must survive a restart, and how it is stored: tracks, our sight, vendors' pages, and recent alarms.

A track in doubt or trouble is stored in the same batch as the samples that caused it, and before any verdict on it is
committed. A calm one is stored about every ten minutes: it only lacks good results, which are folded again at start. So the
same samples give the same judgement whether or not the process was restarted in between, even by a kill.
"""

import asyncio
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from functools import cache
from typing import Any, TypeVar

import structlog

from bot.core.codec import decode, sparse
from bot.core.detection.detector import NEW, Rule, from_ledger, knows_of, seeded, undoubted
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Level, Sample
from bot.core.record.sight import CLEAR, Sight
from bot.core.record.world import World
from bot.ports import Remembered, Samples
from bot.watch.blindness import BlindnessMonitor
from bot.watch.check_states import Key, Tracks
from bot.watch.related_checks import Alarm, RelatedChecks
from bot.watch.stored_tracks import StoredTrack, TrackWriter, compact

log = structlog.get_logger(__name__)

T = TypeVar("T")

CALM_FOR = timedelta(minutes=10)  # longest wait of a calm track; a start folds what it lacks
FLUSHES_FOR_ALL = 60  # flushes, about a second each, that spread out calm tracks due together
MIN_PER_FLUSH = 20
COVERED_EVERY = timedelta(minutes=5)  # when older than needed, a start reads that many more minutes of samples
RECALLED = timedelta(minutes=15)  # of samples to fold for a check without memory
RECALLED_RUNS = 10  # of checks that run too rarely for `RECALLED`
MOST_TAKEN_OVER = 200  # checks in trouble whose samples are read, one by one
LEARNED = timedelta(days=1)  # how far back to compute such a check's usual latency
YIELD_EVERY = 1_000  # tracks or samples; a start with ten thousand checks must not block the loop

SURROUNDINGS = "surroundings"
COVERED_UNTIL = "upto"  # never the name of a track, which contains a space
GONE_AFTER = timedelta(days=7)  # then no replica of that name will start again
LIVING = timedelta(hours=1)  # older samples of a replica are in others' tracks by now, or lost


@dataclass(frozen=True)
class CoveredUntil:
    """Samples before this time are contained in the stored tracks."""

    at: datetime


@dataclass(frozen=True)
class JudgementContext:
    """What a judgement depends on besides tracks."""

    sight: Sight = CLEAR
    controls: tuple[Sample, ...] = ()
    providers: tuple[Sample, ...] = ()
    pages: Mapping[str, Mapping[str, Level]] = field(default_factory=dict)
    alarms: Mapping[str, Alarm] = field(default_factory=dict)


Parts = tuple[Any, ...]


def _parts(surroundings: JudgementContext) -> Parts:
    """Its fields, for comparing at every flush, when they are nearly always the same objects."""
    return surroundings.sight, surroundings.controls, surroundings.providers, surroundings.pages, surroundings.alarms


@dataclass(frozen=True)
class MemoryBatch:
    """What to write, and what to restore if writing fails."""

    remembered: Sequence[Remembered]
    keys: Mapping[Key, datetime]
    surroundings: Parts


class Memory:
    """Selects what to store with a batch of samples, and rebuilds all of it at start. `pages` is what each page says.

    `own` names this replica if several share one store: tracks are common to all, the rest belongs to each.
    """

    def __init__(
        self, tracks: Tracks, sighting: BlindnessMonitor, related: RelatedChecks, pages: dict[str, Mapping[str, Level]],
        own: str = "",
    ) -> None:  # fmt: skip
        self._tracks = tracks
        self._sighting = sighting
        self._related = related
        self._pages = pages
        self._surroundings, self._covered_until_name = (
            f"{name}/{own}" if own else name for name in (SURROUNDINGS, COVERED_UNTIL)
        )
        self._stored = _parts(JudgementContext())
        self._writer = TrackWriter()
        self._covered_until: datetime | None = None

    def take(self, now: datetime, *, everything: bool = False) -> MemoryBatch:
        """What to write now: everything in doubt or trouble, and of the rest what has waited long enough."""
        most = max(MIN_PER_FLUSH, len(self._tracks) // FLUSHES_FOR_ALL)
        keys = self._tracks.unstored.take(None if everything else now - CALM_FOR, most)
        remembered = [Remembered(" ".join(key), self._row(key)) for key in keys]
        before = self._stored
        if (*self._sighting.memory(), self._pages, self._related.alarms) != before:
            surroundings = JudgementContext(*self._sighting.memory(), dict(self._pages), dict(self._related.alarms))
            remembered.append(Remembered(self._surroundings, compact(sparse(surroundings))))
            self._stored = _parts(surroundings)
        covered_until = self._tracks.unstored.oldest(now)
        if everything or self._covered_until is None or not timedelta(0) <= covered_until - self._covered_until < COVERED_EVERY:
            remembered.append(Remembered(self._covered_until_name, compact(sparse(CoveredUntil(covered_until)))))
            self._covered_until = covered_until
        return MemoryBatch(remembered, keys, before)

    def lost(self, taken: MemoryBatch) -> None:
        """Writing failed, so the next batch includes it again."""
        self._tracks.unstored.put_back(taken.keys)
        self._covered_until = None
        self._stored = taken.surroundings

    def _row(self, key: Key) -> str:
        unseen = key[0] in self._sighting.unseen and key[1] == self._tracks.vantage
        under, heard_at = _counted_by(*self._tracks.rule(key[0])), self._tracks.heard_at(*key)
        return self._writer.row(*key, self._tracks.track(*key), under=under, heard_at=heard_at, unseen=unseen)

    # --- after a restart

    async def recall(self, samples: Samples, world: World, now: datetime) -> None:
        """Restore everything. For checks without memory, stored samples are folded as if newly measured."""
        found = await samples.remembered()
        self._surround(_read(JudgementContext, found.get(self._surroundings)) or JudgementContext(), world)
        await self._restore({name: text for name, text in found.items() if " " in name}, now)
        new = await self._begin(samples, world, now, self._tracks.components)
        seldom = [check for check in new if self._tracks.every(check) * RECALLED_RUNS > RECALLED]
        for check in seldom:
            since = now - self._tracks.every(check) * RECALLED_RUNS
            await self._fold(self._news(await samples.recent(check, RECALLED_RUNS), since), world)
        often = new - set(seldom)
        moments = [*([now - RECALLED] if often else []), *self._covered_until_of(found, now)]
        stored = await samples.since(min(moments)) if moments else []
        await self._fold(self._news([s for s in stored if s.check not in seldom], now - RECALLED), world)
        self._tracks.recalled()
        if gone := _of_silent_replicas(found, now):
            await samples.forget_remembered(gone)

    def _covered_until_of(self, found: Mapping[str, str], now: datetime) -> list[datetime]:
        """The times after which samples may be missing from tracks, including those of other recently living replicas."""
        rows = {name: _read(CoveredUntil, text) for name, text in found.items() if name.partition("/")[0] == COVERED_UNTIL}
        return [row.at for name, row in rows.items() if row and (name == COVERED_UNTIL or row.at > now - LIVING)]

    def _surround(self, held: JudgementContext, world: World) -> None:
        self._stored = _parts(held)
        self._sighting.restore(world.sight, held.sight, held.controls, held.providers)
        self._related.restore(held.alarms)
        self._pages.update(held.pages)

    async def _restore(self, found: Mapping[str, str], now: datetime) -> None:
        for number, text in enumerate(found.values(), start=1):
            held = _read(StoredTrack, text)
            if held is not None and self._tracks.knows(held.check) and held.is_sound(now):
                same = held.under == _counted_by(*self._tracks.rule(held.check))
                track = held.whole() if same else undoubted(held.whole())
                self._tracks.restore(held.check, held.vantage, track, held.heard_at)
                if held.unseen:
                    self._sighting.unseen.add(held.check)
            if number % YIELD_EVERY == 0:
                await asyncio.sleep(0)

    async def take_over(self, components: Collection[str], samples: Samples, world: World, now: datetime) -> None:
        """Continue another replica's components: from committed verdicts, plus for those in trouble, samples stored since.

        All others start with their own results, since a dead replica's share may have thousands of checks. Samples from before
        the newest verdict may be ours alone and outdated. What we saw ourselves does not count as remembered.
        """
        await self._begin(samples, world, now, components)
        troubled = [id for id in components if world.component(id).level.bad]
        for check in [check for id in troubled for check in self._tracks.components[id]][:MOST_TAKEN_OVER]:
            since = max(now - RECALLED, world.component(self._tracks.checks[check].component).since or now - RECALLED)
            recent = await samples.recent(check, RECALLED_RUNS)
            news = self._news([sample for sample in recent if sample.at >= since], since)
            await self._fold(news, world)
            if news:
                self._tracks.recalled([check])

    async def _begin(self, samples: Samples, world: World, now: datetime, components: Collection[str]) -> set[str]:
        """Put a committed outage into tracks that do not know it: it ends by good results, not by forgetting.

        Returns the checks without memory.
        """
        new = {check for id in components for check in self._tracks.components[id] if not self._tracks.of(check)}
        usual = await samples.medians(now - LEARNED, self._tracks.vantage) if new else {}
        for component in components:
            checks = self._tracks.components[component]
            held = world.component(component)
            unknown = held.level.bad and not any(
                knows_of(track, held.began_at) for check in checks for track in self._tracks.of(check).values()
            )
            for check in checks:
                track = self._tracks.track(check, self._tracks.vantage)
                if unknown:
                    track = from_ledger(held.level, held.reason, held.fault, held.began_at, track)
                if check in new and check in usual:
                    track = seeded(track, usual[check])
                if track is not NEW:
                    self._tracks.restore(check, self._tracks.vantage, track)
                if unknown:
                    self._tracks.recalled([check])
        return new

    def _news(self, samples: Sequence[Sample], since: datetime) -> list[Sample]:
        """Samples that are not in their track yet; for checks without a track, those measured `since` then."""

        def is_news(sample: Sample) -> bool:
            looked_at = self._tracks.track(sample.check, sample.vantage).looked_at
            return sample.at > looked_at if looked_at else sample.at >= since

        return [sample for sample in samples if self._tracks.knows(sample.check) and is_news(sample)]

    async def _fold(self, stored: Sequence[Sample], world: World) -> None:
        for number, sample in enumerate(stored, start=1):
            held = world.component(sample.component)
            troubled = held.level.bad and held.began_at is not None and sample.at >= held.began_at
            self._tracks.observe(sample, learn=not troubled, now=sample.at)
            if number % YIELD_EVERY == 0:
                await asyncio.sleep(0)


def _of_silent_replicas(found: Mapping[str, str], now: datetime) -> list[str]:
    """The names of what long-silent replicas stored for themselves: a new pod has a new name, and old ones never return.

    If each replica runs every check, as a vantage of its own, their tracks are included.
    """
    read = {
        name.partition("/")[2]: _read(CoveredUntil, text)
        for name, text in found.items()
        if name.startswith(f"{COVERED_UNTIL}/")
    }
    times = {name: row.at for name, row in read.items() if row}
    newest = min(now, max(times.values(), default=now))  # our own clock may be the wrong one
    gone = {name for name, at in times.items() if at < newest - GONE_AFTER}
    own = {f"{kind}/{name}" for kind in (COVERED_UNTIL, SURROUNDINGS) for name in gone}
    return [name for name in found if name in own or name.rpartition(" ")[2] in gone]


@cache
def _counted_by(rule: Rule, every: timedelta) -> str:
    return hashlib.blake2b(repr((rule, every)).encode(), digest_size=6).hexdigest()


def _read(kind: type[T], text: str | None) -> T | None:
    """The stored value, or None if there is none that this version understands."""
    try:
        return None if text is None else decode(kind, json.loads(text))
    except (ValueError, KeyError) as error:
        log.warning("a check starts from scratch: its stored state cannot be read", kind=kind.__name__, why=str(error))
        return None
