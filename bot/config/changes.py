"""Which keys differ between two configurations."""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.config.models import Config


def changed_keys(before: Config, after: Config) -> tuple[str, ...]:
    """The keys whose values differ, as the file names them: `server.listen`. Never a value, since it may be secret."""
    return tuple(_differing(before.model_dump(by_alias=True), after.model_dump(by_alias=True), ""))


def _differing(before: Any, after: Any, path: str) -> Iterator[str]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in (*before, *(key for key in after if key not in before)):
            yield from _differing(before.get(key), after.get(key), f"{path}.{key}" if path else str(key))
    elif isinstance(before, list | tuple) and isinstance(after, list | tuple) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _differing(old, new, f"{path}[{index}]")
    elif before != after:
        yield path
