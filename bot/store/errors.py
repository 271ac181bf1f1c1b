"""What SQLite's errors mean for whoever has to mend them."""

import errno
import os
from pathlib import Path

from bot.ports import StoreError, StoreTrouble
from bot.store.engine import DatabaseError

__all__ = ["StoreError", "StoreTrouble", "ask_disk", "explained", "refusal_of", "trouble_of"]

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
NO_RIGHT = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
A_LITTLE = bytes(128 * 1024)  # more than any gap that a full disk leaves

REMEDIES = {
    StoreTrouble.FULL: "the disk is full; make room, and it goes on by itself",
    StoreTrouble.READ_ONLY: "it cannot be written; check its owner, its folder and how the disk is mounted",
    StoreTrouble.IO: "the disk does not do as it is told; the machine's own log may say more",
    StoreTrouble.CORRUPT: "it is damaged; restore a backup as docs/storage.md says",
    StoreTrouble.OTHER: "is another program on this file?",
}


def explained(error: DatabaseError, path: Path | str) -> StoreError:
    """The same with the file's name, the reason and the remedy."""
    kind = trouble_of(error, Path(path))
    return StoreError(f"{path}: {REMEDIES[kind]} ({error})", kind=kind, permanent=kind is StoreTrouble.CORRUPT)


def trouble_of(error: DatabaseError, path: Path) -> StoreTrouble:
    """What kind of trouble it is. SQLite calls a used-up quota, and a full disk on some of its ways, an I/O error."""
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


def ask_disk(folder: Path) -> StoreTrouble | None:
    """What stands in the way of writing there: a little is written beside the files and removed; None where it went well."""
    probe = folder / f".room-{os.getpid()}"
    try:
        descriptor = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            left = A_LITTLE
            while left:
                left = left[os.write(descriptor, left) :]
            os.fsync(descriptor)  # some file systems find out only now that there is no room
        finally:
            os.close(descriptor)
            probe.unlink(missing_ok=True)
    except OSError as error:
        return refusal_of(error)
    return None


def refusal_of(error: OSError) -> StoreTrouble:
    """What the system's refusal to write means."""
    if error.errno in NO_ROOM:
        return StoreTrouble.FULL
    return StoreTrouble.READ_ONLY if error.errno in NO_RIGHT else StoreTrouble.IO
