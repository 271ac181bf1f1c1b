"""Output of commands: tables for people, JSON for programs; bold only on a terminal, which click detects."""

import json
import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import zip_longest
from typing import Any
from unicodedata import category, east_asian_width
from zoneinfo import ZoneInfo

import click

PIPED_WIDTH = 200  # columns if there is no terminal
GAP = 2  # columns between table columns
NOT_SHOWN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
JOINER = "\u200d"  # joins two emojis into one
# JSON does not escape these, but some terminals act on them.
UNSEEN = re.compile(r"[\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]")


def print_json(value: Any) -> None:
    """Print one JSON document, without any character that a terminal would act on."""
    print(inert_json(json.dumps(value, indent=2, ensure_ascii=False)))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, empty: str) -> None:
    """Print a plain table, folding the widest columns until it fits; `empty` is printed if there are no rows."""
    if not rows:
        click.echo(empty)
        return
    cells = [[inert(str(cell)).expandtabs() for cell in row] for row in (columns, *rows)]
    widths = _fitted([max(_width(line) for cell in column for line in cell.split("\n")) for column in zip(*cells, strict=True)])
    head, *body = ["\n".join(_lines(row, widths)) for row in cells]
    click.echo(click.style(head, bold=True))  # plain if the output is not a terminal
    for text in body:
        click.echo(text)


def print_text(text: str) -> None:
    """Print a sentence that may contain foreign text."""
    click.echo(inert(text))


def note(*sentences: str) -> None:
    """Print additional information on standard error: programs read only the answer."""
    for sentence in sentences:
        click.echo(f"note: {inert(sentence)}", err=True)


# --- table layout


def _fitted(widths: list[int]) -> list[int]:
    """Widths of columns that fit side by side, cutting the widest first."""
    piped = not sys.stdout.isatty() and "COLUMNS" not in os.environ
    room = PIPED_WIDTH if piped else shutil.get_terminal_size().columns
    while (over := sum(widths) + GAP * (len(widths) - 1) - room) > 0 and (widest := max(widths)) > 1:
        second = max((width for width in widths if width < widest), default=1)
        cut = min(widest - second, -(-over // widths.count(widest)))
        widths = [width - cut if width == widest else width for width in widths]
    return widths


def _lines(row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    folded = [_folded(cell, width) for cell, width in zip(row, widths, strict=True)]
    for parts in zip_longest(*folded, fillvalue=""):
        padded = (part + " " * (width - _width(part)) for part, width in zip(parts, widths, strict=True))
        yield (" " * GAP).join(padded).rstrip()


def _folded(cell: str, width: int) -> list[str]:
    """Its lines, broken between words if possible."""
    lines = []
    for line in cell.split("\n"):
        while _width(line) > width:
            fits = max(1, next(end for end in range(len(line) + 1) if _width(line[: end + 1]) > width))
            space = line.rfind(" ", 1, fits + 1)
            lines.append(line[: space if space > 0 else fits])
            line = line[space + 1 if space > 0 else fits :]
        lines.append(line)
    return lines


def _width(text: str) -> int:
    """Width in a terminal: two columns for wide characters, none for combining ones."""
    if text.isascii():
        return len(text)
    joining = ("Mn", "Me", "Cf")
    return sum(0 if category(c) in joining else 2 if east_asian_width(c) in "WF" else 1 for c in text)


# --- safe characters


def inert(text: str) -> str:
    """Foreign text without characters that a terminal would act on or that reorder what it shows."""
    return "".join("�" if category(c) in NOT_SHOWN and c not in f"\n\t{JOINER}" else c for c in text)


def inert_json(document: str) -> str:
    """The same document with those characters escaped; outside strings, JSON has none of them."""
    return UNSEEN.sub(_escaped, document)


def _escaped(match: re.Match[str]) -> str:
    return json.dumps(match[0])[1:-1]


# --- the API's times, in the deployment's zone (`incidents.zone`)


def zone_of(body: Mapping[str, Any]) -> str:
    """The zone named in an answer; UTC if a bot of another version names none."""
    return str(body.get("zone") or "UTC")


def minute(time: str | None, zone: str) -> str:
    """`2026-03-20 13:43`, for a table that names the zone; `-` for None."""
    return f"{_there(time, zone):%Y-%m-%d %H:%M}" if time else "-"


def second(time: str, zone: str) -> str:
    """The same with seconds."""
    return f"{_there(time, zone):%Y-%m-%d %H:%M:%S}"


def _there(time: str, zone: str) -> datetime:
    return datetime.fromisoformat(time).astimezone(ZoneInfo(zone))
