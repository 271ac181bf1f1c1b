"""What must hold after any day, however bad. Each law yields one sentence per breach."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.core.decide.alerting.suppression import look
from bot.core.decide.paging import steps_left, waits_for_people
from bot.core.decide.phases import LEGAL
from bot.core.effects import Certainty, OpenThread, PostAlert
from bot.core.model import Level, Outcome, Phase
from bot.core.record.component_facts import AlertSuppressed, Muted, Unmuted, VerdictChanged
from bot.core.record.fact import Fact
from bot.core.record.flag_facts import Engaged, HandBackStepped, Released
from bot.core.record.incident_facts import Declared, PhaseChanged, UpdateWritten
from bot.core.record.paging_facts import Paged
from bot.core.record.room.room_facts import ChannelOpened
from bot.core.record.sight import SightLost
from bot.core.record.streams import evolve
from bot.core.record.world import World
from bot.core.scope import whole
from bot.engine.world_reading import changed_states
from bot.flags.evaluate import Evaluation, evaluate
from bot.ports import OutboxRow
from bot.sandbox.world import EPOCH
from tests.simulation.laws_of_work import broken_at_work
from tests.simulation.stage import Stage

SPARE = timedelta(seconds=90)  # a beat, a settle time, and a turn in the lane
LOOK = timedelta(seconds=10)  # the longest look, its controls included: it is stored with the time at which it began
HEARSAY = "no check of ours sees it"
SEEN_AGAIN = timedelta(minutes=3)  # controls that answer again must do so for a while; one may be lost as the day ends


async def broken(stage: Stage) -> list[str]:
    """Every breach, one sentence each."""
    assert stage.app is not None
    facts = await stage.disk.read(lambda store: store.all_facts())
    rows = await stage.disk.read(lambda store: store.outbox())
    return [
        *_said_once(stage, rows), *_nothing_waits(rows), *_one_channel(stage, facts), *_inert(stage), *_legal(facts),
        *_updates_in_time(stage, facts), *_flags_never_onto_fire(stage, facts),
        *_flags_served(stage), *await _entered_by_a_failure(stage, facts), *_blind(stage, facts, rows),
        *_paged(stage, facts), *_held_back(stage, facts), *_opens_again(stage, facts), *_muted(facts, rows),
        *await _rebuilt(stage, facts),
        *await _chained(stage, facts), *broken_at_work(stage, facts, rows),
    ]  # fmt: skip


def _posts(stage: Stage) -> Counter[str]:
    stand = Counter(m.key for channel in stage.chat.channels.values() for m in channel.messages if m.key)
    return stand + Counter(stage.tidied)


def _said_once(stage: Stage, rows: Sequence[OutboxRow]) -> Iterator[str]:
    """Nothing is lost, and nothing is posted twice."""
    posts = _posts(stage)
    yield from (f"{key} was said {count} times" for key, count in posts.items() if count > 1)
    for row in rows:
        posted = row.effect.body.CERTAINTY is not Certainty.REPEATABLE and row.result.get("ts")
        if row.state == "done" and posted and not posts[row.effect.key]:
            yield f"{row.effect.key} counts as done and was never said"
        if row.state == "dead" and type(row.effect.body) is PostAlert:
            yield f"{row.effect.key} was given up: {row.error}"


def _nothing_waits(rows: Sequence[OutboxRow]) -> Iterator[str]:
    """In the end every effect is done, superseded, or given up with a reason."""
    for row in rows:
        if row.state in ("pending", "sending", "ambiguous"):
            yield f"{row.effect.key} is still {row.state}: {row.error}"
        if row.state == "dead" and not row.error:
            yield f"{row.effect.key} was given up without a reason"


def _one_channel(stage: Stage, facts: Sequence[Fact]) -> Iterator[str]:
    """Each incident has one channel, and every channel belongs to one."""
    opened = Counter(fact.body.channel for fact in facts if isinstance(fact.body, ChannelOpened))
    incidents = Counter(fact.incident for fact in facts if isinstance(fact.body, ChannelOpened))
    made = {c.id for c in stage.chat.channels.values() if c.creator == stage.chat.me and c.name.startswith(("inc-", "drill-"))}
    yield from (f"INC-{number} opened {count} channels" for number, count in incidents.items() if count > 1)
    yield from (f"channel {id} belongs to nobody" for id in made - set(opened))


def _muted(facts: Sequence[Fact], rows: Sequence[OutboxRow]) -> Iterator[str]:
    """A component that goes down while muted is reported once per mute, by one quiet post."""
    posts = {row.effect.key for row in rows if type(row.effect.body) is OpenThread}
    told: dict[str, bool] = {}  # by muted component: whether it was said already
    for fact in facts:
        match fact.body:
            case Muted(component=id):
                told[id] = False
            case Unmuted(component=id):
                told.pop(id, None)
            case AlertSuppressed(component=id, thread=thread) if thread:
                if told.get(id, True):
                    yield f"{id} was said to be down and muted at {fact.at}, again or without a mute"
                if thread not in posts:
                    yield f"{thread} was never queued"
                told[id] = True
            case AlertSuppressed(component=id, why=why) if told.get(id) is False and why.startswith("muted by"):
                if _level_at(facts, fact) is Level.DOWN and _went_down_under(facts, fact):
                    yield f"{id} went down while muted at {fact.at}, and nobody was told"


def _changes(facts: Sequence[Fact], at: Fact) -> list[Fact]:
    """What happened to the component of a fact, up to that fact."""
    return [x for x in facts if x.stream == at.stream and x.seq <= at.seq]


def _level_at(facts: Sequence[Fact], at: Fact) -> Level:
    levels = [x.body.level for x in _changes(facts, at) if isinstance(x.body, VerdictChanged)]
    return levels[-1] if levels else Level.UNKNOWN


def _went_down_under(facts: Sequence[Fact], at: Fact) -> bool:
    """Whether the component's level changed after it was muted last."""
    kinds = [type(x.body) for x in _changes(facts, at) if isinstance(x.body, Muted) or _moved(x)]
    return bool(kinds) and kinds[-1] is VerdictChanged


