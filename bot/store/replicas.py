"""Replicas and leases as rows. There is one writer at a time, so each call decides on current data."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.core.codec import decode, encode
from bot.ports.replicas import CLOCK, Fence, Lease, LiveReplica, Renewal, ReplicaInfo, ReplicaMessage
from bot.store.connection import Connection, one
from bot.store.rows import MICROSECOND, canonical, micros, moment, plain

NEWS_FOR = timedelta(minutes=1)  # a replica that was away longer does not need them
FORGOTTEN_AFTER = timedelta(days=1)  # after a replica's death; its outbox rows have been taken over by then


def clock(conn: Connection, now: datetime) -> int:
    """The time used for leases, in microseconds: a shared database has a clock, a file does not."""
    return conn.clock(micros(now))


def renew(conn: Connection, says: ReplicaInfo, epoch: int, ttl: timedelta, now: datetime) -> Renewal:
    """A heartbeat: in the same epoch while the previous one is valid, else in the next one."""
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
    return Renewal(current, moment(at))


def live(conn: Connection, now: datetime) -> list[LiveReplica]:
    """Replicas whose time is not up."""
    sql = "SELECT boot, name, epoch, seen, expires, says FROM replicas WHERE expires > ? ORDER BY name, boot"
    return [_read(row) for row in conn.execute(sql, (clock(conn, now),)).fetchall()]


def is_live(conn: Connection, boot: str, epoch: int, now: datetime) -> bool:
    """Whether this replica is alive in this epoch."""
    sql = "SELECT 1 FROM replicas WHERE boot = ? AND epoch = ? AND expires > ?"
    return one(conn, sql, plain(boot), epoch, clock(conn, now)) is not None


def stands(conn: Connection, fence: Fence, now: datetime) -> bool:
    """Whether a fence holds: in one statement, since each is a round trip in the middle of a commit."""
    at = conn.dialect.clock
    sql = f"SELECT 1 FROM replicas WHERE boot = :boot AND epoch = :epoch AND expires > {at}"  # noqa: S608 # a constant
    if fence.clock is not None:
        lease = f"SELECT 1 FROM leases WHERE name = :name AND holder = :boot AND epoch = :clock AND expires > {at}"  # noqa: S608 # a constant
        sql = f"{sql} AND EXISTS ({lease})"
    values = {"boot": plain(fence.boot), "epoch": fence.epoch, "clock": fence.clock, "name": CLOCK, "now": micros(now)}
    return conn.execute(sql, values).fetchone() is not None


def lease(conn: Connection, name: str, holder: str, ttl: timedelta, now: datetime) -> int | None:
    """Take or extend a lease; its epoch grows when it changes hands."""
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
    """Leases currently held."""
    sql = "SELECT name, holder, epoch, expires FROM leases WHERE expires > ? ORDER BY name"
    rows = conn.execute(sql, (clock(conn, now),)).fetchall()
    return [Lease(row["name"], row["holder"], int(row["epoch"]), moment(row["expires"])) for row in rows]


def give_back(conn: Connection, holder: str) -> None:
    """Let others take over at once. Epochs stay, so that an old claim never becomes valid again."""
    conn.execute("UPDATE leases SET expires = 0 WHERE holder = ?", (plain(holder),))
    conn.execute("UPDATE replicas SET expires = seen WHERE boot = ?", (plain(holder),))


def pass_on(conn: Connection, boot: str, bodies: Sequence[str], now: datetime) -> None:
    """Store messages for the others, and delete old ones."""
    at = clock(conn, now)
    conn.execute("DELETE FROM passed_on WHERE at < ?", (at - NEWS_FOR // MICROSECOND,))
    conn.executemany("INSERT INTO passed_on (boot, at, body) VALUES (?, ?, ?)", [(plain(boot), at, plain(b)) for b in bodies])


def passed_on(conn: Connection, after: int, boot: str) -> list[ReplicaMessage]:
    """What others sent after that position."""
    sql = "SELECT id, boot, body FROM passed_on WHERE id > ? AND boot <> ? ORDER BY id"
    return [
        ReplicaMessage(int(row["id"]), row["boot"], row["body"]) for row in conn.execute(sql, (after, plain(boot))).fetchall()
    ]


def newest_passed_on(conn: Connection) -> int:
    """The newest position; 0 if nothing is stored."""
    return int(one(conn, "SELECT coalesce(max(id), 0) AS newest FROM passed_on")["newest"])


def _read(row: Any) -> LiveReplica:
    try:
        says = decode(ReplicaInfo, json.loads(row["says"]))
    except (ValueError, KeyError):  # written by another version, or edited: it is alive all the same
        says = ReplicaInfo(row["name"], row["boot"])
    return LiveReplica(says, int(row["epoch"]), moment(row["seen"]), moment(row["expires"]))
