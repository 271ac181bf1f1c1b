"""The ledger's tables. Migrations are appended, never edited; each upgrades a ledger by one version."""

import json
from typing import Any

from sqlite_utils import Database, Migrations

from bot.store.sqlite.engine import FACTS_LAST

ledger = Migrations("understudy-ledger")

FACTS = """
CREATE TABLE facts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- the order of commits
    stream TEXT NOT NULL,                 -- incident/7, component/anthropic.api, flag/support-chat.llm
    seq INTEGER NOT NULL,                 -- 1, 2, 3 ... within the stream
    at TEXT NOT NULL,                     -- ISO 8601, UTC
    kind TEXT NOT NULL,
    version INTEGER NOT NULL,
    actor TEXT NOT NULL,                  -- JSON
    incident INTEGER,
    body TEXT NOT NULL,                   -- JSON
    prev_hash TEXT NOT NULL,
    hash TEXT NOT NULL,                   -- sha256 over prev_hash and the columns above but id
    UNIQUE (stream, seq)
) STRICT
"""

STATES = """
CREATE TABLE states (
    stream TEXT PRIMARY KEY,
    seq INTEGER NOT NULL,  -- of the stream's newest fact
    kind TEXT NOT NULL,
    dedup TEXT NOT NULL,   -- not empty only while an incident is open
    body TEXT NOT NULL     -- JSON; rebuildable from facts
) STRICT
"""

OUTBOX = """
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,  -- the order within a lane
    key TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    lane TEXT NOT NULL,
    slot TEXT NOT NULL,
    incident INTEGER,
    stream TEXT NOT NULL,
    seq INTEGER NOT NULL,
    args TEXT NOT NULL,                    -- JSON
    state TEXT NOT NULL CHECK (state IN ('pending', 'sending', 'ambiguous', 'done', 'dead', 'superseded')),
    attempt INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,           -- this and all below: microseconds since 1970, UTC
    started_at INTEGER,
    first_started_at INTEGER,
    not_before INTEGER NOT NULL,
    lease_until INTEGER,
    owner TEXT NOT NULL DEFAULT '',
    ambiguous_rounds INTEGER NOT NULL DEFAULT 0,
    result TEXT NOT NULL DEFAULT '{}',     -- JSON
    error TEXT NOT NULL DEFAULT ''
) STRICT
"""


@ledger()
def m001_first(db: Database) -> None:
    """Facts, states, outbox, signals, seen ids, settings."""
    for sql in (
        FACTS,
        "CREATE INDEX facts_incident ON facts (incident) WHERE incident IS NOT NULL",
        "CREATE TRIGGER facts_stay BEFORE UPDATE ON facts BEGIN SELECT RAISE(ABORT, 'a fact is never changed'); END",
        FACTS_LAST,
        STATES,
        "CREATE UNIQUE INDEX states_dedup ON states (dedup) WHERE dedup <> ''",
        OUTBOX,
        "CREATE INDEX outbox_lanes ON outbox (lane, id) WHERE state IN ('pending', 'sending', 'ambiguous')",
        "CREATE INDEX outbox_slots ON outbox (slot) WHERE slot <> '' AND state IN ('pending', 'sending', 'ambiguous')",
        "CREATE TABLE signals (id TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID",
        "CREATE TABLE seen (id TEXT PRIMARY KEY, until INTEGER NOT NULL) STRICT, WITHOUT ROWID",
        "CREATE INDEX seen_until ON seen (until)",
        "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
    ):
        db.execute(sql)


# Where the fields of an incident's flat state move to. Fields not named stay.
PARTS = {
    "people": {name: name for name in ("acknowledged_at", "acknowledged_by", "responders", "roles")},
    "vendor": {
        "vendor_first_at": "first_at", "vendor_words": "words", "outage_began_at": "outage_began_at",
        "outage_known_at": "outage_known_at",
    },
    "ending": {"resolve_asked_at": "asked_at", "resolved_at": "at", "resolved_by": "by", "ended_reason": "reason"},
    "room": {
        "alerts_channel": "alerts_channel", "channel": "channel", "channel_name": "name", "channel_attempt": "attempt",
        "channel_refused": "refused",
    },
}  # fmt: skip
POSTS = {
    "alert": {"alert_ts": "ts", "alert_channel_id": "channel", "alerts_gone": "gone"},
    "card": {"card_ts": "ts", "card_channel_id": "channel", "cards_gone": "gone"},
}


