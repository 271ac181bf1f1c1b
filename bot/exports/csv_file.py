"""The timeline as CSV, one fact per line, safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Sequence

from bot.core.policy import Policy
from bot.core.record.fact import Fact
from bot.core.record.incident import Incident
from bot.exports.times import iso
from bot.system.redaction import Redactor
from bot.timeline.rows import Row, rows
from bot.views.names import plain_names
from bot.views.text import clean

COLUMNS = ("seq", "at", "kind", "source", "who", "component", "text", "reason", "stream", "fact_seq", "bookkeeping", "drill")
# What spreadsheets take for the start of a formula, including full-width forms (OWASP, CSV injection).
FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def csv_(incident: Incident, facts: Sequence[Fact], policy: Policy, redactor: Redactor) -> str:
    """Every fact as a line: RFC 4180, all cells quoted, times in UTC, no secrets, nothing that a spreadsheet would evaluate."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    for row in rows(facts, plain_names(policy)):
        cells = (
            row.seq,
            iso(row.at),
            row.kind,
            row.source,
            row.who,
            row.component,
            _text(row),
            row.reason,
            row.stream,
            row.fact_seq,
            "yes" if row.bookkeeping else "",
            "🔵 DRILL" if incident.drill else "",
        )
        writer.writerow([cell(redactor.text(str(value))) for value in cells])
    return out.getvalue()


def _text(row: Row) -> str:
    """The sentence, and the addresses of its message and files."""
    return row.text + "".join(f" ({name}: {url})" for name, url in row.links)


def cell(value: str) -> str:
    """The value, with an apostrophe in front if it would be a formula."""
    risky = value.startswith(("\t", "\r", "\n")) or clean(value).lstrip().startswith(FORMULA)
    return ("'" if risky else "") + clean(value)
