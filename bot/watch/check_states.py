"""What the detector remembers about every check from every vantage, and which of that is not stored yet."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice, takewhile

from bot.core.detection.detector import (
    NEW,
    Condition,
    Judgement,
    Rule,
    Track,
    may_hurry,
    next_look,
    observe,
    seeded,
    settled,
    tells_until,
)
from bot.core.detection.pooled import newly_fails, pooled
from bot.core.detection.verdict import CheckView, VerdictRule
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Outcome, Sample
from bot.watch.plan import Check

SILENT_AFTER = 3  # intervals, plus a minute: a vantage silent for longer does not count
LARGE = 200  # checks in one component: hundreds may fail in a second, and combining them takes milliseconds
LARGE_EVERY = timedelta(seconds=1)  # the least time between combining all checks of such a component
LATE_AFTER_S = 2.0  # domain seconds; a slower answer is late, unless usual for the check
BAD = (Condition.FAILING, Condition.SLOW)

Key = tuple[str, str]  # check, vantage


@dataclass(frozen=True)
class TrackChange:
    """The effect of one sample on a track."""

    suspected: bool
    suspects: bool
    hurries: bool  # it is rechecked early, or was until now
    calm: bool  # no doubt before or after, so it changes no verdict alone


class UnstoredTracks:
    """Tracks changed since they were stored, in order, each with the time of the first sample it is missing."""

    def __init__(self) -> None:
        self._since: dict[Key, datetime] = {}
        self._urgent: set[Key] = set()

    def touch(self, key: Key, at: datetime, *, urgent: bool) -> None:
        """A sample changed this track; `urgent` if that must not be lost."""
        self._since[key] = min(at, self._since.get(key, at))
        if urgent:
            self._urgent.add(key)

    def take(self, before: datetime | None, most: int) -> dict[Key, datetime]:
        """Remove and return the urgent tracks, plus at most `most` others waiting since `before`; all if that is None."""
        longest = next(iter(self._since.values()), None)
        if before is not None and not self._urgent and (longest is None or longest > before):
            return {}  # the case at most flushes
        waiting = takewhile(lambda key: before is None or self._since[key] <= before, self._since)
        calm = islice((key for key in waiting if key not in self._urgent), None if before is None else most)
        taken = {key: self._since.pop(key) for key in [*self._urgent, *calm]}
        self._urgent.clear()
        return taken

    def put_back(self, taken: Mapping[Key, datetime]) -> None:
        """They could not be stored."""
        self._since = {**taken, **{key: at for key, at in self._since.items() if key not in taken}}
        self._urgent.update(taken)

    def oldest(self, now: datetime) -> datetime:
        """The time before which no sample is missing from the stored tracks."""
        return min(self._since.values()) if self._since else now


class Tracks:
    """One track for each check and vantage with results."""

    def __init__(
        self, checks: Sequence[Check], intervals: Mapping[str, timedelta], rule: Rule, rules: Mapping[str, Rule],
        weights: Mapping[str, float], vantage: str, *,
        share: float = VerdictRule().degraded_share,
    ) -> None:  # fmt: skip
        self.checks = {check.id: check for check in checks}
        self.vantage = vantage
        self.unstored = UnstoredTracks()
        self._intervals = intervals
        self._rule = rule
        self._rules = rules
        self._weights = weights
        self._share = share  # share of a component's checks that must have signs before they are combined
        self.least_late_after_s = LATE_AFTER_S
        self._tracks: dict[str, dict[str, Track]] = {check.id: {} for check in checks}
        self._heard_at: dict[Key, datetime] = {}
        self._from_before: set[Key] = set()  # in trouble since before the restart, with no conclusive result since
        self._pooled_at: dict[str, datetime] = {}  # by large component
        self.components: dict[str, list[str]] = {}
        for check in checks:
            self.components.setdefault(check.component, []).append(check.id)

    def __len__(self) -> int:
        return len(self._tracks)

    def knows(self, check: str) -> bool:
        """Whether a check of this id is in the plan."""
        return check in self.checks

    def every(self, check: str) -> timedelta:
        """Its interval."""
        return self._intervals[check]

    def rule(self, check: str) -> tuple[Rule, timedelta]:
        """Its detection settings and interval."""
        return self._rules.get(check, self._rule), self._intervals[check]

    def track(self, check: str, vantage: str) -> Track:
        """The track of this check at this vantage."""
        return self._tracks[check].get(vantage, NEW)

    def of(self, check: str) -> Mapping[str, Track]:
        """The check's tracks by vantage."""
        return self._tracks[check]

    def heard_at(self, check: str, vantage: str) -> datetime | None:
        """When another vantage last sent a result."""
        return self._heard_at.get((check, vantage))

    def observe(self, sample: Sample, *, learn: bool, now: datetime) -> TrackChange:
        """Count one result. `learn` is False while the component is in trouble, so that its latency does not become usual."""
        by_vantage = self._tracks[sample.check]
        key, (rule, every) = (sample.check, sample.vantage), self.rule(sample.check)
        before = by_vantage.get(sample.vantage, NEW)
        after = observe(before, sample, rule, learn=learn, every=every)
        by_vantage[sample.vantage] = after
        if after is not before and after.failing.good == 0 and after.failing.score > 0.0 and sample.vantage == self.vantage:
            self._pool(sample, tells_until(before, sample), now)
        after = by_vantage[sample.vantage]
        if sample.vantage != self.vantage:
            self._heard_at[key] = now
        self._note(key, sample, before, after, learn=learn)
        return TrackChange(
            suspected=before.suspect,
            suspects=after.suspect,
            hurries=before.hurries or after.hurries,
            calm=_is_calm(after)
            and (_is_calm(before) or (before.judgement.condition is Condition.UNKNOWN and not before.suspect)),
        )

    def _pool(self, sample: Sample, end: datetime, now: datetime) -> None:
        """Combine a failure of ours, valid until `end`, with the doubts of the component's other checks."""
        checks = self.components[sample.component]
        if len(checks) < 2 or (self.is_large(sample.component) and self._pooled_lately(sample.component, now)):
            return
        tracks = {check: self.track(check, self.vantage) for check in checks}
        rules = {check: self._rules.get(check, self._rule) for check in checks}
        for check, track in pooled(tracks, rules, self._weights, sample.at, end, self._share).items():
            self._tracks[check][self.vantage] = track
            self.unstored.touch((check, self.vantage), sample.at, urgent=True)

    def _pooled_lately(self, component: str, now: datetime) -> bool:
        before = self._pooled_at.get(component)
        if before is not None and abs(now - before) < LARGE_EVERY:
            return True
        self._pooled_at[component] = now
        return False

    def is_large(self, component: str) -> bool:
        """Whether it has so many checks that combining them must not happen at each result."""
        return len(self.components.get(component, ())) > LARGE

    def _note(self, key: Key, sample: Sample, before: Track, after: Track, *, learn: bool) -> None:
        if after is not before:
            self.unstored.touch(key, sample.at, urgent=not (learn and _is_calm(before) and _is_calm(after)))
        elif key[1] != self.vantage or sample.outcome is Outcome.INCONCLUSIVE:
            self.unstored.touch(key, sample.at, urgent=True)  # store when it was heard, or that it was inconclusive
        on_its_way_back = after.judgement.condition in BAD and after.judgement.recovering
        if sample.outcome is not Outcome.INCONCLUSIVE and not on_its_way_back:
            self._from_before.discard(key)

    def next_look(self, check: str, now: datetime) -> timedelta:
        """How long our next run of this check may wait."""
        return next_look(self.track(check, self.vantage), *self.rule(check), now)

    def may_hurry(self, check: str, now: datetime) -> bool:
        """Whether we may run it early: not if it already fails, nor if its budget is spent."""
        track = self.track(check, self.vantage)
        return not track.failing.stands and may_hurry(track, *self.rule(check), now)

    def newly_fails(self, check: str, now: datetime) -> bool:
        """Whether we saw it begin to fail just now."""
        return newly_fails(self.track(check, self.vantage), now)

    def recheck_s(self, check: str) -> float:
        """Its delay between rechecks, in domain seconds."""
        return self._rules.get(check, self._rule).recheck.total_seconds()

    def stands(self, check: str) -> bool:
        """Whether we see it fail."""
        return self.track(check, self.vantage).failing.stands

    def out_of_date(self, sample: Sample) -> bool:
        """Whether a sample is more than an interval older than its check's newest result."""
        last_at = self.track(sample.check, sample.vantage).last_at
        return last_at is not None and sample.at < last_at - self._intervals[sample.check]

    def ran_lately(self, check: str, now: datetime) -> bool:
        """Whether we ran it within its interval."""
        looked_at = self.track(check, self.vantage).looked_at
        return looked_at is not None and now - looked_at <= self._intervals[check]

    def suspects(self, check: str) -> bool:
        """Whether we are in doubt about this check."""
        return self.track(check, self.vantage).suspect

    def late_after_s(self, check: str) -> float:
        """The domain seconds after which an answer of this check is late."""
        usual_ms = self.track(check, self.vantage).baseline_ms or 0.0
        return max(self.least_late_after_s, self._rule.slow_factor * usual_ms / 1000)

    def views(self, component: str, now: datetime) -> dict[str, CheckView]:
        """The component's checks by name, each as its vantages see it."""
        return {
            check.removeprefix(f"{component}."): CheckView(self._judgements(check, now), self._weights.get(check, 1.0))
            for check in self.components.get(component, ())
        }

    def _judgements(self, check: str, now: datetime) -> dict[str, Judgement]:
        tracks = self._tracks[check]
        if len(tracks) == 1 and self.vantage in tracks:
            return {self.vantage: tracks[self.vantage].judgement}
        silent = self.every(check) * SILENT_AFTER + timedelta(minutes=1)
        found = {self.vantage: self.track(check, self.vantage).judgement}
        for vantage, track in tracks.items():
            heard_at = self._heard_at.get((check, vantage))
            if heard_at is not None and now - heard_at <= silent:
                found[vantage] = track.judgement
        return found

    def about_to_change(self, component: str) -> bool:
        """Whether its verdict is about to change: a check is in doubt, or all that are in trouble are recovering."""
        bad = [track.judgement for track in self._of(component) if track.judgement.condition in BAD]
        doubt = any(track.suspect for track in self._of(component))
        return doubt or (bool(bad) and all(judgement.recovering for judgement in bad))

    def began_in_doubt(self, component: str) -> bool:
        """Whether a check started with signs of trouble, too few to judge, and nothing was known before."""
        return any(track.suspect and track.judgement.condition is Condition.UNKNOWN for track in self._of(component))

    def _of(self, component: str) -> Iterator[Track]:
        return (track for check in self.components.get(component, ()) for track in self._tracks[check].values())

    def all_well(self, component: str) -> bool:
        """Whether all its checks are healthy from every vantage, and none is in doubt."""
        return all(map(_is_calm, self._of(component)))

    # --- after a restart, or when a component comes from another replica

    def forget(self, component: str) -> None:
        """Forget what we saw when this component was last ours, except its usual latencies."""
        for check in self.components[component]:
            usual = self.track(check, self.vantage).baseline_ms
            self._tracks[check].pop(self.vantage, None)
            if usual is not None:
                self._tracks[check][self.vantage] = seeded(NEW, usual)

    def restore(self, check: str, vantage: str, track: Track, heard_at: datetime | None = None) -> None:
        """Set a remembered track."""
        self._tracks[check][vantage] = track
        if heard_at is not None:
            self._heard_at[check, vantage] = heard_at

    def recalled(self, checks: Iterable[str] | None = None) -> None:
        """Mark checks (None: all) as remembered: whatever is in trouble now was in trouble before."""
        for check in self._tracks if checks is None else checks:
            bad = {(check, vantage) for vantage, track in self._tracks[check].items() if track.judgement.condition in BAD}
            self._from_before |= bad

    def only_from_before(self, component: str) -> bool:
        """Whether everything in trouble was so before the restart, with no conclusive result since."""
        bad = [
            (check, vantage)
            for check in self.components.get(component, ())
            for vantage, track in self._tracks[check].items()
            if track.judgement.condition in BAD
        ]
        return bool(bad) and all(key in self._from_before for key in bad)

    def settle(self, component: str, since: datetime) -> None:
        """The ledger says healthy since then: end trouble that is recovering and has no later sign."""
        for check in self.components[component]:
            self._tracks[check] = {vantage: settled(track, since) for vantage, track in self._tracks[check].items()}


def _is_calm(track: Track) -> bool:
    return track.judgement.condition is Condition.WELL and not track.suspect
