"""`/incident`: declare and run an incident. Parses, sends signals, answers; every rule is in `bot.core`."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from operator import attrgetter
from typing import Any

from bot.core.answers.incident import ChannelTaken
from bot.core.decide.phases import why_not
from bot.core.model import Phase, Severity
from bot.core.policy import IncidentPolicy
from bot.core.record.incident import Incident
from bot.core.signals.base import Signal
from bot.core.signals.incident import AskExport, Declare, SetSeverity
from bot.ports import Message
from bot.verbs.incident import VERBS
from bot.verbs.verb import Sender
from bot.views.answers.in_slack import answer_message, told
from bot.views.incident import buttons
from bot.views.incident.briefing import briefing
from bot.views.incident.card import which_step
from bot.views.incident.forms import declare_modal, severity_modal
from bot.views.incident.lists import MOST_LISTED, incident_list, incident_show
from bot.views.incident.tasks import task_list, which_task
from bot.views.scene import Scene
from commands.desk import CommandContext, Request, Respond, answer
from commands.forms import ROLES, SENDS, form_of
from commands.helping import help_message
from commands.incident.converting import ExistingChannel
from commands.incident.timeline import timeline
from commands.parsing.arguments import NoChoice, NoNumber, TypedArguments, export_format
from commands.parsing.parse import (
    NAMED,
    REFERENCE,
    Misunderstood,
    NamedIncident,
    NotAllowed,
    component_of,
    into_another,
    named_incident,
    nearest,
    split_verb,
    which_incident,
    with_its_name,
)
from commands.parsing.times import Span, spoken, taken_from, zone_of
from commands.table import INCIDENT

OpenModal = Callable[[dict[str, Any]], Awaitable[None]]
Enter = Callable[[], Awaitable[ExistingChannel]]

ABOUT_ONE = {verb.name: verb for verb in VERBS}

SHORT_FOR = {
    "": "help", "ls": "list", "status": "show", "sev": "severity", "ack": "ack", "acknowledge": "ack", "assign": "role",
    "roles": "role", "followups": "tasks", "todo": "task", "mine": "ack", "close": "resolve", "closed": "resolve",
    "fixed": "resolve", "end": "resolve", "resolved": "resolve", "over": "resolve", "finish": "resolve", "new": "declare",
    "create": "declare", "mitigate": "mitigated", "title": "rename",
}  # fmt: skip
# After these verbs a number is the incident's; after the next ones only if it cannot start a reason.
ONE_BY_NUMBER = ("show", "brief", "timeline", "tasks", "join", "ack", "repair", "role", "phase", "cancel", "merge", "export")
ONE_OR_REASON = ("resolve", "reopen", "mitigated", "unmerge")
PHASES = ("investigating", "identified", "monitoring")  # a phase name alone means moving there; `mitigated` is a verb
BY_NUMBER = ("done", "undone", "take", "drop", "step")  # followed by a task's number, and never by a question

# The verbs that open a form for anything not typed.
FORMS = {"update": "update", "role": ROLES, "phase": buttons.PHASE, "severity": buttons.SEVERITY, "cancel": buttons.CANCEL}


async def incident(desk: CommandContext, asked: Request, respond: Respond, open_modal: OpenModal, enter: Enter) -> None:
    """Answer `/incident VERB ...`. `enter` joins the channel in which it was typed."""
    verb, rest = _said(asked.text, desk.engine.policy.incidents)
    try:
        match verb:
            case "help":
                await answer(respond, help_message(INCIDENT, asked.word))
            case "list":
                await answer(respond, await _list(desk, everything=rest.lower() == "all"))
            case "show" | "brief" | "timeline" | "tasks":
                await _look(desk, asked, respond, verb, rest)
            case "declare" if untitled := _untitled(desk, asked, rest):
                await open_modal(untitled)
            case _ if form := await _form(desk, asked, verb, rest):
                await open_modal(form)
            case "severity" if milder := await _milder(desk, asked, rest):
                await open_modal(severity_modal(*milder))
            case _:
                convert = verb == "convert"
                signal = await (_conversion(desk, asked, rest, enter) if convert else _signal(desk, asked, verb, rest))
                said = await desk.engine.handle(signal)
                offered = answer_message(said, asked.word or INCIDENT.word, **declaration_words(signal))
                await answer(respond, offered or told(said))
    except Misunderstood as wrong:
        await answer(respond, wrong.answer)


def _said(text: str, policy: IncidentPolicy) -> tuple[str, str]:
    """The verb and the rest, from whatever tired people type: `done?`, `sev1 nobody can pay`, `lead me`, `INC-7`, `ack 7`."""
    if REFERENCE.match(text.strip()):
        return "show", with_its_name(text, number=True)
    verb, rest = split_verb(text)
    verb = verb.rstrip("?!.,")
    rest = with_its_name(rest, number=False)
    first, more = split_verb(rest)
    with_word = f"{first} {verb} {more}" if NAMED.match(first) else f"{verb} {rest}"
    if verb.upper() in Severity.__members__:
        return "severity", with_word
    if verb in PHASES:
        return "phase", with_word
    verb = SHORT_FOR.get(verb, verb)
    if verb not in {known.name for known in INCIDENT.verbs} and policy.role_meant(verb):
        return "role", with_word if more or (first and not NAMED.match(first)) else f"{with_word.strip()} me"
    if verb in BY_NUMBER:
        return verb, rest.rstrip("?! ")
    alone = split_verb(split_verb(rest)[1])[0] in ("", "force", "off")
    return verb, with_its_name(rest, number=verb in ONE_BY_NUMBER or (verb in ONE_OR_REASON and alone))


async def _form(desk: CommandContext, asked: Request, verb: str, rest: str) -> dict[str, Any] | None:
    """The form for a verb typed with at most its incident; None if more was typed, or there is no form.

    Raises Misunderstood if the incident is over, NotAllowed.
    """
    if verb not in FORMS or (meant := await _meant(desk, asked, rest)).rest:
        return None
    _must_be_allowed(desk, asked, SENDS[FORMS[verb]], meant.incident.number)
    scene = Scene(meant.incident, desk.engine.world, desk.engine.policy, desk.clock.now())
    return await form_of(desk, asked, FORMS[verb], scene)


def _must_be_allowed(desk: CommandContext, asked: Request, kind: type[Signal], incident: int | None = None) -> None:
    """Check before a form opens: nobody should fill in what will be refused. Raises NotAllowed."""
    if refused := desk.denied(asked, kind, incident):
        raise NotAllowed(refused)


async def _milder(desk: CommandContext, asked: Request, rest: str) -> tuple[Incident, Severity] | None:
    """The incident and severity if that is milder and has no reason, so that a form asks for one; else None."""
    meant = await _meant(desk, asked, rest)
    word, why = split_verb(meant.rest)
    level = Severity.__members__.get(f"SEV{word}" if word.isdigit() else word.upper())
    if level is None or why or not meant.incident.phase.open or not meant.incident.severity.is_worse_than(level):
        return None
    _must_be_allowed(desk, asked, SetSeverity)
    return meant.incident, level


def declare_form(
    desk: CommandContext, carried: str, *, component: str = "", title: str = "", when: str = "", level: Severity = Severity.SEV2
) -> dict[str, Any]:
    """The form for declaring, with the open incidents; `carried` comes back with it."""
    world, policy = desk.engine.world, desk.engine.policy
    return declare_modal(
        world.open_incidents(), policy, private_metadata=carried, component=component, title=title, when=when, level=level
    )


def declaration_words(signal: Signal) -> dict[str, str]:
    """What a declaration said, for the button that declares it anyway; empty for other signals."""
    if not isinstance(signal, Declare):
        return {}
    times = {"began": signal.began_at, "ended": signal.ended_at}
    said = {name: at.isoformat() for name, at in times.items() if at}
    room = {"channel": signal.channel, "channel_name": signal.channel_name} if signal.channel else {}
    return {"title": signal.title, "severity": signal.severity.value, **said, **room}


async def _look(desk: CommandContext, asked: Request, respond: Respond, verb: str, rest: str) -> None:
    meant = (await _meant(desk, asked, rest)).incident
    scene = Scene(meant, desk.engine.world, desk.engine.policy, desk.clock.now())
    if verb == "show":
        message = incident_show(scene)
    elif verb == "brief":
        message = briefing(scene)
    elif verb == "tasks":
        message = task_list(scene)
    else:
        message = await timeline(desk, meant)
    await answer(respond, message)


async def _list(desk: CommandContext, *, everything: bool) -> Message:
    newest = desk.engine.world.last_incident
    numbers = range(newest, max(newest - MOST_LISTED, 0), -1) if everything else ()
    world = await desk.engine.world_with(numbers)
    return incident_list(world, desk.engine.policy, desk.clock.now(), everything=everything)


async def _meant(desk: CommandContext, asked: Request, rest: str) -> NamedIncident:
    """The incident that somebody means, however old. Raises Misunderstood."""
    number, field, text = named_incident(rest, asked.channel, asked.mentions)
    if number is None and text and not any(text == attrgetter(field)(i) for i in desk.engine.world.incidents.values()):
        number = await desk.ledger.read(lambda store: store.incident_with(field, text))
    world = await desk.engine.world_with([number]) if number else desk.engine.world
    return which_incident(rest, asked.channel, world, asked.mentions)


async def _signal(desk: CommandContext, asked: Request, verb: str, rest: str) -> Signal:
    if verb == "declare":
        return _declaration(desk, asked, rest)
    if verb not in {known.name for known in INCIDENT.verbs}:
        known = [v.name for v in INCIDENT.verbs]
        raise Misunderstood(f"`/incident {verb[:40]}` is not known.{nearest(verb, known)} `/incident help` shows what is.")
    meant = await _meant(desk, asked, into_another(rest) if verb == "merge" else rest)
    by = Sender(asked.actor, asked.signal_id, meant.incident.number)
    if verb == "export":
        return AskExport(by.actor, by.id, incident=by.incident, format=export_format(meant.rest))
    given = TypedArguments(meant.rest, desk.engine.policy.incidents, asked.mentions, desk.clock.now(), zone_of(asked.zone))
    try:
        return ABOUT_ONE[verb].signal(by, given)
    except NoChoice as wrong:
        raise _no_phase(meant.incident, wrong.word) from None
    except NoNumber as wrong:
        if verb == "step":
            raise Misunderstood(f"{wrong} {which_step(meant.incident, desk.engine.policy)}") from None
        raise Misunderstood(f"{wrong} {which_task(meant.incident, verb)}") from None


def _no_phase(incident: Incident, word: str) -> Misunderstood:
    """Which phases it can move to from its current one."""
    nowhere = why_not(incident, Phase.INVESTIGATING)
    wrong = f"`{word[:40]}` is not a phase.{nearest(word, nowhere.ways)}"
    if not nowhere.ways:
        return Misunderstood(f"{wrong} {told(nowhere)}")
    return Misunderstood(f"{wrong} {incident.name} is {incident.phase}. Possible now: {', '.join(nowhere.ways)}.")


async def _conversion(desk: CommandContext, asked: Request, text: str, enter: Enter) -> Declare:
    """A declaration with this channel as its own; without a title, the channel's name is used. Raises Misunderstood."""
    _must_be_allowed(desk, asked, Declare)
    number = await desk.ledger.read(lambda store: store.incident_with("room.channel", asked.channel))
    if number is not None:  # it may be years old
        raise Misunderstood(told(ChannelTaken(incident=number)))
    room = await enter()
    signal = _declaration(desk, asked, text)
    title = signal.title or room.name.replace("-", " ").replace("_", " ").strip()
    components = component_of(title, _component_names(desk))
    return replace(signal, title=title, components=components, channel=room.id, channel_name=room.name)


