"""Payloads as Slack sends them, and many ways to make one place in them odd."""

import copy
from collections.abc import Iterator
from itertools import cycle, islice
from typing import Any

from bot.sandbox.slack import LocalWorkspace, Person, payloads

Json = dict[str, Any]
Path = tuple[str | int, ...]


def bomb(depth: int) -> Any:
    """Objects nested in objects."""
    found: Any = {}
    for _ in range(depth):
        found = {"id": found, "type": found}
    return found


def lists(depth: int) -> Any:
    found: Any = []
    for _ in range(depth):
        found = [found]
    return found


GONE = object()
ODD = (
    None, [], {}, "", 0, -1, True, 1.5, "abc", "x" * 40_000, "x" * 60_000, "\ud800", "\x00", "\u202e<!channel>", [None],
    [[]], ["x"], [{}], {"id": None}, {"id": []}, {"id": "x" * 400}, lists(300), "[" * 3_000, '{"incident":' * 900, [{}] * 3_000,
)  # fmt: skip


def mutations(payload: Json, at_each: int) -> Iterator[Json]:
    """The payload with one path removed or replaced; every path gets some of the odd values in turn, so that all are used."""
    turn = cycle(ODD)
    for path in paths(payload):
        yield replaced(payload, path, GONE)
        for value in islice(turn, at_each):
            yield replaced(payload, path, value)


def paths(part: Any, at: Path = ()) -> Iterator[Path]:
    """Every path in a payload, outermost first."""
    if at:
        yield at
    inner = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for name, child in inner:
        yield from paths(child, (*at, name))


def replaced(payload: Json, path: Path, value: Any) -> Json:
    """A copy with `value` at `path`."""
    made: Any = copy.deepcopy(payload)
    inner = made
    for step in path[:-1]:
        inner = inner[step]
    if value is GONE:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return dict(made)


async def samples(workspace: LocalWorkspace, ana: Person) -> dict[str, tuple[str, Json]]:
    """One payload of each kind with its envelope's type, as the workspace sends it, including its keys."""
    team = workspace.team
    user, channel = team.users[ana.id], team.channel_named("ops")
    await ana.types("/incident declare")
    await ana.waits_for("What is wrong?")
    [form] = team.modals[ana.id]
    alert = next(m for m in channel.messages if any(b["type"] == "actions" for b in m.blocks))
    block = next(b for b in alert.blocks if b["type"] == "actions")
    button = next(e for e in block["elements"] if e["action_id"].startswith("incident.ack"))
    action = {**button, "block_id": block["block_id"], "action_ts": "1.2"}
    update = {**payloads.view_submission(team, user, form)}
    update["view"] = {**update["view"], "callback_id": "write_update", "private_metadata": "1"}
    return {
        "command": ("slash_commands", payloads.slash_command(team, user, channel, "/incident", "note INC-1 odd", "")),
        "press": ("interactive", payloads.message_action(team, user, alert, action, "")),
        "declare form": ("interactive", payloads.view_submission(team, user, form)),
        "update form": ("interactive", update),
        "closed form": ("interactive", payloads.view_closed(team, user, form, is_cleared=False)),
        "shortcut": ("interactive", payloads.global_shortcut(team, user, "declare")),
        "message shortcut": ("interactive", payloads.message_shortcut(team, user, alert, "note", "")),
        "event": ("events_api", payloads.event_callback(team, {"type": "app_mention", "user": user.id, "text": "hi"}, "Ev1")),
    }