@ledger()
def m002_incidents_in_parts(db: Database) -> None:
    """States of incidents get parts. A state edited so that it cannot be read is left to the audit, which rebuilds it."""
    rows = db.execute("SELECT rowid, CAST(body AS BLOB) FROM states WHERE kind = 'incident'")
    db.conn.executemany(
        "UPDATE states SET body = ? WHERE rowid = ?", [(made, id) for id, body in rows if (made := _parted(body))]
    )


def _parted(body: bytes) -> str:
    """An incident's state in parts; empty if it cannot be read, or already has parts."""
    flat = _whole(body)
    if flat is None or "room" in flat:
        return ""
    parts: dict[str, Any] = {part: _taken(flat, names) for part, names in PARTS.items()}
    parts["room"] |= {post: _taken(flat, names) for post, names in POSTS.items()}
    return json.dumps({**flat, **parts}, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _taken(flat: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    return {new: flat.pop(old) for old, new in names.items() if old in flat}


@ledger()
def m003_clocks_of_older_incidents(db: Database) -> None:
    """Incidents from before paging and update reminders count both from where their facts do.

    So does a mitigation recorded beside the phase: it was the phase before.
    """
    clocks: dict[str, dict[str, dict[str, Any]]] = {}
    kinds = ("incident.severity_changed", "incident.phase_changed", "incident.update_written")
    for stream, at, kind, actor, body in db.execute(
        "SELECT stream, at, kind, actor, body FROM facts WHERE kind IN (?, ?, ?) ORDER BY id", kinds
    ):
        held = clocks.setdefault(stream, {"paging": {}, "reminders": {}, "mitigation": {}})
        _mitigated(held["mitigation"], at, actor, json.loads(body))
        _page_from(held["paging"], at, kind, json.loads(body))
        _remind_from(held["reminders"], at, kind, json.loads(body))
    for stream, parts in clocks.items():
        row = db.execute("SELECT CAST(body AS BLOB) FROM states WHERE stream = ?", (stream,)).fetchone()
        state = _whole(row[0]) if row else None
        if state is not None and (fresh := {part: held for part, held in parts.items() if held and part not in state}):
            made = json.dumps({**state, **fresh}, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
            db.conn.execute("UPDATE states SET body = ? WHERE stream = ?", (made, stream))


def _mitigated(mitigation: dict[str, Any], at: str, actor: str, body: dict[str, Any]) -> None:
    if body.get("move") in ("relapse", "reopen"):
        mitigation.clear()
    elif body.get("phase") == "mitigated" and not mitigation:
        mitigation.update(at=at, by=json.loads(actor), reason=body["reason"])


def _page_from(paging: dict[str, str], at: str, kind: str, body: dict[str, Any]) -> None:
    if kind == "incident.severity_changed" and body["severity"] > body["previous"]:  # SEV3 is milder than SEV2
        paging["eased_at"] = at
    elif kind == "incident.severity_changed" or body.get("move") == "reopen":
        paging.clear()
        paging["since"] = at


def _remind_from(reminders: dict[str, str], at: str, kind: str, body: dict[str, Any]) -> None:
    if body.get("move") == "reopen" or (kind == "incident.update_written" and body["text"]):
        reminders["since"] = at


def _whole(body: bytes) -> dict[str, Any] | None:
    """A readable state; None for one edited by hand, which is left to the audit."""
    try:
        state = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return state if isinstance(state, dict) else None


REPLICAS = """
CREATE TABLE replicas (
    boot TEXT PRIMARY KEY,     -- one start of one process
    name TEXT NOT NULL,
    epoch INTEGER NOT NULL,    -- grows whenever it came too late with a sign of life
    seen INTEGER NOT NULL,     -- this and `expires`: microseconds since 1970, UTC
    expires INTEGER NOT NULL,
    says TEXT NOT NULL         -- JSON: its address, version, configuration
) STRICT
"""

LEASES = """
CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,      -- a boot
    epoch INTEGER NOT NULL,    -- grows with every change of holder
    expires INTEGER NOT NULL
) STRICT
"""

PASSED_ON = """
CREATE TABLE passed_on (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- the order in which it was told
    boot TEXT NOT NULL,                   -- who told it
    at INTEGER NOT NULL,
    body TEXT NOT NULL                    -- JSON
) STRICT
"""


@ledger()
def m004_replicas(db: Database) -> None:
    """Running replicas, their leases, and the epoch in which an effect was claimed.

    Only additions: an older program continues to work beside a newer one.
    """
    for sql in (REPLICAS, LEASES, PASSED_ON, "ALTER TABLE outbox ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0"):
        db.execute(sql)
