"""What must hold of people's work with incidents: drills, merges, tasks, timelines. Each law yields its breaches."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.decide.drills import LEFT_OPEN
from bot.core.effects import PostSummary
from bot.core.effects.pages import OfPage
from bot.core.model import Level, Phase
from bot.core.record.component_facts import VerdictChanged
from bot.core.record.drills.drill_facts import DrillEnded
from bot.core.record.entry_facts import EntryCorrected, EntryHidden, EntryShown, MessageAdded, MessageEdited, OfEntry
from bot.core.record.fact import Fact
from bot.core.record.incident import Incident, message_key
from bot.core.record.incident_facts import NoteAdded, PhaseChanged
from bot.core.record.paging_facts import Paged
from bot.core.record.streams import evolve
from bot.core.record.task_facts import TaskAdded, TaskCame, TaskChanged, TaskReminded
from bot.core.record.world import World
from bot.core.tasks import TaskRef
from bot.ports import OutboxRow
from bot.timeline.durations import durations
from bot.timeline.rows import Row
from bot.timeline.story import story
from bot.web.metrics import Metrics
from tests.simulation.stage import Stage

SPARE = timedelta(seconds=90)  # a beat, a settle time, and a turn in the lane


def broken_at_work(stage: Stage, facts: Sequence[Fact], rows: Sequence[OutboxRow]) -> list[str]:
    """Every breach, one sentence each."""
    world, found = World(), []
    for fact, upcoming in zip(facts, [*facts[1:], None], strict=True):
        before, world = world, evolve(world, fact)
        found += _drills_end(stage, before, fact)
        if upcoming is None or upcoming.at != fact.at:  # a commit is seen as a whole
            found += _one_open(world, fact)
    about = {n: [x for x in facts if x.incident == n or x.stream == f"incident/{n}"] for n in world.incidents}
    return [
        *found, *_drills_stay_drills(stage, world, facts, rows), *_drills_do_not_count(world, stage, facts),
        *_reported_once(world, facts, rows), *_tasks(stage, world, facts),
        *(sentence for n in about for sentence in _told_whole(world.incidents[n], about[n])),
        *(sentence for n in about for sentence in _measured(world, world.incidents[n], about[n])),
    ]  # fmt: skip


def _one_open(world: World, fact: Fact) -> Iterator[str]:
    """At most one open incident per provider, whatever it was merged with; a component belongs to one incident."""
    if fact.stream.startswith("incident/"):
        running = world.open_incidents()
        for what, held in (
            ("for", Counter(key for one in running for key in one.holds)),
            ("of", Counter(one.provider for one in running if one.provider)),
            ("with", Counter(id for one in running for id in one.affected)),
        ):
            yield from (f"{n} incidents {what} {key} are open after {fact.kind}" for key, n in held.items() if n > 1)


# --- drills


def _drills_end(stage: Stage, world: World, fact: Fact) -> Iterator[str]:
    """No drill lasts longer than requested, and none stays open."""
    for incident in world.open_incidents():
        if incident.drill is None:
            continue
        drill = incident.drill
        over = drill.plan.until if drill.running else (drill.ended_at or fact.at) + LEFT_OPEN
        if fact.at - over > SPARE + stage.nobody_there(over, fact.at):
            yield f"the drill {incident.name} was to be over at {over:%H:%M} and was not at {fact.at:%H:%M}"


def _drills_stay_drills(stage: Stage, world: World, facts: Sequence[Fact], rows: Sequence[OutboxRow]) -> Iterator[str]:
    """A drill moves no flag and no component, and pages nobody unless that was requested."""
    drills = {n: incident for n, incident in world.incidents.items() if incident.drill}
    for fact in facts:
        if fact.incident in drills and (fact.stream.startswith("flag/") or isinstance(fact.body, VerdictChanged)):
            yield f"the drill INC-{fact.incident} moved {fact.stream} by {fact.kind}"
    unasked = [incident for incident in drills.values() if incident.drill and not incident.drill.plan.paging]
    for incident in unasked:
        if any(isinstance(fact.body, Paged) and fact.incident == incident.number for fact in facts):
            yield f"the drill {incident.name} paged people"
        if any(isinstance(row.effect.body, OfPage) and row.effect.incident == incident.number for row in rows):
            yield f"the drill {incident.name} sent pages"
        told = [title for title, body in stage.notifier.said if incident.name in f"{title} {body}".split()]
        yield from (f"the drill {incident.name} woke people: {title}" for title in told)


def _drills_do_not_count(world: World, stage: Stage, facts: Sequence[Fact]) -> Iterator[str]:
    """Only real incidents are counted as declared and as open."""
    assert stage.app is not None
    metrics = Metrics("0")
    for fact in facts:
        metrics.observe_fact(fact)
    metrics.set_world(world, stage.app.engine.policy)
    real = [one for one in world.incidents.values() if one.drill is None]
    wanted = {"understudy_incidents_declared_total": len(real), "understudy_incidents_open": sum(i.phase.open for i in real)}
    samples = [sample for family in metrics.registry.collect() for sample in family.samples]
    for name, count in wanted.items():
        counted = int(sum(sample.value for sample in samples if sample.name == name))
        if counted != count:
            yield f"{name} counts {counted} incidents, of which {count} are real"


def _reported_once(world: World, facts: Sequence[Fact], rows: Sequence[OutboxRow]) -> Iterator[str]:
    """A drill ends once, and its report comes once, when it is resolved."""
    for n in (n for n, incident in world.incidents.items() if incident.drill):
        mine = [fact.body for fact in facts if fact.incident == n]
        ends, resolved = (
            sum(isinstance(b, DrillEnded) for b in mine),
            sum(isinstance(b, PhaseChanged) and b.phase is Phase.RESOLVED for b in mine),
        )
        reports = sum(type(row.effect.body) is PostSummary and row.effect.incident == n for row in rows)
        if ends > 1 or resolved > 1:
            yield f"the drill INC-{n} ended {ends} times and was resolved {resolved} times"
        if reports > resolved:
            yield f"the drill INC-{n} was reported {reports} times"


# --- tasks


def _tasks(stage: Stage, world: World, facts: Sequence[Fact]) -> Iterator[str]:
    """Each task is in one place after any merge, its owner is reminded once per due time, and none is forgotten."""
    at: dict[TaskRef, TaskRef] = {}  # where it is now -> where it was said
    reminded: Counter[TaskRef] = Counter()  # since its owner or its due time changed
    for fact in facts:
        body, n = fact.body, fact.incident or 0
        if isinstance(body, TaskAdded):
            at[TaskRef(n, body.task)] = TaskRef(n, body.task)
        elif isinstance(body, TaskCame):
            if body.out_of not in at:
                yield f"task {body.task} of INC-{n} came from where there is none"
            at[TaskRef(n, body.task)] = at.pop(body.out_of, body.out_of)
        elif isinstance(body, TaskChanged) and (body.owner or body.unowned or body.due_at or body.undated):
            reminded.pop(at[TaskRef(n, body.task)], None)
        elif isinstance(body, TaskReminded):
            said = at[TaskRef(n, body.task)]
            reminded[said] += 1
            if reminded[said] > 1:
                yield f"task {said.task} of INC-{said.incident} was reminded of again at {fact.at:%H:%M}"
    for ref, said in at.items():
        task = world.incidents[ref.incident].tasks[ref.task]
        if task.moved_to:
            yield f"task {said.task} of INC-{said.incident} was lost on its way to INC-{task.moved_to.incident}"
        due, now = task.next_reminder_at, stage.clock.now()
        if due and now - due > SPARE + stage.nobody_there(due, now):
            yield f"nobody was reminded of task {said.task} of INC-{said.incident}, due {due:%H:%M}"
    open_ones = {TaskRef(n, task.number) for n, one in world.incidents.items() for task in one.open_tasks}
    yield from (f"task {ref.task} of INC-{ref.incident} is open twice" for ref in open_ones - set(at))


# --- timelines


@dataclass
class Entry:
    """What a timeline entry should say, by the facts alone."""

    words: str
    at: datetime
    hidden: bool = False
    corrected: bool = False
    was: tuple[str, ...] = ()
    was_at: tuple[datetime, ...] = ()


def _told_whole(incident: Incident, facts: Sequence[Fact]) -> Iterator[str]:
    """A timeline has all facts of its incident, and each entry by people once: the latest correction, with its history."""
    own = [fact for fact in facts if fact.stream == incident.stream]
    if [fact.seq for fact in own] != list(range(1, len(own) + 1)) or any(fact.incident != incident.number for fact in own):
        yield f"the timeline of {incident.name} has gaps"
    messages = Counter(message_key(b.message.channel, b.message.ts) for x in own if isinstance(b := x.body, MessageAdded))
    yield from (f"{key} is {n} entries of {incident.name}" for key, n in messages.items() if n > 1)
    wanted, shown = _entries(incident, own), [row for row in story(facts) if row.entry]
    found = Counter((row.stream, row.entry) for row in shown)
    if found != Counter((incident.stream, seq) for seq, entry in wanted.items() if not entry.hidden):
        yield f"{incident.name} shows the entries {sorted(found)}, of {sorted(wanted)}"
    for row in shown:
        if row.stream == incident.stream and row.entry in wanted:
            yield from _reads(incident, row, wanted[row.entry])


def _entries(incident: Incident, own: Sequence[Fact]) -> dict[int, Entry]:
    entries: dict[int, Entry] = {}
    for fact in own:
        match fact.body:
            case NoteAdded(text=text):
                entries[fact.seq] = Entry(text, fact.at)
            case MessageAdded(message=message):
                entries[fact.seq] = Entry(message.text, message.written_at)
        entry = entries.get(fact.body.entry) if isinstance(fact.body, OfEntry) else None
        if entry is None:
            continue
        match fact.body:
            case MessageEdited(text=text):
                entry.was += (entry.words,)
                entry.words = entry.words if entry.corrected else text
            case EntryCorrected(text=text, happened_at=at):
                entry.was, entry.was_at = (
                    (*entry.was, *([entry.words] if text else [])),
                    (*entry.was_at, *([entry.at] if at else [])),
                )
                entry.words, entry.at, entry.corrected = text or entry.words, at or entry.at, entry.corrected or bool(text)
            case EntryHidden() | EntryShown():
                pass
    for seq, entry in entries.items():
        entry.hidden = seq in incident.entries and incident.entries[seq].hidden
    return entries


def _reads(incident: Incident, row: Row, wanted: Entry) -> Iterator[str]:
    name = f"entry {row.entry} of {incident.name}"
    if not row.text.endswith(wanted.words) or row.at != wanted.at:
        yield f"{name} reads {row.text[:60]!r} at {row.at}, not {wanted.words[:60]!r} at {wanted.at}"
    if tuple(one.was for one in row.changes if one.was) != wanted.was:
        yield f"{name} does not tell what it read before it was corrected"
    if tuple(one.was_at for one in row.changes if one.was_at) != wanted.was_at:
        yield f"{name} does not tell when it was before it was corrected"


def _measured(world: World, incident: Incident, facts: Sequence[Fact]) -> Iterator[str]:
    """While an incident runs, its exports call what is away or failing so, whatever it was merged with."""
    if not incident.phase.open:
        return
    took = durations(incident, facts)
    for away in (one for one in took.away if one.ended_at is None):
        engagement = world.flag(away.flag).engagement
        if engagement is None or engagement.variant != away.variant:
            yield f"{incident.name} has {away.flag} on {away.variant} without end, which is over"
    for outage in (one for one in took.outages if one.ended_at is None):
        affected = incident.affected.get(outage.component)
        if affected is None or affected.level is Level.OPERATIONAL:
            yield f"{incident.name} has {outage.component} fail without end, which is over"
