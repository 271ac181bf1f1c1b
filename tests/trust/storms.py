"""Inflicts a thousand faults on one or more replicas, and then checks the result against the laws in `tests/trust/laws.py`.

    python -m tests.trust.storms [--store sqlite|postgresql] [--replicas 3] [--faults 1000] [--minutes M] [--seed N]

Each replica is a real process over a real ledger. It is killed by kill -9, also during its start, paused for longer than its
lease, cut off from the database, and its clock steps; the database is restarted. Meanwhile a vendor fails and recovers, a
person writes notes and updates in Slack and over HTTP, and a service keeps reading a flag from each replica. Exits with 1 if a
law was broken.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot.core.record.fact import Fact
from bot.core.record.incident_facts import Declared, UpdateWritten
from bot.ports import OutboxRow
from bot.sandbox.slack import LocalWorkspace
from bot.sandbox.slack.errors import NotThere, SlackbotSays
from tests.house import FLAG, LOOSE
from tests.process.rig import surroundings
from tests.trust.cluster import Cluster, Replica, settings_of
from tests.trust.database import Database, Files, Server
from tests.trust.laws import Read, Witness, breaches
from tests.trust.wire import Wire

FAULTS = 1000
DATABASE_RUNS_S = (20.0, 60.0)  # between two restarts of the database
VENDOR_WELL_S, VENDOR_BAD_S = (6.0, 25.0), (2.0, 8.0)
SETTLES_WITHIN_S = 120.0
LATE_S = 15.0  # the latest that a paused replica answers
COMPONENTS = ("anthropic.api", "anthropic.web", "openai.api")
CHANGES = {"incidents": {"resolve": "auto", "resolve_after": "4s", "update_every": {"SEV2": "5s"}}}  # an incident in seconds


@dataclass(frozen=True)
class Plan:
    """How many faults or minutes, whichever ends first, and over what."""

    faults: int = FAULTS
    minutes: float = 24 * 60.0
    replicas: int = 1
    postgres: bool = False


class Storm:
    """Everything around the replicas: vendor, database, people and readers."""

    def __init__(self, cluster: Cluster, dice: random.Random) -> None:
        self.cluster = cluster
        self.dice = dice
        self.seen = Witness(FLAG, "claude")
        self._texts = 0
        self._late_until = 0.0
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self, *, people_only: bool = False) -> None:
        """Begin; `people_only` = the caller controls vendor and database."""
        activities: list[Callable[[], Awaitable[None]]] = [self._over_http, self._in_slack]
        activities += [] if people_only else [self._vendor, self._database]
        activities += [lambda replica=replica: self._reader(replica) for replica in self.cluster.replicas]  # type: ignore[misc] # bound early
        self._tasks = [asyncio.create_task(_repeat(activity)) for activity in activities]

    async def end(self) -> None:
        """Stop all of it; the vendor recovers."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.cluster.vendor.answers.clear()

    async def _vendor(self) -> None:
        """One or two components fail for a while; then all is well for a while."""
        self.cluster.vendor.answers.clear()
        await asyncio.sleep(self.dice.uniform(*VENDOR_WELL_S))
        failing = self.dice.sample(COMPONENTS, self.dice.choice((1, 1, 2)))
        self.cluster.vendor.answers.update(dict.fromkeys(failing, 502))
        await asyncio.sleep(self.dice.uniform(*VENDOR_BAD_S))

    async def _reader(self, replica: Replica) -> None:
        await self.read(replica)
        await asyncio.sleep(0.05)

    async def read(self, replica: Replica) -> None:
        """Read the flag from this replica once."""
        sent_at = datetime.now(UTC)
        answer = await replica.ask("POST", f"/ofrep/v1/evaluate/flags/{FLAG}", {"context": {}})
        if isinstance(answer, dict) and "variant" in answer:
            metadata = answer["metadata"]
            stale_since = datetime.fromisoformat(metadata["asOf"]) if metadata.get("state") == "STALE" else None
            read = Read(sent_at, datetime.now(UTC), answer["variant"], replica.name, metadata["revision"], stale_since)
            self.seen.reads.append(read)

    async def _database(self) -> None:
        await asyncio.sleep(self.dice.uniform(*DATABASE_RUNS_S))
        self.cluster.note("the database is killed")
        await self.cluster.database.restart()
        self.cluster.note("the database runs again")

    async def _over_http(self) -> None:
        """Write a note or an update; it counts as acknowledged only if the answer confirms it."""
        open_now = await self.cluster.ask("GET", "/api/v1/incidents?state=open")
        for incident in (open_now or {}).get("incidents", [])[:1]:
            text, verb = self._new_text(), self.dice.choice(("note", "note", "update"))
            answer = await self.cluster.ask("POST", f"/api/v1/incidents/{incident['number']}/{verb}", {"text": text})
            if isinstance(answer, dict) and answer.get("ok") is True:
                self.seen.acknowledged.append(text)
        await asyncio.sleep(self.dice.uniform(0.1, 0.6))

    async def _in_slack(self) -> None:
        """Write one note at a time, so that its answer is recognised: none counts while an earlier answer may still come."""
        await asyncio.sleep(self.dice.uniform(0.3, 1.0))
        ana, team, text = self.cluster.workspace.person("ana"), self.cluster.workspace.team, self._new_text()
        before = len(team.ephemerals)
        try:
            await ana.types(f"/incident note INC-{self.dice.randint(1, 3)} {text}")
        except (SlackbotSays, NotThere):
            self._late_until = time.monotonic() + LATE_S  # no replica was connected, or it died, or is paused
            return
        for _ in range(40):
            await asyncio.sleep(0.05)
            answers = [m.text for m in team.ephemerals[before:]]
            if any(answer.startswith("Noted in the timeline") for answer in answers):
                if time.monotonic() > self._late_until:
                    self.seen.acknowledged.append(text)
                return
            if answers:
                return
        self._late_until = time.monotonic() + LATE_S

    def _new_text(self) -> str:
        self._texts += 1
        return f"text {self._texts}"


