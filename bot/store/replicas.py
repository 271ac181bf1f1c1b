"""Replicas and leases as rows. One writer at a time makes each call a decision on what is current."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.core.codec import decode, encode
from bot.ports.replicas import CLOCK, Fence, Introduction, Lease, LiveReplica, PassedOn, Renewed
from bot.store.connection import Connection, one
from bot.store.rows import MICROSECOND, canonical, micros, moment, plain

NEWS_FOR = timedelta(minutes=1)  # what a replica that was away for longer need not hear any more
FORGOTTEN_AFTER = timedelta(days=1)  # of a dead replica; nothing needs it any more once its outbox rows are taken up


def clock(conn: Connection, now: datetime) -> int:
    """Which time leases go by, in microseconds: a database that replicas share has a clock of its own, a file has none."""
    return conn.clock(micros(now))


def renew(conn: Connection, says: Introduction, epoch: int, ttl: timedelta, now: datetime) -> Renewed:
    """A sign of life: in the same epoch while the last one counts, in the next one otherwise."""
    at = clock(conn, now)
    held = one(conn, "SELECT epoch, expires FROM replicas WHERE boot = ?", plain(says.boot))
    alive = held is not None and held["expires"] > at and held["epoch"] == epoch
    current = epoch if alive else max(epoch, held["epoch"] if held is not None else 0) + 1
    conn.execute("DELETE FROM replicas WHERE expires < ?", (at - FORGOTTEN_AFTER // MICROSECOND,))
    conn.execute(
        "INSERT INTO replicas (boot, name, epoch, seen, expires, says) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (boot) DO UPDATE SET name = excluded.name, epoch = excluded.epoch, seen = excluded.seen,"
        " expires = excluded.expires, says = excluded.says",
        (plain(says.boot), plain(says.name), current, at, at + ttl // MICROSECOND, canonical(encode(says))),
    )
    return Renewed(current, moment(at))


def live(conn: Connection, now: datetime) -> list[LiveReplica]:
    """Those whose time is not over."""
    sql = "SELECT boot, name, epoch, seen, expires, says FROM replicas WHERE expires > ? ORDER BY name, boot"
    return [_read(row) for row in conn.execute(sql, (clock(conn, now),)).fetchall()]


def is_live(conn: Connection, boot: str, epoch: int, now: datetime) -> bool:
    """Whether this replica is alive in this epoch."""
    sql = "SELECT 1 FROM replicas WHERE boot = ? AND epoch = ? AND expires > ?"
    return one(conn, sql, plain(boot), epoch, clock(conn, now)) is not None


def stands(conn: Connection, fence: Fence, now: datetime) -> bool:
    """Whether a fence holds: asked in one statement, for each is a way to a database and back in the midst of a commit."""
    at = conn.dialect.clock
    sql = f"SELECT 1 FROM replicas WHERE boot = :boot AND epoch = :epoch AND expires > {at}"  # noqa: S608 # a constant
    if fence.clock is not None:
        lease = f"SELECT 1 FROM leases WHERE name = :name AND holder = :boot AND epoch = :clock AND expires > {at}"  # noqa: S608 # a constant
        sql = f"{sql} AND EXISTS ({lease})"
    values = {"boot": plain(fence.boot), "epoch": fence.epoch, "clock": fence.clock, "name": CLOCK, "now": micros(now)}
    return conn.execute(sql, values).fetchone() is not None


def lease(conn: Connection, name: str, holder: str, ttl: timedelta, now: datetime) -> int | None:
    """Take or keep a lease; its epoch grows when it changes hands."""
    at = clock(conn, now)
    conn.execute(
        "INSERT INTO leases (name, holder, epoch, expires) VALUES (?, ?, 1, ?) ON CONFLICT (name) DO UPDATE SET"
        " epoch = leases.epoch + CASE WHEN leases.holder = excluded.holder THEN 0 ELSE 1 END,"
        " holder = excluded.holder, expires = excluded.expires"
        " WHERE leases.holder = excluded.holder OR leases.expires <= ?",
        (plain(name), plain(holder), at + ttl // MICROSECOND, at),
    )
    row = one(conn, "SELECT epoch FROM leases WHERE name = ? AND holder = ?", plain(name), plain(holder))
    return None if row is None else int(row["epoch"])


def leases(conn: Connection, now: datetime) -> list[Lease]:
    """Those that are held."""
    sql = "SELECT name, holder, epoch, expires FROM leases WHERE expires > ? ORDER BY name"
    rows = conn.execute(sql, (clock(conn, now),)).fetchall()
    return [Lease(row["name"], row["holder"], int(row["epoch"]), moment(row["expires"])) for row in rows]


def give_back(conn: Connection, holder: str) -> None:
    """Let others take over at once. The epochs stay, so that nobody's old word counts again."""
    conn.execute("UPDATE leases SET expires = 0 WHERE holder = ?", (plain(holder),))
    conn.execute("UPDATE replicas SET expires = seen WHERE boot = ?", (plain(holder),))


def pass_on(conn: Connection, boot: str, bodies: Sequence[str], now: datetime) -> None:
    """Keep it for the others, and forget what is no news any more."""
    at = clock(conn, now)
    conn.execute("DELETE FROM passed_on WHERE at < ?", (at - NEWS_FOR // MICROSECOND,))
    conn.executemany("INSERT INTO passed_on (boot, at, body) VALUES (?, ?, ?)", [(plain(boot), at, plain(b)) for b in bodies])


def passed_on(conn: Connection, after: int, boot: str) -> list[PassedOn]:
    """What others told behind that place."""
    sql = "SELECT id, boot, body FROM passed_on WHERE id > ? AND boot <> ? ORDER BY id"
    return [PassedOn(int(row["id"]), row["boot"], row["body"]) for row in conn.execute(sql, (after, plain(boot))).fetchall()]


def newest_passed_on(conn: Connection) -> int:
    """The newest place; 0 where nothing is kept."""
    return int(one(conn, "SELECT coalesce(max(id), 0) AS newest FROM passed_on")["newest"])


def _read(row: Any) -> LiveReplica:
    try:
        says = decode(Introduction, json.loads(row["says"]))
    except (ValueError, KeyError):  # of another version, or edited: it is alive all the same
        says = Introduction(row["name"], row["boot"])
    return LiveReplica(says, int(row["epoch"]), moment(row["seen"]), moment(row["expires"]))
