"""Tracks stored by older versions, and damaged rows: a start remembers what it can, and starts again otherwise."""

import copy
import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from test_watch_memory import CHECKS, Look, Process, sample_of

from bot.core.codec import decode
from bot.core.detection.detector import NEW, Condition, Rule, Track, observe
from bot.core.model import Outcome, Sample
from bot.core.record.world import World
from bot.store.samples.sqlite import InlineSamples
from bot.system.clock import ManualClock
from bot.watch.stored_tracks import StoredTrack, TrackWriter

OLD = json.loads(
    (Path(__file__).parents[1] / "fixtures" / "tracks" / "before-judged-recovery.json").read_text(encoding="utf-8")
)
NOW = datetime.fromisoformat(OLD["now"]) + timedelta(seconds=20)
FAILING = "anthropic.api.models local"


async def started(rows: Mapping[str, Any]) -> Process:
    """A process that starts over a file with these rows."""
    process = Process(InlineSamples.open(), ManualClock(NOW))
    written = [(name, json.dumps(value)) for name, value in rows.items()]
    process.samples.conn.executemany("INSERT INTO remembered VALUES (?, ?)", written)
    await process.memory.recall(process.samples, World(), NOW)
    return process


def conditions(process: Process) -> dict[str, dict[str, Any]]:
    return {
        " ".join(key): {
            "condition": track.judgement.condition.value,
            "since": track.judgement.began_at.isoformat() if track.judgement.began_at else None,
            "looked_at": track.looked_at.isoformat() if track.looked_at else None,
        }
        for key, track in process.known().items()
    }


async def test_track_of_an_older_format_is_remembered() -> None:
    """An update in the middle of an outage ends none and begins none."""
    process = await started(OLD["remembered"])
    assert conditions(process) == {
        name: {key: value for key, value in was.items() if key != "reason"} for name, was in OLD["read"].items()
    }


async def test_outage_in_an_older_format_goes_on_and_ends_by_good_results() -> None:
    """As many as any outage takes; one is not enough."""
    process = await started(OLD["remembered"])

    def condition_after(looks: int) -> Condition:
        for _ in range(looks):
            process.clock.advance(timedelta(seconds=30))
            process.sees(sample_of(Look(30, 0, 0, Outcome.OK, 40, True, False, ""), process.clock), learn=True)
        return process.tracks.track(CHECKS[0].id, "local").judgement.condition

    assert Condition.FAILING == condition_after(1)
    assert Condition.WELL == condition_after(9)


def broken(looks: int) -> Track:
    """A check that failed so often, each time for another reason."""
    track = NEW
    for look in range(looks):
        at = NOW + timedelta(seconds=30 * look)
        track = observe(track, Sample("api.http", "api", at, Outcome.FAIL, "http_5xx", reason=f"HTTP 502, try {look}"), Rule())
    return track


def read(row: str) -> Track:
    return decode(StoredTrack, json.loads(row)).whole()


def test_failures_are_read_back_unchanged_beyond_the_limit_of_texts() -> None:
    """In a total outage every failure is stored, and failures come and go."""
    pen, others = TrackWriter(most_texts=12), []
    for looks in range(1, 30):
        track = broken(looks)
        others += [looks] if read(pen.row("api.http", "local", track)) != track else []

    assert [] == others


ODD: list[Any] = [[], {"a": []}, "abc", -1, True, "9999-12-31T23:59:59.999999+00:00"]


def mutations(value: Any) -> Iterator[Any]:
    """The value with an odd value at each place in it, or with that place removed."""
    yield from ODD
    if isinstance(value, dict):
        for key in value:
            for odd in mutations(value[key]):
                yield {**value, key: odd}
            yield {name: rest for name, rest in value.items() if name != key}
    elif isinstance(value, list) and value:
        for odd in mutations(value[0]):
            yield [odd, *value[1:]]


@pytest.mark.parametrize("name", ["anthropic.api.front local", FAILING, "upto"])
async def test_damaged_row_stops_no_start(name: str) -> None:
    """The check goes on from there or starts again, and its next result counts."""
    for odd in mutations(copy.deepcopy(OLD["remembered"][name])):
        process = await started({**OLD["remembered"], name: odd})
        process.clock.advance(timedelta(seconds=30))
        for check in range(len(CHECKS)):
            process.sees(sample_of(Look(30, check, 0, Outcome.OK, 40, True, False, ""), process.clock), learn=True)
        await process.writes(everything=True)

        assert {process.clock.now()} == {process.tracks.track(check.id, "local").looked_at for check in CHECKS}, odd
