"""What the facts of an incident add up to: the incident itself, in parts."""

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
    recovered_at: datetime | None = None  # since when it is well again, by its evidence; None = it never failed, or still does


@dataclass(frozen=True)
class Post:
    """A message of ours that is kept up to date."""

    channel: str = ""  # Slack id of the channel that it stands in
    ts: str = ""  # empty = it does not stand (yet)
    gone: int = 0  # how often it was deleted or lost its channel


@dataclass(frozen=True)
class Room:
    """Where an incident is told and worked on: its alert, its own channel, and the card in there."""

    alerts_channel: str = ""  # where alerts went by configuration when it was declared
    channel: str = ""  # Slack id, empty = none (yet)
    name: str = ""
    attempt: int = 0  # names that were tried
    refused: str = ""  # why there is no channel
    former: str = ""  # Slack id of the channel that was lost
    alert: Post = Post()
    evidence: Post = Post()  # the first reply under the alert
    card: Post = Post()
    invited: tuple[str, ...] = ()  # people and user groups whom Slack was asked to invite into this channel, by id


@dataclass(frozen=True)
class Undelivered:
    """An effect that was given up: its kind, its fields in JSON, and the fact that it spoke of."""

    what: str
    fields: str = ""
    stream: str = ""
    seq: int = 0


@dataclass(frozen=True)
class People:
    """Who acknowledged it, who helps, and who has which role."""

    acknowledged_at: datetime | None = None
    acknowledged_by: Actor | None = None
    responders: tuple[Actor, ...] = ()  # who came to help, did something in it, or was given a role
    roles: Mapping[str, Actor] = field(default_factory=dict)
    lead_left_at: datetime | None = None  # when the lead gave it up, or was gone; None = somebody leads, or nobody ever did
    lead_asked_at: datetime | None = None  # when the channel was asked who leads; None = not since somebody did

    @property
    def leader(self) -> Actor | None:
        """Who leads, and as long as nobody does whoever acknowledged it."""
        return self.lead or self.acknowledged_by

    @property
    def lead(self) -> Actor | None:
        """Who has the role of the lead."""
        return self.roles.get(LEAD)

    @property
    def speaker(self) -> Actor | None:
        """Who is asked for updates: whoever has communications, else whoever leads."""
        return self.roles.get(COMMUNICATIONS) or self.leader

    @property
    def everybody(self) -> tuple[Actor, ...]:
        """Whoever had a part in it, once each."""
        named = (self.acknowledged_by, *(self.roles[role] for role in sorted(self.roles)), *self.responders)
        return tuple({(one.kind, one.id): one for one in named if one}.values())


@dataclass(frozen=True)
class VendorWords:
    """What the vendor said about it, and the outage that it spoke of."""

    first_at: datetime | None = None  # its first public word, by the vendor's own time
    words: int = 0
    outage_began_at: datetime | None = None  # where it is a later incident of one outage: what the first one of it saw first
    outage_known_at: datetime | None = None  # and when that was declared


@dataclass(frozen=True)
class AlertMention:
    """The step of paging that stands in the alert itself."""

    severity: Severity
    step: int
    names: tuple[str, ...]  # as configured
    called: tuple[str, ...] | None = None  # whom the alert mentions, by id; None = it is not posted yet


@dataclass(frozen=True)
class Paging:
    """How far people were paged."""

    since: datetime | None = None  # steps count from then; None = from the declaration
    done: Mapping[Severity, int] = field(default_factory=dict)  # the last step that was taken at each severity
    eased_at: datetime | None = None  # the severity was lowered: what was due before is not caught up on
    held_until: datetime | None = None  # by quiet hours
    newest: str = ""  # `SEV1/2`
    awaited: tuple[str, ...] = ()  # ways of the newest step of which nobody knows yet whom they reached
    reached: bool = False  # the newest step reached somebody
    lost_at: datetime | None = None  # since when we know that it reached nobody
    problem: str = ""  # what was said last to be wrong with it
    alert: AlertMention | None = None
    again: str = ""  # why people are called although somebody acknowledged it

    def raised(self, at: datetime) -> "Paging":
        """A worse severity counts its steps from the moment of the change."""
        return Paging(since=at, done=self.done, alert=self.alert, again=self.again)

    def eased(self, at: datetime) -> "Paging":
        """A milder one goes on where it would be."""
        return Paging(since=self.since, done=self.done, eased_at=at, alert=self.alert, again=self.again)


