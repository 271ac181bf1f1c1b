"""Which checks run early: those in doubt, those beside a failing one of the same component, and those with late answers."""

from collections.abc import Callable

from bot.system.clock import Clock
from bot.watch.check_states import Tracks
from bot.watch.in_flight import ChecksInFlight
from bot.watch.related_checks import RelatedChecks
from bot.watch.schedule import Schedule


class EarlyRuns:
    """Asks the schedule to run checks early."""

    def __init__(
        self, tracks: Tracks, related: RelatedChecks, in_flight: ChecksInFlight, schedule: Schedule, clock: Clock
    ) -> None:
        self._tracks = tracks
        self._related = related
        self._in_flight = in_flight
        self._schedule = schedule
        self._clock = clock

    def reschedule(self, check: str) -> None:
        """Run it soon while it is in doubt and has budget, else at its usual time."""
        every, wait = self._tracks.every(check), self._tracks.next_look(check, self._clock.now())
        if wait < every:
            self._schedule.run_early(check, wait.total_seconds())
        else:
            self._schedule.cancel_early(check)

    def run_siblings(self, check: str) -> None:
        """When one check of a component fails, run the others soon: is it a part, or the whole?"""
        now = self._clock.now()
        if self._tracks.newly_fails(check, now):
            asked: tuple[str, ...] = self._related.siblings(check)
        else:
            asks = any(self._tracks.newly_fails(other, now) for other in self._related.siblings(check))
            asked = (check,) if asks else ()
        for other in asked:
            if self._tracks.may_hurry(other, now):
                self._schedule.run_early(other, self._tracks.recheck_s(other))

    def run_related(self, check: str) -> None:
        """When a check begins to doubt, run related ones now."""
        for other in self._related.start_alarm(check):
            self._schedule.run_early(other, 0.0)

    def follow_late_answers(self, is_news: Callable[[str], bool]) -> None:
        """A late answer is a doubt as well: run related checks, and this one again, before it ends.

        `is_news` returns whether an outage of a component would be news.
        """
        for check in self._in_flight.late():
            if not is_news(check.component):
                continue
            self.run_related(check.id)
            if self._related.in_alarm(check.id):
                self._schedule.run_early(check.id, 0.0)
