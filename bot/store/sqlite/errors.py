"""The meaning of SQLite's errors, and their remedies."""

from pathlib import Path

from bot.store.errors import REMEDIES, StoreError, StoreTrouble, ask_disk


def explained(error: Exception, path: Path | str) -> StoreError:
    """The error with the file's name, the reason and the remedy."""
    kind = trouble_of(error, Path(path))
    return StoreError(f"{path}: {REMEDIES[kind]} ({error})", kind=kind, permanent=kind is StoreTrouble.CORRUPT)


def trouble_of(error: Exception, path: Path) -> StoreTrouble:
    """The kind of trouble. SQLite reports an exhausted quota, and sometimes a full disk, as an I/O error."""
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:  # sqlite.org/rescode.html
        case 13:  # FULL
            return StoreTrouble.FULL
        case 8:  # READONLY
            return StoreTrouble.READ_ONLY
        case 11 | 26:  # CORRUPT, NOTADB
            return StoreTrouble.CORRUPT
        case 10 | 14:  # IOERR, CANTOPEN
            return ask_disk(path.parent) or StoreTrouble.IO
    return StoreTrouble.OTHER
