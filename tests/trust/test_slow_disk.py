"""The database's disk is slow, or so slow that statements are ended: no law is broken, and everything else goes on."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from bot.sandbox.postgres import MISSING, programs
from tests.trust.slow_disk import SlowDisk
from tests.trust.storms import COMPONENTS, Plan, Storm, a_cluster, judged, note_failures

pytestmark = pytest.mark.skipif(programs() is None, reason=MISSING)

SLOW_S = 1.0
ENDED_AFTER_S = 2.0  # instead of the ten seconds that a statement of ours may take
LATE = timedelta(seconds=20)  # between a decision and its commit
READ_S = 1.0  # of a machine that is busy with three replicas' starts
PATIENCE_S = 50.0  # a few statements may run into their end one after the other


@asynccontextmanager
async def over_a_slow_disk(folder: Path, replicas: int) -> AsyncIterator[tuple[Storm, SlowDisk]]:
    """Replicas that run, with people, readers and a failing vendor around them, and the disk of their database."""
    async with a_cluster(folder, Plan(replicas=replicas, postgres=True), random.Random(1)) as cluster:
        storm = Storm(cluster, random.Random(1))
        storm.seen.served_within = LATE
        note_failures(cluster, storm)
        await asyncio.gather(*map(cluster.up, cluster.replicas))
        disk = SlowDisk(address(storm))
        async with asyncio.timeout(20):
            while cluster.vendor.asked < 4 * len(COMPONENTS):  # all have begun to look
                await asyncio.sleep(0.1)
        storm.begin(people_only=True)
        try:
            yield storm, disk
        finally:
            await storm.end()


def address(storm: Storm) -> str:
    return storm.cluster.database.url(storm.cluster.database.port)


def longest_read_s(storm: Storm) -> float:
    return max((read.received_at - read.sent_at).total_seconds() for read in storm.seen.reads)


def results(storm: Storm) -> int:
    """How many check results are in the database."""
    with psycopg.connect(address(storm)) as conn:
        [(count,)] = conn.execute("SELECT count(*) FROM understudy.samples").fetchall()
    return int(count)


def rooms(storm: Storm) -> list[str]:
    """Channels of incidents."""
    workspace = storm.cluster.workspace
    return [one.name for one in workspace.channels() if one.creator == workspace.bot_user_id]


async def test_three_replicas_go_on_over_a_slow_disk(tmp_path: Path) -> None:
    """Each commit takes a second, and they take turns: none counts as dead, an incident opens, and no reader waits."""
    async with over_a_slow_disk(tmp_path, 3) as (storm, disk):
        disk.takes(SLOW_S)
        storm.cluster.vendor.answers["anthropic.api"] = 502
        asked, kept = storm.cluster.vendor.asked, results(storm)
        async with asyncio.timeout(60):
            while not rooms(storm):
                await asyncio.sleep(0.2)
        looks, written = storm.cluster.vendor.asked - asked, results(storm) - kept
        logs = [(replica.folder / "bot.log").read_text(encoding="utf-8") for replica in storm.cluster.replicas]
        disk.takes(0)
        await storm.end()

        assert {} == {law: sentences for law, sentences in (await judged(storm)).items() if sentences}
    # A process that had no turn for two seconds between two statements stood still by itself: no disk is waited for there.
    by_itself = "this process stood still in the middle of a transaction"
    assert [] == [log for log in logs if "paused or cut off for too long" in log and by_itself not in log]
    assert (True, True, 1) == (looks > 10, written > 10, len(rooms(storm)))
    assert longest_read_s(storm) < READ_S


async def test_statements_that_time_out_are_told_once_and_made_up_for(tmp_path: Path) -> None:
    """Nothing can be committed: flags and checks go on, one replica says so in Slack, and the incident opens afterwards."""
    async with over_a_slow_disk(tmp_path, 2) as (storm, disk):
        disk.ends_after(ENDED_AFTER_S)
        storm.cluster.vendor.answers["anthropic.api"] = 502
        asked = storm.cluster.vendor.asked
        ana = storm.cluster.workspace.person("ana")
        await ana.waits_for("cannot reach its database", channel="ops", within=PATIENCE_S)
        looks = storm.cluster.vendor.asked - asked
        disk.takes(0)
        await ana.waits_for("The database can be written again", channel="ops", within=PATIENCE_S)
        await storm.end()

        assert {} == {law: sentences for law, sentences in (await judged(storm)).items() if sentences}
    told = [one.text for one in storm.cluster.workspace.messages("ops") if "replica could write" in one.text]
    again = [one.text for one in storm.cluster.workspace.messages("ops") if "written again" in one.text]
    assert (["⚪ For a while not every replica could write"], ["🟢 The database can be written again"]) == (told, again)
    assert looks > 10
    assert longest_read_s(storm) < READ_S
