"""Files that another program reads: written whole or not at all, readable by everybody, and put back as they were."""

import asyncio
import hashlib
import json
import os
import tempfile
from base64 import b64decode, b64encode
from pathlib import Path

from bot.ports.sinks import SinkError

MODE = 0o644  # another program reads it, mostly under another user
CAP = 1024 * 1024  # bytes of what was there before


async def read(path: Path) -> bytes | None:
    """What the file holds; None where there is none. Raises SinkError."""
    return await asyncio.to_thread(_read, path)


async def write(path: Path, content: bytes) -> None:
    """Put this into the file in one move: no reader ever finds half of it. Raises SinkError."""
    await asyncio.to_thread(_write, path, content)


def kept(content: bytes | None) -> str:
    """What was there, as text that `restored` reads."""
    return json.dumps({"file": None if content is None else b64encode(content).decode()})


def restored(before: str) -> bytes | None:
    """What was there before; None where there was no file."""
    held = json.loads(before)["file"]
    return None if held is None else b64decode(held)


def digest(content: bytes | None) -> str:
    """A short name for what a file holds, equal while it is the same."""
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
        raise SinkError(f"{path} is larger than 1 MiB, which is no file for this", permanent=True)
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
    """The move itself is on disk only once the folder is."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
