"""A file read by flagd, or by a provider with flagd inside: the one flag in flagd's format."""

import json
from pathlib import Path
from typing import Any

from bot.flags.sinks.files import digest, kept, read, restored, write
from bot.ports.sinks import Plan, SinkError, Target


class FlagdFile:
    """Always keeps a file there: flagd does not start without a configured file, and ignores it if one disappears."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def plan(self, target: Target) -> Plan:
        """Read the current file."""
        content = await read(self._path)
        now = "there is no file" if content is None else f"it serves {_serves(content, target.flag)}"
        return Plan(kept(content), f"{now}; it would serve {_serves(_content(target), target.flag)}")

    async def apply(self, target: Target) -> str:
        """Write the flag. Somebody else's file is left alone until the flag is first engaged."""
        content = _content(target)
        if not target.variant and (there := await read(self._path)) is not None and not _is_ours(there):
            return digest(there)
        await write(self._path, content)
        return await self._checked(content)

    async def read_back(self) -> str:
        """The file's digest: any change counts."""
        return digest(await read(self._path))

    async def revert(self, target: Target, before: str) -> str:
        """Restore the earlier file; if there was none, or one of ours, write the flag on its default."""
        there = restored(before)
        content = _content(target) if there is None or _is_ours(there) else there
        await write(self._path, content)
        return await self._checked(content)

    async def _checked(self, content: bytes) -> str:
        found = digest(await read(self._path))
        if found != digest(content):
            raise SinkError(f"{self._path} was changed by somebody else at the same moment")
        return found


def _content(target: Target) -> bytes:
    return json.dumps(target.definitions, indent=2, allow_nan=False).encode() + b"\n"


def _is_ours(content: bytes) -> bool:
    metadata = _document(content).get("metadata")
    return isinstance(metadata, dict) and metadata.get("flagSetId") == "understudy"


def _serves(content: bytes, flag: str) -> str:
    flags = _document(content).get("flags")
    one = flags.get(flag) if isinstance(flags, dict) else None
    return str(one.get("defaultVariant")) if isinstance(one, dict) else f"nothing for {flag}"


def _document(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
