"""Kills the bot at random moments, a thousand times, and holds what is left against the laws in `tests/trust/laws.py`.

    python -m tests.trust.kills [--kills 1000] [--minutes M] [--seed N] [--keep FOLDER]

The bot is a real process over a real ledger; it is killed by kill -9, in its start too, and started again at once. Meanwhile
a vendor fails and recovers, a person writes notes and updates in Slack and over HTTP, and a service reads a flag without pause.
Ends with 1 where a law was broken.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bot.core.record.fact import Fact
from bot.core.record.incident_facts import Declared, UpdateWritten
from bot.ports import OutboxRow
from bot.sandbox.slack import LocalWorkspace
from bot.sandbox.slack.errors import NotThere, SlackbotSays
from bot.store.sqlite.ledgers import open_read_only
from tests.house import FLAG, LOOSE
from tests.process.rig import Rig, a_rig
from tests.trust.laws import Read, Witness, broken

KILLS = 1000
COMES_UP_WITHIN_S = 60.0
IN_ITS_START = 0.3  # of the kills
STARTS_S, LIVES_S = (0.1, 2.0), (0.0, 3.0)  # when it is killed: after its start, or after it began to serve
WELL_S, BAD_S = (6.0, 25.0), (2.0, 8.0)  # of the vendor
SETTLES_S = 120.0
COMPONENTS = ("anthropic.api", "anthropic.web", "openai.api")
CHANGES = {"incidents": {"resolve": "auto", "resolve_after": "4s", "update_every": {"SEV2": "5s"}}}  # a story in seconds


class Storm:
    """Everything that goes on around the bot while it is killed."""

    def __init__(self, rig: Rig, dice: random.Random) -> None:
        self.rig = rig
        self.dice = dice
        self.seen = Witness(FLAG, "claude")
        self._words = 0
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self) -> None:
        for going_on in (self._vendor, self._reader, self._over_http, self._in_slack):
            self._tasks.append(asyncio.create_task(_for_ever(going_on), name=going_on.__name__))

    async def end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.rig.vendor.answers.clear()

    async def _vendor(self) -> None:
        """Sometimes one component fails, sometimes another provider with it; then all is well for a while."""
        self.rig.vendor.answers.clear()
        await asyncio.sleep(self.dice.uniform(*WELL_S))
        failing = self.dice.sample(COMPONENTS, self.dice.choice((1, 1, 2)))
        self.rig.vendor.answers.update(dict.fromkeys(failing, 502))
        await asyncio.sleep(self.dice.uniform(*BAD_S))

    async def _reader(self) -> None:
        sent_at = datetime.now(UTC)
        found = await self.rig.ask("POST", f"/ofrep/v1/evaluate/flags/{FLAG}", {"context": {}})
        if isinstance(found, dict) and "variant" in found:
            self.seen.reads.append(Read(sent_at, datetime.now(UTC), found["variant"]))
        await asyncio.sleep(0.05)

    async def _over_http(self) -> None:
        """A note or an update; only an answer that says it is done counts as acknowledged."""
        open_now = await self.rig.ask("GET", "/api/v1/incidents?state=open")
        for incident in (open_now or {}).get("incidents", [])[:1]:
            words, verb = self._new_words(), self.dice.choice(("note", "note", "update"))
            found = await self.rig.ask("POST", f"/api/v1/incidents/{incident['number']}/{verb}", {"text": words})
            if isinstance(found, dict) and found.get("ok") is True:
                self.seen.answered.append(words)
        await asyncio.sleep(self.dice.uniform(0.1, 0.6))

    async def _in_slack(self) -> None:
        """One note at a time, so that the answer can be told from others'."""
        await asyncio.sleep(self.dice.uniform(0.3, 1.0))
        ana, team, words = self.rig.workspace.person("ana"), self.rig.workspace.team, self._new_words()
        before = len(team.ephemerals)
        try:
            await ana.types(f"/incident note INC-{self.dice.randint(1, 3)} {words}")
        except (SlackbotSays, NotThere):
            return  # nobody was there, or died over it
        for _ in range(40):
            await asyncio.sleep(0.05)
            if any(m.text.startswith("Noted in the timeline") for m in team.ephemerals[before:]):
                self.seen.answered.append(words)
                return

    def _new_words(self) -> str:
        self._words += 1
        return f"word {self._words}"


async def _for_ever(going_on: Callable[[], Awaitable[None]]) -> None:
    while True:
        await going_on()


