"""Which services send metrics of their requests: their spans would report the same requests again."""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any

from bot.system.clock import Clock

MEASURED_FOR = timedelta(minutes=10)
TOLD_EVERY = timedelta(minutes=1)
MOST_MEASURED = 1_000


class Measured:
    """Remembers recent ones. `tell` sends them to the other replicas, whose `hear` receives them: they may get the spans."""

    def __init__(self, clock: Clock, tell: Callable[[Any], None] = lambda names: None) -> None:
        self._clock = clock
        self._tell = tell
        self._at: dict[str, datetime] = {}
        self._told_at: dict[str, datetime] = {}

    def note(self, services: Collection[str]) -> None:
        """These services send metrics."""
        now = self._clock.now()
        news = [one for one in sorted(services) if now - self._told_at.get(one, now - TOLD_EVERY) >= TOLD_EVERY]
        if news:
            _remember(self._told_at, news, now)
            self._tell(news)
        _remember(self._at, services, now)

    def tell_again(self) -> None:
        """Tell all again: a new replica may get spans before the next metrics."""
        now = self._clock.now()
        if lately := [one for one, at in self._told_at.items() if now - at < MEASURED_FOR]:
            self._tell(lately)

    async def hear(self, body: Any) -> None:
        """Record what another replica noted."""
        _remember(self._at, [str(name) for name in body], self._clock.now())

    def includes(self, service: str) -> bool:
        """Whether it sent metrics recently."""
        now = self._clock.now()
        return now - self._at.get(service, now - MEASURED_FOR) < MEASURED_FOR


def _remember(at: dict[str, datetime], services: Collection[str], now: datetime) -> None:
    """The one silent longest is forgotten first."""
    for service in services:
        at.pop(service, None)
        at[service] = now
        if len(at) > MOST_MEASURED:
            del at[next(iter(at))]
