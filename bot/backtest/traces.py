"""Trace files: check runs by somebody else's monitor, as CSV or JSON lines. Pure.

Every run has `time` (ISO 8601 with an offset, or seconds since 1970), `check` and `outcome` (ok, slow, fail, inconclusive, or
an HTTP status), and may have `latency` (milliseconds), `component`, `error`, `reason` and `vantage`.
"""

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from bot.core.detection.error_classes import ERROR_CLASSES
from bot.core.ids import CheckId
from bot.core.model import Fault, Outcome, Sample

NEEDED = ("time", "check", "outcome")
KNOWN = (*NEEDED, "latency", "component", "error", "reason", "vantage")
SERVER_ERROR = "http_5xx"  # the error class of such a status if the trace names none
LONGEST = 500  # characters of a text for people


class TraceError(Exception):
    """The trace cannot be read; the sentence names file and line, and says what to do."""


def read_trace(text: str, name: str) -> list[Sample]:
    """The runs in a trace, in order of time. Raises TraceError with the first error."""
    text = text.removeprefix("\ufeff")
    if text.lstrip().startswith("["):
        raise TraceError(f"{name}:1: JSON, but one list; write one object a line")
    rows = _json_lines(text, name) if text.lstrip().startswith("{") else _csv(text, name)
    samples = [_sample(row, f"{name}:{number}") for number, row in rows]
    if not samples:
        raise TraceError(f"{name}: there is no run in it; write a line for each, after a header {','.join(KNOWN[:4])}")
    return sorted(samples, key=lambda sample: sample.at)


def _csv(text: str, name: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    head: list[str] = []
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if not head:
                head = [cell.strip().lower() for cell in cells]
                missing = [column for column in NEEDED if column not in head]
                twice = [column for column in KNOWN if head.count(column) > 1]
                if twice:
                    raise TraceError(f"{name}:{reader.line_num}: the header has two columns {twice[0]!r}; keep one of them")
                if missing:
                    columns = f"the header has no column {missing[0]!r}"
                    raise TraceError(f"{name}:{reader.line_num}: {columns}; needed: {', '.join(NEEDED)}")
                continue
            if len(cells) != len(head):
                raise TraceError(f"{name}:{reader.line_num}: {len(cells)} cells under a header of {len(head)}")
            yield reader.line_num, dict(zip(head, (cell.strip() for cell in cells), strict=True))
    except csv.Error as error:
        raise TraceError(f"{name}:{reader.line_num}: not CSV ({error})") from error


def _json_lines(text: str, name: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise TraceError(f"{name}:{number}: not JSON ({error}); write one object a line") from error
        if not isinstance(row, dict):
            raise TraceError(f"{name}:{number}: not an object; write one object a line")
        missing = [key for key in NEEDED if key not in row]
        if missing:
            raise TraceError(f"{name}:{number}: there is no {missing[0]!r}; needed: {', '.join(NEEDED)}")
        yield number, row


def _sample(row: Mapping[str, Any], where: str) -> Sample:
    check = _text(row, "check", where)
    if not check:
        raise TraceError(f"{where}: the check has no name")
    outcome, fault, reason = _outcome(row["outcome"], where)
    latency_ms = _latency(row.get("latency"), where)
    error = _text(row, "error", where)
    if fault is Fault.UNCLEAR and error and not reason:
        fault, reason = ERROR_CLASSES[error].fault if error in ERROR_CLASSES else fault, error
    return Sample(
        check=check,
        component=_text(row, "component", where) or CheckId(check).component,
        at=_moment(row["time"], where),
        outcome=outcome,
        error=error or (SERVER_ERROR if fault is Fault.THEIRS else None),
        fault=fault,
        reason=_text(row, "reason", where) or reason,
        phases_ms={} if latency_ms is None else {"total": latency_ms},
        vantage=_text(row, "vantage", where) or "local",
    )


def _text(row: Mapping[str, Any], key: str, where: str) -> str:
    value = row.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TraceError(f"{where}: {key} must be text, not {json.dumps(value)[:40]}")
    return "".join(char if char.isprintable() else " " for char in value[:LONGEST]).strip()  # lone surrogates are not printable


def _outcome(value: Any, where: str) -> tuple[Outcome, Fault, str]:
    """The outcome, whose fault it is as far as that tells, and a reason if a status gives one."""
    word = str(value).strip().lower()
    if word in set(Outcome):
        outcome = Outcome(word)
        return outcome, Fault.UNCLEAR if outcome in (Outcome.FAIL, Outcome.SLOW) else Fault.NONE, ""
    if not isinstance(value, bool) and word.isascii() and word.isdigit() and 100 <= int(word[:6]) <= 999:
        status = int(word)
        if status < 400:
            return Outcome.OK, Fault.NONE, ""
        return Outcome.FAIL, Fault.THEIRS if status >= 500 else Fault.UNCLEAR, f"HTTP {status}"
    raise TraceError(f"{where}: {word[:40]!r} is not an outcome; write ok, slow, fail, inconclusive or an HTTP status")


def _latency(value: Any, where: str) -> float | None:
    if value is None or value == "":
        return None
    try:
        ms = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        ms = math.nan
    if not 0 <= ms <= 86_400_000:
        raise TraceError(f"{where}: {str(value)[:40]!r} is not a latency; write milliseconds, at most a day of them")
    return ms


def _moment(value: Any, where: str) -> datetime:
    remedy = "write 2026-03-20T12:40:30Z or seconds since 1970"
    try:
        at = _seconds(float(value)) if not isinstance(value, bool) else None
    except (TypeError, ValueError, OverflowError):
        at = None
        if isinstance(value, str):
            try:
                at = datetime.fromisoformat(value)
            except ValueError:
                at = None
            if at is not None and at.tzinfo is None:
                raise TraceError(
                    f"{where}: {value[:40]!r} has no offset, so it means another moment everywhere; {remedy}"
                ) from None
    if at is None or not 1971 <= at.year <= 9000:
        raise TraceError(f"{where}: {str(value)[:40]!r} is not a time; {remedy}")
    return at.astimezone(UTC)


def _seconds(value: float) -> datetime | None:
    """Seconds since 1970; None for milliseconds, which would lie far in the future."""
    return datetime.fromtimestamp(value, UTC) if 0 <= value < 10_000_000_000 else None