@dataclass(frozen=True)
class Reminders:
    """How the lead was reminded that no person writes updates, and who did not want to hear of it."""

    since: datetime | None = None  # the last update by a person, or the reopening; None = the declaration
    reminded_at: datetime | None = None
    snoozed_until: datetime | None = None
    off: bool = False  # until a person writes an update, or turns them on again


@dataclass(frozen=True)
class Ending:
    """How it ended, as resolved or as canceled; nothing while it runs."""

    asked_at: datetime | None = None  # when we asked whether to resolve
    at: datetime | None = None
    by: Actor | None = None
    reason: str = ""  # of a cancellation one of a few words
    duplicate_of: int = 0
    why: str = ""  # what somebody said besides that word


@dataclass(frozen=True)
class Mitigation:
    """That customers are served although it is not over: since when, by whose word or by which rule, and why."""

    at: datetime
    by: Actor
    reason: str = ""


@dataclass(frozen=True)
class MergedInto:
    """The incident that it is part of now, and the phase that it gets back if that ends."""

    number: int
    phase: Phase


@dataclass(frozen=True)
class Part:
    """An incident that was merged into this one: what it holds the place of, and the components that came with it."""

    dedup: str
    components: tuple[str, ...] = ()


@dataclass(frozen=True)
class SourceFile:
    """A file of a message, by name and address; the file itself stays where it is."""

    name: str
    link: str


@dataclass(frozen=True)
class SourceMessage:
    """A message of the chat as it was written; `ts` names it in its channel."""

    channel: str
    ts: str
    author: Actor
    text: str  # as people read it, without markup
    written_at: datetime
    link: str = ""
    files: tuple[SourceFile, ...] = ()
    edited_ts: str = ""  # of the edit that it shows; empty = never edited


@dataclass(frozen=True)
class Entry:
    """What is known of one entry beyond its words, which stand in the facts. An entry is named by the seq of its first fact."""

    message: str = ""  # `channel/ts` of the message that it is; empty for a note
    kept: bool = False  # somebody put it in by name, so that it does not go with the last pin
    pins: tuple[str, ...] = ()  # who has pinned the message, by id
    hidden: bool = False
    edited_ts: str = ""  # of the newest edit of the message that is known
    deleted: bool = False  # the message is gone

    def pinned(self, person: str) -> "Entry":
        """With this person's pin; whoever pins wants to see it."""
        return replace(self, pins=(*self.pins, person) if person not in self.pins else self.pins, hidden=False)

    def unpinned(self, person: str) -> "Entry":
        """Without this person's pin; out of sight with the last one, unless it was put in by name."""
        left = tuple(one for one in self.pins if one != person)
        return replace(self, pins=left, hidden=self.hidden or not (left or self.kept))


def message_key(channel: str, ts: str) -> str:
    """What names a message in the workspace."""
    return f"{channel}/{ts}"


