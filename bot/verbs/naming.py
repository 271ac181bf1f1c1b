"""Resolves names of watched things: ids, names, or flags' names for their variants."""

import re
from collections.abc import Iterable

from bot.core.lazy_dataclass import dataclass
from bot.core.policy import Policy

WORD = re.compile(r"\w+")
MOST_WORDS = 60  # of a question; nobody names anything after that many


def find_provider(policy: Policy, wanted: str) -> str | None:
    """The provider with that id or name, or that of a component or flag variant so named."""
    meant = _called(policy).get(_key(wanted))
    return next(iter(meant))[0] if meant else None


def called(policy: Policy, wanted: str) -> tuple["NamedTarget", ...]:
    """Everything with exactly that name: providers and components, by id, name, or a flag's name for its variant."""
    return tuple(_narrowed(_called(policy).get(_key(wanted), {}), policy))


@dataclass(frozen=True)
class NamedTarget:
    """What a text names: a provider with all its components, or one component."""

    provider: str
    components: tuple[str, ...]
    whole: bool  # the provider itself was named


def named(policy: Policy, text: str) -> tuple[NamedTarget, ...]:
    """What a text names, in order: providers and components, by id, name, or a flag's name for its variant.

    The longest name wins: `Azure OpenAI` is not `OpenAI`. A component named beside its provider is meant alone; a component
    name shared by several providers means those providers that are named too.
    """
    known, spoken = _called(policy), WORD.findall(text.casefold())[:MOST_WORDS]
    longest = max((key.count(" ") + 1 for key in known), default=0)
    hits: dict[tuple[str, str], None] = {}
    at = 0
    while at < len(spoken):
        length = next((n for n in range(min(longest, len(spoken) - at), 0, -1) if " ".join(spoken[at : at + n]) in known), 0)
        hits |= known[" ".join(spoken[at : at + length])] if length else {}
        at += length or 1
    return tuple(_narrowed(hits, policy))


Meaning = dict[tuple[str, str], None]  # provider and component, in order; no component = the whole provider


def _narrowed(hits: Meaning, policy: Policy) -> Iterable[NamedTarget]:
    wholes = {provider for provider, component in hits if not component}
    parts = [(p, c) for p, c in hits if c and p in wholes] or [(p, c) for p, c in hits if c]
    with_parts = {provider for provider, _ in parts}
    for provider_id, component in hits:
        if (provider_id, component) in parts:
            yield NamedTarget(provider_id, (component,), whole=False)
        elif not component and provider_id not in with_parts:
            yield NamedTarget(
                provider_id, tuple(c.id for c in policy.components.values() if c.provider == provider_id), whole=True
            )


def _called(policy: Policy) -> dict[str, Meaning]:
    """All names of providers and components, as lower-case words, with everything each may mean."""
    found: dict[str, Meaning] = {}
    for component in policy.components.values():
        for name in (component.provider, component.provider_name):
            found.setdefault(_key(name), {})[component.provider, ""] = None
    own: dict[str, Meaning] = {}
    for component in policy.components.values():
        for name in (component.id, component.name, f"{component.provider_name} {component.name}"):
            own.setdefault(_key(name), {})[component.provider, component.id] = None
    variants: dict[str, Meaning] = {}
    for flag in policy.flags.values():
        behind = [(one.variant, one.needs) for one in flag.fallbacks] + [(flag.default, id) for id in flag.depends_on]
        for variant, id in behind:
            if id and id in policy.components:
                for name in (variant, flag.aliases.get(variant, "")):
                    variants.setdefault(_key(name), {})[policy.components[id].provider, id] = None
    return {name: meant for name, meant in (variants | own | found).items() if name}


def _key(name: str) -> str:
    return " ".join(WORD.findall(name.casefold()))
