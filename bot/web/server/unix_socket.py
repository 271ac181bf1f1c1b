"""A Unix socket beside the port: everybody whom the file's mode lets connect may read without a token."""

import errno
import os
import socket
import stat
import sys
from pathlib import Path
from typing import Any

from bot.core.lazy_dataclass import dataclass


@dataclass(frozen=True)
class SocketFile:
    """Its path, and the mode that decides who may connect."""

    path: Path
    mode: int


MODES = {"owner": 0o600, "group": 0o660, "everybody": 0o666}
# From Python 3.13 on, a closing server deletes its file. After a reload the next server listens there.
LEFT_IN_PLACE: dict[str, Any] = {"cleanup_socket": False} if sys.version_info >= (3, 13) else {}


def socket_file(path: str, access: str) -> SocketFile | None:
    """The socket file as configured; None without a path."""
    return SocketFile(Path(path), MODES[access]) if path else None


class BoundSocket:
    """A listening socket file, deleted by `remove`."""

    def __init__(self, file: SocketFile) -> None:
        """Bind, replacing what a killed bot left behind. Raises OSError, `EADDRINUSE` if another program listens there."""
        self._path = file.path
        _take_away_stale(file.path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            # Nobody may connect before the mode is set: it may allow the group more than everybody else.
            before = os.umask(0o177)
            try:
                self.socket.bind(str(file.path))
            finally:
                os.umask(before)
            self._inode = file.path.lstat().st_ino
            file.path.chmod(file.mode)
        except OSError:
            self.socket.close()
            raise

    def remove(self) -> None:
        """Delete the file, unless another program has put its own there. Servers listen on copies of the socket."""
        self.socket.close()
        try:
            if self._path.lstat().st_ino == self._inode:
                self._path.unlink()
        except FileNotFoundError:
            pass  # already deleted


def _take_away_stale(path: Path) -> None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise OSError(errno.EEXIST, "a file of another kind stands there")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.settimeout(1.0)
        try:
            caller.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
