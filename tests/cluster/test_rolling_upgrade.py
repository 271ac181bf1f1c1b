"""Versions replace each other and run side by side, as processes from real sources, through an incident."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.cluster.shares import owner_of
from bot.ports import CLOCK
from bot.sandbox.slack import LocalWorkspace
from bot.store.copying import copy
from bot.store.home import Home
from bot.store.postgres.ledgers import PostgresReadOnlyLedger
from bot.store.postgres.place import place_of
from tests.cluster.versions import BEFORE_REPLICAS, FIRST_REPLICAS, Replica, of_commit, of_tomorrow
from tests.forks import ROOT
from tests.house import FLAG, Vendor
from tests.process.rig import WITHIN_S, impatient, surroundings

COMPONENTS = ("anthropic.api", "anthropic.web", "openai.api")


@dataclass
class Scene:
    """A vendor, a workspace, and replicas that are started as whichever version."""

    folder: Path
    workspace: LocalWorkspace
    vendor: Vendor
    replicas: list[Replica] = field(default_factory=list)

    def replica(self, name: str, store: str = "") -> Replica:
        """One that was not started yet, over this database or a file of its own."""
        made = Replica(self.folder / name)
        made.folder.mkdir()
        made.configure(impatient(self.workspace, self.vendor, {}) | ({"store": store} if store else {}))
        self.replicas.append(made)
        return made


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with surroundings() as (workspace, vendor):
        made = Scene(tmp_path, workspace, vendor)
        try:
            yield made
        finally:
            for replica in made.replicas:
                replica.kill()
                await replica.gone()


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not await holds():
            await asyncio.sleep(0.1)


async def reads(replica: Replica) -> tuple[str, str]:
    """What a service gets, and whether that may be out of date."""
    found = await replica.ask("POST", f"/ofrep/v1/evaluate/flags/{FLAG}", {"context": {"targetingKey": "t"}}) or {}
    return found.get("variant", ""), found.get("metadata", {}).get("state", "")


async def incidents(replica: Replica) -> dict[str, bool]:
    """Whether each incident is open, by title."""
    found = await replica.ask("GET", "/api/v1/incidents?state=all") or {}
    return {one["title"]: one["open"] for one in found.get("incidents", [])}


async def note(replica: Replica, text: str) -> bool:
    """Write a note; whether it was acknowledged."""
    return bool((await replica.ask("POST", "/api/v1/incidents/1/note", {"text": text}) or {}).get("ok"))


async def ready(replica: Replica) -> bool:
    return bool((await replica.ask("GET", "/readyz") or {}).get("ready"))


async def an_outage(scene: Scene, replica: Replica) -> None:
    """Claude fails, an incident opens with its channel, and the flag serves the fallback."""
    scene.vendor.answers = {"anthropic.api": 502}

    async def opened() -> bool:
        return ("gpt", "") == await reads(replica) and len(channels(scene)) == 1

    await until(opened)


def channels(scene: Scene) -> list[str]:
    return [one.name for one in scene.workspace.channels() if one.creator == scene.workspace.bot_user_id]


def said(scene: Scene, text: str) -> int:
    """How many messages in incident channels contain the text."""
    return sum(text in scene.workspace.shows(one) for name in channels(scene) for one in scene.workspace.messages(name))


async def replicas(store: str) -> tuple[list[str], list[str]]:
    """The names of the live replicas, and of the clock's holder."""
    now, ledger = datetime.now(UTC), PostgresReadOnlyLedger(place_of(store))
    live, leases = await ledger.read(lambda held: (held.replicas(now), held.leases(now)))
    await ledger.close()
    holders = {lease.holder for lease in leases if lease.name == CLOCK}
    return [one.says.name for one in live], [one.says.name for one in live if one.says.boot in holders]


async def test_incident_of_the_last_version_without_replicas_continues_in_sqlite_and_postgresql(
    scene: Scene, postgres: str
) -> None:
    """That version opened it; today's continues it, also after a copy to PostgreSQL."""
    before = of_commit(BEFORE_REPLICAS, scene.folder)
    bot = scene.replica("bot")
    await bot.start(before)
    await an_outage(scene, bot)
    assert await note(bot, "written before the upgrade")
    await bot.stop()

    await bot.start(ROOT)
    assert await note(bot, "written after it")
    assert ("gpt", "") == await reads(bot)
    await bot.stop()
    copied = copy(Home(bot.folder / "data"), Home(scene.folder, postgres), datetime.now(UTC))

    moved = scene.replica("moved", postgres)
    await moved.start(ROOT)
    assert await note(moved, "written in PostgreSQL")
    assert await released(moved)

    assert copied.rows["facts"] > 0
    assert 1 == len(channels(scene)) == len(await incidents(moved))
    notes = ("written before the upgrade", "written after it", "written in PostgreSQL")
    await until(lambda: every_note(scene, notes))


