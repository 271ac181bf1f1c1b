"""Counts customers served in each incident every minute, and once after its end, and gives the figures to the engine."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog

from bot.core.decide.outcomes.serving import concerned, switched, wants_count
from bot.core.model import Actor
from bot.core.outcomes.counts import MINUTE
from bot.core.outcomes.served import Served, served
from bot.core.policy import Policy
from bot.core.record.incident import Incident
from bot.core.record.world import World
from bot.core.signals import OutcomesCounted
from bot.ports import Engine, Outcomes, StoreError
from bot.system.clock import Clock

log = structlog.get_logger(__name__)

A_SECOND = timedelta(seconds=1)  # the minute of the switch counts as before it, even if the switch was at its start
COUNTED = Actor.rule("real traffic")


class ServedCounter:
    """`look` is called at each beat. `flush` stores reports that are not on disk yet."""

    def __init__(self, engine: Engine, outcomes: Outcomes, clock: Clock, flush: Callable[[], Awaitable[None]]) -> None:
        self._engine = engine
        self._outcomes = outcomes
        self._clock = clock
        self._flush = flush
        self._looked: dict[int, datetime] = {}  # if nothing was reported yet, so that not every beat queries the disk

    async def look(self) -> None:
        """Count where it is due."""
        world, policy, now = self._engine.world, self._engine.policy, self._clock.now()
        wanted = [one for one in world.incidents.values() if wants_count(one, policy, world, now)]
        due = [one for one in wanted if now >= self._looked.get(one.number, now)]
        self._looked = {one.number: self._looked.get(one.number, now) for one in wanted}
        self._looked.update({one.number: now + MINUTE for one in due})
        try:
            if due:
                await self._flush()
            for incident in due:
                if found := await self._count(incident, policy, world):
                    await self._engine.handle(OutcomesCounted(COUNTED, incident=incident.number, served=found))
        except StoreError as error:  # whoever monitors the files reports it; retried at the next beat
            log.debug("customers served are not counted", why=str(error))

    async def _count(self, incident: Incident, policy: Policy, world: World) -> Served | None:
        about, began_at = concerned(incident, policy, world), incident.began_at
        until = incident.ending.at if not incident.phase.open and incident.ending.at else self._clock.now()
        whole = await self._outcomes.totals(began_at, until)
        if not whole:
            return None
        well_at = incident.well_since or until
        unwell = whole if well_at >= until else await self._outcomes.totals(began_at, well_at)
        before = {
            flag: (at, await self._outcomes.totals(began_at, min(at + A_SECOND, until)))
            for flag, at in switched(incident, policy, world).items()
        }
        return served(about, until, whole, unwell, before)
