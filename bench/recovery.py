"""How often trouble that goes on is taken for over, and how long a true end takes: `python -m bench recovery`.

One check every 30 s, quick looks where the detector asks for them. Trouble fails looks at its rate for an hour after it was
found, then it ends; a partial end is an outage of ten minutes that goes on at a smaller rate.
"""

import random
from datetime import timedelta
from statistics import median

from bench.detection import BAD, EVERY, EVERY_S, START, _sample, _settled
from bench.report import line, percentile
from bot.core.detection.detector import Track, next_look, observe
from bot.core.detection.settings import Rule
from bot.core.model import Outcome

RUNS = 400
NOISE = 0.01  # share of looks that fail in health
HOUR_S = 3_600.0
NEVER = float("inf")


class Run:
    """One check under one rate of failures after another."""

    def __init__(self, seed: int, rule: Rule) -> None:
        self.dice = random.Random(seed)
        self.rule = rule
        self.track: Track = _settled(rule)
        self.at = self.regular = self.dice.random() * EVERY_S

    def until(self, end: float, rate: float, *, bad: bool) -> float:
        """Look on until the check is bad (or well) again, at most until `end`; the moment, or never."""
        while self.at < end:
            failed = self.dice.random() < rate
            self.track = observe(self.track, _sample(self.at, Outcome.FAIL if failed else Outcome.OK), self.rule, every=EVERY)
            found = self.at
            wait = next_look(self.track, self.rule, EVERY, START + timedelta(seconds=self.at)).total_seconds()
            if self.at >= self.regular:
                self.regular += EVERY_S
            self.at = min(self.at + wait, self.regular)
            if (self.track.judgement.condition in BAD) is bad:
                return found
        return NEVER


def lost(first: float, rate: float, rule: Rule, runs: int = RUNS) -> float:
    """Share of runs in which trouble that goes on at `rate` is called over within an hour; `first` is the rate before."""
    wrong = 0
    for seed in range(runs):
        run = Run(seed, rule)
        found = run.until(2 * HOUR_S, first, bad=True)
        if found == NEVER:
            continue
        if first != rate:
            run.until(run.at + 600, first, bad=False)
        wrong += run.until(run.at + HOUR_S, rate, bad=False) < NEVER
    return wrong / runs


def ends(rate: float, rule: Rule, runs: int = RUNS, *, noise: float = NOISE, hours: float = 0.5) -> list[float]:
    """Seconds from the true end of so many hours of trouble to the judgement that it is over; then noise alone fails looks."""
    found: list[float] = []
    for seed in range(runs):
        run = Run(seed, rule)
        run.until(2 * HOUR_S, rate, bad=True)
        run.until(run.at + HOUR_S * hours, rate, bad=False)
        if run.track.judgement.condition in BAD:
            began = run.at
            found.append(run.until(began + 2 * HOUR_S, noise, bad=False) - began)
    return found


LOST = ((0.4, 0.4, 1.0), (0.2, 0.2, 5.0), (1.0, 0.4, 1.0), (1.0, 0.2, 5.0))  # before, since, and at most so many percent
TAKES_S = {1.0: (120, 240), 0.5: (300, 600), 0.4: (300, 600), 0.2: (360, 780)}  # a true end, median and p90


def main() -> bool:
    """Print what it comes to, and whether the claims hold."""
    rule, held = Rule(), True
    print(f"recovery: one check every {EVERY_S:.0f} s, {RUNS} runs each, {NOISE:.0%} noise after a true end")
    for first, rate, most in LOST:
        named = f"{rate:.0%} errors all along" if first == rate else f"{first:.0%}, then {rate:.0%}"
        held &= line(f"called over within an hour, {named}", lost(first, rate, rule) * 100, "%", most)
    quiet = ends(1.0, rule, noise=0.0)
    held &= line("a true end after 100% errors, without noise, p90", percentile(quiet, 0.9), "s", 120)
    for rate, (middle, most) in TAKES_S.items():
        took = ends(rate, rule)
        held &= line(f"a true end after {rate:.0%} errors, median", median(took), "s", middle)
        held &= line(f"a true end after {rate:.0%} errors, p90", percentile(took, 0.9), "s", most)
    long = ends(0.2, rule, hours=3.0)
    line("a true end after three hours at 20%, median", median(long), "s")
    line("a true end after three hours at 20%, p90", percentile(long, 0.9), "s")
    return held


if __name__ == "__main__":
    raise SystemExit(0 if main() else 1)
