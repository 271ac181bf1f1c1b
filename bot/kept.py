"""What left the configuration while it was in use: kept, served until it ends, and reported.

Every start writes the flags' policies into the ledger. A flag (or a variant, or a component) that is gone from the file but
still engaged or in an open incident is brought back from there with its automation off.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from bot.core.codec import decode, encode
from bot.core.model import ComponentPolicy, FlagPolicy, Policy
from bot.core.state import World

SETTING = "policy/flags"


@dataclass(frozen=True)
class Kept:
    """The policy with what was kept, the kept flags, and a sentence for each thing kept."""

    policy: Policy
    flags: Mapping[str, FlagPolicy]
    sentences: tuple[str, ...]


def remember(policy: Policy, kept: Mapping[str, FlagPolicy]) -> str:
    """The setting to write: all flags of the configuration, and those kept from earlier ones."""
    return json.dumps({key: encode(flag) for key, flag in {**kept, **policy.flags}.items()})


def keep(policy: Policy, world: World, remembered: str | None) -> Kept:
    """Bring back what the ledger still uses and the configuration no longer names."""
    before = {key: decode(FlagPolicy, row) for key, row in json.loads(remembered or "{}").items()}
    flags: dict[str, FlagPolicy] = {}
    sentences: list[str] = []
    for key, state in world.flags.items():
        engagement = state.engagement
        if engagement is None:
            continue
        now, then = policy.flags.get(key), before.get(key)
        if now and engagement.variant in now.variants:
            continue
        if then is None or engagement.variant not in then.variants:
            sentences.append(f"{key} is engaged on {engagement.variant}, which no configuration on record defines")
            continue
        what = f"variant {engagement.variant} of {key}" if now else f"flag {key}"
        sentences.append(f"{what} left the configuration while it is engaged; it is served until it is released")
        values = {**(now.variants if now else then.variants), engagement.variant: then.variants[engagement.variant]}
        base = now or replace(then, automation="off", depends_on=tuple(c for c in then.depends_on if c in policy.components))
        flags[key] = replace(base, variants=values)
    components = _components(policy, world, sentences)
    return Kept(replace(policy, flags={**policy.flags, **flags}, components=components), flags, tuple(sentences))


def _components(policy: Policy, world: World, sentences: list[str]) -> dict[str, ComponentPolicy]:
    found = dict(policy.components)
    for incident in world.incidents.values():
        for id in incident.affected:
            if id in found:
                continue
            provider = id.partition(".")[0]
            # Named by its id: the configuration that knew its name is gone.
            found[id] = ComponentPolicy(id, id, provider, provider, {})
            if incident.phase.open:
                sentences.append(
                    f"component {id} left the configuration while {incident.name} is open; nothing looks at it any more, "
                    "so a person has to resolve"
                )
    return found
