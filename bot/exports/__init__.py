"""An incident's timeline and durations as a file: every post, phase, vendor update and switch, with time, actor and reason."""

import asyncio
from collections.abc import Sequence

from bot.core.decide.phases import EXPORT_FORMATS
from bot.core.policy import Policy
from bot.core.record.fact import Fact
from bot.core.record.incident import Incident
from bot.exports.csv_file import csv_
from bot.exports.json_file import json_
from bot.exports.markdown import markdown
from bot.system.redaction import Redactor

FORMATS = EXPORT_FORMATS
WRITERS = {"md": markdown, "json": json_, "csv": csv_}


async def rendered(
    format: str, incident: Incident, facts: Sequence[Fact], policy: Policy, redactor: Redactor | None = None
) -> tuple[str, bytes]:
    """Like `render`, but in a thread: ten thousand entries take half a second."""
    return await asyncio.to_thread(render, format, incident, facts, policy, redactor)


def render(
    format: str, incident: Incident, facts: Sequence[Fact], policy: Policy, redactor: Redactor | None = None
) -> tuple[str, bytes]:
    """A file's name and its UTF-8 content, without the secrets known to `redactor`, which may be newer than the ledger.

    Raises ValueError for an unknown format.
    """
    write = WRITERS.get(format)
    if write is None:
        raise ValueError(f"the export format {format[:40]!r} is not known; there are: {', '.join(FORMATS)}")
    text = write(incident, facts, policy, redactor or Redactor(()))
    return f"{incident.name}-timeline.{format}", text.encode("utf-8", "backslashreplace")
