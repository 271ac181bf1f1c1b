"""Two incidents become one, or two again. Each keeps its own stream: nothing is copied or lost."""

from dataclasses import replace
from datetime import datetime

from bot.core.lazy_dataclass import dataclass
from bot.core.model import Actor, Phase
from bot.core.record.fact import Body, Fact, OfComponents, OfFlag, Reasoned
from bot.core.record.incident import Ending, Incident, MergedInto, Part, Reminders
from bot.core.record.incident_facts import settled


@dataclass(frozen=True)
class Merged(Reasoned, Body):
    """The incident was merged into another one, which continues for both."""

    KIND = "incident.merged"
    ANNOUNCED = True
    into: int
    reason: str

    def pushed(self) -> bool:
        """People watching its alert must look elsewhere now."""
        return True

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """The incident is no longer running; its phase is kept for unmerging."""
        ending = Ending(state.ending.asked_at, fact.at, fact.actor, f"merged into INC-{self.into}")
        return replace(state, phase=Phase.MERGED, merged=MergedInto(self.into, state.phase), ending=ending)


@dataclass(frozen=True)
class Unmerged(Reasoned, Body):
    """The incident was separated again and has its former phase."""

    KIND = "incident.unmerged"
    ANNOUNCED = True
    out_of: int
    phase: Phase
    reason: str

    def pushed(self) -> bool:
        """Its alert matters again."""
        return True

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """Restart the update interval, as after reopening: updates not sent while it was merged are not missed."""
        return replace(
            state, phase=self.phase, merged=None, ending=Ending(), last_update_at=fact.at, reminders=Reminders(since=fact.at),
            paging=state.paging.raised(fact.at), well_since=fact.at if state.well else None,
        )  # fmt: skip


@dataclass(frozen=True)
class PartTaken(OfComponents, Body):
    """Another incident was merged into this one, along with its components and responders."""

    KIND = "incident.part_taken"
    ANNOUNCED = True
    number: int
    title: str
    dedup: str
    components: tuple[str, ...]  # those that this one did not have
    people: tuple[Actor, ...] = ()
    acknowledged_at: datetime | None = None
    acknowledged_by: Actor | None = None
    tasks: int = 0  # number of its open tasks, which are moved by separate facts

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """Components join by separate facts. The part's acknowledgement counts here, unless somebody acknowledged this one."""
        people = state.people
        known = {(one.kind, one.id) for one in people.everybody}
        fresh = tuple(one for one in self.people if (one.kind, one.id) not in known)
        people = replace(people, responders=(*people.responders, *fresh))
        if people.acknowledged_by is None:
            people = replace(people, acknowledged_at=self.acknowledged_at, acknowledged_by=self.acknowledged_by)
        return replace(state, people=people, parts={**state.parts, self.number: Part(self.dedup, self.components)})


@dataclass(frozen=True)
class DuplicateFound(Body):
    """Another incident was canceled as a duplicate of this one."""

    KIND = "incident.duplicate_found"
    ANNOUNCED = True
    number: int
    title: str


@dataclass(frozen=True)
class PartGivenBack(OfComponents, Body):
    """An incident that was merged into this one is separate again and has its components back."""

    KIND = "incident.part_given_back"
    ANNOUNCED = True
    EVIDENCE = True
    number: int
    components: tuple[str, ...]
    flags: tuple[str, ...] = ()  # those that depend only on its components; they are told in it from now on
    tasks: int = 0  # number of open tasks that go with it, by separate facts

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """Its components no longer belong here; the people stay."""
        affected = {id: one for id, one in state.affected.items() if id not in self.components}
        return settled(replace(state.without_parts([self.number]), affected=affected), fact)


@dataclass(frozen=True)
class PartSwitched(OfFlag, Body):
    """A flag behind its components serves another variant; people are told in the incident that it was merged into."""

    KIND = "incident.part_switched"
    BOOKKEEPING = True
    flag: str
    variant: str  # empty: the default again