def _untitled(desk: CommandContext, asked: Request, text: str) -> dict[str, Any] | None:
    """The form, if somebody gave at most a severity and a time; None if they said what is wrong.

    Raises Misunderstood, NotAllowed.
    """
    _must_be_allowed(desk, asked, Declare)
    signal = _declaration(desk, asked, text)
    if signal.title:
        return None
    now, zone = desk.clock.now(), zone_of(asked.zone)
    when = spoken(Span(signal.began_at, signal.ended_at), now, zone)
    return declare_form(desk, asked.channel, when=when, level=signal.severity)


def _declaration(desk: CommandContext, asked: Request, text: str) -> Declare:
    """The declaration as typed; its title is empty if only a time or a severity was given."""
    first, after = split_verb(text)
    separate, text = first == "separate", " ".join((after if first == "separate" else text).split())
    found = re.search(r"\b(sev[1-4])\b", text, re.IGNORECASE)
    level = Severity(found[1].upper()) if found else Severity.SEV2
    title = re.sub(r"\s*\bsev[1-4]\b\s*", " ", text, count=1, flags=re.IGNORECASE).strip() if found else text
    title, span = taken_from(title, desk.clock.now(), zone_of(asked.zone))
    return Declare(
        actor=asked.actor, id=asked.signal_id, title=title, components=component_of(title, _component_names(desk)),
        severity=level, separate=separate, began_at=span.began_at, ended_at=span.ended_at,
    )  # fmt: skip


def _component_names(desk: CommandContext) -> dict[str, str]:
    return {id: c.name for id, c in desk.engine.policy.components.items()}
