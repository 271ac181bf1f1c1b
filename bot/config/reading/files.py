"""Reads a file named in the configuration: at once or not at all, whatever kind of file it is."""

import errno
import os
import stat
from pathlib import Path


class NotRegularError(OSError):
    """A pipe, a device, a socket or a folder, which could block for ever."""


def read_regular(path: Path, most: int) -> bytes:
    """The first `most` bytes of a regular file; never waits for a writer. Raises OSError, NotRegularError if it is not one."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise NotRegularError(errno.EINVAL, "it is not a regular file")
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(most)
    finally:
        os.close(handle)
