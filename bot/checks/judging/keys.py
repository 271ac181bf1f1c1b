"""Keys that worked: when a provider refuses one that worked a short while ago, the provider is the first suspect."""

from datetime import datetime, timedelta

from bot.checks.judging.failure import Failure
from bot.system.clock import Clock

# Long enough for a night of failed looks in between, short enough that yesterday's key may have been replaced by us.
KNOWN_GOOD_FOR = timedelta(hours=6)


class KeyMemory:
    """When each check's key was last accepted. Kept for the process; a restart restores it from stored samples."""

    def __init__(self, clock: Clock, known_good_for: timedelta = KNOWN_GOOD_FOR) -> None:
        self._clock = clock
        self._known_good_for = known_good_for
        self._worked_at: dict[str, datetime] = {}

    def worked(self, check_id: str, at: datetime | None = None) -> None:
        """The key was accepted, now or `at`; what is older than what is known is ignored."""
        at = at or self._clock.now()
        known = self._worked_at.get(check_id)
        if known is None or at > known:
            self._worked_at[check_id] = at

    def judged(self, check_id: str, failure: Failure) -> Failure:
        """The failure; `auth` becomes `auth_sudden` where the key worked within the last hours (6 unless told otherwise)."""
        worked_at = self._worked_at.get(check_id)
        if failure.error != "auth" or worked_at is None or self._clock.now() - worked_at > self._known_good_for:
            return failure
        return Failure("auth_sudden", failure.detail, failure.said)
