"""An incident's state, in parts."""

from collections.abc import Collection, Mapping
from dataclasses import field, replace
from datetime import datetime

from bot.core.drill import Drill
from bot.core.lazy_dataclass import dataclass
from bot.core.model import COMMUNICATIONS, LEAD, Actor, ActorKind, Level, Phase, Severity
from bot.core.outcomes.served import Served
from bot.core.tasks import Task


@dataclass(frozen=True)
class Affected:
    """One component inside one incident."""

    id: str
    level: Level
    reason: str
    failed_at: datetime
    recovered_at: datetime | None = None  # since when it is healthy again, by its evidence; None = never failed, or still does


@dataclass(frozen=True)
class Post:
    """One of our messages that is kept up to date."""

    channel: str = ""  # Slack id of its channel
    ts: str = ""  # empty = not posted (yet)
    gone: int = 0  # how often it was deleted or lost its channel


@dataclass(frozen=True)
class Room:
    """Where people follow and work on an incident: its alert, its own channel, and the card there."""

    alerts_channel: str = ""  # the alerts channel configured when it was declared
    channel: str = ""  # Slack id, empty = none (yet)
    name: str = ""
    attempt: int = 0  # number of names tried
    refused: str = ""  # why there is no channel
    former: str = ""  # Slack id of the lost channel
    alert: Post = Post()
    evidence: Post = Post()  # the first reply to the alert
    card: Post = Post()
    invited: tuple[str, ...] = ()  # ids of people and user groups that Slack was asked to invite into this channel


@dataclass(frozen=True)
class Undelivered:
    """An effect that was given up: its kind, its fields in JSON, and the fact that caused it."""

    what: str
    fields: str = ""
    stream: str = ""
    seq: int = 0


@dataclass(frozen=True)
class People:
    """Who acknowledged it, who helps, and who has which role."""

    acknowledged_at: datetime | None = None
    acknowledged_by: Actor | None = None
    responders: tuple[Actor, ...] = ()  # who joined, acted in it, or was given a role
    roles: Mapping[str, Actor] = field(default_factory=dict)
    lead_left_at: datetime | None = None  # when the lead gave up the role or left; None = somebody leads, or nobody ever did
    lead_asked_at: datetime | None = None  # when the channel was asked who leads; None = not since somebody last led

    @property
    def leader(self) -> Actor | None:
        """The lead, or if nobody leads, whoever acknowledged it."""
        return self.lead or self.acknowledged_by

    @property
    def lead(self) -> Actor | None:
        """The holder of the lead's role."""
        return self.roles.get(LEAD)

    @property
    def speaker(self) -> Actor | None:
        """Who is asked for updates: whoever has communications, else the leader."""
        return self.roles.get(COMMUNICATIONS) or self.leader

    @property
    def everybody(self) -> tuple[Actor, ...]:
        """Everybody who took part, once each."""
        named = (self.acknowledged_by, *(self.roles[role] for role in sorted(self.roles)), *self.responders)
        return tuple({(one.kind, one.id): one for one in named if one}.values())


@dataclass(frozen=True)
class VendorWords:
    """What the vendor said about it, and about which outage."""

    first_at: datetime | None = None  # its first public statement, by the vendor's clock
    words: int = 0
    outage_began_at: datetime | None = None  # in a later incident of the same outage: when the first incident saw it begin
    outage_known_at: datetime | None = None  # and when that incident was declared


@dataclass(frozen=True)
class AlertMention:
    """The paging step that is part of the alert itself."""

    severity: Severity
    step: int
    names: tuple[str, ...]  # as configured
    called: tuple[str, ...] | None = None  # ids that the alert mentions; None = not posted yet


