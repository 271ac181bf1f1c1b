"""Monte Carlo of the shipped detector: false alarms, delays and what the quick looks cost, beside the usual rules.

The model: one check every 30 s, one place, looks that take no time. In health each look fails with 1 %, by itself. A local
blip (six a day, exponential, 45 s in the mean) fails every look, and nine of ten are seen by the control group, which makes
all of its looks inconclusive. In an incident of an hour each look fails with the incident's error rate.
"""

import random
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import median

from bench.report import line, timed
from bot.core.detection.detector import NEW, Condition, Track, next_look, observe
from bot.core.detection.settings import Rule
from bot.core.model import Fault, Outcome, Sample

START = datetime(2026, 1, 1, tzinfo=UTC)
EVERY_S, DAY_S, HOUR_S = 30.0, 86_400.0, 3_600.0
EVERY = timedelta(seconds=EVERY_S)
NOISE, BLIPS_A_DAY, BLIP_S, SEEN = 0.01, 6, 45.0, 0.9
LEAD_S = 2 * HOUR_S  # of health before an incident, so that the budget is as in life
RATES = (1.0, 0.5, 0.2, 0.1)
OURS_DAYS, USUAL_DAYS, COST_DAYS = 3_000, 400, 30
OURS_INCIDENTS, USUAL_INCIDENTS = 1_500, 400
SEED = 20_260_320
BAD = (Condition.FAILING, Condition.SLOW)


# --- the sky that is looked at


@dataclass
class Sky:
    """What a look finds at each moment. `rate` is the incident's, between `begins` and `ends`; blips are (start, end, seen)."""

    dice: random.Random
    noise: float = NOISE
    begins: float = float("inf")
    ends: float = float("inf")
    rate: float = 0.0
    blips: list[tuple[float, float, bool]] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    toll: Callable[[float], bool] | None = None  # instead of noise: whether it fails at this moment

    def add_blips(self, days: float, seen: float) -> None:
        """Scatter local blips over the days."""
        at = self.dice.expovariate(BLIPS_A_DAY / DAY_S)
        while at < days * DAY_S:
            self.blips.append((at, at + self.dice.expovariate(1 / BLIP_S), self.dice.random() < seen))
            at += self.dice.expovariate(BLIPS_A_DAY / DAY_S)
        self.starts = [start for start, _, _ in self.blips]

    def look(self, at: float, *, noisy: bool | None = None) -> Outcome:
        """One look; `noisy` says whether noise strikes where that was thrown before."""
        if self.toll is not None:
            return Outcome.FAIL if self.toll(at) else Outcome.OK
        if self.cut(at):
            seen = self.blips[bisect_right(self.starts, at) - 1][2]
            return Outcome.INCONCLUSIVE if seen else Outcome.FAIL
        if self.begins <= at < self.ends:
            return Outcome.FAIL if self.dice.random() < self.rate else Outcome.OK
        noisy = self.dice.random() < self.noise if noisy is None else noisy
        return Outcome.FAIL if noisy else Outcome.OK

    def cut(self, at: float) -> bool:
        """Whether our own line has a blip."""
        n = bisect_right(self.starts, at) - 1
        return n >= 0 and at < self.blips[n][1]

    def next_start(self, at: float) -> float:
        """When the next blip or the incident begins."""
        n = bisect_right(self.starts, at)
        blip = self.starts[n] if n < len(self.starts) else float("inf")
        return min(blip, self.begins if self.begins > at else float("inf"))


# --- the shipped detector under it


@dataclass
class Run:
    """What came of one run."""

    alarms: list[float] = field(default_factory=list)
    quick: int = 0


