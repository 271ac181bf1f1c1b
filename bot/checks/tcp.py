"""The TCP check: whether a port accepts a connection."""

from datetime import timedelta
from typing import Any

from bot.checks.kind import Kind, ProberResources
from bot.checks.net.address_guard import Guard
from bot.checks.net.dial import dial
from bot.checks.net.resolve import Resolver
from bot.checks.net.stopwatch import Stopwatch
from bot.checks.run import RunResult, measured
from bot.config.checks import kinds as config
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Sample
from bot.system.clock import Clock


@dataclass(frozen=True)
class TcpCheck:
    """Which port to connect to. `deadline` bounds the whole in domain time; slower than `under` is SLOW."""

    id: str
    component: str
    host: str
    port: int
    every: timedelta = timedelta(seconds=30)
    deadline: timedelta = timedelta(seconds=10)
    under: timedelta | None = None


class TcpProber:
    """Runs TCP checks: connects and closes. The resolver is shared; its creator closes it."""

    def __init__(self, clock: Clock, *, resolver: Resolver, guard: Guard | None = None) -> None:
        self._clock = clock
        self._resolver = resolver
        self._guard = guard

    async def probe(self, check: TcpCheck) -> Sample:
        """Run it once. Any failure is in the sample; only cancellation is raised."""

        async def look(watch: Stopwatch, deadline_s: float) -> RunResult:
            line = await dial(
                check.host, check.port, watch=watch, deadline_s=deadline_s, resolver=self._resolver, guard=self._guard
            )
            line.close()
            return RunResult("connected", evidence={"address": line.address})

        return await measured(check, self._clock, look)

    async def close(self) -> None:
        """Does nothing: nothing is kept between runs."""


def _made(model: config.TcpCheck, **common: Any) -> TcpCheck:
    return TcpCheck(**common, host=model.host, port=model.port, under=model.under)


def _prober(shared: ProberResources) -> TcpProber:
    return TcpProber(shared.clock, resolver=shared.resolver, guard=shared.guard)


KIND = Kind(config.TcpCheck, TcpCheck, _made, _prober)
