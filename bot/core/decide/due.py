"""When the passing of time alone may change something: the earliest deadline in the world.

Never later than the real deadline; waking early costs one step that finds nothing to do.
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import chain

from bot.core.decide import drills, feeding, paging, phases
from bot.core.decide.alerting import alarm
from bot.core.decide.flags import approvals, automation
from bot.core.decide.incident import reminders, roles, tasks
from bot.core.policy import Policy
from bot.core.record.world import World

FAMILIES = (
    phases.due,
    drills.due,
    reminders.due,
    roles.due,
    tasks.due,
    paging.due,
    approvals.due,
    automation.due,
    feeding.due,
    alarm.due,
)


def next_due(world: World, policy: Policy) -> datetime | None:
    """The next deadline; None if nothing waits for time."""
    return min(deadlines(world, policy), default=None)


def deadlines(world: World, policy: Policy) -> Iterator[datetime]:
    """Every deadline, in no order; some may have passed."""
    return chain.from_iterable(due(world, policy) for due in FAMILIES)
