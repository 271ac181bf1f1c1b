"""Every kind of fact, and how facts are written to and read from the ledger.

A new family needs one import here; a new kind in a family needs nothing.
"""

from collections.abc import Mapping
from typing import Any

from bot.core.codec import decode, encode
from bot.core.record import (
    component_facts,
    entry_facts,
    flag_facts,
    incident_facts,
    paging_facts,
    provider_facts,
    reminder_facts,
    sight,
    task_facts,
)
from bot.core.record.course import merge_facts, mitigation_facts, runbook_facts, served_facts
from bot.core.record.drills import drill_facts
from bot.core.record.fact import BODIES, Body
from bot.core.record.itself import configuration_facts
from bot.core.record.rehearsals import rehearsal_facts
from bot.core.record.room import room_facts
from bot.core.record.sinks import sink_facts
from bot.core.record.steering import freeze, steering_facts

__all__ = ["BODIES", "FAMILIES", "NewerKindError", "decode_body", "encode_body", "known"]

FAMILIES = (
    incident_facts, room_facts, mitigation_facts, runbook_facts, merge_facts, entry_facts, task_facts, paging_facts,
    reminder_facts, drill_facts, served_facts, flag_facts, sink_facts, rehearsal_facts, steering_facts, freeze,
    component_facts, provider_facts, sight, configuration_facts,
)  # fmt: skip


class NewerKindError(ValueError):
    """A fact of a kind or version that only a newer Understudy knows."""


def known(kind: str, version: int) -> bool:
    """Whether facts of this kind and version can be understood."""
    body = BODIES.get(kind)
    return body is not None and version <= body.VERSION


def encode_body(body: Body) -> dict[str, Any]:
    """The body as JSON-ready data, without kind and version."""
    data: dict[str, Any] = encode(body)
    return data


def decode_body(kind: str, version: int, data: Mapping[str, Any]) -> Body:
    """Rebuild a body of any version ever written; raises ValueError for an unknown kind or version."""
    body = BODIES.get(kind)
    if body is None:
        raise NewerKindError(f"fact kind {kind!r} is not known, so it is newer than this Understudy")
    if version > body.VERSION:
        raise NewerKindError(f"{kind} version {version} is newer than this Understudy's ({body.VERSION})")
    row = dict(data)
    for older in range(version, body.VERSION):
        upgrade = body.UPGRADES.get(older)
        if upgrade is None:
            raise ValueError(f"{kind} version {older} was never written by any Understudy")
        row = upgrade(row)
    return decode(body, row)
