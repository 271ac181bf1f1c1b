"""How often trouble that goes on is taken for over, and how long a true end takes: `python -m bench recovery`.

One check every 30 s, quick looks where the detector asks for them. Trouble fails looks at its rate for an hour after it was
found, then it ends; a partial end is an outage of ten minutes that goes on at a smaller rate.
"""

import random
from datetime import timedelta
from statistics import median

from bench.detection import BAD, EVERY, EVERY_S, START, _sample, _settled
from bench.report import line, percentile
from bot.core.detector import Track, next_look, observe
from bot.core.model import Outcome
from bot.core.rule import Rule

RUNS = 200
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


def ends(rate: float, rule: Rule, runs: int = RUNS) -> list[float]:
    """Seconds from the true end of half an hour of trouble to the judgement that it is over."""
    found: list[float] = []
    for seed in range(runs):
        run = Run(seed, rule)
        run.until(2 * HOUR_S, rate, bad=True)
        run.until(run.at + HOUR_S / 2, rate, bad=False)
        if run.track.judgement.condition in BAD:
            began = run.at
            found.append(run.until(began + 2 * HOUR_S, 0.0, bad=False) - began)
    return found


def main() -> bool:
    """Print what it comes to, and whether the claims hold."""
    rule, held = Rule(), True
    print(f"recovery: one check every {EVERY_S:.0f} s, {RUNS} runs each")
    for rate, most in ((0.4, 0.05), (0.2, 0.30)):
        wrong = lost(rate, rate, rule)
        held &= line(f"called over within an hour, at {rate:.0%} errors all along", wrong * 100, "%", most * 100)
    line("called over within an hour, an outage that goes on at 40 %", lost(1.0, 0.4, rule) * 100, "%")
    for rate in (1.0, 0.5, 0.4, 0.2):
        took = ends(rate, rule)
        line(f"a true end after {rate:.0%} errors, median", median(took), "s", 150 if rate == 1.0 else None)
        line(f"a true end after {rate:.0%} errors, p90", percentile(took, 0.9), "s")
    return held


if __name__ == "__main__":
    raise SystemExit(0 if main() else 1)