@dataclass(frozen=True)
class Incident:
    """One incident, as its facts left it."""

    number: int
    title: str
    severity: Severity
    provider: str
    dedup: str
    began_at: datetime  # T0: first failed evidence
    declared_at: datetime
    declared_by: Actor
    reason: str
    backdated: bool = False  # a person said when it began, other than when they declared it
    title_by_person: bool = False  # it was renamed by one; then no rule changes it
    severity_by_person: bool = False  # then no rule changes it
    severity_at: datetime | None = None  # since when it is what it is; None = from the start
    phase: Phase = Phase.TRIAGE
    phase_by_person: bool = False  # somebody chose it; then no rule moves it, save where it fails again under `monitoring`
    affected: Mapping[str, Affected] = field(default_factory=dict)
    updates: int = 0  # slots used
    last_update_at: datetime | None = None
    mitigated_at: datetime | None = None  # for the first time
    mitigation: Mitigation | None = None  # the one that stands, whatever the phase; None = there was none, or it is gone
    well_since: datetime | None = None  # all components well, uninterrupted
    room: Room = Room()
    people: People = People()
    vendor: VendorWords = VendorWords()
    ending: Ending = Ending()
    paging: Paging = Paging()
    undelivered: tuple[Undelivered, ...] = ()  # what was given up since the last repair; pages are not among it
    repairs: int = 0
    reminders: Reminders = Reminders()
    entries: Mapping[int, Entry] = field(default_factory=dict)  # of people, by their first fact; a note only once it is changed
    merged: MergedInto | None = None
    parts: Mapping[int, Part] = field(default_factory=dict)  # the incidents that were merged into it, by number
    relapses: int = 0
    reopened: int = 0
    tasks: Mapping[int, Task] = field(default_factory=dict)  # by number, follow-ups among them

    broadcasts: Mapping[str, Post] = field(default_factory=dict)  # who else is told, by channel as configured; gone = not taken
    steps: Mapping[int, Actor] = field(default_factory=dict)  # of runbooks that are done, by number, and by whom
    served: Served | None = None  # customers, as far as services told; None = they did not
    drill: Drill | None = None  # it is an exercise: nothing of it is real but the people

    @property
    def stream(self) -> str:
        """The name of its stream of facts."""
        return f"incident/{self.number}"

    @property
    def name(self) -> str:
        """What people call it: INC-7."""
        return f"INC-{self.number}"

    @property
    def holds(self) -> tuple[str, ...]:
        """What only one open incident may hold: its own key, and those of the incidents that are part of it."""
        return (self.dedup, *(part.dedup for part in self.parts.values()))

    def without_parts(self, numbers: Collection[int]) -> "Incident":
        """The same without these that were merged into it."""
        return replace(self, parts={number: part for number, part in self.parts.items() if number not in numbers})

    @property
    def calls_people(self) -> bool:
        """Whether people may be called for it; for a drill only where whoever started it wanted that."""
        return self.drill is None or self.drill.plan.paging

    def entry_of(self, message: str) -> int | None:
        """The entry that is this message (`channel/ts`)."""
        return next((seq for seq, entry in self.entries.items() if entry.message == message), None)

    @property
    def open_tasks(self) -> tuple[Task, ...]:
        """What is still to be done, in the order in which it was said."""
        return tuple(task for task in self.tasks.values() if task.open)

    @property
    def near(self) -> frozenset[int]:
        """The incidents that a decision about this one may look into: its parts, what it is part of, and where tasks went."""
        merged = {self.merged.number} if self.merged else set()
        return frozenset((*self.parts, *merged, *(task.moved_to.incident for task in self.tasks.values() if task.moved_to)))

    @property
    def reminds(self) -> bool:
        """Whether somebody is still to be reminded of a task, however long it is over."""
        return any(task.next_reminder_at for task in self.tasks.values())

    @property
    def named_by_person(self) -> bool:
        """Whether its title is somebody's words: declared under them, or renamed. Rules leave it alone."""
        return self.title_by_person or self.declared_by.kind is not ActorKind.RULE

    @property
    def well(self) -> bool:
        """Whether every component in it is operational again; false when none ever failed here, since nobody could tell."""
        everyone = self.affected.values()
        return all(a.level is Level.OPERATIONAL for a in everyone) and any(a.recovered_at for a in everyone)

    @property
    def failing(self) -> tuple[Affected, ...]:
        """The components in it that are not well."""
        return tuple(a for a in self.affected.values() if a.level is not Level.OPERATIONAL)
