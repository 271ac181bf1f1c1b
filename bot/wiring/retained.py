"""What was removed from the configuration while in use: kept, served until it ends, and reported.

Every start stores the flags' policies in the ledger. A flag (or variant, or component) that is gone from the file, but engaged
or in an open incident, is restored from there with its automation off.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from bot.core.codec import decode, encode
from bot.core.ids import ComponentId
from bot.core.lazy_dataclass import dataclass
from bot.core.policy import Automation, ComponentPolicy, FlagPolicy, Policy
from bot.core.record.world import World
from bot.core.scope import whole
from bot.system.remembered import read_back

SETTING = "policy/flags"


@dataclass(frozen=True)
class RetainedItem:
    """One removed thing that a flag's engagement, or else an open incident, still needs."""

    sentence: str
    flag: str = ""
    variant: str = ""
    incident: int = 0

    def matters(self, world: World) -> bool:
        """Whether what needs it is still going on."""
        if self.flag:
            engagement = world.flag(self.flag).engagement
            return engagement is not None and engagement.variant == self.variant
        incident = world.incidents.get(self.incident)
        return incident is not None and incident.phase.open


@dataclass(frozen=True)
class RetainedPolicy:
    """The policy including what was kept, the kept flags, and each removed thing."""

    policy: Policy
    flags: Mapping[str, FlagPolicy]
    left: tuple[RetainedItem, ...]

    def sentences(self, world: World) -> tuple[str, ...]:
        """One sentence per thing kept and still needed."""
        return tuple(one.sentence for one in self.left if one.matters(world))


def remember(policy: Policy, kept: Mapping[str, FlagPolicy]) -> str:
    """The setting to store: all configured flags, overridden by those kept from earlier configurations.

    Kept ones win: otherwise a kept variant of a flag still configured would be lost at the second start.
    """
    return json.dumps({key: encode(flag) for key, flag in {**policy.flags, **kept}.items()})


def keep(policy: Policy, world: World, remembered: str | None) -> RetainedPolicy:
    """Restore what the ledger still uses and the configuration no longer names."""
    before = _before(remembered)
    flags: dict[str, FlagPolicy] = {}
    left: list[RetainedItem] = []
    for key, state in world.flags.items():
        engagement = state.engagement
        if engagement is None:
            continue
        name, variant = whole(key), engagement.variant  # also for a scope
        now, then = flags.get(name) or policy.flags.get(name), before.get(name)
        if now and variant in now.variants:
            continue
        if then is None or variant not in then.variants:
            words = f"{key} is engaged on {variant}, which no configuration on record defines: put it back, or release the flag"
            left.append(RetainedItem(words, key, variant))
            continue
        what = f"variant {variant} of {name}" if now else f"flag {name}"
        words = f"{what} left the configuration while it is engaged; it is served until it is released"
        left.append(RetainedItem(words, key, variant))
        values = {**(now.variants if now else then.variants), variant: then.variants[variant]}
        base = now or replace(
            then, automation=Automation.OFF, sinks=(), depends_on=tuple(c for c in then.depends_on if c in policy.components)
        )
        flags[name] = replace(base, variants=values)
    components = _components(policy, world, left)
    return RetainedPolicy(replace(policy, flags={**policy.flags, **flags}, components=components), flags, tuple(left))


def _before(remembered: str | None) -> dict[str, FlagPolicy]:
    """The flags of earlier configurations, without unreadable ones."""
    found = read_back(remembered, SETTING)
    before: dict[str, FlagPolicy] = {}
    for key, row in found.items() if isinstance(found, dict) else ():
        with suppress(ValueError, KeyError, TypeError):  # whatever is missing here is reported where it is needed
            before[key] = decode(FlagPolicy, row)
    return before


def _components(policy: Policy, world: World, left: list[RetainedItem]) -> dict[str, ComponentPolicy]:
    found = dict(policy.components)
    for incident in world.open_incidents():
        if incident.drill:
            continue  # a drill's shadow was never configured, and ends by itself
        for id in incident.affected:
            if id in policy.components:
                continue
            provider = ComponentId(id).provider
            # Named by its id: the configuration with its name is gone.
            found[id] = ComponentPolicy(id, id, provider, provider, {})
            words = (
                f"component {id} left the configuration while {incident.name} is open; nothing watches it any more, "
                "so a person has to resolve"
            )
            left.append(RetainedItem(words, incident=incident.number))
    return found
