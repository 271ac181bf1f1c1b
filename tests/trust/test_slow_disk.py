"""The database's disk is slow, or so slow that statements time out: no law is broken, and everything else goes on."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest

from bot.sandbox.postgres import MISSING, programs
from tests.trust.slow_disk import SlowDisk
from tests.trust.storms import COMPONENTS, Plan, Storm, judge, make_cluster, record_failures

pytestmark = pytest.mark.skipif(programs() is None, reason=MISSING)

SLOW_S = 1.0
TIMEOUT_S = 2.0  # instead of the ten seconds that our statements may take
READ_S = 1.0  # the longest read, on a machine that is starting three replicas
PATIENCE_S = 50.0  # a few statements may time out one after the other


@asynccontextmanager
async def over_a_slow_disk(folder: Path, replicas: int) -> AsyncIterator[tuple[Storm, SlowDisk]]:
    """Running replicas with people, readers and a vendor around them, and the disk of their database."""
    async with make_cluster(folder, Plan(replicas=replicas, postgres=True), random.Random(1)) as cluster:
        storm = Storm(cluster, random.Random(1))
        record_failures(cluster, storm)
        await asyncio.gather(*map(cluster.ensure_up, cluster.replicas))
        disk = SlowDisk(address(storm))
        async with asyncio.timeout(20):
            while cluster.vendor.asked < 4 * len(COMPONENTS):  # all have begun to check
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


def count_results(storm: Storm) -> int:
    """How many check results are in the database."""
    with psycopg.connect(address(storm)) as conn:
        [(count,)] = conn.execute("SELECT count(*) FROM understudy.samples").fetchall()
    return int(count)


def incident_channels(storm: Storm) -> list[str]:
    """Names of the channels that the bot created."""
    workspace = storm.cluster.workspace
    return [one.name for one in workspace.channels() if one.creator == workspace.bot_user_id]


async def test_three_replicas_keep_working_over_a_slow_disk(tmp_path: Path) -> None:
    """Each commit takes a second: no replica counts as dead, an incident opens, and no reader waits."""
    async with over_a_slow_disk(tmp_path, 3) as (storm, disk):
        disk.slow_commits(SLOW_S)
        storm.cluster.vendor.answers["anthropic.api"] = 502
        asked, stored = storm.cluster.vendor.asked, count_results(storm)
        async with asyncio.timeout(60):
            while not incident_channels(storm):
                await asyncio.sleep(0.2)
        checks, written = storm.cluster.vendor.asked - asked, count_results(storm) - stored
        logs = [(replica.folder / "bot.log").read_text(encoding="utf-8") for replica in storm.cluster.replicas]
        disk.slow_commits(0)
        await storm.end()

        assert {} == {law: sentences for law, sentences in (await judge(storm)).items() if sentences}
    # A process that got no CPU for two seconds between two statements was not waiting for the disk.
    starved = "this process stood still in the middle of a transaction"
    assert [] == [log for log in logs if "paused or cut off for too long" in log and starved not in log]
    assert (True, True, 1) == (checks > 10, written > 10, len(incident_channels(storm)))
    assert longest_read_s(storm) < READ_S


async def test_statement_timeouts_are_reported_once_and_the_incident_opens_afterwards(tmp_path: Path) -> None:
    """While nothing can be committed, flags and checks go on, and one replica says so in Slack."""
    async with over_a_slow_disk(tmp_path, 2) as (storm, disk):
        disk.time_out_commits(TIMEOUT_S)
        storm.cluster.vendor.answers["anthropic.api"] = 502
        asked = storm.cluster.vendor.asked
        ana = storm.cluster.workspace.person("ana")
        await ana.waits_for("cannot reach its database", channel="ops", within=PATIENCE_S)
        checks = storm.cluster.vendor.asked - asked
        disk.slow_commits(0)
        await ana.waits_for("The database can be written again", channel="ops", within=PATIENCE_S)
        await storm.end()

        assert {} == {law: sentences for law, sentences in (await judge(storm)).items() if sentences}
    reported = [one.text for one in storm.cluster.workspace.messages("ops") if "replica could write" in one.text]
    recovered = [one.text for one in storm.cluster.workspace.messages("ops") if "written again" in one.text]
    assert (["⚪ For a while not every replica could write"], ["🟢 The database can be written again"]) == (reported, recovered)
    assert checks > 10
    assert longest_read_s(storm) < READ_S