@dataclass(frozen=True)
class Paging:
    """How far paging has got."""

    since: datetime | None = None  # when the steps start counting; None = at the declaration
    done: Mapping[Severity, int] = field(default_factory=dict)  # the last step taken at each severity
    eased_at: datetime | None = None  # when the severity was lowered: steps due earlier are skipped
    held_until: datetime | None = None  # end of the quiet hours that delay it
    newest: str = ""  # `SEV1/2`
    awaited: tuple[str, ...] = ()  # ways of the newest step whose result is still unknown
    reached: bool = False  # whether the newest step reached somebody
    lost_at: datetime | None = None  # when we learned that it reached nobody
    problem: str = ""  # the last problem that was told
    alert: AlertMention | None = None
    again: str = ""  # why people are paged although somebody acknowledged it

    def raised(self, at: datetime) -> "Paging":
        """After a raise, steps count from the change."""
        return Paging(since=at, done=self.done, alert=self.alert, again=self.again)

    def eased(self, at: datetime) -> "Paging":
        """After a lowering, steps continue as if it had always been so."""
        return Paging(since=self.since, done=self.done, eased_at=at, alert=self.alert, again=self.again)


@dataclass(frozen=True)
class Reminders:
    """Reminders that no person has written an update, and snoozes of them."""

    since: datetime | None = None  # the last update by a person, or the reopening; None = neither yet
    reminded_at: datetime | None = None
    snoozed_until: datetime | None = None
    off: bool = False  # until a person writes an update or turns them on again


@dataclass(frozen=True)
class Ending:
    """How it was resolved or canceled; empty while it is open."""

    asked_at: datetime | None = None  # when we asked whether to resolve
    at: datetime | None = None
    by: Actor | None = None
    reason: str = ""  # for a cancellation, one from a fixed list
    duplicate_of: int = 0
    why: str = ""  # free text beside that reason


@dataclass(frozen=True)
class Mitigation:
    """Customers are served although the incident is not over: since when, according to whom, and why."""

    at: datetime
    by: Actor
    reason: str = ""


@dataclass(frozen=True)
class MergedInto:
    """The incident that this one was merged into, and the phase it returns to when unmerged."""

    number: int
    phase: Phase


@dataclass(frozen=True)
class Part:
    """An incident merged into this one: the dedup key that this one holds for it, and the components it brought."""

    dedup: str
    components: tuple[str, ...] = ()


@dataclass(frozen=True)
class SourceFile:
    """A file attached to a message, by name and address; the file itself is not copied."""

    name: str
    link: str


@dataclass(frozen=True)
class SourceMessage:
    """A chat message as it was written; `ts` identifies it in its channel."""

    channel: str
    ts: str
    author: Actor
    text: str  # as people read it, without markup
    written_at: datetime
    link: str = ""
    files: tuple[SourceFile, ...] = ()
    edited_ts: str = ""  # time of the edit shown; empty = never edited


@dataclass(frozen=True)
class Entry:
    """The state of an entry; its text stays in the facts. The seq of its first fact identifies it."""

    message: str = ""  # `channel/ts` of the message; empty for a note
    kept: bool = False  # somebody added it explicitly, so it stays when the last pin goes
    pins: tuple[str, ...] = ()  # ids of people who pinned the message
    hidden: bool = False
    edited_ts: str = ""  # time of the newest known edit
    deleted: bool = False  # the message was deleted

    def pinned(self, person: str) -> "Entry":
        """With this person's pin, which also shows the entry again."""
        return replace(self, pins=(*self.pins, person) if person not in self.pins else self.pins, hidden=False)

    def unpinned(self, person: str) -> "Entry":
        """Without this person's pin; the last one hides the entry, unless it was added explicitly."""
        left = tuple(one for one in self.pins if one != person)
        return replace(self, pins=left, hidden=self.hidden or not (left or self.kept))


def message_key(channel: str, ts: str) -> str:
    """The id of a message in the workspace."""
    return f"{channel}/{ts}"


