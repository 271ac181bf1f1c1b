"""The Home tab: open incidents, the person's own, providers, flags.

Times are absolute, since the tab may stay open for hours. There are no buttons for what the person may not do.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from bot.core.decide.cadence import next_update_at
from bot.core.decide.permissions import denied
from bot.core.model import LEAD, Actor, ActorKind, Level, Severity
from bot.core.policy import Policy
from bot.core.record.incident import Incident
from bot.core.record.world import World
from bot.core.signals import Acknowledge, Declare
from bot.views.blocks import Block, actions, button, context, header, plain_text, section
from bot.views.component_messages import blind_line
from bot.views.flags.board import by_urgency, flag_line
from bot.views.form_parts import View
from bot.views.in_short import all_well
from bot.views.incident.card import card
from bot.views.incident.head import icon
from bot.views.incident.tasks import task_buttons, task_line
from bot.views.limits import fit_view
from bot.views.names import ICONS, component_name
from bot.views.scene import Scene
from bot.views.text import capital, clock, count, foreign, inert, stop, who, words

OPEN, RIGHTS = "home.open", "home.rights"

MOST_INCIDENTS, MOST_TASKS, MOST_FLAGS = 10, 10, 10
MOST_TROUBLED, MOST_NAMED, MOST_CALM = 20, 4, 8
LINES_IN_A_SECTION = 5


def home(world: World, policy: Policy, now: datetime, reader: Actor, *, trouble: str = "") -> View:
    """The tab for this person. `trouble` is what people should know about the bot itself."""
    blocks = [
        *_top(world, policy, now, reader, trouble), *_incidents(world, policy, now, reader), *_mine(world, policy, reader),
        *_my_tasks(world, now, reader),
        *_health(world, policy, now), *_flags(world, policy, now),
        context("This page updates itself for a day after you open it."),
    ]  # fmt: skip
    return {"type": "home", "blocks": fit_view(blocks)}


def closed(why: str) -> View:
    """The tab of a person who may not look; `why` is markup."""
    return {"type": "home", "blocks": fit_view([section(why)])}


def incident_view(scene: Scene, readers: Mapping[str, int]) -> View:
    """An incident's current state, as a form over the tab: the card without its buttons."""
    shown = [block for block in card(scene, readers=readers).blocks if block["type"] != "actions"]
    return {
        "type": "modal", "title": plain_text(scene.incident.name, 24), "close": plain_text("Close", 24),
        "blocks": fit_view(shown),
    }  # fmt: skip


def _top(world: World, policy: Policy, now: datetime, reader: Actor, trouble: str) -> Iterator[Block]:
    lines = [f"⚠️ {inert(trouble, 600)}"] if trouble else []
    lines += [f"⚪ {blind}"] if (blind := blind_line(world, now)) else []
    yield section("\n".join([*lines, _banner(world, policy)]))
    if reader.kind is ActorKind.OUTSIDER:
        return
    may_declare = denied(Declare, reader, policy.incidents) is None
    declare = [button("Declare incident", "incident.declare", {}, style="primary")] if may_declare else []
    yield from actions([*declare, button("What may I do?", RIGHTS, {})])


def _banner(world: World, policy: Policy) -> str:
    levels = [world.component(id).level for id in policy.components]
    bad = sum(level.bad for level in levels)
    if not bad:
        return f"*{all_well(world, policy)}*" if levels else "No component is configured."
    worst, all_of = max(levels, key=lambda level: level.rank), len(levels)
    return f"{ICONS[worst]} *{bad} of {count(all_of, 'component')} {'fails' if bad == 1 else 'fail'}.*"


# --- incidents, and the person's own


def _incidents(world: World, policy: Policy, now: datetime, reader: Actor) -> Iterator[Block]:
    order = list(Severity)
    running = sorted(world.open_incidents(), key=lambda i: (order.index(i.severity), -i.number))
    if not running:
        return
    yield header(count(len(running), "open incident"))
    for incident in running[:MOST_INCIDENTS]:
        yield section(_incident(incident, policy, now))
        yield from actions(_incident_buttons(incident, policy, reader))
    if len(running) > MOST_INCIDENTS:
        yield context(f"{len(running) - MOST_INCIDENTS} more: `/incident list` shows all.")


def _incident(incident: Incident, policy: Policy, now: datetime) -> str:
    people, due = incident.people, next_update_at(incident, policy)
    led = f"lead {who(people.lead)}" if people.lead else ""
    noticed = f"acknowledged by {who(people.acknowledged_by)}" if people.acknowledged_by else "*nobody has acknowledged it*"
    parts = [
        f"{incident.phase.capitalize()}, since {clock(incident.began_at, now)}", led or noticed,
        f"<#{incident.room.channel}>" if incident.room.channel else "", f"next update by {clock(due, now)}" if due else "",
    ]  # fmt: skip
    title = f"{icon(incident)} *{incident.name} · {incident.severity} · {foreign(incident.title, 150)}*"
    return f"{title}\n{' · '.join(part for part in parts if part)}"


