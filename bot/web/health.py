"""Whether the bot is alive and ready, part by part; the composition root supplies the parts."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime

from bot.core.lazy_dataclass import dataclass


@dataclass(frozen=True)
class Part:
    """One part of the bot: whether it works, its state as one word, since when, and a sentence for people."""

    ok: bool
    state: str
    since: datetime | None
    sentence: str


@dataclass(frozen=True)
class Health:
    """`live`: the process works and needs no restart. `ready`: state is restored and requests are welcome.

    A part that is not ok does not alone make the bot unready: without Slack, flags and the API still work.
    """

    ready: bool
    live: bool
    parts: Mapping[str, Part] = field(default_factory=dict)