@dataclass(frozen=True)
class Incident:
    """One incident as its facts describe it."""

    number: int
    title: str
    severity: Severity
    provider: str
    dedup: str
    began_at: datetime  # T0: the first failed evidence
    declared_at: datetime
    declared_by: Actor
    reason: str
    backdated: bool = False  # a person gave a different beginning than the declaration
    title_by_person: bool = False  # a person renamed it; rules do not change it any more
    severity_by_person: bool = False  # a person set it; rules do not change it any more
    severity_at: datetime | None = None  # since when it has its current value; None = from the start
    phase: Phase = Phase.TRIAGE
    phase_by_person: bool = False  # a person chose it; rules only move it on a failure during `monitoring`
    affected: Mapping[str, Affected] = field(default_factory=dict)
    updates: int = 0  # number of updates so far
    last_update_at: datetime | None = None
    mitigated_at: datetime | None = None  # the first time
    mitigation: Mitigation | None = None  # the current one, whatever the phase; None = there is none (any more)
    well_since: datetime | None = None  # since when all components have been healthy, without interruption
    room: Room = Room()
    people: People = People()
    vendor: VendorWords = VendorWords()
    ending: Ending = Ending()
    paging: Paging = Paging()
    undelivered: tuple[Undelivered, ...] = ()  # effects given up since the last repair, except pages
    repairs: int = 0
    reminders: Reminders = Reminders()
    entries: Mapping[int, Entry] = field(default_factory=dict)  # by people, by their first fact; a note only after a change
    merged: MergedInto | None = None
    parts: Mapping[int, Part] = field(default_factory=dict)  # incidents merged into it, by number
    relapses: int = 0
    reopened: int = 0
    tasks: Mapping[int, Task] = field(default_factory=dict)  # by number, including follow-ups

    broadcasts: Mapping[str, Post] = field(default_factory=dict)  # by channel as configured; gone = Slack refused it
    steps: Mapping[int, Actor] = field(default_factory=dict)  # runbook steps that are done, by number, with the person
    served: Served | None = None  # figures on customers; None = services reported none
    drill: Drill | None = None  # set if it is a drill: only the people are real

    @property
    def stream(self) -> str:
        """The name of its stream of facts."""
        return f"incident/{self.number}"

    @property
    def name(self) -> str:
        """Its name for people: INC-7."""
        return f"INC-{self.number}"

    @property
    def holds(self) -> tuple[str, ...]:
        """Keys that only one open incident may hold: its own dedup key and those of its parts."""
        return (self.dedup, *(part.dedup for part in self.parts.values()))

    def without_parts(self, numbers: Collection[int]) -> "Incident":
        """The incident without these parts."""
        return replace(self, parts={number: part for number, part in self.parts.items() if number not in numbers})

    @property
    def calls_people(self) -> bool:
        """Whether people may be paged; for a drill only if it was started with paging."""
        return self.drill is None or self.drill.plan.paging

    def entry_of(self, message: str) -> int | None:
        """The entry made from this message (`channel/ts`)."""
        return next((seq for seq, entry in self.entries.items() if entry.message == message), None)

    @property
    def open_tasks(self) -> tuple[Task, ...]:
        """Tasks still to be done, in the order in which they were added."""
        return tuple(task for task in self.tasks.values() if task.open)

    @property
    def near(self) -> frozenset[int]:
        """Incidents that a decision about this one may need: its parts, the one it was merged into, and where tasks went."""
        merged = {self.merged.number} if self.merged else set()
        return frozenset((*self.parts, *merged, *(task.moved_to.incident for task in self.tasks.values() if task.moved_to)))

    @property
    def reminds(self) -> bool:
        """Whether a task still needs reminders, even long after the end."""
        return any(task.next_reminder_at for task in self.tasks.values())

    @property
    def named_by_person(self) -> bool:
        """Whether a person chose the title, by declaring it or renaming it. Rules leave it alone."""
        return self.title_by_person or self.declared_by.kind is not ActorKind.RULE

    @property
    def well(self) -> bool:
        """Whether every component in it is operational again; False if none failed here, since then nobody can tell."""
        everyone = self.affected.values()
        return all(a.level is Level.OPERATIONAL for a in everyone) and any(a.recovered_at for a in everyone)

    @property
    def failing(self) -> tuple[Affected, ...]:
        """Its unhealthy components."""
        return tuple(a for a in self.affected.values() if a.level is not Level.OPERATIONAL)
