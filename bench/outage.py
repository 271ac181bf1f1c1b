"""From the first moment of an outage to its incident, as the whole watch finds it: `python -m bench outage`.

The real watch, detector, verdict and ledger, checks every 30 s of one component, time moved by hand. What each
run finds is thrown anew with the outage's share of errors; when outages begin in the interval, and how many good runs come
before the first failed one, is spread evenly over them, so that few tell as much as many. False alarms are counted over the
same tracks in health, in which each run fails with 1 % by itself. Failed runs are server errors unless a row says otherwise.
"""

import asyncio
import math
import random
from datetime import timedelta
from statistics import median

from bench.report import line, percentile
from bot.core.detection.settings import Rule
from bot.core.detection.verdict import VerdictRule
from bot.core.model import Fault, Outcome
from bot.sandbox.world import EPOCH
from bot.system.clock import ManualClock
from bot.watch.check_states import Tracks
from bot.watch.related_checks import RelatedChecks
from tests.engine.stand import BROKEN, WELL, Answer, Check, Stand, sample

OUTAGES = 500
DAYS = 500  # of health
HICCUPS = 1_000
WATCHED_S = 300  # how long a hiccup is watched
PARTS = 500  # hours of one check that is dead beside a well one
GIVE_UP_S, STEP_S = 900, 0.5
GOLDEN = 0.618034  # its multiples lie evenly between whole numbers
NOISE, EVERY_S, NEEDED_S = 0.01, 30.0, 15.0
RATES = (1.0, 0.5, 0.2)
RESET = Answer(Outcome.FAIL, "reset", Fault.THEIRS)  # our own way out can cause it as well
REFUSED = Answer(Outcome.FAIL, "connect_refused", Fault.THEIRS)
Limits = tuple[float | None, ...]  # median, p90 and the longest
CLAIMED_S: dict[int, tuple[Limits, ...]] = {
    1: ((22, None, 38), (55, 120, None), (170, None, None)),
    2: ((22, None, 38), (44, 90, None), (130, None, None)),
    3: ((22, None, 38), (44, 90, None), (130, None, None)),
}
CLAIMED_DOUBTFUL_S: Limits = (27, None, 42)
FALSE_ALARMS = 0.02  # a day
CALLED_DOWN = 6  # percent of hiccups
HICCUPS_S: tuple[tuple[str, Answer, int, float | None], ...] = (
    ("of our own line", RESET, 9, CALLED_DOWN), ("of server errors", BROKEN, 3, CALLED_DOWN),
    ("of server errors", BROKEN, 5, CALLED_DOWN), ("of server errors", BROKEN, 9, None),
)  # fmt: skip


def all_found_after_s(
    checks: int, rate: float, outages: int = OUTAGES, *, failure: Answer = BROKEN, controls: int = 0
) -> list[float]:
    """How long each outage takes to be found, in which looks fail like this and so many controls answer."""
    order = random.Random(checks).sample(range(outages), outages)
    return [asyncio.run(found_after_s(checks, rate, n, (order[n] + 0.5) / outages, failure, controls)) for n in range(outages)]


async def found_after_s(checks: int, rate: float, number: int, luck: float, failure: Answer, controls: int) -> float:
    """Seconds until an incident is open; the time of giving up where none is. `luck` tells how many good looks come first."""
    dice = random.Random(f"{checks} {rate} {number}")
    good = int(math.log(luck) / math.log(1 - rate)) if rate < 1 else 0
    group = [Check(f"control.way.way-{n}") for n in range(controls)]
    stand = await Stand([Check(f"vendor.api.check-{n}") for n in range(checks)], controls=group).opened()
    await stand.passes(int(number * GOLDEN % 1 * EVERY_S))
    before = len(stand.script.began)
    for step in range(1, round(GIVE_UP_S / STEP_S) + 1):
        looks = len(stand.script.began) - before
        for check in stand.checks:
            fails = dice.random() < rate if looks > good else looks == good
            stand.script.answers[check.id] = failure if fails else WELL
        await stand.passes(STEP_S, step=STEP_S)
        if stand.engine.world.incidents:
            return step * STEP_S
    return GIVE_UP_S


