"""The facts of paging, each with its effect on the incident."""

from dataclasses import replace
from datetime import datetime

from bot.core.lazy_dataclass import dataclass
from bot.core.model import Severity
from bot.core.record.fact import Body, Fact, Reasoned
from bot.core.record.incident import AlertMention, Incident, Paging


@dataclass(frozen=True)
class Paged(Reasoned, Body):
    """A paging step was taken: whom to call, by configured names. `passed` overdue steps before it are part of it."""

    KIND = "incident.paged"
    severity: Severity
    step: int
    mention: tuple[str, ...]
    dm: tuple[str, ...]
    notify: tuple[str, ...]
    in_alert: bool  # the mention is in the alert itself
    passed: int
    reason: str

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """The step is never repeated; the results of its ways are awaited."""
        paging = state.paging
        first = "alert" if self.in_alert else "mention"
        ways = ((first, self.mention), ("dm", self.dm), ("notify", self.notify))
        alert = AlertMention(self.severity, self.step, self.mention) if self.in_alert else paging.alert
        taken = Paging(
            since=paging.since, done={**paging.done, self.severity: self.step}, eased_at=paging.eased_at, alert=alert,
            newest=f"{self.severity}/{self.step}", awaited=tuple(way for way, names in ways if names),
            again=paging.again,
        )  # fmt: skip
        return replace(state, paging=taken)


@dataclass(frozen=True)
class PageOutcome(Body):
    """The result of one way of a step: who was reached, by id, and who was not and why.

    `way` is `alert`, `mention`, `dm` (finding the people), `dm/USER` (a message to one of them) or `notify`.
    """

    KIND = "incident.page_outcome"
    BOOKKEEPING = True
    severity: Severity
    step: int
    way: str
    reached: tuple[str, ...]
    problem: str

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """One result fewer to await; each person found adds one."""
        paging = state.paging
        if self.way == "alert" and paging.alert:
            paging = replace(paging, alert=replace(paging.alert, called=self.reached))
        if paging.newest == f"{self.severity}/{self.step}":
            rest = tuple(way for way in paging.awaited if way != self.way)
            if self.way == "dm":
                paging = replace(paging, awaited=(*rest, *(f"dm/{user}" for user in self.reached)))
            else:
                paging = replace(paging, awaited=rest, reached=paging.reached or bool(self.reached))
            paging = replace(paging, problem=self.problem or paging.problem)
        return replace(state, paging=paging)


@dataclass(frozen=True)
class PageLost(Reasoned, Body):
    """A step reached nobody. The next one follows at once, unless `last`."""

    KIND = "incident.page_lost"
    severity: Severity
    step: int
    last: bool
    reason: str

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """The next step is due at once."""
        return replace(state, paging=replace(state.paging, lost_at=fact.at))


@dataclass(frozen=True)
class PageHeld(Reasoned, Body):
    """A step was due in quiet hours and waits for their end."""

    KIND = "incident.page_held"
    severity: Severity
    step: int
    until: datetime
    reason: str

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """Told once."""
        return replace(state, paging=replace(state.paging, held_until=self.until))


@dataclass(frozen=True)
class PagingResumed(Reasoned, Body):
    """People are paged again, with the remaining steps, although somebody acknowledged it."""

    KIND = "incident.paging_resumed"
    reason: str

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """Paging continues until its cause is settled."""
        return replace(state, paging=replace(state.paging, again=self.reason))


@dataclass(frozen=True)
class PagingSettled(Body):
    """The cause of paging people again is settled."""

    KIND = "incident.paging_settled"
    BOOKKEEPING = True

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """The acknowledgement counts again."""
        return replace(state, paging=replace(state.paging, again=""))