def _moved(fact: Fact) -> bool:
    return isinstance(fact.body, VerdictChanged) and fact.body.level is not fact.body.previous


def _inert(stage: Stage) -> Iterator[str]:
    """No foreign text can mention anybody."""
    for channel in stage.chat.channels.values():
        for message in channel.messages:
            whole = " ".join([message.text, *_marked_up(list(message.blocks))])
            if "<!channel>" in whole or "<!here>" in whole or "<https://evil" in whole:
                yield f"{message.key} carries a live mention"


def _marked_up(part: Any) -> Iterator[str]:
    """Every text that Slack reads as markup; plain_text is not."""
    if isinstance(part, list):
        for each in part:
            yield from _marked_up(each)
    elif isinstance(part, dict) and part.get("type") != "plain_text":
        for each in part.values():
            yield from [each] if isinstance(each, str) else _marked_up(each)


def _legal(facts: Sequence[Fact]) -> Iterator[str]:
    """Phases move along LEGAL only, each from where it was."""
    at: dict[int, Phase] = {}
    for fact in facts:
        if isinstance(fact.body, PhaseChanged) and fact.incident is not None:
            here = at.get(fact.incident, Phase.TRIAGE)
            if fact.body.previous is not here or LEGAL.get((here, fact.body.phase)) != fact.body.move:
                yield f"INC-{fact.incident} went from {here} to {fact.body.phase} as {fact.body.move}"
            at[fact.incident] = fact.body.phase


def _updates_in_time(stage: Stage, facts: Sequence[Fact]) -> Iterator[str]:
    """An open incident posts an update every cadence at least, not counting the time when no bot ran."""
    assert stage.app is not None
    policy = stage.app.engine.policy.incidents
    world = World()
    for fact in facts:
        for incident in world.open_incidents():
            every = policy.update_every.get(incident.severity)
            spoke = incident.last_update_at or incident.declared_at
            silent = fact.at - max(spoke, incident.severity_at or spoke)
            gone = sum((min(e, 1e12) - b) for b, e in stage.away)
            if every and silent > every + SPARE + timedelta(seconds=gone):
                yield f"{incident.name} was silent for {silent} at {fact.kind}"
        world = evolve(world, fact)
    slots: dict[int, list[int]] = {}
    for fact in facts:
        if isinstance(fact.body, UpdateWritten) and fact.incident is not None:
            slots.setdefault(fact.incident, []).append(fact.body.slot)
    yield from (f"INC-{n} wrote slots {s}" for n, s in slots.items() if s != list(range(1, len(s) + 1)))