class Health:
    """The tracks of one component in which looks fail by noise alone. The calm between two doubts is leapt over."""

    def __init__(self, checks: int, every_s: float = EVERY_S, seed: int = 1, failure: Answer = BROKEN) -> None:
        self.dice, self.clock, self.every_s, self.failure = random.Random(seed), ManualClock(EPOCH), every_s, failure
        plan = [Check(f"vendor.api.check-{n}", timedelta(seconds=every_s)) for n in range(checks)]
        self.tracks = Tracks(plan, {check.id: check.every for check in plan}, Rule(), {}, {}, "local")
        self.related, self.ids = RelatedChecks(plan, {}, self.clock), [check.id for check in plan]
        for id in self.ids:
            self.look(id, fails=False)

    def look(self, id: str, *, fails: bool) -> bool:
        """Take one look; whether it began a doubt."""
        now = self.clock.now()
        turn = self.tracks.observe(sample(id, self.failure if fails else WELL, now), learn=True, now=now)
        return turn.suspects and not turn.suspected

    def failing(self) -> float:
        """Share of the checks that fail."""
        return sum(map(self.tracks.stands, self.ids)) / len(self.ids)

    def doubt(self) -> float:
        """One failed look, and all looks until nobody remembers any; the largest share of checks that came to fail."""
        first = self.dice.choice(self.ids)
        due = {id: self.every_s * n / len(self.ids) for n, id in enumerate([first, *(id for id in self.ids if id != first)])}
        at, worst, fails = 0.0, 0.0, True
        while fails or not all(self.tracks.track(id, "local").failing.at_rest for id in self.ids):
            id = min(due, key=lambda one: due[one])
            self.clock.advance(timedelta(seconds=due[id] - at))
            at = due[id]
            doubts, fails = self.look(id, fails=fails or self.dice.random() < NOISE), False
            worst = max(worst, self.failing())
            due[id] = at + self.tracks.next_look(id, self.clock.now()).total_seconds()
            if doubts:
                due.update(dict.fromkeys(self.related.start_alarm(id), at))
        return worst

    def hiccup_is_outage(self, lasts_s: float) -> bool:
        """A hiccup in which every look fails, and the noise after it: whether they make the component down."""
        begins, at, worst = self.every_s, 0.0, 0.0
        due = {id: self.every_s * (self.dice.random() + n) / len(self.ids) for n, id in enumerate(self.ids)}
        while at < WATCHED_S:
            id = min(due, key=lambda one: due[one])
            self.clock.advance(timedelta(seconds=due[id] - at))
            at = due[id]
            doubts = self.look(id, fails=begins <= at < begins + lasts_s or self.dice.random() < NOISE)
            worst = max(worst, self.failing())
            due[id] = at + self.tracks.next_look(id, self.clock.now()).total_seconds()
            if doubts:
                due.update(dict.fromkeys(self.related.start_alarm(id), at))
        return worst >= VerdictRule().down_share

    def part_is_whole(self) -> bool:
        """An hour in which the first check is dead: whether noise makes the component down."""
        end, due = self.clock.monotonic() + 3_600, {id: self.every_s * n / len(self.ids) for n, id in enumerate(self.ids)}
        at = 0.0
        while self.clock.monotonic() < end:
            id = min(due, key=lambda one: due[one])
            self.clock.advance(timedelta(seconds=due[id] - at))
            at, now = due[id], self.clock.now()
            self.look(id, fails=id == self.ids[0] or self.dice.random() < NOISE)
            if self.failing() >= VerdictRule().down_share:
                return True
            wait = self.tracks.next_look(id, now).total_seconds()
            asked = self.tracks.newly_fails(self.ids[0], now) and self.tracks.may_hurry(id, now)
            due[id] = at + (min(wait, self.tracks.recheck_s(id)) if asked else wait)
        return False


def false_alarms(checks: int, every_s: float, days: int, failure: Answer) -> tuple[float, float]:
    """How often a day noise alone makes the component down, and how often it makes anything that is told."""
    health, rule, down, told = Health(checks, every_s, failure=failure), VerdictRule(), 0, 0
    while health.clock.monotonic() < days * 86_400:
        health.clock.advance(timedelta(seconds=every_s / checks * (1 + int(health.dice.expovariate(NOISE)))))
        share = health.doubt()
        down += share >= rule.down_share
        told += share >= rule.degraded_share
    return down / days, told / days


def told(what: str, took: list[float], claimed: Limits) -> bool:
    """Print how long outages took to be found, and whether the claims hold."""
    found = {"median": median(took), "p90": percentile(took, 0.9), "longest": max(took)}
    if claimed[-1] is None:
        found.pop("longest")  # of outages in part it is luck alone
    held = [line(f"{what}, {name}", s, "s", most) for (name, s), most in zip(found.items(), claimed, strict=False)]
    return all(held)


def _named(checks: int) -> str:
    return f"{checks} check{'s' * (checks > 1)}"


def _outages() -> bool:
    held = [
        told(f"{_named(checks)} at {rate:.0%} errors", all_found_after_s(checks, rate), limits)
        for checks, claimed in CLAIMED_S.items()
        for rate, limits in zip(RATES, claimed, strict=True)
    ]
    refused = all_found_after_s(1, 1.0, failure=REFUSED, controls=2)
    held.append(told("1 check refused, while the controls answer", refused, CLAIMED_S[1][0]))
    for what, failure in (("refused, without controls", REFUSED), ("that is reset", RESET)):
        held.append(told(f"1 check {what}", all_found_after_s(1, 1.0, failure=failure), CLAIMED_DOUBTFUL_S))
    return all(held)


def _health() -> bool:
    held = True
    for failure, kind in ((BROKEN, "server errors"), (RESET, "resets")):
        for checks, every_s in ((1, EVERY_S), (2, EVERY_S), (3, EVERY_S), (2, NEEDED_S)):
            down, any_ = false_alarms(checks, every_s, DAYS, failure)
            named = f"{_named(checks)} every {every_s:.0f} s, noise of {kind}"
            held &= line(f"{named}, down", down, "a day", FALSE_ALARMS)
            held &= line(f"{named}, or degraded", any_, "a day", FALSE_ALARMS)
    return held


def _hiccups() -> bool:
    held = True
    for checks in CLAIMED_S:
        for kind, failure, lasts_s, most in HICCUPS_S:
            wrong = sum(Health(checks, seed=n, failure=failure).hiccup_is_outage(lasts_s) for n in range(HICCUPS)) / HICCUPS
            held &= line(f"{_named(checks)}, {lasts_s} s {kind} called down", wrong * 100, "%", most)
    return held


def main() -> bool:
    """Print medians, p90 and false alarms for one, two and three checks, and whether the claims hold."""
    print(f"outage: {OUTAGES} outages each, checks every 30 s, to the incident in the ledger; {DAYS} days of health")
    held = all([_outages(), _health(), _hiccups()])
    wrong = sum(Health(2, seed=n).part_is_whole() for n in range(PARTS)) / PARTS
    return line("one of two checks dead for an hour, called down", wrong * 100, "%", 1) and held


if __name__ == "__main__":
    raise SystemExit(0 if main() else 1)