def watched(sky: Sky, until: float, rule: Rule, *, leap: bool = True, stop_after: float = float("inf")) -> Run:
    """Look on schedule, and quickly in between where the detector asks for it; ends at the first alarm after `stop_after`.

    A track at rest stays as it is through good looks on schedule: with `leap` the run goes on at the next that may fail.
    """
    run, track, quick_at = Run(), _settled(rule), float("inf")
    regular, noisy_at, at = 0, _gap(sky), -EVERY_S
    while True:
        rests = quick_at == float("inf") and track.failing.at_rest and regular * EVERY_S - at >= EVERY_S
        if leap and rests and not sky.begins <= regular * EVERY_S < sky.ends:
            start = min(sky.next_start(regular * EVERY_S - EVERY_S), until)
            regular = max(regular, min(noisy_at, int(start // EVERY_S)))
        at = min(regular * EVERY_S, quick_at)
        if at >= until:
            return run
        if quick_at < regular * EVERY_S:
            run.quick += 1
            outcome = sky.look(at)
        else:
            outcome = sky.look(at, noisy=regular == noisy_at)
            noisy_at += _gap(sky) if regular == noisy_at else 0
            regular += 1
        before, track = track, observe(track, _sample(at, outcome, cut=sky.cut(at)), rule, every=EVERY)
        if track.judgement.condition in BAD and before.judgement.condition not in BAD:
            run.alarms.append(at)
            if at >= stop_after:
                return run
        wait = next_look(track, rule, EVERY, START + timedelta(seconds=at)).total_seconds()
        quick_at = at + wait if wait < EVERY_S and at + wait < regular * EVERY_S else float("inf")


def _settled(rule: Rule) -> Track:
    track = NEW
    for n in range(rule.window, 0, -1):
        track = observe(track, _sample(-EVERY_S * n, Outcome.OK), rule, every=EVERY)
    return track


def _gap(sky: Sky) -> int:
    """How many looks until noise strikes again."""
    return 1 + int(sky.dice.expovariate(1.0) / sky.noise) if sky.noise else 10**12


def _sample(at: float, outcome: Outcome, *, cut: bool = False) -> Sample:
    """A failed look is an error of theirs, and a reset where our own line is `cut`."""
    failed = outcome is Outcome.FAIL
    error, reason = ("reset", "reset") if cut else ("http_5xx", "HTTP 502 after 40 ms")
    fault = Fault.THEIRS if failed else Fault.NONE
    return Sample(
        "a.b.c", "a.b", START + timedelta(seconds=at), outcome, error if failed else None, fault, reason if failed else "",
        {"total": 40.0},
    )  # fmt: skip


# --- the usual rules, on a fixed schedule

Told = Iterator[bool]  # after each look: whether the rule says that it fails


def consecutive(failed: Iterator[bool], failures: int, successes: int) -> Told:
    """So many failures in a row begin it, so many successes in a row end it."""
    bad, row = False, 0
    for fail in failed:
        row = row + 1 if fail is not bad else 0
        if row >= (successes if bad else failures):
            bad, row = not bad, 0
        yield bad


def of_window(failed: Iterator[bool], size: int, needed: int, least: int = 0) -> Told:
    """So many of the last `size` looks, once there are `least`."""
    last: deque[bool] = deque(maxlen=size)
    for fail in failed:
        last.append(fail)
        yield len(last) >= least and sum(last) >= needed


USUAL: dict[str, Callable[[Iterator[bool]], Told]] = {
    "1 failure": lambda failed: consecutive(failed, 1, 1),
    "3 consecutive, 2 ok": lambda failed: consecutive(failed, 3, 2),
    "3 of the last 5": lambda failed: of_window(failed, 5, 3),
    "> 5 % of 10 min, min 3": lambda failed: of_window(failed, 20, 2, 3),
}


def fixed(sky: Sky, until: float, first: float = 0.0) -> Iterator[tuple[float, bool]]:
    """Looks on schedule, and whether each failed."""
    for n in range(int((until - first) // EVERY_S)):
        at = first + n * EVERY_S
        yield at, sky.look(at) is Outcome.FAIL


# --- what is measured


@dataclass
class Row:
    """One rule's figures: false alarms a day, median delays in seconds with the share missed, and more looks than fixed."""

    name: str
    quiet: float
    blips: float
    delays: list[tuple[float, float]]
    more: float = 0.0

    def told(self) -> str:
        """As a row of the table."""
        cells = [f"{self.quiet:6.3f}", f"{self.blips:6.2f}"]
        cells += [f"{delay:6.0f}" + (f" ({missed:3.0%})" if missed > 0.005 else " " * 6) for delay, missed in self.delays]
        return f"  {self.name:<24}" + "  ".join(cells) + f"  {self.more:+5.1%}"


def usual(name: str) -> Row:
    """A usual rule's row; blips are not gated, for usual monitors have no control group."""
    rule = USUAL[name]

    def alarms(days: int, *, blips: bool) -> float:
        sky = Sky(random.Random(SEED))
        if blips:
            sky.add_blips(days, 0.0)
        told = [False, *rule(failed for _, failed in fixed(sky, days * DAY_S))]
        return sum(now and not before for before, now in pairwise(told)) / days

    def delay(rate: float) -> tuple[float, float]:
        found = []
        for n in range(USUAL_INCIDENTS):
            sky = Sky(random.Random(SEED + n), begins=0.0, ends=HOUR_S, rate=rate)
            first = -20 * EVERY_S + sky.dice.random() * EVERY_S
            looks = list(fixed(sky, HOUR_S, first))
            told = rule(failed for _, failed in looks)
            found.append(next((at for (at, _), bad in zip(looks, told, strict=True) if bad and at >= 0), None))
        return _middle(found)

    return Row(name, alarms(USUAL_DAYS, blips=False), alarms(USUAL_DAYS, blips=True), [delay(rate) for rate in RATES])


def ours(name: str, rule: Rule, *, seen: float = SEEN, days: int = OURS_DAYS, incidents: int = OURS_INCIDENTS) -> Row:
    """The shipped detector's row."""
    quiet = watched(Sky(random.Random(SEED)), days * DAY_S, rule)
    sky = Sky(random.Random(SEED + 1))
    sky.add_blips(days, seen)
    blips = watched(sky, days * DAY_S, rule)
    more = max(quiet.quick, blips.quick) / (days * DAY_S / EVERY_S)
    delays = [_middle([delay_of(rate, SEED + n, rule) for n in range(incidents)]) for rate in RATES]
    return Row(name, len(quiet.alarms) / days, len(blips.alarms) / days, delays, more)


def delay_of(rate: float, seed: int, rule: Rule) -> float | None:
    """Seconds until an incident is found; None when it is not, within its hour."""
    dice = random.Random(seed)
    begins = LEAD_S + dice.random() * EVERY_S
    sky = Sky(dice, begins=begins, ends=begins + HOUR_S, rate=rate)
    alarms = watched(sky, begins + HOUR_S, rule, stop_after=begins).alarms
    return next((at - begins for at in alarms if at >= begins), None)


def _middle(found: list[float | None]) -> tuple[float, float]:
    seen = [delay for delay in found if delay is not None]
    return (median(seen) if seen else float("nan")), 1 - len(seen) / len(found)


def costs(rule: Rule, days: int = COST_DAYS) -> dict[str, float]:
    """How many more looks than on a fixed schedule bad targets take, over so many days."""
    skies = {
        "dead": Sky(random.Random(SEED), toll=lambda at: True),
        "flapping (2 min each)": Sky(random.Random(SEED), toll=lambda at: at % 240 < 120),
        "failing one look in ten": Sky(random.Random(SEED), noise=0.1),
    }
    until = days * DAY_S
    return {name: watched(sky, until, rule, leap=False).quick / (until / EVERY_S) for name, sky in skies.items()}


def pace(rule: Rule) -> float:
    """Microseconds of one `observe`, a fifth of the samples failed."""
    samples = [_sample(n * EVERY_S, Outcome.FAIL if n % 5 == 0 else Outcome.OK) for n in range(20_000)]
    track, took = NEW, list[float]()
    with timed(took):
        for sample in samples:
            track = observe(track, sample, rule, every=EVERY)
    return took[0] / len(samples) * 1e6


def main() -> bool:
    """Print the table, and whether the claims hold."""
    rule = Rule()
    print(
        f"detection: false alarms over {OURS_DAYS} days (usual rules {USUAL_DAYS}), median delay of {OURS_INCIDENTS} incidents"
    )
    print(f"  {'rule':<24}{'FA/day':>6}  {'+blips':>6}  " + "  ".join(f"{rate:>6.0%} (miss)" for rate in RATES) + "  looks")
    for name in USUAL:
        print(usual(name).told(), flush=True)
    print(
        ours("ours, no control group", rule, seen=0.0, days=OURS_DAYS // 10, incidents=OURS_INCIDENTS // 10).told(), flush=True
    )
    row = ours("ours", rule)
    print(row.told(), flush=True)
    holds = [
        line("false alarms at 1 % noise", row.quiet, "a day", 0.02),
        line("false alarms at 1 % noise and six blips a day", row.blips, "a day", 0.4),
        *(line(f"median delay at {r:.0%} errors", d, "s", most)
          for r, (d, _), most in zip(RATES, row.delays, (27, 55, 170), strict=False)),
        line("more looks than on a fixed schedule", row.more * 100, "%", 15),
        *(line(f"more looks at a target {name}", share * 100, "%", 22) for name, share in costs(rule).items()),
        line("one observe", pace(rule), "us"),
    ]  # fmt: skip
    return all(holds)
