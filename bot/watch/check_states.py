"""What the detector remembers of every check from every vantage, and what of that is not stored yet."""

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

SILENT_AFTER = 3  # intervals (and a minute): a vantage that sends nothing any more has no say
LARGE = 200  # checks of one component: hundreds may fail in a second, and each weighing of all takes milliseconds
LARGE_EVERY = timedelta(seconds=1)  # between two times that all checks of one so large are weighed
PATIENCE_S = 2.0  # domain seconds; an answer that takes longer, unusually, is late
BAD = (Condition.FAILING, Condition.SLOW)

Key = tuple[str, str]  # check, vantage


@dataclass(frozen=True)
class Turn:
    """What one sample did to a track."""

    suspected: bool
    suspects: bool
    hurries: bool  # it looks again before its time, or did so until now
    calm: bool  # no doubt before nor after: no verdict changes by it alone


class Unstored:
    """Which tracks changed since they were stored, the longest first, each with the first sample that is missing in it."""

    def __init__(self) -> None:
        self._since: dict[Key, datetime] = {}
        self._urgent: set[Key] = set()

    def touch(self, key: Key, at: datetime, *, urgent: bool) -> None:
        """A sample changed it; `urgent` when that must not be lost."""
        self._since[key] = min(at, self._since.get(key, at))
        if urgent:
            self._urgent.add(key)

    def take(self, before: datetime | None, most: int) -> dict[Key, datetime]:
        """The urgent ones, and of the others at most so many that wait since `before` or longer; all where that is None."""
        longest = next(iter(self._since.values()), None)
        if before is not None and not self._urgent and (longest is None or longest > before):
            return {}  # as at most flushes
        waiting = takewhile(lambda key: before is None or self._since[key] <= before, self._since)
        calm = islice((key for key in waiting if key not in self._urgent), None if before is None else most)
        taken = {key: self._since.pop(key) for key in [*self._urgent, *calm]}
        self._urgent.clear()
        return taken

    def put_back(self, taken: Mapping[Key, datetime]) -> None:
        """They were not stored after all."""
        self._since = {**taken, **{key: at for key, at in self._since.items() if key not in taken}}
        self._urgent.update(taken)

    def oldest(self, now: datetime) -> datetime:
        """Before which moment no sample is missing."""
        return min(self._since.values()) if self._since else now


