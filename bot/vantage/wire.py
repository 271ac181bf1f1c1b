"""Samples as JSON between Understudies, strictly parsed: input is foreign until validated. Pure.

A batch is `{"v": 1, "batch": id, "vantage": label, "samples": [...]}`; times are ISO 8601 with an offset, phases milliseconds.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.core.lazy_dataclass import dataclass
from bot.core.model import Fault, Outcome, Sample
from bot.system.redaction import HIDDEN, TOKENS
from bot.views.text import cut, plain

VERSION = 1
BATCH_BYTES = 1024 * 1024  # accepted
PACK_BYTES = 512 * 1024  # sent: well below, since the receiver may be older and stricter
BATCH_SAMPLES = 1000
OPENED_AT_MOST = 100_000  # brackets; json.loads blocks everything else, for 165 ms per mebibyte of them
PHASES = ("dns", "connect", "tls", "first_byte", "first_token", "total")
LONGEST_PHASE_MS = 7 * 24 * 3_600_000.0

ID_CHARS, REASON_CHARS = 200, 300
EVIDENCE_ENTRIES, EVIDENCE_KEY_CHARS, EVIDENCE_CHARS = 12, 40, 300

_BATCH_ID = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)
_NAME = re.compile(r"[\x21-\x7e]{1,200}")
_ERROR = re.compile(r"[a-z0-9_]{1,64}", re.ASCII)


class WireError(ValueError):
    """The input is not a batch; the sentence, without full stop, says why."""


@dataclass(frozen=True)
class Batch:
    """Samples from one vantage, sent together; the id is the same if it is sent again."""

    id: str
    vantage: str
    samples: tuple[Sample, ...]


def pack(id: str, vantage: str, samples: Sequence[Sample]) -> tuple[bytes, int]:
    """As many of the first samples as fit in one batch, as ASCII JSON, and their number; at least one."""
    rows: list[str] = []
    size = 0
    for sample in samples[:BATCH_SAMPLES]:
        row = json.dumps(_row(sample), allow_nan=False, separators=(",", ":"))
        size += len(row) + 1
        if rows and size > PACK_BYTES:
            break
        rows.append(row)
    head = json.dumps({"v": VERSION, "batch": id, "vantage": vantage}, separators=(",", ":"))
    return f'{head[:-1]},"samples":[{",".join(rows)}]}}'.encode("ascii"), len(rows)


def unpack(raw: bytes) -> Batch:
    """The batch in these bytes, its texts shortened and cleaned; raises WireError, whatever they contain.

    Unknown fields are ignored, so that a newer peer is understood. Each sample gets the batch's vantage.
    """
    if raw.count(b"[") + raw.count(b"{") > OPENED_AT_MOST:
        raise WireError("The body holds more lists and objects than any batch")
    try:
        data = json.loads(raw, parse_constant=_no_constant, object_pairs_hook=_no_duplicates)
    except RecursionError as error:
        raise WireError("The body is nested too deeply") from error
    except ValueError as error:  # not UTF-8, not JSON, a number with 5,000 digits
        raise WireError(f"The body is not JSON as we take it: {plain(str(error), 200)}") from error
    if not isinstance(data, dict):
        raise WireError("The body must be a JSON object")
    if data.get("v") != VERSION or isinstance(data.get("v"), bool):
        raise WireError(f"The batch is of another version than {VERSION}; upgrade the older Understudy")
    id, vantage, rows = data.get("batch"), data.get("vantage"), data.get("samples")
    if not isinstance(id, str) or not _BATCH_ID.fullmatch(id):
        raise WireError("batch must be an id of 8 to 64 letters, digits, dots, dashes and underscores")
    if not isinstance(vantage, str) or not _NAME.fullmatch(vantage):
        raise WireError("vantage must be a label")
    if not isinstance(rows, list) or len(rows) > BATCH_SAMPLES:
        raise WireError(f"samples must be a list of at most {BATCH_SAMPLES}")
    return Batch(id, vantage, tuple(_sample(row, n, vantage) for n, row in enumerate(rows)))


def _row(sample: Sample) -> dict[str, Any]:
    phases = {name: round(ms, 3) for name, ms in sample.phases_ms.items() if name in PHASES and 0 <= ms <= LONGEST_PHASE_MS}
    row: dict[str, Any] = {
        "check": sample.check, "component": sample.component, "at": sample.at.astimezone(UTC).isoformat(),
        "outcome": sample.outcome.value, "error": sample.error, "fault": sample.fault.value,
        "reason": _short(sample.reason, REASON_CHARS), "phases_ms": phases, "evidence": _evidence(sample.evidence),
    }  # fmt: skip
    return {name: value for name, value in row.items() if value not in (None, "", {}, Fault.NONE.value)}


def _sample(row: Any, n: int, vantage: str) -> Sample:
    if not isinstance(row, dict):
        raise WireError(f"samples[{n}] must be an object")
    at = _time(row.get("at"), n)
    outcome, fault, error = row.get("outcome"), row.get("fault", Fault.NONE.value), row.get("error")
    if not isinstance(outcome, str) or outcome not in list(Outcome):
        raise WireError(f"samples[{n}].outcome must be one of {', '.join(Outcome)}")
    if not isinstance(fault, str):
        raise WireError(f"samples[{n}].fault must be a word")
    if error is not None and (not isinstance(error, str) or not _ERROR.fullmatch(error)):
        raise WireError(f"samples[{n}].error must be a class of errors")
    reason, evidence = row.get("reason", ""), row.get("evidence", {})
    if not isinstance(reason, str):
        raise WireError(f"samples[{n}].reason must be a text")
    if not isinstance(evidence, dict) or not all(isinstance(value, str) for value in evidence.values()):
        raise WireError(f"samples[{n}].evidence must be texts by name")
    return Sample(
        check=_id(row, "check", n), component=_id(row, "component", n), at=at, outcome=Outcome(outcome), error=error,
        fault=Fault(fault) if fault in list(Fault) else Fault.UNCLEAR, reason=_short(reason, REASON_CHARS),
        phases_ms=_phases(row.get("phases_ms", {}), n), evidence=_evidence(evidence), vantage=vantage,
    )  # fmt: skip


def _id(row: Mapping[str, Any], field: str, n: int) -> str:
    value = row.get(field)
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise WireError(f"samples[{n}].{field} must be an id of at most {ID_CHARS} visible characters")
    return value


def _time(value: Any, n: int) -> datetime:
    wrong = WireError(f"samples[{n}].at must be a time with its offset, such as 2026-03-20T12:00:00+00:00")
    if not isinstance(value, str):
        raise wrong
    try:
        at = datetime.fromisoformat(value)
        utc = at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise wrong from error
    if at.tzinfo is None:
        raise wrong
    return utc


def _phases(value: Any, n: int) -> dict[str, float]:
    wrong = WireError(f"samples[{n}].phases_ms must be milliseconds by phase ({', '.join(PHASES)})")
    if not isinstance(value, dict):
        raise wrong
    found: dict[str, float] = {}
    for name, ms in value.items():
        if not isinstance(ms, int | float) or isinstance(ms, bool) or not 0 <= ms <= LONGEST_PHASE_MS:
            raise wrong
        if name in PHASES:
            found[name] = float(ms)
    return found


def _evidence(evidence: Mapping[str, str]) -> dict[str, str]:
    entries = list(evidence.items())[:EVIDENCE_ENTRIES]
    return {_short(key, EVIDENCE_KEY_CHARS): _short(value, EVIDENCE_CHARS) for key, value in entries}


def _short(text: str, limit: int) -> str:
    """One clean line. Plain ASCII, nearly every text, takes a shortcut: a batch has a thousand of them."""
    if text.isascii() and text.isprintable() and len(text) <= limit:
        return TOKENS.sub(HIDDEN, text)
    return cut(plain(text, limit), limit)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key appears twice in one object")
    return found