def _incident_buttons(incident: Incident, policy: Policy, reader: Actor) -> list[Block]:
    if reader.kind is ActorKind.OUTSIDER:  # the reception refuses their presses
        return []
    value = {"incident": incident.number}
    waits = not incident.people.acknowledged_by and denied(Acknowledge, reader, policy.incidents) is None
    acknowledge = [button("Acknowledge", "incident.ack", value, style="primary")] if waits else []
    return [*acknowledge, button("Open", OPEN, value)]


def _mine(world: World, policy: Policy, reader: Actor) -> Iterator[Block]:
    lines = []
    for incident in world.open_incidents():
        held = [role for role, actor in incident.people.roles.items() if (actor.kind, actor.id) == (reader.kind, reader.id)]
        does = ["lead" if role == LEAD else f"have {foreign(policy.incidents.role_name(role), 60)} in" for role in held]
        if does:
            lines.append(f"You {words(does)} *{incident.name}*: {stop(foreign(incident.title, 100))}")
    if lines:
        yield header("Your roles")
        yield from _sections(lines[:MOST_INCIDENTS])


def _my_tasks(world: World, now: datetime, reader: Actor) -> Iterator[Block]:
    """This person's tasks, most urgent first, each with its buttons; including follow-ups of finished incidents."""
    mine = [
        (incident, task)
        for incident in world.incidents.values()
        for task in incident.open_tasks
        if task.owner and (task.owner.kind, task.owner.id) == (reader.kind, reader.id)
    ]
    if not mine:
        return
    mine.sort(key=lambda one: (one[1].due_at is None, one[1].due_at or now, one[0].number, one[1].number))
    yield header(f"Your {count(len(mine), 'task')}")
    for incident, task in mine[:MOST_TASKS]:
        yield section(f"*{incident.name}* {task_line(task, now, 150)}")
        yield from actions(task_buttons(incident, task, take=False))
    if len(mine) > MOST_TASKS:
        yield context(f"{len(mine) - MOST_TASKS} more: `/incident tasks` lists those of an incident.")


# --- providers


def _health(world: World, policy: Policy, now: datetime) -> Iterator[Block]:
    """Providers with problems, worst first, one line each; all others in one line."""
    providers: dict[str, list[str]] = {}
    for component in policy.components.values():
        providers.setdefault(component.provider, []).append(component.id)
    if not providers:
        return
    names = {c.provider: foreign(c.provider_name, 80) for c in policy.components.values()}
    worst = {id: max(world.component(c).level.rank for c in ids) for id, ids in providers.items()}
    troubled = sorted((id for id in providers if worst[id]), key=lambda id: -worst[id])
    yield header("Providers")
    yield from _sections([_provider(names[id], providers[id], world, policy, now) for id in troubled[:MOST_TROUBLED]])
    if len(troubled) > MOST_TROUBLED:
        yield context(f"{len(troubled) - MOST_TROUBLED} more with trouble: `/health` shows them.")
    calm = [id for id in providers if not worst[id]]
    if calm:
        parts = sum(len(providers[id]) for id in calm)
        yield section(f"🟢 {words([names[id] for id in calm], most=MOST_CALM)}: {count(parts, 'component')} operational")


def _provider(name: str, components: Sequence[str], world: World, policy: Policy, now: datetime) -> str:
    """`🔴 *Claude*: Claude API down since 12:42, claude.ai degraded since 12:50 and 3 operational`."""
    states = [world.component(id) for id in components]
    wrong = sorted((state for state in states if state.level is not Level.OPERATIONAL), key=lambda state: -state.level.rank)
    said = []
    for state in wrong[:MOST_NAMED]:
        began = (state.began_at or state.since) if state.level.bad else None
        said.append(f"{component_name(policy, state.id)} {state.level}" + (f" since {clock(began, now)}" if began else ""))
    said += [f"{len(wrong) - MOST_NAMED} more with trouble"] if len(wrong) > MOST_NAMED else []
    well = len(states) - len(wrong)
    return f"{ICONS[wrong[0].level]} *{name}*: {', '.join(said)}" + (f" and {well} operational" if well else "")


# --- flags


def _flags(world: World, policy: Policy, now: datetime) -> Iterator[Block]:
    flags = by_urgency(world, policy, now)
    if not flags:
        return
    yield header("Flags")
    yield from _sections([capital(flag_line(flag, world, policy, now)) for flag in flags[:MOST_FLAGS]])
    if len(flags) > MOST_FLAGS:
        yield context(f"{len(flags) - MOST_FLAGS} more: `/fallback status` shows all.")


def _sections(lines: Sequence[str]) -> Iterator[Block]:
    for at in range(0, len(lines), LINES_IN_A_SECTION):
        yield section("\n".join(lines[at : at + LINES_IN_A_SECTION]))
