"""The one decision: `(world, signal, now, policy) -> Step`. Everything that happens goes through here.

Each family of rules lists the signals that it handles (`HANDLERS`); this module merges them and checks what applies to all.
"""

from datetime import datetime

from bot.core.answers.base import NoIncident, Noted
from bot.core.decide import configuration, drills, paging, phases
from bot.core.decide.alerting import alarm, corroboration, vendor_pages
from bot.core.decide.draft import Draft, Handlers, Step
from bot.core.decide.flags import approvals, arrival, automation, by_hand, pins, real_errors, rehearsing, sinks, steering
from bot.core.decide.incident import (
    declaring,
    delivered,
    ending,
    entries,
    merging,
    mitigating,
    naming,
    reminders,
    repair,
    roles,
    runbooks,
    tasks,
)
from bot.core.decide.outcomes import serving
from bot.core.decide.permissions import denied
from bot.core.policy import Policy
from bot.core.record.world import World
from bot.core.signals.base import OfEffect, OfIncident, Signal
from bot.core.signals.machine import TimePassed


def step(world: World, signal: Signal, now: datetime, policy: Policy) -> Step:
    """The result of `signal`. Pure: the same arguments give the same step. A refusal carries its reason."""
    draft = Draft(world, policy, now, signal.actor)
    return _precondition(draft, signal) or HANDLERS[type(signal)](draft, signal)


def _precondition(draft: Draft, signal: Signal) -> Step | None:
    """Checks that apply to all signals: the sender may send it, and the incident exists."""
    if refused := denied(type(signal), signal.actor, draft.policy.incidents):
        return draft.refuse(refused)
    number = signal.incident if isinstance(signal, OfIncident | OfEffect) else None
    if number is not None and number not in draft.world.incidents:
        return draft.refuse(NoIncident(number=number, newest=draft.world.last_incident))
    return None


def on_time_passed(draft: Draft, signal: TimePassed) -> Step:
    """Everything that was waiting for a moment that has come; `due` knows when to call it."""
    alarm.expire_mutes(draft)
    alarm.lift(draft)
    drills.on_time(draft)
    phases.on_time(draft)
    reminders.on_time(draft)
    roles.on_time(draft)
    tasks.on_time(draft)
    paging.on_time(draft)
    approvals.on_time(draft)
    automation.react(draft)
    draft.feed_sinks()
    return draft.done(Noted())


FAMILIES: tuple[Handlers, ...] = (
    {TimePassed: on_time_passed}, alarm.HANDLERS, configuration.HANDLERS,
    declaring.HANDLERS, drills.HANDLERS, ending.HANDLERS, delivered.HANDLERS,
    approvals.HANDLERS, arrival.HANDLERS, by_hand.HANDLERS, pins.HANDLERS, rehearsing.HANDLERS,
    sinks.HANDLERS, steering.HANDLERS,
    corroboration.HANDLERS, naming.HANDLERS, phases.HANDLERS, reminders.HANDLERS, repair.HANDLERS, roles.HANDLERS,
    vendor_pages.HANDLERS, entries.HANDLERS, mitigating.HANDLERS, merging.HANDLERS, tasks.HANDLERS, runbooks.HANDLERS,
    serving.HANDLERS, real_errors.HANDLERS,
)  # fmt: skip
HANDLERS: Handlers = {kind: rule for family in FAMILIES for kind, rule in family.items()}