def _flags_never_onto_fire(stage: Stage, facts: Sequence[Fact]) -> Iterator[str]:
    """No rule sends services onto a variant that is not well, there or back.

    A slow model is better than one that is down, and than canned answers.
    """
    assert stage.app is not None
    policy, world = stage.app.engine.policy, World()
    for fact in facts:
        body = fact.body
        if isinstance(body, Engaged) and body.mode == "auto":
            if body.flag != whole(body.flag):
                yield f"a rule sent {body.flag} to {body.variant}, and not the whole"
            needs = next((x.needs for x in policy.flags[whole(body.flag)].fallbacks if x.variant == body.variant), None)
            worst = max(
                (world.component(c).level for c in policy.flags[whole(body.flag)].depends_on), key=lambda level: level.rank
            )
            canned = any(x.variant == body.previous and not x.needs for x in policy.flags[whole(body.flag)].fallbacks)
            slow_for_worse = world.component(needs or "").level is Level.DEGRADED and (worst is Level.DOWN or canned)
            if needs and world.component(needs).level is not Level.OPERATIONAL and not slow_for_worse:
                yield f"{body.flag} was sent to {body.variant} while {needs} was {world.component(needs).level}"
        if isinstance(body, (HandBackStepped, Released)) and fact.actor.kind == "rule":
            depends = policy.flags[whole(body.flag)].depends_on
            unwell = [c for c in depends if world.component(c).level is not Level.OPERATIONAL]
            if unwell:
                yield f"{body.flag} was handed back although {', '.join(unwell)} was not well"
        world = evolve(world, fact)


async def _entered_by_a_failure(stage: Stage, facts: Sequence[Fact]) -> list[str]:
    """No outage begins without a failure since the component was last known to be anything else."""
    failed: dict[str, list[datetime]] = {}
    for sample in await stage.samples.since(EPOCH):
        if sample.outcome in (Outcome.FAIL, Outcome.SLOW):
            failed.setdefault(sample.component, []).append(sample.at)
    found: list[str] = []
    better_since: dict[str, datetime] = {}
    for fact in facts:
        body = fact.body
        if not isinstance(body, VerdictChanged):
            continue
        since = better_since.get(body.component, EPOCH)
        entered = body.level.bad and not body.previous.bad and not body.reason.startswith(HEARSAY)
        if entered and not any(since - LOOK <= at <= fact.at for at in failed.get(body.component, ())):
            found.append(f"{body.component} became {body.level} at {fact.at:%H:%M:%S} without a failure since {since:%H:%M:%S}")
        if not body.level.bad:
            better_since[body.component] = fact.at
    return found


def _flags_served(stage: Stage) -> Iterator[str]:
    """The served values are the committed ones."""
    assert stage.app is not None
    world = stage.app.engine.world
    for key, policy in stage.app.engine.policy.flags.items():
        engagement = world.flag(key).engagement
        found = evaluate(stage.app.board.snapshot, key, {})  # without a targeting key: the fallback while any is on it
        wanted = engagement.variant if engagement else policy.default
        if not isinstance(found, Evaluation) or found.variant != wanted:
            yield f"{key} serves {found} instead of {wanted}"
        apart = world.flag(f"{key}@env=eu").engagement
        found = evaluate(stage.app.board.snapshot, key, {"env": "eu"})
        if not isinstance(found, Evaluation) or found.variant != (apart.variant if apart else wanted):
            yield f"{key} serves {found} to the EU instead of {apart.variant if apart else wanted}"


def _blind(stage: Stage, facts: Sequence[Fact], rows: Sequence[OutboxRow]) -> Iterator[str]:
    """While we are blind no rule opens an incident, nor do failures that our cut caused; each blindness is reported once."""
    assert stage.app is not None
    world, lost, dark_since = World(), 0, None
    for fact in facts:
        if isinstance(fact.body, Declared) and fact.actor.kind == "rule":
            if world.sight.blind:
                yield f"INC-{fact.body.number} was opened while we were blind"
            evidence = (fact.body.began_at - EPOCH).total_seconds()
            if any(cut.begins <= evidence < cut.ends - 5 for cut in stage.weather.cuts):
                yield f"INC-{fact.body.number} was opened on what our own network made fail at {fact.body.began_at:%H:%M:%S}"
        if fact.stream == "sight":
            lost += isinstance(fact.body, SightLost)
            if isinstance(fact.body, SightLost) is world.sight.blind:
                yield f"{fact.kind} came twice"
            dark_since = fact.at if isinstance(fact.body, SightLost) else None
        world = evolve(world, fact)
    notices = sum(1 for row in rows if type(row.effect.body) is OpenThread and row.effect.stream == "sight")
    if notices != lost:
        yield f"we were blind {lost} times and said so {notices} times"
    if dark_since is not None and stage.clock.now() - dark_since > SEEN_AGAIN:
        yield f"we have been blind since {dark_since:%H:%M} and never saw again"


