"""An incident's timeline and durations as a file: every post, phase, vendor's word and switch, with time, actor and reason."""

from collections.abc import Sequence

from bot.core.facts import Fact
from bot.core.incident import EXPORT_FORMATS
from bot.core.model import Policy
from bot.core.state import Incident
from bot.exports.csv_file import csv_
from bot.exports.json_file import json_
from bot.exports.markdown import markdown

__all__ = ["FORMATS", "csv_", "json_", "markdown", "render"]

FORMATS = EXPORT_FORMATS
NOT_YET = ("html",)


def render(format: str, incident: Incident, facts: Sequence[Fact], policy: Policy) -> tuple[str, bytes]:
    """A file's name and its content in UTF-8. Raises ValueError for a format that there is not."""
    match format:
        case "md":
            text = markdown(incident, facts, policy)
        case "json":
            text = json_(incident, facts, policy)
        case "csv":
            text = csv_(incident, facts, policy)
        case _:
            what = "is not available yet" if format in NOT_YET else "is not known"
            raise ValueError(f"the export format {format[:40]!r} {what}; there are: {', '.join(FORMATS)}")
    return f"{incident.name}-timeline.{format}", text.encode("utf-8", "backslashreplace")
