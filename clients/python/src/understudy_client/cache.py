"""The last good flags in a file, for a process that starts while the bot is away."""

import contextlib
import json
import os
import stat
import tempfile
from pathlib import Path

from understudy_client.flags import Flags, NotFlags, parse

FORMAT = 1
MOST_BYTES = 16 * 1024 * 1024


class CacheError(Exception):
    """The file could not be read or written, or must not be believed; the sentence says why."""


class CacheFile:
    """A private file with the flags of one bot. It is written in one move, so nobody ever reads half of it."""

    def __init__(self, path: str | os.PathLike[str], url: str) -> None:
        self.path = Path(path)
        self._url = url

    def load(self) -> Flags | None:
        """What was saved last; None when there is no file. Raises CacheError for one that is not ours to believe."""
        try:
            # At once: a pipe in its place would wait for a writer.
            descriptor = os.open(self.path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
            with os.fdopen(descriptor, "rb") as file:
                _check_owner(os.fstat(file.fileno()))
                raw = file.read(MOST_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise CacheError(f"it cannot be read ({error.strerror or error})") from error
        if len(raw) > MOST_BYTES:
            raise CacheError("it is too large")
        try:
            data = json.loads(raw)
            found, url, flags = data["understudy_client"], data["url"], data["flags"]
        except (ValueError, RecursionError, KeyError, TypeError) as error:
            raise CacheError("it is not a cache of this client, or a broken one") from error
        if found != FORMAT or not isinstance(flags, str):
            raise CacheError("another version of this client wrote it")
        if url != self._url:
            raise CacheError("it holds the flags of another bot")
        try:
            return parse(flags)
        except NotFlags as error:
            raise CacheError(str(error)) from error

    def save(self, flags: Flags) -> None:
        """Keep these flags, readable for our own user only; raises CacheError."""
        text = json.dumps({"understudy_client": FORMAT, "url": self._url, "flags": flags.text})
        try:
            descriptor, name = tempfile.mkstemp(prefix=f".{self.path.name}.", dir=self.path.parent)  # 0600 from the start
        except OSError as error:
            raise CacheError(f"its folder cannot be written ({error.strerror or error})") from error
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self.path)
        except OSError as error:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise CacheError(f"it cannot be written ({error.strerror or error})") from error


def _check_owner(about: os.stat_result) -> None:
    """Whoever could plant this file could send our customers where they like."""
    if not stat.S_ISREG(about.st_mode):
        raise CacheError("it is no plain file")
    if hasattr(os, "geteuid") and about.st_uid not in (os.geteuid(), 0):
        raise CacheError("it belongs to another user")
    if about.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and os.name == "posix":
        raise CacheError("others may write it")
