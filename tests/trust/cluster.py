"""One or more replicas over one ledger, and the faults inflicted on them."""

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
from tests.trust.laws import ClockStep
from tests.trust.replica import CLOCK_FILE
from tests.trust.wire import Cut, Wire

STARTS_WITHIN_S = 60.0
DOWN_S = (0.0, 4.5)  # some are back before another replica takes over, some are not
KILLED_AFTER_S = (0.1, 2.0)  # into a start
PAUSED_S = (0.5, 6.0)  # around the lease of three seconds
CUT_S = (0.5, 6.0)
CLOCK_OFFSETS_S = (-120.0, -1.5, 0.7, 120.0)
CLOCK_WRONG_S = (1.0, 3.0)  # for how long
CLOCK_RIGHT_WITHIN = timedelta(seconds=2)  # a signal resets it, on a busy machine
BETWEEN_FAULTS_S = (0.0, 1.5)
SCRIPT = Path(__file__).with_name("replica.py")


class Fault(StrEnum):
    """What may happen to a replica."""

    KILLED = "killed"
    KILLED_DURING_START = "killed during its start"
    PAUSED = "paused"
    CUT_OFF = "cut off"
    CLOCK_STEPPED = "clock stepped"


WEIGHTS = {
    Fault.KILLED: 5, Fault.KILLED_DURING_START: 2, Fault.PAUSED: 4, Fault.CUT_OFF: 3, Fault.CLOCK_STEPPED: 1,
}  # fmt: skip


class Replica(BotProcess):
    """One replica, with its wire to the database if there is one."""

    def __init__(self, folder: Path, name: str, settings: Mapping[str, Any], wire: Wire | None) -> None:
        super().__init__(folder)
        self.name = name
        self.wire = wire
        self.configure(settings)

    async def start(self) -> None:
        """Start or restart it."""
        await self.begin(SCRIPT)

    def set_clock(self, offset_s: float) -> None:
        """Make its wall clock wrong by so many seconds."""
        (self.folder / CLOCK_FILE).write_text(str(offset_s), encoding="ascii")
        self.send(signal.SIGUSR1)


@dataclass
class Cluster:
    """The replicas, the database that they share, and Slack and the vendor around them."""

    workspace: LocalWorkspace
    vendor: Vendor
    replicas: Sequence[Replica]
    database: Database
    dice: random.Random
    counts: dict[Fault, int] = field(default_factory=lambda: dict.fromkeys(Fault, 0))
    failed_starts: list[str] = field(default_factory=list)  # replicas that ended by themselves or did not start
    clock_steps: list[ClockStep] = field(default_factory=list)
    diary: list[str] = field(default_factory=list)  # what happened when, to find the cause of a broken law

    @property
    def faults(self) -> int:
        """How many faults there were."""
        return sum(self.counts.values())

    async def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Ask a random replica, as a load balancer would; None if it does not answer."""
        return await self.dice.choice(self.replicas).ask(method, path, body)

    async def ledger(self) -> tuple[list[Fact], list[OutboxRow]]:
        """All facts and outbox rows."""
        return await self.database.ledger()

    def note(self, what: str) -> None:
        """Add a line to the diary."""
        self.diary.append(f"{datetime.now(UTC):%H:%M:%S.%f} {what}")

    async def inflict(self, replica: Replica) -> None:
        """Inflict one random fault on a running replica, and wait until it runs again."""
        kinds = [kind for kind in WEIGHTS if replica.wire or kind is not Fault.CUT_OFF]
        [kind] = self.dice.choices(kinds, [WEIGHTS[kind] for kind in kinds])
        await asyncio.sleep(self.dice.uniform(*BETWEEN_FAULTS_S))
        self.note(f"{replica.name} is about to be {kind}")
        match kind:
            case Fault.KILLED | Fault.KILLED_DURING_START:
                await self._kill(replica, during_start=kind is Fault.KILLED_DURING_START)
            case Fault.PAUSED:
                replica.send(signal.SIGSTOP)
                await asyncio.sleep(self.dice.uniform(*PAUSED_S))
                replica.send(signal.SIGCONT)
            case Fault.CUT_OFF:
                assert replica.wire is not None
                replica.wire.cut(self.dice.choice(list(Cut)))
                await asyncio.sleep(self.dice.uniform(*CUT_S))
                replica.wire.heal()
            case Fault.CLOCK_STEPPED:
                offset_s, began_at = self.dice.choice(CLOCK_OFFSETS_S), datetime.now(UTC)
                replica.set_clock(offset_s)
                await asyncio.sleep(self.dice.uniform(*CLOCK_WRONG_S))
                replica.set_clock(0.0)
                ended_at = datetime.now(UTC) + CLOCK_RIGHT_WITHIN
                self.clock_steps.append(ClockStep(began_at, ended_at, timedelta(seconds=offset_s)))
        self.note(f"{replica.name} has been {kind} and runs again")
        self.counts[kind] += 1
        self._check_alive(replica)

    async def ensure_up(self, replica: Replica) -> None:
        """Start it if it does not run, and wait until it serves."""
        if not replica.lives:
            self.note(f"{replica.name} starts")
            await replica.start()
        if not await replica.is_up(STARTS_WITHIN_S) and replica.ended is None:
            self.failed_starts.append(f"{replica.name} did not start within {STARTS_WITHIN_S:.0f} s")
        self._check_alive(replica)

    async def _kill(self, replica: Replica, *, during_start: bool) -> None:
        replica.kill()
        await replica.gone()
        if during_start:
            self.note(f"{replica.name} starts and will be killed")
            await replica.start()
            await asyncio.sleep(self.dice.uniform(*KILLED_AFTER_S))
            self._check_alive(replica)
            replica.kill()
            await replica.gone()
        await asyncio.sleep(self.dice.uniform(*DOWN_S) if len(self.replicas) > 1 else 0.0)
        await self.ensure_up(replica)

    def _check_alive(self, replica: Replica) -> None:
        if replica.ended is not None:
            self.failed_starts.append(f"{replica.name} ended by itself with {replica.ended}")


def settings_of(workspace: LocalWorkspace, vendor: Vendor, changes: Mapping[str, Any], store: str) -> dict[str, Any]:
    """A replica's configuration; `store` is empty for SQLite in its data folder."""
    return impatient(workspace, vendor, changes) | ({"store": store} if store else {})
