"""Opens a data file for writing and upgrades it, or says in a sentence why not."""

from pathlib import Path

from bot.ports import StoreError, StoreTrouble
from bot.store.errors import refusal_of
from bot.store.sqlite.engine import FULL, DatabaseError, SqliteConnection, connect
from bot.store.sqlite.errors import explained
from bot.store.sqlite.migrations import Shape, migrate


def opened(path: Path | str, shape: Shape, synchronous: str = FULL) -> SqliteConnection:
    """A writing connection to an up-to-date file. Raises StoreError."""
    try:
        conn = connect(path, synchronous=synchronous)
    except DatabaseError as error:
        raise _cannot_be_opened(error, path) from error
    except OSError as error:
        sentence = f"{path} cannot be opened ({error.strerror}); check the folder's owner and free space"
        raise StoreError(sentence, kind=refusal_of(error)) from error
    try:
        migrate(conn, shape, str(path))
    except DatabaseError as error:
        conn.close()
        raise _cannot_be_opened(error, path) from error
    except BaseException:
        conn.close()
        raise
    return conn


def _cannot_be_opened(error: DatabaseError, path: Path | str) -> StoreError:
    known = explained(error, path)
    if known.kind is not StoreTrouble.CORRUPT:
        return known
    sentence = f"{path} cannot be opened ({error}); restore a backup or choose another --data folder"
    return StoreError(sentence, kind=known.kind)
