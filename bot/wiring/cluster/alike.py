"""What of a configuration all replicas should agree on, part by part: a digest of each, by the name that people know it by."""

import hashlib
from collections.abc import Mapping

from pydantic import BaseModel

from bot.config.models import Config

# What differs by the machine, or by what it may reach, is no difference between replicas: addresses, folders, tokens, vantages.
SECTIONS = (
    "people", "control_group", "detection", "maintenance", "mutes", "outcomes", "prices", "incidents", "paging", "broadcast",
    "runbooks", "cluster",
)  # fmt: skip


def alike(config: Config) -> Mapping[str, str]:
    """Digests by name. Secrets count only as being there or not."""
    parts: dict[str, object] = {f"flag {key}": one for key, one in config.flags.items()}
    parts |= {f"provider {key}": one for key, one in config.providers.items()}
    parts |= {name: getattr(config, name) for name in SECTIONS}
    return {name: _digest(part) for name, part in parts.items()}


def _digest(part: object) -> str:
    return hashlib.blake2b(_text(part).encode("utf-8", "backslashreplace"), digest_size=6).hexdigest()


def _text(part: object) -> str:
    """The same text for the same values, whatever order sets and mappings have."""
    if isinstance(part, BaseModel):
        return _text({name: getattr(part, name) for name in type(part).model_fields})
    if isinstance(part, Mapping):
        return "{" + ",".join(sorted(f"{key}:{_text(value)}" for key, value in part.items())) + "}"
    if isinstance(part, set | frozenset):
        return "{" + ",".join(sorted(map(_text, part))) + "}"
    if isinstance(part, list | tuple):
        return "[" + ",".join(map(_text, part)) + "]"
    return repr(part)  # of a secret: that there is one