async def run(kills: int, seed: int, folder: Path, minutes: float = 24 * 60.0) -> dict[str, list[str]]:
    """Kill it so often, or for so long, let it settle, and judge."""
    until = time.monotonic() + minutes * 60
    dice = random.Random(seed)  # a storm that can be told again
    async with a_rig(folder, changes=CHANGES, limits=LOOSE) as rig:
        storm = Storm(rig, dice)
        rig.vendor.on_answer = lambda component, status: (
            status >= 500 and storm.seen.failures.append((datetime.now(UTC), component.partition(".")[0]))
        )
        storm.begin()
        done = 0
        while done < kills and time.monotonic() < until:
            await rig.start()
            if dice.random() < IN_ITS_START:
                await asyncio.sleep(dice.uniform(*STARTS_S))
            elif await rig.is_up(COMES_UP_WITHIN_S):
                await asyncio.sleep(dice.uniform(*LIVES_S))
            elif rig.ended is None:
                storm.seen.ends.append(f"start {done + 1} did not come up within {COMES_UP_WITHIN_S:.0f} s")
            if (status := rig.ended) is not None:
                storm.seen.ends.append(f"start {done + 1} ended by itself with {status}")
            rig.kill()
            await rig.gone()
            done += 1
            if done % 50 == 0:
                say(f"{done} kills, {len(storm.seen.reads)} reads, {len(storm.seen.answered)} acknowledged")
        await storm.end()
        await rig.start()
        facts, rows = await settled(rig, storm)
        look(rig.workspace, storm.seen)
        storm.seen.flaws = await flaws(rig)
        found = broken(storm.seen, facts, rows)
        tell(done, storm.seen, facts, rows)
        return found


async def settled(rig: Rig, storm: Storm) -> tuple[list[Fact], list[OutboxRow]]:
    """Facts and rows once nothing waits any more, or when that takes too long."""
    until = time.monotonic() + SETTLES_S
    while True:
        await storm._reader()
        facts, rows = await rig.ledger()
        waiting = [row for row in rows if row.state in ("pending", "sending", "ambiguous")]
        if (facts and not waiting) or time.monotonic() > until:
            return facts, rows
        await asyncio.sleep(0.5)


def look(workspace: LocalWorkspace, seen: Witness) -> None:
    """What stands in Slack at the end."""
    seen.channels = {c.id for c in workspace.channels() if c.creator == workspace.bot_user_id}
    everything = [m for channel in workspace.team.channels.values() for m in channel.messages]
    seen.posts = Counter(m.metadata["event_payload"]["key"] for m in everything if m.metadata)


async def flaws(rig: Rig) -> tuple[str, ...]:
    ledger = open_read_only(rig.folder / "data")
    try:
        found = await ledger.read(lambda store: [store.examine(stream) for stream in store.streams()])
        return tuple(flaw.sentence for flaw in found if flaw)
    finally:
        await ledger.close()


def tell(kills: int, seen: Witness, facts: Sequence[Fact], rows: Sequence[OutboxRow]) -> None:
    states = Counter(row.state for row in rows)
    kinds: Counter[str] = Counter(fact.kind for fact in facts)
    say(f"{kills} kills: {len(facts)} facts, {kinds[Declared.KIND]} incidents, {kinds[UpdateWritten.KIND]} updates")
    say(f"{len(seen.answered)} words acknowledged, {sum(seen.posts.values())} posts in Slack, {len(seen.channels)} channels")
    say(f"{len(seen.reads)} flag reads, {len(seen.failures)} bad answers of the vendor; outbox {dict(states)}")


def say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """The program; its exit status."""
    asked = argparse.ArgumentParser(prog="python -m tests.trust.kills", description=__doc__.splitlines()[0] if __doc__ else "")
    asked.add_argument("--kills", type=int, default=KILLS)
    asked.add_argument("--minutes", type=float, default=24 * 60.0, help="end after so long, however often it was killed")
    asked.add_argument("--seed", type=int, default=None)
    asked.add_argument("--keep", type=Path, default=None, help="folder for ledger and log, kept; a temporary one without")
    options = asked.parse_args(arguments)
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10**6)
    say(f"seed {seed}")
    with tempfile.TemporaryDirectory() as made:
        folder = options.keep or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        found = asyncio.run(run(options.kills, seed, folder, options.minutes))
    for law, sentences in found.items():
        say(f"{'BROKEN' if sentences else 'holds '} {law}")
        for sentence in sentences[:20]:
            say(f"        {sentence}")
    return 1 if any(found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
