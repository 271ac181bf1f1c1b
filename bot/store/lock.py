"""One Understudy owns a data folder at a time."""

import fcntl
import os
from pathlib import Path
from types import TracebackType

from bot.store.errors import StoreError


class DataLock:
    """The right to write in a data folder, held until `release` or until the process ends, however it ends.

    A lock of the kernel on `folder/lock`, which also tells the owner's process id; a file left behind locks nobody out.
    Works on local disks only, as SQLite does.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._fd: int | None = None

    @property
    def held(self) -> bool:
        """Whether we have it."""
        return self._fd is not None

    def take(self) -> "DataLock":
        """Make the folder (mode 0700) if need be and lock it; raises StoreError naming the owner when it is taken."""
        if self.held:
            return self
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            fd = os.open(self.folder / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(f"the data folder {self.folder} cannot be used ({error.strerror}); check --data") from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = os.read(fd, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(fd)
            raise StoreError(
                f"another Understudy (pid {owner}) owns this data folder: {self.folder}. Stop it or choose another with --data."
            ) from error
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode("ascii"), 0)
        self._fd = fd
        return self

    def release(self) -> None:
        """Give it back; the file stays, empty."""
        if self._fd is not None:
            os.ftruncate(self._fd, 0)
            os.close(self._fd)
            self._fd = None

    def __enter__(self) -> "DataLock":
        return self.take()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()
