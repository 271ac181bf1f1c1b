"""Where other programs come in: signs of life for heartbeats, and what other vantages measured; handed on to the watch."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from bot.checks.heartbeat import HeartbeatCheck, Heartbeats
from bot.checks.heartbeat_intake import SignsOfLife
from bot.config.models import Config
from bot.core.model import Sample
from bot.engine.seen_ids import SeenIds
from bot.outcomes.intake import OutcomeIntake
from bot.ports import Ledger
from bot.system.clock import Clock
from bot.watch.plan import Check
from bot.web.services import Hooks

AT_ONCE = 50  # samples; then others have their turn
REMEMBERED = timedelta(minutes=10)  # twice as long as a signature is good

Take = Callable[[Sequence[Sample]], Awaitable[None]]


def doors(
    config: Config, checks: Sequence[Check], heartbeats: Heartbeats, ledger: Ledger, clock: Clock, take: Take,
    outcomes: OutcomeIntake | None = None,
) -> Hooks:  # fmt: skip
    """The hooks that a configuration opens; what comes in goes to `take`."""
    beats = [check for check in checks if isinstance(check, HeartbeatCheck)]
    return Hooks(
        signs=SignsOfLife(beats, heartbeats, clock, lambda sample: take([sample]), config.vantage),
        intake=PeerIntake(ledger, clock, take),
        peers={peer.vantage: peer.secret.get_secret_value() for peer in config.peers},
        checks={check.id: check.component for check in checks},
        outcomes=outcomes,
    )


class PeerIntake:
    """Remembers batches in the ledger, so that none counts twice, also across a restart."""

    def __init__(self, ledger: Ledger, clock: Clock, take: Take) -> None:
        self._seen = SeenIds(ledger, clock, REMEMBERED)
        self._take = take

    async def first_sight(self, id: str) -> bool:
        """Remember a batch; False when it came before."""
        return await self._seen.first_sight(id)

    async def take_samples(self, samples: Sequence[Sample]) -> None:
        """Let them join in, a few at a time: redacting and judging a thousand takes a tenth of a second."""
        for start in range(0, len(samples), AT_ONCE):
            await self._take(samples[start : start + AT_ONCE])
            await asyncio.sleep(0)
