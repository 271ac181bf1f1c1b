"""Which checks look before their turn: in doubt, beside another one of the component that fails, or as no answer comes."""

from collections.abc import Callable

from bot.system.clock import Clock
from bot.watch.check_states import Tracks
from bot.watch.correlated_checks import Kin
from bot.watch.in_flight import Awaited
from bot.watch.schedule import Rounds


class QuickLooks:
    """Asks the rounds for a look sooner than they would begin one."""

    def __init__(self, tracks: Tracks, kin: Kin, awaited: Awaited, rounds: Rounds, clock: Clock) -> None:
        self._tracks = tracks
        self._kin = kin
        self._awaited = awaited
        self._rounds = rounds
        self._clock = clock

    def again(self, check: str) -> None:
        """Quickly, while there is doubt and budget for it; at its own time else."""
        every, wait = self._tracks.every(check), self._tracks.next_look(check, self._clock.now())
        if wait < every:
            self._rounds.sooner(check, wait.total_seconds())
        else:
            self._rounds.no_sooner(check)

    def question(self, check: str) -> None:
        """Once one check of a component fails, the others look quickly: is it a part, or the whole?"""
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
        """One begins to doubt: its relatives look now."""
        for other in self._kin.called(check):
            self._rounds.sooner(other, 0.0)

    def see_who_waits(self, is_news: Callable[[str], bool]) -> None:
        """An answer that does not come is a doubt as well: others look before it has come to an end, and so does the check.

        `is_news` says whether an outage of a component would be any.
        """
        for check in self._awaited.late():
            if not is_news(check.component):
                continue
            self.call_kin(check.id)
            if self._kin.alarmed(check.id):
                self._rounds.sooner(check.id, 0.0)
