"""The health of a flag's default and what is behind it, in the rules' words; and which incident it concerns."""

from collections.abc import Callable
from datetime import datetime

from bot.core.answers.base import NoFlag
from bot.core.decide.draft import Draft
from bot.core.decide.flags.choosing import refuses_us
from bot.core.model import Fault, Level
from bot.core.policy import Automation, FlagPolicy, Policy
from bot.core.record.component import ComponentState
from bot.core.record.flag import Engagement
from bot.core.record.world import World


def no_flag(policy: Policy, key: str) -> NoFlag:
    """The answer that no flag has that key."""
    return NoFlag(key=key, known=tuple(sorted(policy.flags)))


def allowed(world: World, policy: FlagPolicy) -> Automation:
    """What rules may do with a flag now: as configured, but nothing if it is pinned, and at most ask during a freeze."""
    if world.flag(policy.key).pin:
        return Automation.OFF
    return Automation.PROPOSE if world.freeze.by and policy.automation == Automation.AUTO else policy.automation


def hands_off(world: World, policy: FlagPolicy) -> str:
    """Which person stops rules from moving a flag, in words; empty if nobody does."""
    pin, freeze = world.flag(policy.key).pin, world.freeze
    if pin:
        return f"it is pinned by {pin.by.name}"
    return f"automation is frozen by {freeze.by.name}" if freeze.by else ""


def how(state: ComponentState, name: str) -> str:
    """A component's condition for our services: `Claude API is down`, `our quota at Claude API is used up`."""
    return f"our quota at {name} is used up" if refuses_us(state) else f"{name} is {state.level}"


def troubled(world: World, policy: FlagPolicy, at: Level | None = None) -> tuple[str, ...]:
    """Components behind the default that are at least as bad as `at` (default: the flag's `engage_on`), or that refuse us."""
    bar = (at or policy.engage_on).rank
    states = [world.component(c) for c in policy.depends_on]
    return tuple(s.id for s in states if (s.level.bad and s.level.rank >= bar) or refuses_us(s))


def default_unwell(world: World, policy: FlagPolicy, name_of: Callable[[str], str] = str) -> str:
    """Why the default cannot carry traffic: which of its components are not operational; empty if all are."""
    return ", ".join(how(s, name_of(s.id)) for s in not_well(world, policy))


def not_well(world: World, policy: FlagPolicy) -> list[ComponentState]:
    """The components of the default that are not operational."""
    return [s for c in policy.depends_on if (s := world.component(c)).level is not Level.OPERATIONAL]


def failed_since(world: World, policy: FlagPolicy, moment: datetime) -> bool:
    """Whether the default became too bad for the flag after that moment."""
    return any((since := world.component(id).since) is not None and since > moment for id in troubled(world, policy))


def well_since(world: World, policy: FlagPolicy, moment: datetime) -> bool:
    """Whether the default is healthy now but was not at that moment."""
    states = [world.component(id) for id in policy.depends_on]
    return not default_unwell(world, policy) and any(s.since is not None and s.since > moment for s in states)


def nobody_knows(world: World, policy: FlagPolicy) -> bool:
    """Whether the default is unhealthy only because we could not see it: a reason to stay, not to revert."""
    return all(s.level is Level.UNKNOWN and s.fault is Fault.LOCAL for s in not_well(world, policy))


def incident_for(world: World, components: tuple[str, ...]) -> int | None:
    """The open incident that any of these components belongs to."""
    for incident in world.open_incidents():
        if set(components) & set(incident.affected):
            return incident.number
    return None


def where(world: World, policy: FlagPolicy, engagement: Engagement) -> int | None:
    """The incident to tell: the engagement's own, or if that is over, an open one for the same components."""
    mine = world.incidents.get(engagement.incident or 0)
    if mine is not None and mine.phase.open:
        return mine.number
    return incident_for(world, policy.depends_on) or engagement.incident


def verdicts(draft: Draft, components: tuple[str, ...]) -> str:
    """What the verdicts are; their reasons stand beside them, in the component's own lines."""
    return ", ".join(how(draft.world.component(c), draft.policy.name_of(c)) for c in components)


def well(draft: Draft, policy: FlagPolicy) -> str:
    """A sentence that the default is healthy."""
    return ", ".join(f"{draft.policy.name_of(c)} is operational" for c in policy.depends_on)
