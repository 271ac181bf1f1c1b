"""What other settings would have detected in past check runs, compared with recorded incidents. Pure.

A replay has only the runs that took place: it cannot add rechecks that other settings would have made.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from bot.core.detection.detector import EVERY, NEW, Condition, Track, observe
from bot.core.detection.settings import Rule
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Fault, Phase, Sample
from bot.core.record.incident import Incident

BAD = (Condition.FAILING, Condition.SLOW)
NEAR = timedelta(minutes=5)  # clocks and people differ by this much on when an incident began and ended


@dataclass(frozen=True)
class Settings:
    """Each check's settings; checks that are not named use the general ones."""

    rule: Rule
    rules: Mapping[str, Rule] = field(default_factory=dict)


@dataclass(frozen=True)
class Detection:
    """A time in which a check would have been slow or failing. `ended_at` is None if it lasts to the end."""

    component: str
    check: str
    condition: Condition  # the worst during that time
    began_at: datetime
    detected_at: datetime
    reason: str
    fault: Fault
    ended_at: datetime | None = None
    vantage: str = "local"


@dataclass(frozen=True)
class Episode:
    """Overlapping detections of one component: they would have been one verdict."""

    component: str
    detections: tuple[Detection, ...]  # in order of detection

    @property
    def first(self) -> Detection:
        """The earliest detection."""
        return self.detections[0]

    @property
    def began_at(self) -> datetime:
        """The first sign of any of them."""
        return min(d.began_at for d in self.detections)

    @property
    def ended_at(self) -> datetime | None:
        """When the last of them ended; None if one lasts."""
        ends = [d.ended_at for d in self.detections]
        return None if None in ends else max(end for end in ends if end)

    @property
    def condition(self) -> Condition:
        """The worst condition of any check."""
        return Condition.FAILING if any(d.condition is Condition.FAILING for d in self.detections) else Condition.SLOW

    @property
    def ours(self) -> bool:
        """Whether all of it is our own fault: then no incident of the provider would have opened."""
        return all(d.fault.ours for d in self.detections)


@dataclass(frozen=True)
class OnRecord:
    """An incident in the ledger. `detected_at` is when it was declared, by whomever."""

    name: str
    components: tuple[str, ...]
    began_at: datetime
    detected_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class Outcome:
    """The result of these settings: what they find for each recorded incident (None = missed), and anything else."""

    episodes: tuple[Episode, ...]
    found: Mapping[str, Episode | None]  # by the incident's name
    false_alarms: tuple[Episode, ...]


# --- replaying


def replay(samples: Iterable[Sample], settings: Settings) -> tuple[Episode, ...]:
    """What would have been detected and when, in order of detection. Samples may come in any order."""
    ordered = sorted(samples, key=lambda sample: sample.at)
    paces = _paces(ordered)
    tracks: dict[tuple[str, str], Track] = {}
    open_: dict[tuple[str, str], Detection] = {}
    done: list[Detection] = []
    troubled: dict[str, int] = {}  # component -> number of its checks in trouble, during which no latency is learned
    for sample in ordered:
        key = (sample.check, sample.vantage)
        rule = settings.rules.get(sample.check, settings.rule)
        learn = not troubled.get(sample.component)
        track = tracks[key] = observe(tracks.get(key, NEW), sample, rule, learn=learn, every=paces[sample.check])
        bad = track.judgement.condition in BAD
        if bad and key not in open_:
            open_[key] = _detected(sample, track)
            troubled[sample.component] = troubled.get(sample.component, 0) + 1
        elif bad and track.judgement.condition is Condition.FAILING:
            open_[key] = replace(open_[key], condition=Condition.FAILING)
        elif not bad and key in open_:
            done.append(replace(open_.pop(key), ended_at=sample.at))
            troubled[sample.component] -= 1
    return _episodes([*done, *open_.values()])


def _paces(samples: Sequence[Sample]) -> dict[str, timedelta]:
    """Each check's interval at that time, whatever the configuration says now: the usual gap between its runs."""
    times: dict[str, list[datetime]] = {}
    for sample in samples:
        times.setdefault(sample.check, []).append(sample.at)
    gaps = {check: [(b - a).total_seconds() for a, b in pairwise(at) if b > a] for check, at in times.items()}
    return {check: timedelta(seconds=median(seconds)) if seconds else EVERY for check, seconds in gaps.items()}


def _detected(sample: Sample, track: Track) -> Detection:
    judgement = track.judgement
    return Detection(
        sample.component, sample.check, judgement.condition, judgement.began_at or sample.at, sample.at, judgement.reason,
        judgement.fault, None, sample.vantage,
    )  # fmt: skip


def _episodes(detections: Sequence[Detection]) -> tuple[Episode, ...]:
    """Group overlapping detections; our own faults and the vendor's stay separate."""
    found: list[Episode] = []
    for detection in sorted(detections, key=lambda d: (d.detected_at, d.check)):
        for n, episode in enumerate(found):
            same = episode.component == detection.component and episode.ours is detection.fault.ours
            if same and (episode.ended_at is None or detection.began_at <= episode.ended_at):
                found[n] = replace(episode, detections=(*episode.detections, detection))
                break
        else:
            found.append(Episode(detection.component, (detection,)))
    return tuple(found)


# --- against the record


def on_record(incidents: Iterable[Incident], since: datetime, until: datetime) -> tuple[OnRecord, ...]:
    """The incidents within a span of time, without canceled ones, which were none."""
    found = [
        OnRecord(i.name, tuple(i.affected), i.began_at, i.declared_at, i.well_since or i.ending.at)
        for i in incidents
        if i.phase is not Phase.CANCELED and i.affected and i.drill is None
    ]
    return tuple(i for i in found if i.began_at <= until and (i.ended_at is None or i.ended_at >= since))


def compare(episodes: Sequence[Episode], incidents: Sequence[OnRecord]) -> Outcome:
    """Which incidents would have been found by which episode, and which episodes overlap no incident."""
    theirs = [episode for episode in episodes if not episode.ours]
    found = {i.name: next((e for e in theirs if overlap(e, i)), None) for i in incidents}
    alarms = tuple(e for e in theirs if not any(overlap(e, i) for i in incidents))
    return Outcome(tuple(episodes), found, alarms)


def overlap(episode: Episode, incident: OnRecord) -> bool:
    """Whether the episode is about this incident: one of its components, at its time."""
    if episode.component not in incident.components:
        return False
    begins_in_time = incident.ended_at is None or episode.began_at <= incident.ended_at + NEAR
    return begins_in_time and (episode.ended_at is None or episode.ended_at >= incident.began_at - NEAR)


def pair(one: Sequence[Episode], other: Sequence[Episode]) -> list[tuple[Episode | None, Episode | None]]:
    """The episodes of two settings side by side: overlapping ones of one component share a row."""
    rows: list[tuple[Episode | None, Episode | None]] = []
    left = list(other)
    for episode in one:
        twin = next((e for e in left if e.component == episode.component and _meet(e, episode)), None)
        if twin is not None:
            left.remove(twin)
        rows.append((episode, twin))
    rows += [(None, episode) for episode in left]
    return sorted(rows, key=lambda row: min(e.began_at for e in row if e))


def _meet(a: Episode, b: Episode) -> bool:
    return (a.ended_at is None or b.began_at <= a.ended_at) and (b.ended_at is None or a.began_at <= b.ended_at)
