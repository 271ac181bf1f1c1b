"""Keys that worked: if a provider refuses a key that worked recently, the provider is the first suspect."""

from datetime import datetime, timedelta

from bot.checks.judging.failure import Failure
from bot.system.clock import Clock

# Long enough for a night of failures in between, short enough that we may have replaced yesterday's key.
KNOWN_GOOD_FOR = timedelta(hours=6)


class KeyMemory:
    """When each check's key was last accepted. Kept in memory; a restart restores it from stored samples."""

    def __init__(self, clock: Clock, known_good_for: timedelta = KNOWN_GOOD_FOR) -> None:
        self._clock = clock
        self._known_good_for = known_good_for
        self._worked_at: dict[str, datetime] = {}

    def worked(self, check_id: str, at: datetime | None = None) -> None:
        """The key was accepted, now or `at`; a time older than the known one is ignored."""
        at = at or self._clock.now()
        known = self._worked_at.get(check_id)
        if known is None or at > known:
            self._worked_at[check_id] = at

    def judged(self, check_id: str, failure: Failure) -> Failure:
        """The failure; `auth` becomes `auth_sudden` if the key worked recently (6 hours by default)."""
        worked_at = self._worked_at.get(check_id)
        if failure.error != "auth" or worked_at is None or self._clock.now() - worked_at > self._known_good_for:
            return failure
        return Failure("auth_sudden", failure.detail, failure.said)
