"""Forms: which button or choice opens which, and what a sent one does. The same verbs as the slash commands."""

import re
from dataclasses import replace
from typing import Any

from bot.core.answers.base import Answer, NoIncident
from bot.core.answers.flags import DefaultUnwell
from bot.core.answers.incident import IsOpen, StillFailing
from bot.core.decide.phases import move_for, why_not
from bot.core.model import Actor, Phase
from bot.core.policy import IncidentPolicy
from bot.core.record.incident import Incident
from bot.core.signals import GiveRole, Merge, ReleaseFlag, SetPhase, SetSeverity, Signal, WriteUpdate
from bot.ports import Message
from bot.ports.payloads import Form, Press
from bot.views.answers.in_slack import told
from bot.views.answers.words import words
from bot.views.faces import Slack
from bot.views.incident import buttons, forms
from bot.views.incident.evidence import evidence
from bot.views.scene import Scene
from commands.desk import CommandContext, Request
from commands.parsing.arguments import severity
from commands.parsing.parse import Misunderstood, NotAllowed

CALLBACKS = re.compile(
    "^(" + "|".join([
        forms.UPDATE_CALLBACK, forms.RESOLVE_CALLBACK, forms.PHASE_CALLBACK,
        forms.SEVERITY_CALLBACK, forms.CANCEL_CALLBACK, forms.SWITCH_BACK_CALLBACK, forms.ROLE_CALLBACK,
        forms.REOPEN_CALLBACK,
    ]) + ")$"
)  # fmt: skip
LOST = "This form no longer knows its incident; nothing was changed. Copy your text, close it and open a new one."
SINCE = "Nothing was changed: something failed since this form was opened. Read it again before you send it."
OVER = "It is over; there is nothing to change any more. `/incident reopen` begins it again."
MERGED = "It is part of INC-{into}; go on there. `/incident unmerge` makes it one of its own again."
WHICH_OTHER = "Choose the other incident below."
NOTHING_AWAY = "No flag of this incident is switched any more."
INCIDENT_NUMBER = re.compile(r"[0-9]{1,9}")

EVIDENCE, ROLES = "evidence", "roles"
OPENS = (EVIDENCE, "update", ROLES, buttons.REOPEN, "more")  # verbs of buttons that show something before doing anything

# A menu choice -> the signal that its form sends, to check who may.
SENDS: dict[str, type[Signal]] = {
    "update": WriteUpdate, buttons.RESOLVE: SetPhase, buttons.PHASE: SetPhase, buttons.CANCEL: SetPhase,
    buttons.SEVERITY: SetSeverity, buttons.SWITCH_BACK: ReleaseFlag, ROLES: GiveRole, buttons.REOPEN: SetPhase,
}  # fmt: skip

WARNS = (forms.RESOLVE_CALLBACK, forms.SWITCH_BACK_CALLBACK)  # they carry what they warned of

# The field at which a form shows an error.
FIELDS = {
    forms.UPDATE_CALLBACK: "text", forms.RESOLVE_CALLBACK: "reason", forms.PHASE_CALLBACK: "phase",
    forms.SEVERITY_CALLBACK: "severity", forms.CANCEL_CALLBACK: "reason", forms.SWITCH_BACK_CALLBACK: "flag",
    forms.ROLE_CALLBACK: "person", forms.REOPEN_CALLBACK: "reason",
}  # fmt: skip


async def opened(desk: CommandContext, asked: Request, pressed: Press) -> dict[str, Any] | Message | None:
    """The form that a button or choice opens, or what it shows; None if it acts at once.

    Raises Misunderstood if the person may not, and if there is nothing left to do.
    """
    verb, number = pressed.action.partition(".")[2], pressed.value.get("incident")
    does = pressed.value.get("do") if verb == "more" else verb
    if verb not in OPENS or does not in (EVIDENCE, *SENDS) or type(number) is not int:
        return None
    if does in SENDS and (refused := desk.denied(asked, SENDS[does], number)):
        raise NotAllowed(refused)
    world = await desk.engine.world_with([number])
    incident = world.incidents.get(number)
    if incident is None:
        raise Misunderstood(words(NoIncident(number=number, newest=world.last_incident), Slack()))
    scene = Scene(incident, world, desk.engine.policy, desk.clock.now())
    if does == EVIDENCE:
        return evidence(scene)
    return await form_of(desk, asked, str(does), scene)


async def form_of(desk: CommandContext, asked: Request, does: str, scene: Scene) -> dict[str, Any]:
    """The form behind a choice, one of `SENDS`. Raises Misunderstood if there is nothing left to do."""
    incident = scene.incident
    if does == buttons.REOPEN:
        if incident.phase.open:
            raise Misunderstood(told(IsOpen(incident=incident.number, phase=incident.phase)))
        if move_for(incident, Phase.INVESTIGATING) != "reopen":
            raise Misunderstood(told(why_not(incident, Phase.INVESTIGATING)))
        return forms.reopen_modal(incident)
    if not incident.phase.open and does != buttons.SWITCH_BACK:
        raise Misunderstood(why_over(incident))
    if does == ROLES:
        return forms.role_modal(incident, desk.engine.policy.incidents, asked.actor.id)
    match does:
        case buttons.RESOLVE:
            return forms.resolve_modal(scene)
        case buttons.PHASE:
            return forms.phase_modal(incident)
        case buttons.SEVERITY:
            return forms.severity_modal(incident)
        case buttons.CANCEL:
            return forms.cancel_modal(scene)
        case buttons.SWITCH_BACK:
            if not scene.flags_away:
                raise Misunderstood(NOTHING_AWAY)
            return forms.switch_back_modal(scene)
    return await update_form(desk, scene)


