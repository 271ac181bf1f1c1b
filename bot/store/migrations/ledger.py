"""The ledger's shape. Migrations are appended, never edited; each lifts every ledger by one."""

from sqlite_utils import Database, Migrations

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

FACTS_LAST = "CREATE TRIGGER facts_last BEFORE DELETE ON facts BEGIN SELECT RAISE(ABORT, 'a fact is never deleted'); END"

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
