"""What a configuration opens to other programs."""

from collections.abc import Sequence
from datetime import UTC, datetime

from bot.checks.heartbeat import HeartbeatCheck, Heartbeats
from bot.config.models import Config
from bot.core.model import Outcome, Sample
from bot.store.sqlite.ledgers import InlineLedger
from bot.system.clock import ManualClock
from bot.wiring.hooks import doors

START = datetime(2030, 1, 7, 9, 0, tzinfo=UTC)
BACKUP = HeartbeatCheck("jobs.backup.nightly", "jobs.backup")


async def test_heartbeat_belongs_to_our_own_vantage_whatever_its_name() -> None:
    """Under another name it would count as another vantage's, be outvoted by our checks and never be sent to peers."""
    clock, taken = ManualClock(START), []

    async def take(samples: Sequence[Sample]) -> None:
        taken.extend(samples)

    ledger = InlineLedger.open()
    hooks = doors(Config(vantage="fra-1"), [BACKUP], Heartbeats(clock), ledger, clock, take)
    assert hooks.signs is not None
    await hooks.signs.record("nightly", "fail", 3, "disk full")
    await ledger.close()
    assert [(BACKUP.id, Outcome.FAIL, "fra-1")] == [(sample.check, sample.outcome, sample.vantage) for sample in taken]
