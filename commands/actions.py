"""Buttons and forms: the same verbs as the slash words, one press away."""

import re
from collections.abc import Mapping
from typing import Any

from bot.core.model import Phase, Severity
from bot.core.signals import (
    Acknowledge,
    Answer,
    AskExport,
    Declare,
    EngageFlag,
    ReleaseFlag,
    SetPhase,
    Signal,
    StepBack,
    WriteUpdate,
)
from bot.ports import Message
from bot.views.modals import DECLARE_CALLBACK, UPDATE_CALLBACK
from bot.views.used import used
from commands.desk import Asked, Desk, button_value

ACTIONS = re.compile(r"^(incident\.(ack|resolve|reopen|export)|flag\.(engage|step_back|release))(:|$)")
DECLARE_ACTION = re.compile(r"^incident\.declare(:|$)")

STALE = "This button has lost its meaning; type the command instead: `/incident help`, `/fallback help`."


async def press(desk: Desk, asked: Asked, action: Mapping[str, Any]) -> Answer:
    """Do what a button says. A second press of the same button is answered by the state: it is done already."""
    signal = _signal(asked, str(action["action_id"]).partition(":")[0], button_value(action))
    return await desk.engine.handle(signal) if signal else Answer(False, STALE)


def _signal(asked: Asked, verb: str, value: Mapping[str, Any]) -> Signal | None:
    actor, id = asked.actor, asked.signal_id
    number, flag = value.get("incident"), value.get("flag")
    if isinstance(flag, str):
        match verb:
            case "flag.engage":
                variant = str(value.get("variant", ""))
                return EngageFlag(actor=actor, id=id, flag=flag, variant=variant, approves=bool(value.get("approves")))
            case "flag.step_back":
                return StepBack(actor=actor, id=id, flag=flag)
            case "flag.release":
                return ReleaseFlag(actor=actor, id=id, flag=flag)
    if isinstance(number, int):
        match verb:
            case "incident.ack":
                return Acknowledge(actor=actor, id=id, incident=number)
            case "incident.resolve":
                return SetPhase(actor=actor, id=id, incident=number, phase=Phase.RESOLVED)
            case "incident.reopen":
                return SetPhase(actor=actor, id=id, incident=number, phase=Phase.INVESTIGATING)
            case "incident.export":
                return AskExport(actor=actor, id=id, incident=number, format=str(value.get("format", "md")))
    return None


def record(desk: Desk, asked: Asked, body: Mapping[str, Any], action: Mapping[str, Any]) -> Message | None:
    """The pressed message with a line of record in the button's place.

    None where there is nothing to replace: alert and card show the new state by themselves, what only one person sees is not
    ours to read, and an export may be asked for again.
    """
    message = body.get("message") or {}
    ts, verb = message.get("ts"), str(action["action_id"]).partition(":")[0]
    kept = any(ts in (i.alert_ts, i.card_ts) for i in desk.engine.world.incidents.values())
    if not ts or kept or verb == "incident.export":
        return None
    label = str((action.get("text") or {}).get("text", verb))
    pressed = str(action["action_id"])
    return used(str(message.get("text", "")), message.get("blocks") or [], pressed, label, asked.actor, desk.clock.now())


def without_references(desk: Desk, text: str) -> str:
    """For places that take plain text only: a channel by its name instead of its id."""
    for incident in desk.engine.world.incidents.values():
        text = text.replace(f"<#{incident.channel}>", f"#{incident.channel_name}") if incident.channel else text
    return text


async def declared(desk: Desk, asked: Asked, view: Mapping[str, Any]) -> Answer:
    """What the declare form said."""
    values = {action: field for block in view["state"]["values"].values() for action, field in block.items()}
    title = str((values.get("title") or {}).get("value") or "")
    picked = (values.get("component") or {}).get("selected_option") or {}
    level = (values.get("severity") or {}).get("selected_option") or {}
    component = str(picked.get("value", ""))
    components = (component,) if component not in ("", "none") else ()
    severity = Severity(str(level.get("value", "SEV2")))
    signal = Declare(actor=asked.actor, id=asked.signal_id, title=title, components=components, severity=severity)
    return await desk.engine.handle(signal)


async def updated(desk: Desk, asked: Asked, view: Mapping[str, Any]) -> Answer:
    """What the update form said; it carries the number of its incident."""
    words = view["state"]["values"]["text"]["text"]
    number = int(str(view.get("private_metadata") or "0"))
    text = str(words.get("value") or "")
    return await desk.engine.handle(WriteUpdate(actor=asked.actor, id=asked.signal_id, incident=number, text=text))


__all__ = [
    "ACTIONS", "DECLARE_ACTION", "DECLARE_CALLBACK", "UPDATE_CALLBACK", "declared", "press", "record", "updated",
    "without_references",
]  # fmt: skip
