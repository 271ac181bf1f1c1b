"""`/incident`: declare and run an incident. Parses, signals, answers; every rule lives in `bot.core`."""

import re
from collections.abc import Awaitable, Callable
from operator import attrgetter
from typing import Any

from bot.core.decide.permissions import denied
from bot.core.decide.phases import CANCEL_REASONS
from bot.core.model import Actor, IncidentRole, Phase, Severity
from bot.core.signals import (
    Acknowledge,
    AddNote,
    AskExport,
    Declare,
    GiveRole,
    Join,
    SetPhase,
    SetSeverity,
    Signal,
    WriteUpdate,
)
from bot.exports import FORMATS
from bot.ports import Message
from bot.timeline.rows import rows
from bot.views.answers import answer_message, denied_words, told
from bot.views.incident.forms import declare_modal, update_modal
from bot.views.incident.lists import MOST_LISTED, incident_list, incident_show, timeline_text
from bot.views.names import plain_names
from bot.views.scene import Scene
from commands.desk import Desk, Request, Respond, answer
from commands.helping import help_message
from commands.parse import (
    Meant,
    MentionKind,
    Misunderstood,
    component_of,
    named_incident,
    nearest,
    split_verb,
    which_incident,
)
from commands.table import INCIDENT

OpenModal = Callable[[dict[str, Any]], Awaitable[None]]

SHORT_FOR = {"": "help", "ls": "list", "status": "show", "sev": "severity", "ack": "ack", "acknowledge": "ack"}


async def incident(desk: Desk, asked: Request, respond: Respond, open_modal: OpenModal) -> None:
    """Answer `/incident VERB ...`."""
    verb, rest = split_verb(asked.text)
    verb = SHORT_FOR.get(verb, verb)
    try:
        match verb:
            case "help":
                await answer(respond, help_message(INCIDENT, asked.word))
            case "list":
                await answer(respond, await _list(desk, everything=rest.lower() == "all"))
            case "show" | "timeline":
                await _look(desk, asked, respond, verb, rest)
            case "declare" if not rest:
                _must_be_allowed(desk, asked, Declare)
                await open_modal(declare_form(desk, asked))
            case "update" if not (meant := await _meant(desk, asked, rest)).rest:
                _must_be_allowed(desk, asked, WriteUpdate)
                await open_modal(update_modal(meant.incident, private_metadata=str(meant.incident.number)))
            case _:
                signal = await _signal(desk, asked, verb, rest)
                said = await desk.engine.handle(signal)
                offered = answer_message(said, asked.word or INCIDENT.word, **declaration_words(signal))
                await answer(respond, offered or told(said))
    except Misunderstood as wrong:
        await answer(respond, str(wrong))


def _must_be_allowed(desk: Desk, asked: Request, kind: type[Signal]) -> None:
    """Before a form opens: nobody should fill in what will be refused. Raises Misunderstood."""
    if refused := denied(kind, asked.actor, desk.engine.policy.incidents):
        raise Misunderstood(denied_words(refused))


def declare_form(desk: Desk, asked: Request, component: str = "") -> dict[str, Any]:
    """The form for declaring, with the incidents that are open already."""
    world, policy = desk.engine.world, desk.engine.policy
    return declare_modal(world.open_incidents(), policy, private_metadata=asked.channel, component=component)


def declaration_words(signal: Signal) -> dict[str, str]:
    """What a declaration said, for the button that declares it all the same; empty for other signals."""
    return {"title": signal.title, "severity": signal.severity.value} if isinstance(signal, Declare) else {}


async def _look(desk: Desk, asked: Request, respond: Respond, verb: str, rest: str) -> None:
    meant = (await _meant(desk, asked, rest)).incident
    if verb == "show":
        message = incident_show(Scene(meant, desk.engine.world, desk.engine.policy, desk.clock.now()))
    else:
        facts = await desk.ledger.read(lambda store: store.facts_about(meant.number))
        message = timeline_text(meant, rows(facts, plain_names(desk.engine.policy)))
    await answer(respond, message)


async def _list(desk: Desk, *, everything: bool) -> Message:
    newest = desk.engine.world.last_incident
    numbers = range(newest, max(newest - MOST_LISTED, 0), -1) if everything else ()
    world = await desk.engine.world_with(numbers)
    return incident_list(world, desk.engine.policy, desk.clock.now(), everything=everything)


async def _meant(desk: Desk, asked: Request, rest: str) -> Meant:
    """The incident that somebody means, however long it is over. Raises Misunderstood."""
    number, field, text = named_incident(rest, asked.channel, asked.mentions)
    if number is None and text and not any(text == attrgetter(field)(i) for i in desk.engine.world.incidents.values()):
        number = await desk.ledger.read(lambda store: store.incident_with(field, text))
    world = await desk.engine.world_with([number]) if number else desk.engine.world
    return which_incident(rest, asked.channel, world, asked.mentions)


