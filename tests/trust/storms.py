"""Troubles by the thousand for one replica or several, and what is left is held against the laws in `tests/trust/laws.py`.

    python -m tests.trust.storms [--store sqlite|postgresql] [--replicas 3] [--troubles 1000] [--minutes M] [--seed N]

Each replica is a real process over a real ledger. It is killed by kill -9, in its start too, stands still beyond its lease, is
cut off from the database, and its clock steps; the database is restarted. Meanwhile a vendor fails and recovers, a person
writes notes and updates in Slack and over HTTP, and a service reads a flag of each replica without pause. Ends with 1 where a
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
from tests.trust.laws import Read, Witness, broken
from tests.trust.wire import Wire

TROUBLES = 1000
DATABASE_LIVES_S = (20.0, 60.0)  # between two restarts of the database
WELL_S, BAD_S = (6.0, 25.0), (2.0, 8.0)  # of the vendor
SETTLES_S = 120.0
LATE_S = 15.0  # an answer comes no later, by one that stood still
COMPONENTS = ("anthropic.api", "anthropic.web", "openai.api")
CHANGES = {"incidents": {"resolve": "auto", "resolve_after": "4s", "update_every": {"SEV2": "5s"}}}  # a story in seconds


@dataclass(frozen=True)
class Plan:
    """What is to happen: so many troubles, or for so long."""

    troubles: int = TROUBLES
    minutes: float = 24 * 60.0
    replicas: int = 1
    postgres: bool = False


class Storm:
    """Everything that goes on around the replicas while troubles come over them."""

    def __init__(self, cluster: Cluster, dice: random.Random) -> None:
        self.cluster = cluster
        self.dice = dice
        self.seen = Witness(FLAG, "claude")
        self._words = 0
        self._late_until = 0.0
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self, *, people_only: bool = False) -> None:
        """Begin; `people_only`: vendor and database are as whoever calls has them."""
        goings_on: list[Callable[[], Awaitable[None]]] = [self._over_http, self._in_slack]
        goings_on += [] if people_only else [self._vendor, self._database]
        goings_on += [lambda replica=replica: self._reader(replica) for replica in self.cluster.replicas]  # type: ignore[misc] # bound early
        self._tasks = [asyncio.create_task(_for_ever(going_on)) for going_on in goings_on]

    async def end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.cluster.vendor.answers.clear()

    async def _vendor(self) -> None:
        """Sometimes one component fails, sometimes another provider with it; then all is well for a while."""
        self.cluster.vendor.answers.clear()
        await asyncio.sleep(self.dice.uniform(*WELL_S))
        failing = self.dice.sample(COMPONENTS, self.dice.choice((1, 1, 2)))
        self.cluster.vendor.answers.update(dict.fromkeys(failing, 502))
        await asyncio.sleep(self.dice.uniform(*BAD_S))

    async def _reader(self, replica: Replica) -> None:
        await self.read(replica)
        await asyncio.sleep(0.05)

    async def read(self, replica: Replica) -> None:
        """Read the flag once."""
        sent_at = datetime.now(UTC)
        found = await replica.ask("POST", f"/ofrep/v1/evaluate/flags/{FLAG}", {"context": {}})
        if isinstance(found, dict) and "variant" in found:
            said = found["metadata"]
            as_of = datetime.fromisoformat(said["asOf"]) if said.get("state") == "STALE" else None
            read = Read(sent_at, datetime.now(UTC), found["variant"], replica.name, said["revision"], as_of)
            self.seen.reads.append(read)

    async def _database(self) -> None:
        await asyncio.sleep(self.dice.uniform(*DATABASE_LIVES_S))
        self.cluster.note("the database is killed")
        await self.cluster.database.restart()
        self.cluster.note("the database runs again")

    async def _over_http(self) -> None:
        """A note or an update; only an answer that says it is done counts as acknowledged."""
        open_now = await self.cluster.ask("GET", "/api/v1/incidents?state=open")
        for incident in (open_now or {}).get("incidents", [])[:1]:
            words, verb = self._new_words(), self.dice.choice(("note", "note", "update"))
            found = await self.cluster.ask("POST", f"/api/v1/incidents/{incident['number']}/{verb}", {"text": words})
            if isinstance(found, dict) and found.get("ok") is True:
                self.seen.answered.append(words)
        await asyncio.sleep(self.dice.uniform(0.1, 0.6))

    async def _in_slack(self) -> None:
        """One note at a time, so that the answer can be told from others': none counts while an earlier one may still come."""
        await asyncio.sleep(self.dice.uniform(0.3, 1.0))
        ana, team, words = self.cluster.workspace.person("ana"), self.cluster.workspace.team, self._new_words()
        before = len(team.ephemerals)
        try:
            await ana.types(f"/incident note INC-{self.dice.randint(1, 3)} {words}")
        except (SlackbotSays, NotThere):
            self._late_until = time.monotonic() + LATE_S  # nobody was there, or died over it, or stands still
            return
        for _ in range(40):
            await asyncio.sleep(0.05)
            answers = [m.text for m in team.ephemerals[before:]]
            if any(text.startswith("Noted in the timeline") for text in answers):
                if time.monotonic() > self._late_until:
                    self.seen.answered.append(words)
                return
            if answers:
                return
        self._late_until = time.monotonic() + LATE_S

    def _new_words(self) -> str:
        self._words += 1
        return f"word {self._words}"


async def _for_ever(going_on: Callable[[], Awaitable[None]]) -> None:
    while True:
        await going_on()