class Tracks:
    """One track for each check and vantage that has spoken."""

    def __init__(
        self, checks: Sequence[Check], intervals: Mapping[str, timedelta], rule: Rule, rules: Mapping[str, Rule],
        weights: Mapping[str, float], vantage: str, *,
        share: float = VerdictRule().degraded_share,
    ) -> None:  # fmt: skip
        self.checks = {check.id: check for check in checks}
        self.vantage = vantage
        self.unstored = Unstored()
        self._intervals = intervals
        self._rule = rule
        self._rules = rules
        self._weights = weights
        self._share = share  # of a component's checks that must have signs before they are weighed together
        self.least_patience_s = PATIENCE_S
        self._tracks: dict[str, dict[str, Track]] = {check.id: {} for check in checks}
        self._heard_at: dict[Key, datetime] = {}
        self._from_before: set[Key] = set()  # in trouble since before the restart, without a sign of it since
        self._pooled_at: dict[str, datetime] = {}  # large components
        self.components: dict[str, list[str]] = {}
        for check in checks:
            self.components.setdefault(check.component, []).append(check.id)

    def __len__(self) -> int:
        return len(self._tracks)

    def knows(self, check: str) -> bool:
        """Whether a check of this id is in the plan."""
        return check in self.checks

    def every(self, check: str) -> timedelta:
        """How often it looks."""
        return self._intervals[check]

    def rule(self, check: str) -> tuple[Rule, timedelta]:
        """How it is judged, and how often it looks."""
        return self._rules.get(check, self._rule), self._intervals[check]

    def track(self, check: str, vantage: str) -> Track:
        """What is known of it from there."""
        return self._tracks[check].get(vantage, NEW)

    def of(self, check: str) -> Mapping[str, Track]:
        """What is known of it, by vantage."""
        return self._tracks[check]

    def heard_at(self, check: str, vantage: str) -> datetime | None:
        """When another vantage sent something last."""
        return self._heard_at.get((check, vantage))

    def observe(self, sample: Sample, *, learn: bool, now: datetime) -> Turn:
        """Take one result in. `learn` is False while the component is in trouble: trouble is nothing to get used to."""
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
        return Turn(
            suspected=before.suspect,
            suspects=after.suspect,
            hurries=before.hurries or after.hurries,
            calm=_at_ease(after)
            and (_at_ease(before) or (before.judgement.condition is Condition.UNKNOWN and not before.suspect)),
        )

    def _pool(self, sample: Sample, end: datetime, now: datetime) -> None:
        """A failure of ours, which tells of the time until `end`, is weighed together with the doubts of the other checks."""
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
        """Whether it has so many checks that what weighs all of them must not be done with each look of one."""
        return len(self.components.get(component, ())) > LARGE

    def _note(self, key: Key, sample: Sample, before: Track, after: Track, *, learn: bool) -> None:
        if after is not before:
            self.unstored.touch(key, sample.at, urgent=not (learn and _at_ease(before) and _at_ease(after)))
        elif key[1] != self.vantage or sample.outcome is Outcome.INCONCLUSIVE:
            self.unstored.touch(key, sample.at, urgent=True)  # when it was heard, and that it was not seen
        on_its_way_back = after.judgement.condition in BAD and after.judgement.recovering
        if sample.outcome is not Outcome.INCONCLUSIVE and not on_its_way_back:
            self._from_before.discard(key)

    def next_look(self, check: str, now: datetime) -> timedelta:
        """How long our own next look with this check may wait."""
        return next_look(self.track(check, self.vantage), *self.rule(check), now)

    def may_hurry(self, check: str, now: datetime) -> bool:
        """Whether we may look with it before its time: not where it fails already, or where its budget is spent."""
        track = self.track(check, self.vantage)
        return not track.failing.stands and may_hurry(track, *self.rule(check), now)

    def newly_fails(self, check: str, now: datetime) -> bool:
        """Whether it began to fail just now, as we ourselves see it."""
        return newly_fails(self.track(check, self.vantage), now)

    def recheck_s(self, check: str) -> float:
        """How soon it looks again in doubt, in domain seconds."""
        return self._rules.get(check, self._rule).recheck.total_seconds()

    def stands(self, check: str) -> bool:
        """Whether it fails, as we ourselves see it."""
        return self.track(check, self.vantage).failing.stands

    def out_of_date(self, sample: Sample) -> bool:
        """Whether a sample is older, by more than an interval, than what its check came to since."""
        last_at = self.track(sample.check, sample.vantage).last_at
        return last_at is not None and sample.at < last_at - self._intervals[sample.check]

    def looked_lately(self, check: str, now: datetime) -> bool:
        """Whether we ourselves looked with it within its interval."""
        looked_at = self.track(check, self.vantage).looked_at
        return looked_at is not None and now - looked_at <= self._intervals[check]

    def suspects(self, check: str) -> bool:
        """Whether we ourselves are in doubt about this check."""
        return self.track(check, self.vantage).suspect

    def patience_s(self, check: str) -> float:
        """After how many domain seconds an answer of this check is long awaited."""
        usual_ms = self.track(check, self.vantage).baseline_ms or 0.0
        return max(self.least_patience_s, self._rule.slow_factor * usual_ms / 1000)

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

    def turning(self, component: str) -> bool:
        """Whether its verdict is about to change once more: a check is in doubt, or all that are in trouble are coming back."""
        bad = [track.judgement for track in self._of(component) if track.judgement.condition in BAD]
        doubt = any(track.suspect for track in self._of(component))
        return doubt or (bool(bad) and all(judgement.recovering for judgement in bad))

    def began_in_doubt(self, component: str) -> bool:
        """Whether the first looks of a check are signs of trouble, too few to judge, and nothing was known before."""
        return any(track.suspect and track.judgement.condition is Condition.UNKNOWN for track in self._of(component))

    def _of(self, component: str) -> Iterator[Track]:
        return (track for check in self.components.get(component, ()) for track in self._tracks[check].values())

    def all_well(self, component: str) -> bool:
        """Whether every check of it is well from everywhere, without a doubt."""
        return all(map(_at_ease, self._of(component)))

    # --- after a restart, or when a component comes from another replica

    def begin_anew(self, component: str) -> None:
        """Forget what we saw of a component when it was ours the last time, but for how long its answers usually take."""
        for check in self.components[component]:
            usual = self.track(check, self.vantage).baseline_ms
            self._tracks[check].pop(self.vantage, None)
            if usual is not None:
                self._tracks[check][self.vantage] = seeded(NEW, usual)

    def restore(self, check: str, vantage: str, track: Track, heard_at: datetime | None = None) -> None:
        """Go on with what was known."""
        self._tracks[check][vantage] = track
        if heard_at is not None:
            self._heard_at[check, vantage] = heard_at

    def recalled(self, checks: Iterable[str] | None = None) -> None:
        """These are as before (None: all of them): what is in trouble now was so then."""
        for check in self._tracks if checks is None else checks:
            bad = {(check, vantage) for vantage, track in self._tracks[check].items() if track.judgement.condition in BAD}
            self._from_before |= bad

    def only_from_before(self, component: str) -> bool:
        """Whether all trouble of it is from before the restart, and nobody saw a sign of it since."""
        bad = [
            (check, vantage)
            for check in self.components.get(component, ())
            for vantage, track in self._tracks[check].items()
            if track.judgement.condition in BAD
        ]
        return bool(bad) and all(key in self._from_before for key in bad)

    def settle(self, component: str, since: datetime) -> None:
        """The ledger has it well since then: trouble on its way back without a later sign is over."""
        for check in self.components[component]:
            self._tracks[check] = {vantage: settled(track, since) for vantage, track in self._tracks[check].items()}


def _at_ease(track: Track) -> bool:
    return track.judgement.condition is Condition.WELL and not track.suspect
