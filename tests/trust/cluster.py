"""One replica or several over one ledger, and the troubles that come over them one by one."""

import asyncio
import random
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from bot.core.record.fact import Fact
from bot.ports import OutboxRow
from bot.sandbox.slack import LocalWorkspace
from tests.house import Vendor
from tests.process.rig import BotProcess, impatient
from tests.trust.database import Database
from tests.trust.laws import Step
from tests.trust.replica import CLOCK
from tests.trust.wire import Cut, Wire

COMES_UP_WITHIN_S = 60.0
DOWN_S = (0.0, 4.5)  # some deaths are over before anybody else could take over, some are not
STARTS_S = (0.1, 2.0)  # when it is killed in its start
PAUSED_S = (0.5, 6.0)  # around the lease of three seconds
CUT_S = (0.5, 6.0)
OFF_S = (-120.0, -1.5, 0.7, 120.0)  # how far the clock steps
OFF_FOR_S = (1.0, 3.0)
BACK_WITHIN = timedelta(seconds=2)  # it hears of that by a signal, on a busy machine
LIVES_S = (0.0, 1.5)  # between two troubles
SCRIPT = Path(__file__).with_name("replica.py")


class Trouble(StrEnum):
    """What may happen to a replica."""

    KILLED = "killed"
    KILLED_IN_ITS_START = "killed in its start"
    PAUSED = "paused"
    CUT_OFF = "cut off"
    CLOCK = "clock stepped"


HOW_OFTEN = {
    Trouble.KILLED: 5, Trouble.KILLED_IN_ITS_START: 2, Trouble.PAUSED: 4, Trouble.CUT_OFF: 3, Trouble.CLOCK: 1,
}  # fmt: skip


class Replica(BotProcess):
    """One of them, with its wire to the database where there is one."""

    def __init__(self, folder: Path, name: str, settings: Mapping[str, Any], wire: Wire | None) -> None:
        super().__init__(folder)
        self.name = name
        self.wire = wire
        self.configure(settings)

    async def start(self) -> None:
        """Start it, or start it again."""
        await self.begin(SCRIPT)

    def set_clock(self, off_s: float) -> None:
        """Let its wall clock be so far off."""
        (self.folder / CLOCK).write_text(str(off_s), encoding="ascii")
        self.send(signal.SIGUSR1)


@dataclass
class Cluster:
    """The replicas, what is around them, and what they share."""

    workspace: LocalWorkspace
    vendor: Vendor
    replicas: Sequence[Replica]
    database: Database
    dice: random.Random
    done: dict[Trouble, int] = field(default_factory=lambda: dict.fromkeys(Trouble, 0))
    ends: list[str] = field(default_factory=list)  # how a replica ended that nobody killed
    steps: list[Step] = field(default_factory=list)
    diary: list[str] = field(default_factory=list)  # what happened when, for whoever looks for the cause of a broken law

    @property
    def troubles(self) -> int:
        """How many there were."""
        return sum(self.done.values())

    async def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Ask any of them, as a load balancer would; None where that one does not answer."""
        return await self.dice.choice(self.replicas).ask(method, path, body)

    async def ledger(self) -> tuple[list[Fact], list[OutboxRow]]:
        """What they wrote."""
        return await self.database.ledger()

    def note(self, what: str) -> None:
        """Write it into the diary."""
        self.diary.append(f"{datetime.now(UTC):%H:%M:%S.%f} {what}")

    async def trouble(self, replica: Replica) -> None:
        """One trouble, from a replica that runs to one that runs again."""
        kinds = [kind for kind in HOW_OFTEN if replica.wire or kind is not Trouble.CUT_OFF]
        [kind] = self.dice.choices(kinds, [HOW_OFTEN[kind] for kind in kinds])
        await asyncio.sleep(self.dice.uniform(*LIVES_S))
        self.note(f"{replica.name} is about to be {kind}")
        match kind:
            case Trouble.KILLED | Trouble.KILLED_IN_ITS_START:
                await self._killed(replica, in_start=kind is Trouble.KILLED_IN_ITS_START)
            case Trouble.PAUSED:
                replica.send(signal.SIGSTOP)
                await asyncio.sleep(self.dice.uniform(*PAUSED_S))
                replica.send(signal.SIGCONT)
            case Trouble.CUT_OFF:
                assert replica.wire is not None
                replica.wire.cut(self.dice.choice(list(Cut)))
                await asyncio.sleep(self.dice.uniform(*CUT_S))
                replica.wire.heal()
            case Trouble.CLOCK:
                off_s, began_at = self.dice.choice(OFF_S), datetime.now(UTC)
                replica.set_clock(off_s)
                await asyncio.sleep(self.dice.uniform(*OFF_FOR_S))
                replica.set_clock(0.0)
                self.steps.append(Step(began_at, datetime.now(UTC) + BACK_WITHIN, timedelta(seconds=off_s)))
        self.note(f"{replica.name} has been {kind} and runs again")
        self.done[kind] += 1
        self._note_end(replica)

    async def up(self, replica: Replica) -> None:
        """Start it where it does not run, and wait until it serves."""
        if not replica.lives:
            self.note(f"{replica.name} starts")
            await replica.start()
        if not await replica.is_up(COMES_UP_WITHIN_S) and replica.ended is None:
            self.ends.append(f"{replica.name} did not come up within {COMES_UP_WITHIN_S:.0f} s")
        self._note_end(replica)

    async def _killed(self, replica: Replica, *, in_start: bool) -> None:
        replica.kill()
        await replica.gone()
        if in_start:
            self.note(f"{replica.name} starts, to be killed")
            await replica.start()
            await asyncio.sleep(self.dice.uniform(*STARTS_S))
            self._note_end(replica)
            replica.kill()
            await replica.gone()
        await asyncio.sleep(self.dice.uniform(*DOWN_S) if len(self.replicas) > 1 else 0.0)
        await self.up(replica)

    def _note_end(self, replica: Replica) -> None:
        if replica.ended is not None:
            self.ends.append(f"{replica.name} ended by itself with {replica.ended}")


def settings_of(workspace: LocalWorkspace, vendor: Vendor, changes: Mapping[str, Any], store: str) -> dict[str, Any]:
    """A replica's configuration; `store` is empty for SQLite in its data folder."""
    return impatient(workspace, vendor, changes) | ({"store": store} if store else {})
