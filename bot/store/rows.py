"""Conversions between values and columns: times, JSON, hostile text, facts and their hashes."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from bot.core.codec import decode
from bot.core.effects import Effect, decode_effect
from bot.core.model import Actor
from bot.core.record.fact import Fact
from bot.core.record.kinds import NewerKindError, decode_body
from bot.ports import OutboxRow, RowState, StateRow
from bot.store.errors import StoreError, StoreTrouble

Columns = Mapping[str, Any]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
OUTBOX_TEXTS = ("key", "kind", "lane", "slot", "stream", "args", "result")
HASHED = ("prev_hash", "stream", "seq", "at", "kind", "version", "actor", "incident", "body")
MOST_TRIES = 2**31
CHOSEN_BY_CALLER = "api/"  # `Idempotency-Key` over HTTP

_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode


def micros(at: datetime) -> int:
    """Microseconds since 1970; raises TypeError for a time without a zone."""
    return (at - EPOCH) // MICROSECOND


def moment(us: int) -> datetime:
    """The inverse of `micros`."""
    return EPOCH + us * MICROSECOND


def maybe_moment(us: int | None) -> datetime | None:
    """The same for an optional time."""
    return None if us is None else moment(us)


def iso(at: datetime) -> str:
    """ISO 8601 in UTC with all six digits, so that texts sort like times."""
    return (EPOCH + micros(at) * MICROSECOND).isoformat(timespec="microseconds")


def canonical(data: Any) -> str:
    """The canonical JSON text of a value. ASCII only: NUL and lone surrogates, which vendors do send, survive as escapes."""
    return _canonical(data)


def plain(text: str) -> str:
    """Text that every database accepts: NUL and lone surrogates are escaped (`\\x00`, `\\ud800`), everything else stays."""
    text = text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text.replace("\0", "\\x00") if "\0" in text else text


def kept_id(signal: str) -> str:
    """A signal's id as stored: hashed if an API caller chose it, who may have sent a token by mistake."""
    return f"key/sha256/{hashlib.sha256(signal.encode()).hexdigest()}" if signal.startswith(CHOSEN_BY_CALLER) else signal


def fact_hash(row: Columns) -> str:
    """sha256, in hex, over the previous hash and the fact's columns."""
    return hashlib.sha256(canonical([row[name] for name in HASHED]).encode("ascii")).hexdigest()


def read_fact(row: Columns) -> Fact:
    """A fact from its row; raises StoreError if the row cannot be understood, NEWER if a newer Understudy could."""
    try:
        return Fact(
            stream=row["stream"],
            seq=row["seq"],
            at=datetime.fromisoformat(row["at"]),
            actor=_actor(row["actor"]),
            incident=row["incident"],
            body=decode_body(row["kind"], row["version"], json.loads(row["body"])),
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        sentence = f"fact {row['seq']} of {row['stream']} cannot be read: {error}"
        if isinstance(error, NewerKindError):
            sentence = f"a newer Understudy writes this ledger ({sentence}); upgrade this replica"
            raise StoreError(sentence, kind=StoreTrouble.NEWER) from error
        raise StoreError(sentence, kind=StoreTrouble.CORRUPT) from error


@lru_cache(maxsize=1_000)  # a few rules and people do nearly everything
def _actor(text: str) -> Actor:
    return decode(Actor, json.loads(text))


def read_state(row: Columns) -> StateRow:
    """A state from its row; raises StoreError if the row cannot be understood."""
    try:
        return StateRow(row["stream"], row["seq"], row["kind"], row["dedup"], json.loads(row["body"]))
    except (ValueError, RecursionError) as error:
        raise StoreError(f"the state of {row['stream']} cannot be read: {error}", kind=StoreTrouble.CORRUPT) from error


def read_outbox(row: Columns) -> OutboxRow:
    """An outbox row from its row in the table; raises StoreError if that cannot be understood.

    Invalid bytes arrive as lone surrogates, which no text of ours contains.
    """
    try:
        for name in OUTBOX_TEXTS:
            _require_text(name, row[name])
        return _outbox_row(row)
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        sentence = f"row {row['id']} of the outbox ({plain(row['key'])}) was changed by hand and cannot be read: {error}"
        raise StoreError(sentence, kind=StoreTrouble.CORRUPT) from error


def _require_text(name: str, value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"its {name} is not text") from error


def _count(number: int) -> int:
    """A number of attempts; raises OverflowError if it could not be counted further."""
    if not 0 <= number < MOST_TRIES:
        raise OverflowError(f"it cannot have been tried {number} times")
    return number


def _outbox_row(row: Columns) -> OutboxRow:
    effect = Effect(
        key=row["key"], lane=row["lane"], body=decode_effect(row["kind"], json.loads(row["args"])), incident=row["incident"],
        stream=row["stream"], seq=row["seq"], slot=row["slot"],
    )  # fmt: skip
    return OutboxRow(
        id=row["id"],
        effect=effect,
        state=RowState(row["state"]),
        attempt=_count(row["attempt"]),
        created_at=moment(row["created_at"]),
        started_at=maybe_moment(row["started_at"]),
        first_started_at=maybe_moment(row["first_started_at"]),
        not_before=moment(row["not_before"]),
        ambiguous_rounds=_count(row["ambiguous_rounds"]),
        result=json.loads(row["result"]),
        error=plain(row["error"]),
    )
