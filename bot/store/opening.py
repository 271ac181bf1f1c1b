"""Open a data file for writing and bring it up to date, or say in a sentence why not."""

from pathlib import Path

from bot.store.engine import FULL, Connection, DatabaseError, connect
from bot.store.errors import StoreError
from bot.store.migrations import Shape, migrate


def opened(path: Path | str, shape: Shape, synchronous: str = FULL) -> Connection:
    """A writing connection to an up-to-date file. Raises StoreError."""
    try:
        conn = connect(path, synchronous=synchronous)
    except DatabaseError as error:
        raise StoreError(f"{path} cannot be opened ({error}); restore a backup or choose another --data folder") from error
    except OSError as error:
        raise StoreError(f"{path} cannot be opened ({error.strerror}); check the folder's owner and free space") from error
    try:
        migrate(conn, shape, str(path))
    except BaseException:
        conn.close()
        raise
    return conn
