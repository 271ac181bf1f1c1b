"""What a simulated day of five components and two controls costs: the whole bot in virtual time, an outage of hours in it.

It is one process that waits for nothing, so processor time tells. The claim is a ratio to plain rows that are written between
the days: a slow or busy machine makes both slower.
"""

import asyncio
import json
import logging
import time

import structlog

from bench.report import line, timed
from bot.sandbox.world import VirtualLoop
from bot.store.sqlite.engine import connect
from tests.simulation.stage import Stage

DAY_S = 86_400.0
RUNS = 3
ROWS = 20_000
MOST_ROWS = 850_000  # that a day may cost


async def _day(seed: int) -> int:
    stage = Stage(seed, 24.0)
    app = await stage.start()
    await stage.lives(DAY_S)
    incidents = len(app.engine.world.incidents)
    await app.stop()
    return incidents


def row_s() -> float:
    """Processor seconds of one row of JSON, written to a SQLite in memory."""
    conn = connect(":memory:")
    conn.execute("CREATE TABLE plain (id INTEGER PRIMARY KEY, what TEXT)")
    took: list[float] = []
    with timed(took, time.process_time):
        for number in range(ROWS):
            what = json.dumps({"number": number, "check": "api.http", "ok": True})
            conn.execute("INSERT INTO plain VALUES (?, ?)", (number, what))
    conn.close()
    return took[0] / ROWS


def main() -> bool:
    """Play the same day a few times; the fastest counts, the others had the machine's other work in them."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    print("day: a simulated day, five components and two controls, a check a minute each")
    took: list[float] = []
    rows, incidents = [], 0
    for _ in range(RUNS):
        rows.append(row_s())
        with timed(took, time.process_time), asyncio.Runner(loop_factory=VirtualLoop) as runner:
            incidents = runner.run(_day(1))
    line("incidents in it", incidents, "")
    line("processor time, least of three", min(took), "s")
    line("one plain row, least of three", min(rows) * 1e6, "µs")
    return line("a day costs as much as so many plain rows", min(took) / min(rows), "rows", MOST_ROWS)


if __name__ == "__main__":
    raise SystemExit(0 if main() else 1)