async def released(replica: Replica) -> bool:
    """Release the flag by hand; whether the default is served."""
    wanted = {"reason": "to see that it is heard", "force": True}
    answer = await replica.ask("POST", f"/api/v1/flags/{FLAG}/release", wanted) or {}
    return bool(answer.get("ok")) and ("claude", "") == await reads(replica)


async def every_note(scene: Scene, notes: tuple[str, ...]) -> bool:
    """Whether each is in the incident's channel once."""
    return [1] * len(notes) == [said(scene, one) for one in notes]


async def test_replicas_of_two_versions_share_one_incident(scene: Scene, postgres: str) -> None:
    """A rolling upgrade from the first version over PostgreSQL loses and repeats nothing."""
    old = of_commit(FIRST_REPLICAS, scene.folder)
    one, other = scene.replica("one", postgres), scene.replica("other", postgres)
    await one.start(old)
    await an_outage(scene, one)
    await other.start(ROOT)

    assert await ready(one) and await ready(other)
    assert await note(one, "written by the old one")
    assert await note(other, "written by the new one")
    assert ("gpt", "") == await reads(other)
    assert await released(other)
    await until(lambda: serves(one, "claude"))

    await one.stop()
    assert await note(other, "written while it was upgraded")
    await one.start(ROOT)
    assert await note(one, "written when it was back")
    notes = tuple(
        f"written {when}" for when in ("by the old one", "by the new one", "while it was upgraded", "when it was back")
    )
    await until(lambda: every_note(scene, notes))
    assert 1 == len(channels(scene)) == len(await incidents(other))


async def serves(replica: Replica, variant: str) -> bool:
    return (variant, "") == await reads(replica)


@pytest.mark.parametrize("version", ["today's", "the first over PostgreSQL"])
async def test_replica_that_meets_a_newer_fact_decides_nothing_and_says_so(scene: Scene, postgres: str, version: str) -> None:
    """It keeps serving its flags as possibly out of date; once upgraded, it decides again."""
    older = ROOT if version == "today's" else of_commit(FIRST_REPLICAS, scene.folder)
    tomorrow = of_tomorrow(scene.folder)
    one, other = scene.replica("one", postgres), scene.replica("other", postgres)
    await one.start(older)
    await an_outage(scene, one)
    await other.start(tomorrow)
    assert await ready(one) and await note(one, "understood by both")
    assert await note(other, "of tomorrow's kind")

    async def outdated() -> bool:
        return ("gpt", "STALE") == await reads(one)

    await until(outdated)
    part = (await one.ask("GET", "/readyz"))["parts"]["following"]
    refused = await one.ask("POST", "/api/v1/incidents/1/note", {"text": "by the older one"})
    assert not await ready(one) and await ready(other)
    assert "a newer Understudy writes this ledger" in part["sentence"]
    assert "incident.note_added version 2 is newer than this Understudy's (1)); upgrade this replica" in part["sentence"]
    assert "A newer Understudy writes the ledger, nothing was changed." in str(refused)
    assert "a newer Understudy writes this ledger" in one.log()

    await one.stop()
    await one.start(tomorrow)
    assert await ready(one) and await note(one, "decided after its upgrade")
    assert ("gpt", "") == await reads(one)


async def test_newer_replica_carries_on_alone(scene: Scene, postgres: str) -> None:
    """The older one leaves it checks, the clock and commands, and takes its checks back when it is alone."""
    one, other = scene.replica("one", postgres), scene.replica("other", postgres)
    await one.start(ROOT)
    await an_outage(scene, one)
    [older], _ = await replicas(postgres)
    await other.start(of_tomorrow(scene.folder))
    names, holders = await replicas(postgres)
    assert [older] == holders
    left = next((id for id in COMPONENTS[1:] if owner_of(id, names) == older), COMPONENTS[2])
    assert await note(other, "of tomorrow's kind")

    scene.vendor.answers |= {left: 502}
    await until(lambda: is_down(other, left))
    await until(lambda: has_the_clock(postgres, set(names) - {older}))
    await until(lambda: takes_words(one, "resting"))

    ana, sentence = scene.workspace.person("ana"), f"{older} no longer decides anything: a newer Understudy writes the ledger"
    for turn in range(4):  # Slack takes the connections in turn
        await ana.types(f"/incident note INC-1 note {turn}")
    await until(lambda: every_note(scene, tuple(f"note {turn}" for turn in range(4))))
    assert sentence not in ana.sees()

    other.kill()
    await until(lambda: takes_words(one, "connected"))
    await ana.types("/health")
    await ana.waits_for(sentence)


async def takes_words(replica: Replica, how: str) -> bool:
    return how == ((await replica.ask("GET", "/readyz") or {}).get("parts", {}).get("slack", {}).get("state"))


async def has_the_clock(store: str, names: set[str]) -> bool:
    return names == set((await replicas(store))[1])


async def is_down(replica: Replica, component: str) -> bool:
    found = await replica.ask("GET", "/api/v1/status") or {}
    return any(one["id"] == component and one["level"] == "down" for one in found.get("components", []))