def why_over(incident: Incident) -> str:
    """Why a form of a finished incident is refused."""
    return MERGED.format(into=incident.merged.number) if incident.merged else OVER


async def update_form(desk: CommandContext, scene: Scene) -> dict[str, Any]:
    """The form for an update, with what has happened since the last one."""
    incident = scene.incident
    since = incident.last_update_at or incident.declared_at
    facts = await desk.ledger.read(lambda store: store.facts_about(incident.number))
    return forms.update_modal(scene, [fact for fact in facts if since < fact.at])


async def sent(desk: CommandContext, asked: Request, form: Form, chosen: Actor | None = None) -> Answer:
    """Carry out a form about an incident; `chosen` is the person in its field.

    Raises Misunderstood if it does not say which incident.
    """
    number, _, carried = form.metadata.partition(" ")
    if not INCIDENT_NUMBER.fullmatch(number):
        raise Misunderstood(LOST)
    signal = _signal(asked, form, int(number), chosen, desk.engine.policy.incidents)
    if isinstance(signal, ReleaseFlag):
        signal = replace(signal, flag=forms.flag_chosen(signal.flag, desk.engine.world.flags))
    if form.callback in WARNS and isinstance(signal, SetPhase | ReleaseFlag):
        signal = replace(signal, warned=tuple(carried.split()))
    return await desk.engine.handle(signal)


async def asked_again(desk: CommandContext, form: Form, said: Answer) -> dict[str, Any] | None:
    """The form as it was filled in, with what is not well by now; None for one that was not refused for that."""
    if form.callback not in WARNS or not isinstance(said, StillFailing | DefaultUnwell):
        return None
    number = int(form.metadata.partition(" ")[0])
    world = await desk.engine.world_with([number])
    if number not in world.incidents:
        return None
    scene = Scene(world.incidents[number], world, desk.engine.policy, desk.clock.now())
    if form.callback == forms.RESOLVE_CALLBACK:
        return forms.resolve_modal(scene, form.fields.get("reason", ""), SINCE)
    return forms.switch_back_modal(scene, said.flag or "", SINCE) if scene.flags_away else None


def _signal(asked: Request, form: Form, number: int, chosen: Actor | None, policy: IncidentPolicy) -> Signal:
    actor, id, reason = asked.actor, asked.signal_id, form.fields.get("reason", "")
    match form.callback:
        case forms.RESOLVE_CALLBACK:
            return SetPhase(actor=actor, id=id, incident=number, phase=Phase.RESOLVED, reason=reason)
        case forms.REOPEN_CALLBACK:
            return SetPhase(actor=actor, id=id, incident=number, phase=Phase.INVESTIGATING, reason=reason, reopens=True)
        case forms.PHASE_CALLBACK:
            return SetPhase(actor=actor, id=id, incident=number, phase=_phase(form.fields.get("phase", "")), reason=reason)
        case forms.SEVERITY_CALLBACK:
            level = severity(form.fields.get("severity", ""))
            return SetSeverity(actor=actor, id=id, incident=number, severity=level, reason=reason)
        case forms.CANCEL_CALLBACK:
            return _no_incident(asked, form, number)
        case forms.ROLE_CALLBACK:
            role = form.fields.get("role", "")
            return GiveRole(actor=actor, id=id, incident=number, role=policy.role_meant(role) or role, to=chosen)
        case forms.SWITCH_BACK_CALLBACK:
            return ReleaseFlag(actor=actor, id=id, flag=form.fields.get("flag", ""), reason=reason)
    return WriteUpdate(actor=actor, id=id, incident=number, text=form.fields.get("text", ""))


def _no_incident(asked: Request, form: Form, number: int) -> Signal:
    """It was not an incident, or duplicates another one. Raises Misunderstood if that one was not chosen."""
    actor, id, kind = asked.actor, asked.signal_id, form.fields.get("reason", "")
    chosen, why = form.fields.get("other", ""), form.fields.get("why", "")
    other = int(chosen) if INCIDENT_NUMBER.fullmatch(chosen) else 0
    if kind in forms.WITH_ANOTHER and not other:
        raise Misunderstood(WHICH_OTHER)
    if kind == forms.MERGE:
        return Merge(actor=actor, id=id, incident=number, into=other, reason=why)
    return SetPhase(actor=actor, id=id, incident=number, phase=Phase.CANCELED, reason=kind, duplicate_of=other, why=why)


def _phase(word: str) -> Phase:
    try:
        return Phase(word)
    except ValueError:
        raise Misunderstood(LOST) from None
