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
)
from bot.views.modals import DECLARE_CALLBACK
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


async def declared(desk: Desk, asked: Asked, view: Mapping[str, Any]) -> Answer:
    """What the declare form said."""
    values = {action: field for block in view["state"]["values"].values() for action, field in block.items()}
    title = str((values.get("title") or {}).get("value") or "")
    picked = (values.get("component") or {}).get("selected_option") or {}
    level = (values.get("severity") or {}).get("selected_option") or {}
    component = str(picked.get("value", ""))
    return await desk.engine.handle(
        Declare(
            actor=asked.actor, id=asked.signal_id, title=title,
            components=(component,) if component not in ("", "none") else (), severity=Severity(str(level.get("value", "SEV2"))),
        )
    )  # fmt: skip


__all__ = ["ACTIONS", "DECLARE_ACTION", "DECLARE_CALLBACK", "declared", "press"]