async def _signal(desk: Desk, asked: Request, verb: str, rest: str) -> Signal:
    if verb == "declare":
        return _declaration(desk, asked, rest)
    if verb not in {known.name for known in INCIDENT.verbs}:
        known = [v.name for v in INCIDENT.verbs]
        raise Misunderstood(f"`/incident {verb[:40]}` is not known.{nearest(verb, known)} `/incident help` shows what is.")
    meant = await _meant(desk, asked, rest)
    number, text, who = meant.incident.number, meant.rest, {"actor": asked.actor, "id": asked.signal_id}
    match verb:
        case "join":
            return Join(incident=number, **who)  # type: ignore[arg-type]
        case "ack":
            return Acknowledge(incident=number, **who)  # type: ignore[arg-type] # actor and id, as Signal has them
        case "update":
            return WriteUpdate(incident=number, text=text, **who)  # type: ignore[arg-type]
        case "note":
            return AddNote(incident=number, text=text, **who)  # type: ignore[arg-type]
        case "severity":
            word, reason = split_verb(text)
            return SetSeverity(incident=number, severity=severity(word), reason=reason, **who)  # type: ignore[arg-type]
        case "role":
            role, to = _role(asked, text)
            return GiveRole(incident=number, role=role, to=to, **who)  # type: ignore[arg-type]
        case "export":
            return AskExport(incident=number, format=export_format(text), **who)  # type: ignore[arg-type]
    phase_, reason = _phase(verb, text)
    force, reason = _forced(reason) if phase_ is Phase.RESOLVED else (False, reason)
    return SetPhase(incident=number, phase=phase_, reason=reason, force=force, **who)  # type: ignore[arg-type]


def _declaration(desk: Desk, asked: Request, text: str) -> Declare:
    first, after = split_verb(text)
    separate, text = (True, after) if first == "separate" and after else (False, text)
    found = re.search(r"\b(sev[1-4])\b", text, re.IGNORECASE)
    level = Severity(found[1].upper()) if found else Severity.SEV2
    title = re.sub(r"\s*\bsev[1-4]\b\s*", " ", text, count=1, flags=re.IGNORECASE).strip() if found else text
    names = {id: c.name for id, c in desk.engine.policy.components.items()}
    return Declare(
        actor=asked.actor, id=asked.signal_id, title=title, components=component_of(title, names), severity=level,
        separate=separate,
    )  # fmt: skip


def _phase(verb: str, text: str) -> tuple[Phase, str]:
    match verb:
        case "resolve":
            return Phase.RESOLVED, text
        case "reopen":
            return Phase.INVESTIGATING, text
        case "cancel":
            return Phase.CANCELED, text.lower().replace(" ", "-")
    word, reason = split_verb(text)
    if word not in {phase.value for phase in Phase}:
        known = ", ".join(phase.value for phase in Phase)
        if not word:
            raise Misunderstood(f"Which phase? Phases: {known}.")
        raise Misunderstood(f"`{word[:40]}` is not a phase.{nearest(word, [p.value for p in Phase])} Phases: {known}.")
    if word == Phase.CANCELED and reason not in CANCEL_REASONS:
        reason = reason.lower().replace(" ", "-")
    return Phase(word), reason


def _forced(text: str) -> tuple[bool, str]:
    """Whether a reason begins with the word `force`, and the reason without it."""
    word, rest = split_verb(text)
    return (True, rest) if word == "force" else (False, text)


def _role(asked: Request, text: str) -> tuple[IncidentRole, Actor | None]:
    """Read `commander @ana`, `commander me` or `commander none`."""
    word, rest = split_verb(text)
    known = [role.value for role in IncidentRole]
    if word not in known:
        wrong = f"`{word[:40]}` is not a role.{nearest(word, known)}" if word else "Which role?"
        raise Misunderstood(f"{wrong} Roles: {', '.join(known)}.")
    role, first = IncidentRole(word), rest.partition(" ")[0]
    if first.lower() in ("me", "none"):
        return role, asked.actor if first.lower() == "me" else None
    meant = next((one for one in asked.mentions if one.shown == first), None)
    if meant is None or meant.kind is not MentionKind.PERSON:
        wrong = "A role is for one person." if meant else f"Who is {role}?"
        raise Misunderstood(f"{wrong} Mention them, `/incident role {role} @ana`, or write `me` or `none`.")
    return role, Actor.person(meant.id, meant.shown.removeprefix("@"))


def severity(word: str) -> Severity:
    """`SEV2`, `sev2` or `2`. Raises Misunderstood."""
    name = f"SEV{word}" if word.isdigit() else word.upper()
    if name not in Severity.__members__:
        wrong = f"`{word[:40]}` is not a severity." if word else "Which severity?"
        raise Misunderstood(f"{wrong} Write SEV1 (no way to serve customers) to SEV4 (watch).")
    return Severity(name)


def export_format(text: str) -> str:
    """One of the export formats, Markdown when none is named. Raises Misunderstood."""
    wanted = text.strip().lower() or "md"
    if wanted not in FORMATS:
        raise Misunderstood(f"`{wanted[:40]}` is not an export format. There are: {', '.join(FORMATS)}.")
    return wanted
