"""What the detector remembers of every check from every vantage, and how it is rebuilt after a restart."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.detector import NEW, Condition, Judgement, Rule, Track, from_ledger, next_look, observe, seeded
from bot.core.model import Sample
from bot.core.state import World
from bot.core.verdict import CheckView
from bot.ports import Samples
from bot.watch.looks import Check

RECALLED = timedelta(minutes=15)  # what was measured longer before a restart says nothing of now
RECALLED_RUNS = 10  # of checks that run so seldom that this time holds too few
LEARNED = timedelta(days=1)  # how far back the usual latency is looked up
SILENT_AFTER = 3  # intervals (and a minute): a vantage that sends nothing any more has no say
PATIENCE = 0.5  # of the time after which a doubtful check looks again: an answer that takes longer, unusually, is late
YIELD_EVERY = 1_000  # samples; a start with ten thousand checks must not hold the loop


@dataclass(frozen=True)
class Turn:
    """What one sample did to a track."""

    suspected: bool
    suspects: bool
    calm: bool  # no doubt before nor after: no verdict changes by it alone


class Tracks:
    """One track for each check and vantage that has spoken."""

    def __init__(
        self, checks: Sequence[Check], intervals: Mapping[str, timedelta], rule: Rule, rules: Mapping[str, Rule],
        weights: Mapping[str, float], vantage: str,
    ) -> None:  # fmt: skip
        self._checks = {check.id: check for check in checks}
        self._intervals = intervals
        self._rule = rule
        self._rules = rules
        self._weights = weights
        self._vantage = vantage
        self.least_patience_s = rule.recheck.total_seconds() * PATIENCE
        self._tracks: dict[str, dict[str, Track]] = {check.id: {} for check in checks}
        self._heard_at: dict[tuple[str, str], datetime] = {}
        self.components: dict[str, list[str]] = {}
        for check in checks:
            self.components.setdefault(check.component, []).append(check.id)

    def knows(self, check: str) -> bool:
        """Whether a check of this id is in the plan."""
        return check in self._checks

    def every(self, check: str) -> timedelta:
        """How often it looks."""
        return self._intervals[check]

    def observe(self, sample: Sample, *, learn: bool, now: datetime) -> Turn:
        """Take one result in. `learn` is False while the component is in trouble: trouble is nothing to get used to."""
        by_vantage = self._tracks[sample.check]
        rule = self._rules.get(sample.check, self._rule)
        before = by_vantage.get(sample.vantage, NEW)
        every = self._intervals[sample.check]
        after = observe(before, sample, rule, learn=learn, every=every)
        by_vantage[sample.vantage] = after
        if sample.vantage != self._vantage:
            self._heard_at[sample.check, sample.vantage] = now
        return Turn(
            suspected=before.suspect,
            suspects=after.suspect,
            calm=_at_ease(after)
            and (_at_ease(before) or (before.judgement.condition is Condition.UNKNOWN and not before.suspect)),
        )

    def next_look(self, check: str, now: datetime) -> timedelta:
        """How long our own next look with this check may wait."""
        track, every = self._tracks[check].get(self._vantage, NEW), self._intervals[check]
        return next_look(track, self._rules.get(check, self._rule), every, now) if track.suspect else every

    def out_of_date(self, sample: Sample) -> bool:
        """Whether a sample is older, by more than an interval, than what its check came to since."""
        last_at = self._tracks[sample.check].get(sample.vantage, NEW).last_at
        return last_at is not None and sample.at < last_at - self._intervals[sample.check]

    def suspects(self, check: str) -> bool:
        """Whether we ourselves are in doubt about this check."""
        return self._tracks[check].get(self._vantage, NEW).suspect

    def patience_s(self, check: str) -> float:
        """After how many domain seconds an answer of this check is long awaited."""
        usual_ms = self._tracks[check].get(self._vantage, NEW).baseline_ms or 0.0
        return max(self.least_patience_s, self._rule.slow_factor * usual_ms / 1000)

    def views(self, component: str, now: datetime) -> dict[str, CheckView]:
        """The component's checks by name, each as its vantages see it."""
        return {
            check.removeprefix(f"{component}."): CheckView(self._judgements(check, now), self._weights.get(check, 1.0))
            for check in self.components.get(component, ())
        }

    def _judgements(self, check: str, now: datetime) -> dict[str, Judgement]:
        tracks = self._tracks[check]
        if len(tracks) == 1 and self._vantage in tracks:
            return {self._vantage: tracks[self._vantage].judgement}
        silent = self.every(check) * SILENT_AFTER + timedelta(minutes=1)
        found = {self._vantage: tracks.get(self._vantage, NEW).judgement}
        for vantage, track in tracks.items():
            heard_at = self._heard_at.get((check, vantage))
            if heard_at is not None and now - heard_at <= silent:
                found[vantage] = track.judgement
        return found

    def turning(self, component: str) -> bool:
        """Whether its verdict is about to change once more: a check is in doubt, or all that are in trouble are coming back."""
        tracks = [track for check in self.components.get(component, ()) for track in self._tracks[check].values()]
        bad = [track.judgement for track in tracks if track.judgement.condition in (Condition.FAILING, Condition.SLOW)]
        return any(track.suspect for track in tracks) or (bool(bad) and all(judgement.recovering for judgement in bad))

    def all_well(self, component: str) -> bool:
        """Whether every check of it is well from everywhere, without a doubt."""
        return all(_at_ease(track) for check in self.components.get(component, ()) for track in self._tracks[check].values())

    # --- after a restart

    async def recall(self, samples: Samples, world: World, now: datetime) -> None:
        """Fold what is stored as if it were measured anew. A committed outage ends by good results, not by forgetting."""
        usual = await samples.medians(now - LEARNED, self._vantage)
        for check in self._checks.values():
            held = world.component(check.component)
            track = from_ledger(held.level, held.reason, held.fault, held.began_at) if held.level.bad else NEW
            if check.id in usual:
                track = seeded(track, usual[check.id])
            self._tracks[check.id] = {self._vantage: track}
        seldom = [check for check in self._checks.values() if self._intervals[check.id] * RECALLED_RUNS > RECALLED]
        for check in seldom:
            since = now - self._intervals[check.id] * RECALLED_RUNS
            await self._fold([s for s in await samples.recent(check.id, RECALLED_RUNS) if s.at > since])
        often = self._checks.keys() - {check.id for check in seldom}
        await self._fold([sample for sample in await samples.since(now - RECALLED) if sample.check in often])

    async def _fold(self, stored: Sequence[Sample]) -> None:
        for number, sample in enumerate(stored, start=1):
            self.observe(sample, learn=True, now=sample.at)
            if number % YIELD_EVERY == 0:
                await asyncio.sleep(0)


def _at_ease(track: Track) -> bool:
    return track.judgement.condition is Condition.WELL and not track.suspect
