"""The parts of a configuration on which all replicas should agree: a digest of each, by a name that people know."""

import hashlib
from collections.abc import Mapping

from pydantic import BaseModel

from bot.config.models import Config

# Left out: what depends on the machine or on what it can reach, such as addresses, folders, tokens and vantages.
SECTIONS = (
    "people", "control_group", "detection", "maintenance", "mutes", "outcomes", "prices", "incidents", "paging", "broadcast",
    "runbooks", "cluster",
)  # fmt: skip


def alike(config: Config) -> Mapping[str, str]:
    """Digests by name. A secret counts only as present or absent."""
    parts: dict[str, object] = {f"flag {key}": one for key, one in config.flags.items()}
    parts |= {f"provider {key}": one for key, one in config.providers.items()}
    parts |= {name: getattr(config, name) for name in SECTIONS}
    return {name: _digest(part) for name, part in parts.items()}


def _digest(part: object) -> str:
    return hashlib.blake2b(_text(part).encode("utf-8", "backslashreplace"), digest_size=6).hexdigest()


def _text(part: object) -> str:
    """The same text for equal values, whatever the order of sets and mappings."""
    if isinstance(part, BaseModel):
        return _text({name: getattr(part, name) for name in type(part).model_fields})
    if isinstance(part, Mapping):
        return "{" + ",".join(sorted(f"{key}:{_text(value)}" for key, value in part.items())) + "}"
    if isinstance(part, set | frozenset):
        return "{" + ",".join(sorted(map(_text, part))) + "}"
    if isinstance(part, list | tuple):
        return "[" + ",".join(map(_text, part)) + "]"
    return repr(part)  # for a secret: only that it exists
