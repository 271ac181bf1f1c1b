"""Files for other programs: written atomically, readable by everybody, and restored to their original content."""

import asyncio
import hashlib
import json
import os
import tempfile
from base64 import b64decode, b64encode
from pathlib import Path

from bot.ports.sinks import SinkError

MODE = 0o644  # another program reads it, usually as another user
CAP = 1024 * 1024  # bytes of original content


async def read(path: Path) -> bytes | None:
    """The file's content; None if there is no file. Raises SinkError."""
    return await asyncio.to_thread(_read, path)


async def write(path: Path, content: bytes) -> None:
    """Write this to the file atomically: no reader ever finds half of it. Raises SinkError."""
    await asyncio.to_thread(_write, path, content)


def kept(content: bytes | None) -> str:
    """The original content, as text for `restored`."""
    return json.dumps({"file": None if content is None else b64encode(content).decode()})


def restored(before: str) -> bytes | None:
    """The original content; None if there was no file."""
    held = json.loads(before)["file"]
    return None if held is None else b64decode(held)


def digest(content: bytes | None) -> str:
    """A digest of a file's content, for comparing."""
    return "no file" if content is None else f"sha256 {hashlib.sha256(content).hexdigest()[:16]}"


def _read(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            content = file.read(CAP + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SinkError(f"{path} cannot be read: {error.strerror}", permanent=True) from error
    if len(content) > CAP:
        raise SinkError(f"{path} is larger than 1 MiB; choose a file of its own for flags", permanent=True)
    return content


def _write(path: Path, content: bytes) -> None:
    folder, made = path.parent, ""
    try:
        handle, made = tempfile.mkstemp(dir=folder, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(handle, MODE)
            os.fsync(handle)
        Path(made).replace(path)
        made = ""
        _flush(folder)
    except OSError as error:
        raise SinkError(f"{path} cannot be written: {error.strerror}; its folder has to take new files of ours") from error
    finally:
        if made:
            Path(made).unlink(missing_ok=True)


def _flush(folder: Path) -> None:
    """Flush the folder too; until then the move itself is not on disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
