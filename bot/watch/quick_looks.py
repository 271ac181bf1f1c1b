"""Which checks run early: those in doubt, those beside a failing one of the same component, and those with late answers."""

from collections.abc import Callable

from bot.system.clock import Clock
from bot.watch.check_states import Tracks
from bot.watch.correlated_checks import Kin
from bot.watch.in_flight import Awaited
from bot.watch.schedule import Rounds


class QuickLooks:
    """Asks the schedule to run checks early."""

    def __init__(self, tracks: Tracks, kin: Kin, awaited: Awaited, rounds: Rounds, clock: Clock) -> None:
        self._tracks = tracks
        self._kin = kin
        self._awaited = awaited
        self._rounds = rounds
        self._clock = clock

    def again(self, check: str) -> None:
        """Run it soon while it is in doubt and has budget, else at its usual time."""
        every, wait = self._tracks.every(check), self._tracks.next_look(check, self._clock.now())
        if wait < every:
            self._rounds.sooner(check, wait.total_seconds())
        else:
            self._rounds.no_sooner(check)

    def question(self, check: str) -> None:
        """When one check of a component fails, run the others soon: is it a part, or the whole?"""
        now = self._clock.now()
        if self._tracks.newly_fails(check, now):
            asked: tuple[str, ...] = self._kin.siblings(check)
        else:
            asks = any(self._tracks.newly_fails(other, now) for other in self._kin.siblings(check))
            asked = (check,) if asks else ()
        for other in asked:
            if self._tracks.may_hurry(other, now):
                self._rounds.sooner(other, self._tracks.recheck_s(other))

    def call_kin(self, check: str) -> None:
        """When a check begins to doubt, run related ones now."""
        for other in self._kin.called(check):
            self._rounds.sooner(other, 0.0)

    def see_who_waits(self, is_news: Callable[[str], bool]) -> None:
        """A late answer is a doubt as well: run related checks, and this one again, before it ends.

        `is_news` returns whether an outage of a component would be news.
        """
        for check in self._awaited.late():
            if not is_news(check.component):
                continue
            self.call_kin(check.id)
            if self._kin.alarmed(check.id):
                self._rounds.sooner(check.id, 0.0)