def _paged(stage: Stage, facts: Sequence[Fact]) -> Iterator[str]:
    """A paging step is taken once, while somebody has to be found, and soon after it is due."""
    assert stage.app is not None
    policy, world = stage.app.engine.policy.paging, World()
    taken: set[tuple[int | None, str, int]] = set()
    overdue: dict[tuple[int, int], datetime] = {}  # incident and step -> since when nobody saw to it
    for fact in facts:
        body, before = fact.body, world.incidents.get(fact.incident or 0)
        if isinstance(body, Paged) and before:
            step = (fact.incident, body.severity, body.step)
            if step in taken:
                yield f"INC-{fact.incident} took step {body.step} of {body.severity} twice"
            taken.add(step)
            answered = (
                before.people.acknowledged_by and not before.paging.again
            )  # of a question that nobody answers, it goes on
            if answered or not before.phase.open:
                yield f"INC-{fact.incident} paged people although somebody was there, or it was over"
        world = evolve(world, fact)
        late: dict[tuple[int, int], datetime] = {}
        for incident in world.open_incidents() if policy.steps else ():
            left = steps_left(incident, policy)[:1] if waits_for_people(incident) else []
            for due in (one for one in left if one.at <= fact.at):
                since = late[incident.number, due.number] = overdue.get((incident.number, due.number), fact.at)
                if fact.at - since > SPARE + stage.nobody_there(since, fact.at):
                    yield f"step {due.number} of {incident.name} was due at {due.at} and not taken at {fact.at}"
        overdue = late


def _held_back(stage: Stage, facts: Sequence[Fact]) -> Iterator[str]:
    """Only bad components are held back, and they are reported soon after the reason ends."""
    assert stage.app is not None
    policy, world = stage.app.engine.policy, World()
    free_since: dict[str, datetime] = {}
    for fact in facts:
        world = evolve(world, fact)
        for state in world.components.values():
            if state.held_back is None or look(world, policy, state.id, fact.at):
                free_since.pop(state.id, None)
                continue
            if not state.level.bad:
                yield f"{state.id} is held back although it is {state.level}"
            since = free_since.setdefault(state.id, fact.at)
            if fact.at - since > SPARE + stage.nobody_there(since, fact.at):
                yield f"{state.id} was not told of for {fact.at - since} after its reason ended ({state.held_back.why})"


def _opens_again(stage: Stage, facts: Sequence[Fact]) -> Iterator[str]:
    """Whatever is down has an open incident, at the latest `resolve_after` after a resolution, unless it is kept quiet."""
    assert stage.app is not None
    policy, world = stage.app.engine.policy, World()
    down_since: dict[str, datetime] = {}
    moments = [*((fact, fact.at) for fact in facts), (None, stage.clock.now())]
    for fact, now in moments:
        world = evolve(world, fact) if fact else world
        for state in world.components.values():
            quiet = look(world, policy, state.id, now)
            excused = quiet is not None and not quiet.why.endswith("was resolved while it failed")
            if state.level is not Level.DOWN or world.concerned(state.id) or excused:
                down_since.pop(state.id, None)
                continue
            since = down_since.setdefault(state.id, now)
            if now - since > policy.incidents.resolve_after + SPARE + stage.nobody_there(since, now):
                yield f"{state.id} was down without an incident for {now - since}"


async def _rebuilt(stage: Stage, facts: Sequence[Fact]) -> list[str]:
    """The stored states equal the folded facts."""
    world = World()
    for fact in facts:
        world = evolve(world, fact)
    rebuilt = {row.stream: (row.seq, row.dedup, row.body) for row in changed_states(World(), world)}
    stored = {row.stream: (row.seq, row.dedup, dict(row.body)) for row in await stage.disk.read(lambda s: s.states())}
    return [f"{stream} differs from its facts" for stream in rebuilt if rebuilt[stream] != stored.get(stream)]


async def _chained(stage: Stage, facts: Sequence[Fact]) -> list[str]:
    """The hash chains hold, and the audit finds that every state follows from its facts."""
    streams = {fact.stream for fact in facts}
    found = [await stage.disk.read(lambda store, s=s: store.examine(s)) for s in sorted(streams)]  # type: ignore[misc] # bound early
    return [flaw.sentence for flaw in found if flaw]