async def _repeat(activity: Callable[[], Awaitable[None]]) -> None:
    while True:
        await activity()


async def run(plan: Plan, seed: int, folder: Path) -> dict[str, list[str]]:
    """Run the storm, let everything settle, and check the laws."""
    until = time.monotonic() + plan.minutes * 60
    dice = random.Random(seed)  # so that a storm can be repeated
    async with make_cluster(folder, plan, dice) as cluster:
        storm = Storm(cluster, dice)
        record_failures(cluster, storm)
        storm.begin()

        async def plague(replica: Replica) -> None:
            await cluster.ensure_up(replica)
            while cluster.faults < plan.faults and time.monotonic() < until and not cluster.failed_starts:
                await cluster.inflict(replica)
                if cluster.faults % 50 == 0:
                    seen = storm.seen
                    say(f"{cluster.faults} faults, {len(seen.reads)} reads, {len(seen.acknowledged)} acknowledged")

        await asyncio.gather(*map(plague, cluster.replicas))
        await storm.end()
        await asyncio.gather(*map(cluster.ensure_up, cluster.replicas))
        return await judge(storm)


async def judge(storm: Storm) -> dict[str, list[str]]:
    """Every law with its breaches, once everything has settled."""
    cluster, seen = storm.cluster, storm.seen
    facts, rows = await wait_until_settled(storm)
    record_slack(cluster.workspace, seen)
    seen.failed_starts, seen.clock_steps = cluster.failed_starts, cluster.clock_steps
    seen.flaws, seen.commits = await cluster.database.flaws(), await cluster.database.commits()
    say_summary(cluster, seen, facts, rows)
    found = breaches(seen, facts, rows)
    if any(found.values()):
        say_course(cluster, seen, facts)
    return found


def record_failures(cluster: Cluster, storm: Storm) -> None:
    """Record each bad answer of the vendor."""
    cluster.vendor.on_answer = lambda component, status: (
        status >= 500 and storm.seen.failures.append((datetime.now(UTC), component.partition(".")[0]))
    )


@asynccontextmanager
async def make_cluster(folder: Path, plan: Plan, dice: random.Random) -> AsyncIterator[Cluster]:
    """Replicas that have not started yet, each with a folder of its own and a wire to the database."""
    async with AsyncExitStack() as stack:
        workspace, vendor = await stack.enter_async_context(surroundings(LOOSE))
        files = Files(folder / "replica-1" / "data")
        database: Database = await stack.enter_async_context(Server()) if plan.postgres else files
        replicas = []
        for number in range(1, plan.replicas + 1):
            own = folder / f"replica-{number}"
            own.mkdir(parents=True, exist_ok=True)
            wire = await stack.enter_async_context(Wire("127.0.0.1", database.port)) if database.port else None
            settings = settings_of(workspace, vendor, CHANGES, database.url(wire.port) if wire else "")
            replicas.append(Replica(own, own.name, settings, wire))
        cluster = Cluster(workspace, vendor, replicas, database, dice)
        try:
            yield cluster
        finally:
            for replica in replicas:
                replica.kill()
                await replica.gone()


