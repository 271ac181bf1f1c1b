"""A data folder belongs to one Understudy at a time."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from bot.store.errors import StoreError, StoreTrouble, refusal_of


class DataLock:
    """The right to write in a data folder, held until `release` or until the process ends in any way.

    Kernel locks on the folder itself, which nobody can replace while it is held, and on `folder/lock`, which contains the
    owner's process id; a leftover file locks nobody out. Works only on local disks, like SQLite.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.held = False
        self._fds: list[int] = []

    def take(self) -> "DataLock":
        """Create the folder if necessary (mode 0700) and lock it; raises StoreError naming the owner if it is taken."""
        if self.held:
            return self
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock(os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
            self._lock(_lock_file(self.folder / "lock"))
            self.held = True
            self._sign()
        except OSError as error:
            self.release()
            raise StoreError(
                f"the data folder {self.folder} cannot be used ({error.strerror}); check --data", kind=refusal_of(error)
            ) from error
        except StoreError:
            self.release()
            raise
        return self

    def _lock(self, fd: int) -> None:
        self._fds.append(fd)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StoreError(
                f"another Understudy (pid {_owner(self.folder / 'lock')}) owns this data folder: {self.folder}. "
                "Stop it or choose another with --data."
            ) from error

    def _sign(self) -> None:
        with suppress(OSError):  # a full disk; the lock holds without the process id
            os.ftruncate(self._fds[-1], 0)
            os.pwrite(self._fds[-1], f"{os.getpid()}\n".encode("ascii"), 0)

    def release(self) -> None:
        """Release the lock; the file stays, empty."""
        if self.held:
            with suppress(OSError):
                os.ftruncate(self._fds[-1], 0)
        self.held = False
        while self._fds:
            os.close(self._fds.pop())

    def __enter__(self) -> "DataLock":
        return self.take()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()


def is_free(folder: Path) -> bool:
    """Whether nobody owns this data folder; checking leaves no trace."""
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return True  # no folder, or one that we could not use either
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(fd)
    return True


def _lock_file(path: Path) -> int:
    """Open the lock file, creating it if necessary. On a read-only disk an existing one is enough."""
    try:
        return os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if refusal_of(error) is StoreTrouble.READ_ONLY and path.exists():
            return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        raise


def _owner(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()[:32] or "unknown"
    except OSError:
        return "unknown"
