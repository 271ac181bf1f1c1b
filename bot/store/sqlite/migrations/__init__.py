"""Upgrade a data file to what this Understudy needs, or refuse it with a sentence."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bot.store.connection import atomic, one
from bot.store.errors import StoreError, StoreTrouble
from bot.store.sqlite.engine import DatabaseError, SqliteConnection
from bot.store.sqlite.errors import trouble_of

if TYPE_CHECKING:
    from sqlite_utils import Migrations  # loaded only for a migration: most starts need none


class Shape(NamedTuple):
    """A kind of file: the mark in its header, its migrations, and how many there are."""

    mark: int  # PRAGMA application_id
    migrations: "Callable[[], Migrations]"
    version: int  # PRAGMA user_version


def _of_the_ledger() -> "Migrations":
    from bot.store.sqlite.migrations.ledger import ledger

    return ledger


def _of_samples() -> "Migrations":
    from bot.store.sqlite.migrations.samples import samples

    return samples


LEDGER = Shape(0x55_4C_45_44, _of_the_ledger, 4)
SAMPLES = Shape(0x55_53_41_4D, _of_samples, 5)


def migrate(conn: SqliteConnection, shape: Shape, name: str) -> None:
    """Apply missing migrations, all or nothing. Raises StoreError for a file that is newer, damaged or not ours."""
    if _known(conn, shape, name) == shape.version:
        return
    with atomic(conn):  # takes the write lock first: a second process finds the work done
        if _known(conn, shape, name) == shape.version:
            return
        from sqlite_utils import Database

        shape.migrations().apply(Database(conn, execute_plugins=False))
        conn.execute(f"PRAGMA application_id = {shape.mark}")
        conn.execute(f"PRAGMA user_version = {shape.version}")


def require(conn: SqliteConnection, shape: Shape, name: str) -> None:
    """Refuse a file that is not exactly of this shape; for readers, who may not upgrade it."""
    version = _known(conn, shape, name)
    if version < shape.version:
        raise StoreError(f"{name} is from an older Understudy (schema {version}); start this one once to bring it up to date")


def current(conn: SqliteConnection, shape: Shape, name: str) -> bool:
    """Whether a file is of this shape; False for an older one. Raises StoreError for any other."""
    return _known(conn, shape, name) == shape.version


def _known(conn: SqliteConnection, shape: Shape, name: str) -> int:
    try:
        mark, version = _pragma(conn, "application_id"), _pragma(conn, "user_version")
        strange = mark == 0 and one(conn, "SELECT name FROM sqlite_schema LIMIT 1") is not None
    except DatabaseError as error:
        kind = trouble_of(error, Path(name))
        if kind in (StoreTrouble.FULL, StoreTrouble.READ_ONLY):
            raise
        sentence = (
            f"{name} cannot be read as a SQLite file ({error}); starting the bot mends what a crash left, a backup the rest"
        )
        raise StoreError(sentence, kind=kind) from error
    if mark not in (0, shape.mark) or strange:
        sentence = f"{name} is not an Understudy file of this kind; choose another --data folder or move it away"
        raise StoreError(sentence, kind=StoreTrouble.CORRUPT)
    if version > shape.version:
        raise StoreError(
            f"{name} was written by a newer Understudy (schema {version}, this one knows {shape.version}); "
            "upgrade Understudy, or restore the backup from before the upgrade"
        )
    return version


def _pragma(conn: SqliteConnection, name: str) -> int:
    row: Any = one(conn, f"PRAGMA {name}")
    return int(row[0])
