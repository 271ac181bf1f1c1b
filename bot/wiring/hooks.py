"""Entry points for other programs: jobs' reports, and other vantages' samples, passed on to the watch."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

from bot.checks.heartbeat import HeartbeatCheck, Heartbeats
from bot.checks.heartbeat_intake import HeartbeatIntake
from bot.cluster.single_replica import SingleReplica
from bot.config.models import Config
from bot.core.model import Sample
from bot.engine.seen_ids import SeenIds
from bot.outcomes.intake import OutcomeIntake
from bot.ports import Ledger, Member
from bot.system.clock import Clock
from bot.watch.plan import Check
from bot.web.services import Hooks

AT_ONCE = 50  # samples; then other tasks run
REMEMBERED = timedelta(minutes=10)  # twice the validity of a signature

SIGN = "sign"  # a job's report, as sent between replicas

Take = Callable[[Sequence[Sample]], Awaitable[None]]
PassOn = Callable[[Sequence[Sample]], None]


def doors(
    config: Config, checks: Sequence[Check], heartbeats: Heartbeats, ledger: Ledger, clock: Clock, take: Take,
    outcomes: OutcomeIntake | None = None, *, member: Member | None = None, pass_on: PassOn = lambda samples: None,
    take_told: Take | None = None, redact: Callable[[str], str] = str,
) -> Hooks:  # fmt: skip
    """The hooks that a configuration opens.

    What arrives goes to `take`, and to the other replicas, whose `take_told` need not store it again.
    """
    beats = [check for check in checks if isinstance(check, HeartbeatCheck)]
    return Hooks(
        signs=_signs(beats, heartbeats, clock, member or SingleReplica(), take, take_told or take, config.vantage, redact),
        intake=PeerIntake(ledger, clock, take, pass_on),
        peers={peer.vantage: peer.secret.get_secret_value() for peer in config.peers},
        checks={check.id: check.component for check in checks},
        outcomes=outcomes,
    )


def _signs(
    checks: Sequence[HeartbeatCheck], heartbeats: Heartbeats, clock: Clock, member: Member, take: Take, take_told: Take,
    vantage: str, redact: Callable[[str], str],
) -> HeartbeatIntake:  # fmt: skip
    """Jobs' reports, on a clock common to all replicas. When one appears or disappears, recorded reports are looked up."""

    def tell(sign: Any) -> None:
        member.tell(SIGN, sign)

    async def hand_on(sample: Sample) -> None:
        await take([sample])

    async def count(sample: Sample) -> None:
        await take_told([sample])

    heartbeats.now = lambda: member.time(clock.now())
    signs = HeartbeatIntake(checks, heartbeats, clock, hand_on, vantage, tell, count, redact)
    member.hear(SIGN, signs.heard)
    member.listen(heartbeats.doubt)
    return signs


class PeerIntake:
    """Remembers batches in the ledger, so that none counts twice, even after a restart."""

    def __init__(self, ledger: Ledger, clock: Clock, take: Take, pass_on: PassOn = lambda samples: None) -> None:
        self._pass_on = pass_on
        self._seen = SeenIds(ledger, clock, REMEMBERED)
        self._take = take

    async def first_sight(self, id: str) -> bool:
        """Remember a batch; False if it arrived before."""
        return await self._seen.first_sight(id)

    async def take_samples(self, samples: Sequence[Sample]) -> None:
        """Add the samples, a few at a time: redacting and judging a thousand takes a tenth of a second."""
        self._pass_on(samples)
        for start in range(0, len(samples), AT_ONCE):
            await self._take(samples[start : start + AT_ONCE])
            await asyncio.sleep(0)
