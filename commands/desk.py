"""What every command and button works with: the engine to signal, the ledger and samples to ask, and how to answer."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bot.clock import Clock
from bot.core.model import Actor
from bot.flags.board import FlagBoard
from bot.ports import Engine, LatencyPicture, Ledger, Message, Samples
from bot.version import understudy_version
from bot.views.about import About
from bot.views.text import inert
from commands.parse import typed

LATENCY_OVER = timedelta(hours=1)

Respond = Callable[..., Awaitable[Any]]


async def _version_only() -> About:
    return About(understudy_version())


@dataclass(frozen=True)
class Desk:
    """The ports that commands use; made once by the composition root."""

    engine: Engine
    ledger: Ledger
    samples: Samples
    board: FlagBoard
    clock: Clock
    board_url: str = ""
    trouble: Callable[[], str] = lambda: ""  # what people should know of the bot itself, said with every status
    about: Callable[[], Awaitable[About]] = _version_only

    async def latencies(self, components: Mapping[str, Any]) -> dict[str, LatencyPicture]:
        """The latency picture of each component over the last hour."""
        since = self.clock.now() - LATENCY_OVER
        return {id: await self.samples.latency(id, since) for id in components}

    def readers(self) -> dict[str, int]:
        """How many distinct clients read each flag lately."""
        return {flag: self.board.readers(flag) for flag in self.engine.policy.flags}


@dataclass(frozen=True)
class Asked:
    """One request of a person: who, where, and the id that makes it count once."""

    actor: Actor
    channel: str
    signal_id: str
    text: str = ""
    word: str = ""  # the slash word as it was typed, with the manifest's prefix

    @staticmethod
    def from_command(body: Mapping[str, Any]) -> "Asked":
        """From a slash command's payload."""
        actor = Actor.person(str(body["user_id"]), str(body.get("user_name", "")))
        text, word = typed(str(body.get("text", ""))).strip(), str(body["command"])
        return Asked(actor, str(body["channel_id"]), f"slack/{body['trigger_id']}", text, word)

    @staticmethod
    def from_action(body: Mapping[str, Any]) -> "Asked":
        """From a button's or a modal's payload."""
        user = body["user"]
        name = str(user.get("username") or user.get("name") or "")
        channel = str((body.get("channel") or {}).get("id", ""))
        return Asked(Actor.person(str(user["id"]), name), channel, f"slack/{body['trigger_id']}")


def button_value(action: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON that our buttons carry; a button of another make carries nothing we trust."""
    try:
        value = json.loads(str(action.get("value", "{}")))
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


async def answer(respond: Respond, message: Message | str) -> None:
    """Answer one person, visible to nobody else. A plain sentence may hold foreign words: it is made inert."""
    if isinstance(message, str):
        await respond(text=inert(message), response_type="ephemeral", replace_original=False)
    else:
        blocks = [dict(block) for block in message.blocks]
        await respond(text=message.text, blocks=blocks, response_type="ephemeral", replace_original=False)
