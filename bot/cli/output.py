"""What verbs print: tables for people, JSON for programs; colours only on a terminal, which rich decides."""

import json
import os
import re
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

PIPED_WIDTH = 200  # columns where nobody's window says how many there are
NOT_SHOWN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
JOINER = "\u200d"  # makes one emoji of two
# JSON leaves these as they are; some terminals obey them.
UNSEEN = re.compile(r"[\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]")


def print_json(value: Any) -> None:
    """One JSON document on standard output, without a character that a terminal would obey."""
    print(inert_json(json.dumps(value, indent=2, ensure_ascii=False)))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, empty: str) -> None:
    """A plain table; `empty` is said when there are no rows. Cells are text, never markup."""
    piped = not sys.stdout.isatty() and "COLUMNS" not in os.environ
    console = Console(highlight=False, soft_wrap=False, width=PIPED_WIDTH if piped else None)
    if not rows:
        console.print(Text(empty))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(inert(str(cell))) for cell in row))
    console.print(table)


def print_text(text: str) -> None:
    """A sentence that may hold somebody else's words."""
    click.echo(inert(text))


def note(*sentences: str) -> None:
    """Something to know besides the answer, on standard error: programs read the answer alone."""
    for sentence in sentences:
        click.echo(f"note: {inert(sentence)}", err=True)


def inert(text: str) -> str:
    """Foreign text without the characters that a terminal would obey or that reorder what it shows."""
    return "".join("�" if unicodedata.category(c) in NOT_SHOWN and c not in f"\n\t{JOINER}" else c for c in text)


def inert_json(document: str) -> str:
    """The same document with those characters as escapes; outside of strings, JSON has none of them."""
    return UNSEEN.sub(_escaped, document)


def _escaped(match: re.Match[str]) -> str:
    return json.dumps(match[0])[1:-1]


# --- times of the API, in the zone of the deployment (`incidents.zone`)


def zone_of(body: Mapping[str, Any]) -> str:
    """The zone that an answer names; UTC where a bot of another version names none."""
    return str(body.get("zone") or "UTC")


def minute(time: str | None, zone: str) -> str:
    """`2026-03-20 13:43`, for a table whose head names the zone; `-` for none."""
    return f"{_there(time, zone):%Y-%m-%d %H:%M}" if time else "-"


def second(time: str, zone: str) -> str:
    """The same with seconds."""
    return f"{_there(time, zone):%Y-%m-%d %H:%M:%S}"


def _there(time: str, zone: str) -> datetime:
    return datetime.fromisoformat(time).astimezone(ZoneInfo(zone))