async def run(plan: Plan, seed: int, folder: Path) -> dict[str, list[str]]:
    """Let all of it come over them, let them settle, and judge."""
    until = time.monotonic() + plan.minutes * 60
    dice = random.Random(seed)  # a storm that can be told again
    async with a_cluster(folder, plan, dice) as cluster:
        storm = Storm(cluster, dice)
        note_failures(cluster, storm)
        storm.begin()

        async def weather(replica: Replica) -> None:
            await cluster.up(replica)
            while cluster.troubles < plan.troubles and time.monotonic() < until and not cluster.ends:
                await cluster.trouble(replica)
                if cluster.troubles % 50 == 0:
                    say(f"{cluster.troubles} troubles, {len(storm.seen.reads)} reads, {len(storm.seen.answered)} acknowledged")

        await asyncio.gather(*map(weather, cluster.replicas))
        await storm.end()
        await asyncio.gather(*map(cluster.up, cluster.replicas))
        return await judged(storm)


async def judged(storm: Storm) -> dict[str, list[str]]:
    """By law, what is broken once all has settled."""
    cluster, seen = storm.cluster, storm.seen
    facts, rows = await settled(storm)
    look(cluster.workspace, seen)
    seen.ends, seen.steps, seen.flaws = cluster.ends, cluster.steps, await cluster.database.flaws()
    tell(cluster, seen, facts, rows)
    found = broken(seen, facts, rows)
    if any(found.values()):
        tell_the_course(cluster, seen, facts)
    return found


def note_failures(cluster: Cluster, storm: Storm) -> None:
    """Remember each bad answer of the vendor."""
    cluster.vendor.on_answer = lambda component, status: (
        status >= 500 and storm.seen.failures.append((datetime.now(UTC), component.partition(".")[0]))
    )


@asynccontextmanager
async def a_cluster(folder: Path, plan: Plan, dice: random.Random) -> AsyncIterator[Cluster]:
    """Replicas that are not started yet, each with its folder and its wire to the database."""
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


async def settled(storm: Storm) -> tuple[list[Fact], list[OutboxRow]]:
    """Facts and rows once nothing waits any more, or when that takes too long."""
    until = time.monotonic() + SETTLES_S
    while True:
        for replica in storm.cluster.replicas:
            await storm.read(replica)
        facts, rows = await storm.cluster.ledger()
        waiting = [row for row in rows if row.state in ("pending", "sending", "ambiguous")]
        newest = {read.replica: read for read in storm.seen.reads}.values()
        if (facts and not waiting and all(read.as_of is None for read in newest)) or time.monotonic() > until:
            return facts, rows
        await asyncio.sleep(0.5)


def look(workspace: LocalWorkspace, seen: Witness) -> None:
    """What stands in Slack at the end."""
    seen.channels = {c.id for c in workspace.channels() if c.creator == workspace.bot_user_id}
    everything = [m for channel in workspace.team.channels.values() for m in channel.messages]
    seen.posts = Counter(m.metadata["event_payload"]["key"] for m in everything if m.metadata)


def tell(cluster: Cluster, seen: Witness, facts: Sequence[Fact], rows: Sequence[OutboxRow]) -> None:
    states = Counter(row.state for row in rows)
    kinds: Counter[str] = Counter(fact.kind for fact in facts)
    stale = sum(read.as_of is not None for read in seen.reads)
    say(", ".join(f"{count} {kind}" for kind, count in cluster.done.items() if count) + f": {cluster.troubles} troubles")
    say(f"{len(facts)} facts, {kinds[Declared.KIND]} incidents, {kinds[UpdateWritten.KIND]} updates")
    say(f"{len(seen.answered)} words acknowledged, {sum(seen.posts.values())} posts in Slack, {len(seen.channels)} channels")
    say(f"{len(seen.reads)} flag reads, {stale} of them said STALE; {len(seen.failures)} bad answers of the vendor")
    say(f"outbox {dict(states)}; {cluster.database.restarts} restarts of the database")


def tell_the_course(cluster: Cluster, seen: Witness, facts: Sequence[Fact]) -> None:
    """Everything in order of time: troubles, what was decided on the flag, and each change of what a replica served."""
    course = list(cluster.diary)
    course += [f"{fact.at:%H:%M:%S.%f} decided: {fact.kind} {fact.seq}" for fact in facts if fact.stream == f"flag/{seen.flag}"]
    served: dict[str, tuple[str, int, bool]] = {}
    for read in seen.reads:
        now = read.variant, read.revision, read.as_of is not None
        if served.get(read.replica) != now:
            served[read.replica] = now
            stale = ", STALE" if read.as_of else ""
            course.append(f"{read.sent_at:%H:%M:%S.%f} {read.replica} serves {read.variant}, revision {read.revision}{stale}")
    for line in sorted(course):
        say(line)


def say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """The program; its exit status."""
    asked = argparse.ArgumentParser(prog="python -m tests.trust.storms", description=__doc__.splitlines()[0] if __doc__ else "")
    asked.add_argument("--troubles", type=int, default=TROUBLES)
    asked.add_argument("--store", choices=("sqlite", "postgresql"), default="postgresql")
    asked.add_argument(
        "--replicas", type=int, default=None, help="3 over PostgreSQL when not said; 1 over SQLite, which has no more"
    )
    asked.add_argument("--minutes", type=float, default=24 * 60.0, help="end after so long, however many troubles there were")
    asked.add_argument("--seed", type=int, default=None)
    asked.add_argument("--keep", type=Path, default=None, help="folder for ledgers and logs, kept; a temporary one without")
    options = asked.parse_args(arguments)
    postgres = options.store == "postgresql"
    if options.replicas and options.replicas > 1 and not postgres:
        asked.error("SQLite carries one replica; several share a ledger over --store postgresql")
    plan = Plan(options.troubles, options.minutes, options.replicas or (3 if postgres else 1), postgres)
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
