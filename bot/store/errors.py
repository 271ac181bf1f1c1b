"""What stands in the way of a data folder, and what mends it."""

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
