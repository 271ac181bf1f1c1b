"""Reading a file that the configuration names: at once or not at all, whatever stands there."""

import errno
import os
import stat
from pathlib import Path


class NotRegularError(OSError):
    """A pipe, a device, a socket or a folder; to read it may take for ever."""


def read_regular(path: Path, most: int) -> bytes:
    """The first `most` bytes of a regular file. Raises OSError, NotRegularError for what is none; never waits for a writer."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise NotRegularError(errno.EINVAL, "it is not a regular file")
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(most)
    finally:
        os.close(handle)
