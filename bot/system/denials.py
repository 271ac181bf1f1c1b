"""Who was refused what: one line in the log, at most one a minute for each person."""

import structlog

from bot.system.clock import Clock
from bot.system.logs import Sparingly

log = structlog.get_logger(__name__)

MOST = 1_000  # people who are told apart; after that the counting begins anew


class Denials:
    """Writes `denied` lines. Not in the ledger: that holds what changed, and anybody could fill it by asking."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sparingly = Sparingly(clock)
        self._people: set[str] = set()

    def note(self, who: str, role: str, what: str) -> None:
        """Somebody wanted something that they have no right to."""
        if who not in self._people and len(self._people) >= MOST:
            self._people.clear()
            self._sparingly = Sparingly(self._clock)
        self._people.add(who)
        if (unsaid := self._sparingly.may(who)) is not None:
            log.warning("denied", who=who, role=role, what=what, since_last=unsaid)
