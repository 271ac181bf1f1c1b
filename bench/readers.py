"""What remembering readers costs: memory and time of reads while strangers invent targeting keys for every flag."""

import os
from pathlib import Path

from bench.report import line, percentile, timed
from bot.core.policy import FlagPolicy, IncidentPolicy, Policy
from bot.core.record.world import World
from bot.flags.board import FlagBoard
from bot.flags.evaluate import snapshot
from bot.system.clock import SystemClock

FLAGS, KEYS = 200, 12_000


def main() -> bool:
    """Read every flag once under every key."""
    print(f"readers: {KEYS:,} targeting keys, each reading {FLAGS} flags")
    flags = {f"flag-{n}": FlagPolicy(key=f"flag-{n}", variants={"a": 1}, default="a") for n in range(FLAGS)}
    board = FlagBoard(SystemClock())
    board.swap(snapshot(World(), Policy({}, flags, IncidentPolicy({})), 1))
    before, took = _resident_mb(), list[float]()
    for number in range(KEYS):
        context = {"targetingKey": f"user-{number:08}-of-a-shop"}
        with timed(took):
            for key in flags:
                board.evaluate(key, context)
    holds = line("resident memory that they take", _resident_mb() - before, "MB", 20)
    line("all flags once, p50", percentile(took, 0.5) * 1e3, "ms")
    return line("all flags once, p99", percentile(took, 0.99) * 1e3, "ms", 20) and holds


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
