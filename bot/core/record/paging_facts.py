"""The facts of paging, each with what it makes of the incident."""

from dataclasses import replace
from datetime import datetime

from bot.core.lazy_dataclass import dataclass
from bot.core.model import Severity
from bot.core.record.fact import Body, Fact, Reasoned
from bot.core.record.incident import AlertMention, Incident, Paging


@dataclass(frozen=True)
class Paged(Reasoned, Body):
    """A step of paging was taken: who is to be called, by their names in the configuration. `passed` steps were left out."""

    KIND = "incident.paged"
    severity: Severity
    step: int
    mention: tuple[str, ...]
    dm: tuple[str, ...]
    notify: tuple[str, ...]
    in_alert: bool  # the mention stands in the alert itself
    passed: int
    reason: str

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """This step is taken and never comes again; what its ways come to is awaited."""
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
    """What one way of a step came to: who was reached, by id, and who was not and why.

    `way` is `alert`, `mention`, `dm` (who the people are), `dm/USER` (one of them was sent a message) or `notify`.
    """

    KIND = "incident.page_outcome"
    BOOKKEEPING = True
    severity: Severity
    step: int
    way: str
    reached: tuple[str, ...]
    problem: str

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """One way less to wait for; of people who were found, each is waited for."""
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
    """A step reached nobody. The next one comes at once; `last` says that there is none."""

    KIND = "incident.page_lost"
    severity: Severity
    step: int
    last: bool
    reason: str

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """Nobody waits for the next step's time."""
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
        """It is said once."""
        return replace(state, paging=replace(state.paging, held_until=self.until))


@dataclass(frozen=True)
class PagingResumed(Reasoned, Body):
    """People are called again, by the steps that are left, although somebody acknowledged it."""

    KIND = "incident.paging_resumed"
    reason: str

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """Until what they are called for is settled."""
        return replace(state, paging=replace(state.paging, again=self.reason))


@dataclass(frozen=True)
class PagingSettled(Body):
    """What people were called again for is settled."""

    KIND = "incident.paging_settled"
    BOOKKEEPING = True

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """An acknowledgement counts again."""
        return replace(state, paging=replace(state.paging, again=""))
