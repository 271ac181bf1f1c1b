"""Problems with a data folder, and their remedies."""

import errno
import os
from pathlib import Path

from bot.ports import StoreError, StoreTrouble

__all__ = ["StoreError", "StoreTrouble", "ask_disk", "refusal_of"]

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
NO_RIGHT = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
A_LITTLE = bytes(128 * 1024)  # more than any gap that a full disk leaves

REMEDIES = {
    StoreTrouble.FULL: "the disk is full; make room, and it goes on by itself",
    StoreTrouble.READ_ONLY: "it cannot be written; check its owner, its folder and how the disk is mounted",
    StoreTrouble.IO: "the disk does not do as it is told; the machine's own log may say more",
    StoreTrouble.CORRUPT: "it is damaged; restore a backup as docs/storage.md says",
    StoreTrouble.AWAY: "the database cannot be reached",
    StoreTrouble.OTHER: "is another program on this file?",
}


def ask_disk(folder: Path) -> StoreTrouble | None:
    """Test whether the folder is writable by writing and removing a small file; None if it is."""
    probe = folder / f".room-{os.getpid()}"
    try:
        descriptor = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            left = A_LITTLE
            while left:
                left = left[os.write(descriptor, left) :]
            os.fsync(descriptor)  # some file systems notice only now that they are full
        finally:
            os.close(descriptor)
            probe.unlink(missing_ok=True)
    except OSError as error:
        return refusal_of(error)
    return None


def refusal_of(error: OSError) -> StoreTrouble:
    """The meaning of an operating system error on writing."""
    if error.errno in NO_ROOM:
        return StoreTrouble.FULL
    return StoreTrouble.READ_ONLY if error.errno in NO_RIGHT else StoreTrouble.IO
