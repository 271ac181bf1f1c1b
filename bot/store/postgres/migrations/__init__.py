"""Upgrade the tables of a schema to what this Understudy needs, or refuse them with a sentence.

Replicas of two versions run side by side for a while, so a migration only adds; the next version removes what became unused.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from bot.ports import StoreError
from bot.store.connection import atomic, one
from bot.store.postgres.connection import PostgresConnection
from bot.store.postgres.place import Place

LOCK_TIMEOUT = "5s"

Step = Callable[[PostgresConnection], None]

VERSIONS = """
CREATE TABLE IF NOT EXISTS versions (
    part text COLLATE "C" PRIMARY KEY, -- ledger, samples
    version integer NOT NULL,          -- how many steps made it
    needs integer NOT NULL             -- how many of them a program must know to work on it
)
"""
PUT = """
INSERT INTO versions (part, version, needs) VALUES (?, ?, ?)
ON CONFLICT (part) DO UPDATE SET version = excluded.version, needs = excluded.needs
"""


class Shape(NamedTuple):
    """A group of tables and the steps that build it, each of which upgrades a schema by one version.

    `needs` is the number of steps that a program must know at least. A step that only adds leaves it unchanged, so replicas of
    the previous version keep running, and can start, until the upgrade is complete.
    """

    part: str
    steps: Sequence[Step]
    needs: int = 1


def migrate(conn: PostgresConnection, shape: Shape, place: Place) -> None:
    """Apply missing steps, all or nothing. Raises StoreError for a schema that this program is too old for."""
    if known_version(conn, shape, place) >= len(shape.steps):
        return
    conn.execute("SET lock_timeout = 0")  # one of several starting replicas does it, which may take minutes
    try:
        _lift(conn, shape, place)
    finally:
        if not conn.broken:
            conn.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")


def _lift(conn: PostgresConnection, shape: Shape, place: Place) -> None:
    with atomic(conn):  # takes the writers' lock, so a second replica finds the work done
        conn.take_time()
        if one(conn, "SELECT to_regnamespace(?)", place.schema)[0] is None:
            conn.execute(f"CREATE SCHEMA {place.schema}")
        conn.execute(VERSIONS)
        version = known_version(conn, shape, place)
        for step in shape.steps[version:]:
            step(conn)
        if version < len(shape.steps):
            conn.execute(PUT, (shape.part, len(shape.steps), shape.needs))


def require(conn: PostgresConnection, shape: Shape, place: Place) -> None:
    """Refuse a schema that lacks steps; for readers, who may not upgrade it."""
    version = known_version(conn, shape, place)
    if version == 0:
        raise StoreError(f"{place}: it holds no Understudy data; check `store`")
    if version < len(shape.steps):
        sentence = f"{place} is from an older Understudy (schema {version}); start this one once to bring it up to date"
        raise StoreError(sentence)


def known_version(conn: PostgresConnection, shape: Shape, place: Place) -> int:
    """The schema's version, 0 if there is none. Raises StoreError if this program is too old for it."""
    if one(conn, "SELECT to_regclass(?)", f"{place.schema}.versions")[0] is None:
        return 0
    row = one(conn, "SELECT version, needs FROM versions WHERE part = ?", shape.part)
    version, needs = (int(row[0]), int(row[1])) if row else (0, 0)
    if needs > len(shape.steps):
        raise StoreError(
            f"{place} was written by a newer Understudy (schema {version}, this one knows {len(shape.steps)}); "
            "upgrade Understudy, or restore the backup from before the upgrade"
        )
    return version