async def wait_until_settled(storm: Storm) -> tuple[list[Fact], list[OutboxRow]]:
    """Facts and outbox rows once nothing waits any more, or after `SETTLES_WITHIN_S`."""
    until = time.monotonic() + SETTLES_WITHIN_S
    while True:
        for replica in storm.cluster.replicas:
            await storm.read(replica)
        facts, rows = await storm.cluster.ledger()
        waiting = [row for row in rows if row.state in ("pending", "sending", "ambiguous")]
        newest = {read.replica: read for read in storm.seen.reads}.values()
        if (facts and not waiting and all(read.stale_since is None for read in newest)) or time.monotonic() > until:
            return facts, rows
        await asyncio.sleep(0.5)


def record_slack(workspace: LocalWorkspace, seen: Witness) -> None:
    """Record what is in Slack at the end."""
    seen.channels = {c.id for c in workspace.channels() if c.creator == workspace.bot_user_id}
    everything = [m for channel in workspace.team.channels.values() for m in channel.messages]
    seen.posts = Counter(m.metadata["event_payload"]["key"] for m in everything if m.metadata)


def say_summary(cluster: Cluster, seen: Witness, facts: Sequence[Fact], rows: Sequence[OutboxRow]) -> None:
    """Print how much happened."""
    states = Counter(row.state for row in rows)
    kinds: Counter[str] = Counter(fact.kind for fact in facts)
    stale = sum(read.stale_since is not None for read in seen.reads)
    say(", ".join(f"{count} {kind}" for kind, count in cluster.counts.items() if count) + f": {cluster.faults} faults")
    say(f"{len(facts)} facts, {kinds[Declared.KIND]} incidents, {kinds[UpdateWritten.KIND]} updates")
    say(
        f"{len(seen.acknowledged)} texts acknowledged; in Slack {sum(seen.posts.values())} posts, {len(seen.channels)} channels"
    )
    say(f"{len(seen.reads)} flag reads, {stale} of them marked STALE; {len(seen.failures)} bad answers of the vendor")
    say(f"outbox {dict(states)}; {cluster.database.restarts} restarts of the database")


def say_course(cluster: Cluster, seen: Witness, facts: Sequence[Fact]) -> None:
    """Print in order of time: faults, decisions on the flag, and each change of what a replica served."""
    course = list(cluster.diary)
    for fact in facts:
        if fact.stream == f"flag/{seen.flag}":
            course.append(f"{fact.at:%H:%M:%S.%f} decided: {fact.kind} {fact.seq}")
            if committed := seen.commits.get((fact.stream, fact.seq)):
                course.append(f"{committed:%H:%M:%S.%f} committed: {fact.kind} {fact.seq}")
    served: dict[str, tuple[str, int, bool]] = {}
    for read in seen.reads:
        now = read.variant, read.revision, read.stale_since is not None
        if served.get(read.replica) != now:
            served[read.replica] = now
            stale = ", STALE" if read.stale_since else ""
            course.append(f"{read.sent_at:%H:%M:%S.%f} {read.replica} serves {read.variant}, revision {read.revision}{stale}")
    for line in sorted(course):
        say(line)


def say(words: str) -> None:
    """Print a line at once."""
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit status."""
    asked = argparse.ArgumentParser(prog="python -m tests.trust.storms", description=__doc__.splitlines()[0] if __doc__ else "")
    asked.add_argument("--faults", type=int, default=FAULTS)
    asked.add_argument("--store", choices=("sqlite", "postgresql"), default="postgresql")
    asked.add_argument("--replicas", type=int, default=None, help="default: 3 over PostgreSQL; SQLite has one")
    asked.add_argument("--minutes", type=float, default=24 * 60.0, help="end after this time, however many faults there were")
    asked.add_argument("--seed", type=int, default=None)
    asked.add_argument("--keep", type=Path, default=None, help="folder in which ledgers and logs are kept")
    options = asked.parse_args(arguments)
    postgres = options.store == "postgresql"
    if options.replicas and options.replicas > 1 and not postgres:
        asked.error("SQLite supports one replica; for more, use --store postgresql")
    plan = Plan(options.faults, options.minutes, options.replicas or (3 if postgres else 1), postgres)
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10**6)
    say(f"seed {seed}")
    with tempfile.TemporaryDirectory() as made:
        folder = options.keep or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        found = asyncio.run(run(plan, seed, folder))
    for law, sentences in found.items():
        say(f"{'BROKEN' if sentences else 'holds '} {law}")
        for sentence in sentences[:20]:
            say(f"        {sentence}")
    return 1 if any(found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
