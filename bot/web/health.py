"""Whether the bot is alive and ready, part by part; the composition root fills it in."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime

from bot.core.lazy_dataclass import dataclass


@dataclass(frozen=True)
class Part:
    """One part of the bot: whether it works, its state in one word, since when, and a sentence for people."""

    ok: bool
    state: str
    since: datetime | None
    sentence: str


@dataclass(frozen=True)
class Health:
    """`live`: the process does its work and needs no restart. `ready`: state is restored and requests are welcome.

    A part that is not ok does not by itself make the bot unready: with Slack away, flags and the API go on.
    """

    ready: bool
    live: bool
    parts: Mapping[str, Part] = field(default_factory=dict)
