"""From the first moment of an outage to its incident, as the whole watch finds it: `python -m bench outage`.

The real watch, detector, verdict and ledger, checks every 30 s of one component, time moved by hand a second a step. What each
look finds is thrown anew with the outage's share of errors. False alarms are counted over the same tracks in health, in which
each look fails with 1 % by itself.
"""

import asyncio
import random
from datetime import timedelta
from statistics import median

from bench.report import line, percentile
from bot.clock import ManualClock
from bot.core.rule import Rule
from bot.core.verdict import VerdictRule
from bot.sandbox.world import EPOCH
from bot.watch.kin import Kin
from bot.watch.tracks import Tracks
from tests.engine.stand import BROKEN, WELL, Check, Stand, sample

INCIDENTS = 100
DAYS = 200  # of health
LEAD_S, GIVE_UP_S = 60, 900
NOISE, EVERY_S, CALM_S = 0.01, 30.0, 300.0
RATES = (1.0, 0.5, 0.2)
MEDIANS_S = {1: (30, 62, 215), 2: (30, 50, 150), 3: (30, 50, 150)}  # claimed at each rate; a hundred outages tell no closer
FALSE_ALARMS = 0.02  # a day


async def found_after_s(checks: int, rate: float, seed: int) -> float:
    """Seconds until an incident is open; the time of giving up where none is."""
    dice = random.Random(seed)
    stand = await Stand([Check(f"vendor-{seed}.api.check-{n}") for n in range(checks)]).opened()
    await stand.passes(LEAD_S + dice.randrange(30))
    for second in range(GIVE_UP_S):
        for check in stand.checks:
            stand.script.answers[check.id] = BROKEN if dice.random() < rate else WELL
        await stand.passes(1)
        if stand.engine.world.incidents:
            return second + 1
    return GIVE_UP_S


def false_alarms(checks: int, days: int, seed: int = 1) -> int:
    """How often noise alone makes the component down. The calm between two doubts is leapt over."""
    dice, clock, rule = random.Random(seed), ManualClock(EPOCH), Rule()
    plan = [Check(f"vendor.api.check-{n}") for n in range(checks)]
    tracks = Tracks(plan, {check.id: check.every for check in plan}, rule, {}, {}, "local")
    kin, found = Kin(plan, {}, clock), 0
    for check in plan:
        tracks.observe(sample(check.id, WELL, clock.now()), learn=True, now=clock.now())
    while clock.monotonic() < days * 86_400:
        clock.advance(timedelta(seconds=EVERY_S / checks * (1 + int(dice.expovariate(NOISE)))))
        found += _doubt(tracks, kin, clock, dice)
    return found


def _doubt(tracks: Tracks, kin: Kin, clock: ManualClock, dice: random.Random) -> bool:
    """One failed look, and all looks until nobody doubts; whether two thirds of the checks came to fail."""
    ids = list(tracks.checks)
    first = dice.choice(ids)
    due = {id: EVERY_S * n / len(ids) for n, id in enumerate([first, *(id for id in ids if id != first)])}
    at, calm_since, found, fails = 0.0, 0.0, False, True
    while at - calm_since < CALM_S:
        id = min(due, key=lambda one: due[one])
        clock.advance(timedelta(seconds=due[id] - at))
        at = due[id]
        answer = BROKEN if fails or dice.random() < NOISE else WELL
        turn, fails = tracks.observe(sample(id, answer, clock.now()), learn=True, now=clock.now()), False
        found |= sum(map(tracks.stands, ids)) >= VerdictRule().down_share * len(ids)
        due[id] = at + tracks.next_look(id, clock.now()).total_seconds()
        if turn.suspects and not turn.suspected:
            due.update(dict.fromkeys(kin.called(id), at))
        if not turn.calm:
            calm_since = at
    return found


def main() -> bool:
    """Print medians, p90 and false alarms for one, two and three checks."""
    print(f"outage: {INCIDENTS} outages each, checks every 30 s, to the incident in the ledger; {DAYS} days of health")
    held = True
    for checks, limits in MEDIANS_S.items():
        named = f"{checks} check{'s' * (checks > 1)}"
        for rate, limit in zip(RATES, limits, strict=True):
            took = [asyncio.run(found_after_s(checks, rate, seed)) for seed in range(INCIDENTS)]
            held &= line(f"{named} at {rate:.0%} errors, median", median(took), "s", limit)
            line(f"{named} at {rate:.0%} errors, p90", percentile(took, 0.9), "s")
        held &= line(f"{named} in health, down by noise", false_alarms(checks, DAYS) / DAYS, "a day", FALSE_ALARMS)
    return held


if __name__ == "__main__":
    raise SystemExit(0 if main() else 1)
