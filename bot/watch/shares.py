"""This replica's share of the work: which checks it runs, which pages it reads, and what it may report.

Checks of one component belong together, since a verdict needs all of them. A component that comes from another replica is not
reported on until each of its checks has run once. Two replicas that both claim it for a moment do no harm, since the engine
decides on what is committed.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from bot.core.lazy_dataclass import dataclass
from bot.core.record.sight import Sight
from bot.ports import CLOCK, Member


@dataclass(frozen=True)
class Arrivals:
    """Components that became ours.

    `new` belonged to another replica (or we were paused and do not know); `back` are those that we kept checking
    although our lease had expired: the ledger was away, or only we were cut off.
    """

    new: Collection[str] = ()
    back: Collection[str] = ()


NOTHING = Arrivals()


class WorkShare:
    """What this replica runs, reads and reports.

    With `every_replica_checks` each replica runs every check, as a vantage of its own; still only one reports the result.
    """

    def __init__(self, member: Member, *, every_replica_checks: bool = False) -> None:
        self._member = member
        self._every_replica_checks = every_replica_checks
        self._components: Collection[str] = ()
        self._mine: frozenset[str] = frozenset()
        self._epoch = member.epoch
        self._moved = False
        self._arriving: set[str] = set()  # some of their checks have not run yet
        self._untaken: dict[str, int] = {}  # committed state not read yet, with the number of the arrival
        self._arrivals = 0

    def begin(self, components: Mapping[str, Collection[str]]) -> None:
        """Share out these components from now on."""
        self._components = tuple(components)
        self._epoch = self._member.epoch
        if len(self._member.live) > 1:
            self._moved = True  # everything of ours belonged to another replica until now
        else:
            self._mine = frozenset(filter(self.owns, self._components))
        self._member.listen(self._on_change)

    def arrived(self) -> Arrivals:
        """The components that became ours since the last call, which happens at every beat."""
        if not self._moved:
            return NOTHING
        self._moved = False
        before, self._mine = self._mine, frozenset(filter(self.owns, self._components))
        ours_still = lost = self._mine & before
        if self._member.epoch == self._epoch:
            lost = frozenset()
        elif not self._member.awake_since(self._epoch):
            ours_still = lost = frozenset()
        self._epoch = self._member.epoch
        if self._every_replica_checks:
            return NOTHING
        new = self._mine - ours_still
        self._arrivals += 1
        self._arriving = self._arriving & self._mine | new | lost
        self._untaken = {id: n for id, n in self._untaken.items() if id in self._mine}
        self._untaken |= dict.fromkeys(new | lost, self._arrivals)
        return Arrivals(sorted(new), sorted(lost))

    def untaken(self) -> Mapping[str, int]:
        """Components that arrived and were not yet continued from the committed state."""
        return dict(sorted(self._untaken.items()))

    def taken(self, components: Mapping[str, int]) -> None:
        """These were continued; one that left and arrived again meanwhile was not."""
        self._untaken = {id: n for id, n in self._untaken.items() if components.get(id) != n}

    def _on_change(self) -> None:
        self._moved = True

    # --- what is ours

    def owns(self, component: str) -> bool:
        """Whether this replica reports on a component."""
        return self._member.owns(component)

    def runs_checks_of(self, component: str) -> bool:
        """Whether it runs the component's checks."""
        return self._every_replica_checks or self.owns(component)

    def reads(self, provider: str, components: Iterable[str]) -> bool:
        """Whether it reads a provider's page: it reports the page, or verdicts that depend on it."""
        return self.owns(_feed(provider)) or any(map(self.owns, components))

    # --- what may be told

    def may_report(self, component: str, *, not_run_yet: Collection[str]) -> bool:
        """Whether a verdict on it may be reported, given the checks that have not run yet."""
        if self._moved or component in self._untaken or not self._member.alive() or not self.owns(component):
            return False
        if not not_run_yet:
            self._arriving.discard(component)
        return component not in self._arriving

    def may_report_feed(self, provider: str) -> bool:
        """Whether this replica may report the page."""
        return self._member.alive() and self.owns(_feed(provider))

    def holds_clock(self) -> bool:
        """Whether this replica may act on deadlines."""
        return self._member.holds(CLOCK)

    def sight_of_all(self, own: Sight) -> Sight | None:
        """The replicas' common sight, if this one reports it: blind only if every replica is."""
        if not self.holds_clock():
            return None
        others = [one for one in self._member.live if one.says.boot != self._member.boot]
        if own.blind and any(not one.says.blind for one in others):
            return replace(own, blind=False, reason="other replicas see")
        return own


def _feed(provider: str) -> str:
    return f"feed {provider}"
