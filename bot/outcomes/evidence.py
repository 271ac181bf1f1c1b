"""What real requests say about components and hand-backs: read from storage, so that a restart knows as much."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

import structlog

from bot.core.decide.flags.real_errors import under_way
from bot.core.detection.traffic import by_component, judge
from bot.core.detection.verdict import SourceReport
from bot.core.model import Actor
from bot.core.outcomes.counts import MINUTE
from bot.core.signals import HandBackMeasured
from bot.ports import Engine, Outcomes, StoreError
from bot.system.clock import Clock

EVERY = timedelta(seconds=15)
TRAFFIC = Actor.rule("real traffic")

log = structlog.get_logger(__name__)


class TrafficEvidence:
    """`look` is called at each beat; `tell` gets what is bad, by component. `down_share` failing means down.

    `acts` returns whether this replica measures hand-backs; every replica evaluates its own components.
    """

    def __init__(
        self, engine: Engine, outcomes: Outcomes, clock: Clock, *, down_share: float,
        tell: Callable[[Mapping[str, SourceReport]], Awaitable[None]], acts: Callable[[], bool] = lambda: True,
    ) -> None:  # fmt: skip
        self._engine = engine
        self._outcomes = outcomes
        self._clock = clock
        self._down_share = down_share
        self._tell = tell
        self._acts = acts
        self._next: datetime | None = None

    async def look(self) -> None:
        """Evaluate the reports, four times a minute."""
        now = self._clock.now()
        if self._next is not None and now < self._next <= now + EVERY:
            return
        self._next = now + EVERY
        try:
            if self._acts():
                await self._measure_hand_backs(now)  # first: a verdict would revert all of it and lose the longer wait
            await self._judge(now)
        except StoreError as error:  # whoever monitors the files reports it; retried at the next look
            log.debug("real traffic is not judged", why=str(error))

    async def _judge(self, now: datetime) -> None:
        policy = self._engine.policy
        rule = policy.real_traffic
        longest = max(rule.fast.window, rule.slow.window)
        minutes = await self._outcomes.between(now - longest - MINUTE, now + MINUTE)
        told = by_component(minutes, policy)
        words = {id: judge(mine, rule, now, self._down_share) for id, mine in told.items()}
        await self._tell({id: word for id, word in words.items() if word})

    async def _measure_hand_backs(self, now: datetime) -> None:
        """Measure the default since the minute after the last step: in the step's own minute, both were served."""
        for flag, engagement in under_way(self._engine.world, self._engine.policy):
            if engagement.stepped_at is None:
                continue
            minutes = await self._outcomes.between(engagement.stepped_at, now + MINUTE)
            mine = [one.counts for one in minutes if (one.route.flag, one.route.variant) == (flag.key, flag.default)]
            if mine:
                signal = HandBackMeasured(
                    TRAFFIC, flag=flag.key, engagement=engagement.id, share=engagement.share_back,
                    requests=sum(one.total for one in mine), failed=sum(one.failed for one in mine),
                )  # fmt: skip
                await self._engine.handle(signal)
