"""Buttons and forms: the same verbs as the slash commands, in one press."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.answers.base import Answer
from bot.core.model import LEAD, Phase
from bot.core.signals import (
    Acknowledge,
    AskExport,
    Declare,
    EngageFlag,
    ExtendFlag,
    GiveRole,
    Join,
    RejectProposal,
    ReleaseFlag,
    Repair,
    ResumeHandBack,
    SetPhase,
    Signal,
    SnoozeReminders,
    StepBack,
    Unmerge,
)
from bot.ports import Message
from bot.ports.payloads import Press
from bot.verbs.incident import A_WHILE
from bot.views.incident.buttons import EXPORT, MORE, REOPEN
from bot.views.used import used
from commands.desk import CommandContext, Request
from commands.parsing.arguments import export_format, severity
from commands.parsing.parse import Misunderstood

log = structlog.get_logger(__name__)

ACTIONS = re.compile(
    r"^(incident\.(ack|join|lead|separate|resolve|reopen|unmerge|repair|export|update|snooze|evidence|roles|more)"
    r"|flag\.(engage|step_back|release|extend|resume|reject))(:|$)"
)
MOST_SECONDS = 10**8  # three years; our own buttons say less
CHANNEL = re.compile(r"[CG][A-Z0-9]{1,30}")

STALE = "This button no longer works; type the command instead: `/incident help`, `/fallback help`."


async def press(desk: CommandContext, asked: Request, pressed: Press) -> Answer:
    """Do what a button says. The state answers a second press of the same button: it is already done.

    Raises Misunderstood.
    """
    signal = _signal(asked, pressed)
    if signal is None:
        raise Misunderstood(STALE)
    return await desk.engine.handle(signal)


def _signal(asked: Request, pressed: Press) -> Signal | None:
    actor, id, value = asked.actor, asked.signal_id, pressed.value
    verb, number, flag = pressed.action.partition(":")[0], value.get("incident"), value.get("flag")
    if isinstance(flag, str):
        match verb:
            case "flag.engage":
                variant = value.get("variant", "")
                if not isinstance(variant, str):
                    return None
                return EngageFlag(
                    actor=actor,
                    id=id,
                    flag=flag,
                    variant=variant,
                    approves=bool(value.get("approves")),
                    warned=_warned(value),
                )
            case "flag.step_back":
                return StepBack(actor=actor, id=id, flag=flag)
            case "flag.release":
                return ReleaseFlag(actor=actor, id=id, flag=flag)
            case "flag.reject":
                return RejectProposal(actor=actor, id=id, flag=flag, variant=str(value.get("variant", "")))
            case "flag.resume":
                return ResumeHandBack(actor=actor, id=id, flag=flag)
            case "flag.extend":
                seconds, asked_about = value.get("seconds"), _moment(value.get("until"))
                if type(seconds) is not int or not 0 < seconds < MOST_SECONDS or asked_about is None:
                    return None
                return ExtendFlag(actor=actor, id=id, flag=flag, lasts=timedelta(seconds=seconds), asked=asked_about)
    if verb == "incident.separate" and isinstance(title := value.get("title"), str):
        level = severity(str(value.get("severity", "")))
        began, ended = _moment(value.get("began")), _moment(value.get("ended"))
        channel, name = value.get("channel"), value.get("channel_name")
        if not (isinstance(channel, str) and CHANNEL.fullmatch(channel) and isinstance(name, str)):
            channel = name = ""
        return Declare(
            actor=actor, id=id, title=title, severity=level, warned=_numbers(value), began_at=began, ended_at=ended,
            channel=channel, channel_name=name,
        )  # fmt: skip
    if type(number) is int:  # True is not one of our incidents
        match verb:
            case "incident.join":
                return Join(actor=actor, id=id, incident=number)
            case "incident.lead":
                return GiveRole(actor=actor, id=id, incident=number, role=LEAD, to=actor, free=True)
            case "incident.ack":
                return Acknowledge(actor=actor, id=id, incident=number)
            case "incident.snooze":
                return SnoozeReminders(actor=actor, id=id, incident=number, lasts=A_WHILE)
            case "incident.resolve":
                return SetPhase(actor=actor, id=id, incident=number, phase=Phase.RESOLVED, warned=_warned(value))
            case "incident.repair":
                return Repair(actor=actor, id=id, incident=number)
            case "incident.unmerge":
                return Unmerge(actor=actor, id=id, incident=number)
            case "incident.export" | "incident.more" if verb != MORE or value.get("do") == EXPORT:
                return AskExport(actor=actor, id=id, incident=number, format=export_format(str(value.get("format", "md"))))
    return None


def _warned(value: Mapping[str, Any]) -> tuple[str, ...]:
    """What the button's question warned of; nothing where an earlier version made it, so it asks again."""
    marks = value.get("warned")
    return tuple(mark for mark in marks if isinstance(mark, str)) if isinstance(marks, list) else ()


def _numbers(value: Mapping[str, Any]) -> tuple[int, ...]:
    """The same of incidents."""
    found = value.get("warned")
    return tuple(one for one in found if type(one) is int) if isinstance(found, list) else ()


def _moment(value: object) -> datetime | None:
    """A time from one of our buttons; None if it is not one."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found and found.tzinfo else None


async def record(desk: CommandContext, asked: Request, pressed: Press, at: datetime) -> Message | None:
    """The message that was pressed at `at`, with a line of record in place of the button.

    None if nothing needs replacing: alert and card update themselves, we cannot read messages shown to one person only, and an
    export may be requested again.
    """
    message, verb = pressed.message, pressed.action.partition(":")[0]
    if message is None or verb == "incident.export":
        return None
    number = pressed.value.get("incident")
    world = await desk.engine.world_with([number]) if type(number) is int else desk.engine.world
    if any(message.ts in (i.room.alert.ts, i.room.card.ts) for i in world.incidents.values()):
        return None
    waits = verb == "flag.engage" and desk.engine.world.flag(str(pressed.value.get("flag"))).proposal is not None
    return used(message.text, message.blocks, pressed.action, pressed.label or verb, asked.actor, at, stays=waits)


REOPENS = f"incident.{REOPEN}"


def carried_place(pressed: Press) -> str:
    """Where a *Reopen* button's message is, for its form to carry; empty if nothing needs replacing."""
    return f" {pressed.channel} {pressed.message.ts}" if pressed.message and pressed.action == REOPENS else ""


async def record_of_form(desk: CommandContext, client: AsyncWebClient, asked: Request, carried: str) -> None:
    """Replace the *Reopen* button whose form was sent by a line of record; alert and card update themselves."""
    _, _, place = carried.partition(" ")
    channel, _, ts = place.partition(" ")
    incidents = desk.engine.world.incidents.values()
    if not ts or any(ts in (i.room.alert.ts, i.room.card.ts) for i in incidents):
        return
    try:
        reply = await client.conversations_replies(channel=channel, ts=ts, oldest=ts, latest=ts, inclusive=True, limit=10)
        found = next((one for one in reply.get("messages") or () if isinstance(one, dict) and one.get("ts") == ts), None)
        if found is None:
            return
        made = used(str(found.get("text", "")), found.get("blocks") or (), REOPENS, "Reopen", asked.actor, desk.clock.now())
        await client.chat_update(channel=channel, ts=ts, text=made.text, blocks=[dict(block) for block in made.blocks])
    except SlackApiError as refusal:  # the button then says itself that there is nothing to reopen
        log.info("a used button could not be removed", channel=channel, why=refusal.response.get("error"))
