"""The facts about the served methods, from `methods.json`: arguments, scopes, tiers and error codes."""

import json
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from bot.core.lazy_dataclass import dataclass


@dataclass(frozen=True)
class MethodFacts:
    """What the reference says about one method."""

    args: frozenset[str]
    required: tuple[str, ...]
    scopes_any_of: tuple[str, ...]
    tier: str
    errors: frozenset[str]


@cache
def catalogue() -> MappingProxyType[str, MethodFacts]:
    """All served methods by name."""
    text = files("bot.sandbox.slack").joinpath("methods.json").read_text("utf-8")
    return MappingProxyType(
        {
            name: MethodFacts(
                args=frozenset(facts["args"]),
                required=tuple(facts["required"]),
                scopes_any_of=tuple(facts["scopes_any_of"]),
                tier=facts["tier"],
                errors=frozenset(facts["errors"]),
            )
            for name, facts in json.loads(text)["methods"].items()
        },
    )
