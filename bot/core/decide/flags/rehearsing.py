"""Rehearsals: when a fallback is due for one, and what is told about the result.

The shell asks the models; this decides, from the record, what is due and what follows.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from bot.core.answers.base import NoFlag, Noted
from bot.core.answers.rehearsals import NothingToRehearse, RehearsalBegun
from bot.core.decide.draft import Draft, Handlers, Step
from bot.core.decide.flags.automation import react
from bot.core.decide.flags.readiness import causes, rehearsed
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Level
from bot.core.policy import FlagPolicy, Policy
from bot.core.record.flag import FlagState
from bot.core.record.rehearsals.rehearsal_facts import RehearsalAsked, RehearsalSkipped, Rehearsed
from bot.core.record.world import World
from bot.core.rehearsal import Rehearsal
from bot.core.signals.rehearsals import RehearsalEnded, RehearseFlag

TRIED_AGAIN_AFTER = timedelta(minutes=30)  # after a failure or a skip; the day's budget limits what retries cost


@dataclass(frozen=True)
class DueRehearsal:
    """A fallback to rehearse now."""

    flag: str
    variant: str
    needs: str  # the component behind it


def due_now(world: World, policy: Policy, now: datetime) -> Iterator[DueRehearsal]:
    """What to rehearse now: what a person asked for, and what was not rehearsed for `every`, if its component is healthy."""
    for flag in policy.flags.values():
        state = world.flag(flag.key)
        for one in rehearsed(flag):
            # A failure while the component is known to be in trouble is no news, and would rule the fallback out long after.
            well = world.component(one.needs or "").level is Level.OPERATIONAL
            if waits(state, one.variant) or (well and _time_is_up(flag, state, one.variant, now)):
                yield DueRehearsal(flag.key, one.variant, one.needs or "")


def waits(state: FlagState, variant: str) -> bool:
    """Whether a requested rehearsal has not been done yet."""
    asked_at, tried_at = state.rehearsals.asked_at, state.rehearsals.tried.get(variant)
    return asked_at is not None and (tried_at is None or tried_at < asked_at)


def _time_is_up(flag: FlagPolicy, state: FlagState, variant: str, now: datetime) -> bool:
    tried_at, last = state.rehearsals.tried.get(variant), state.rehearsals.last.get(variant)
    if tried_at is None or flag.rehearse is None:
        return True
    every, soon = flag.rehearse.every, variant in state.rehearsals.skipped or (last is not None and last.failed)
    return now >= tried_at + (min(every, TRIED_AGAIN_AFTER) if soon else every)


def on_asked(draft: Draft, signal: RehearseFlag) -> Step:
    """Record the request; whoever runs rehearsals then begins."""
    flag = draft.policy.flags.get(signal.flag)
    if flag is None:
        return draft.refuse(NoFlag(key=signal.flag, known=tuple(sorted(draft.policy.flags))))
    variants = tuple(one.variant for one in rehearsed(flag))
    if not variants:
        return draft.refuse(NothingToRehearse(flag=flag.key, configured=flag.rehearse is not None))
    draft.add(f"flag/{flag.key}", RehearsalAsked(flag.key))
    return draft.done(RehearsalBegun(flag=flag.key, variants=variants))


def on_ended(draft: Draft, signal: RehearsalEnded) -> Step:
    """Tell a result that changes what people may rely on: newly failed, passed again, another model answered, or skipped."""
    flag = draft.policy.flags.get(signal.flag)
    if flag is None or signal.variant not in {one.variant for one in rehearsed(flag)}:
        return draft.done(Noted())
    known = draft.world.flag(flag.key).rehearsals
    if signal.skipped:
        body = RehearsalSkipped(flag.key, signal.variant, signal.skipped, signal.dollars)
        news = known.skipped.get(signal.variant) != signal.skipped
        draft.add(f"flag/{flag.key}", body, told=news)
        return draft.done(Noted())
    last = known.last.get(signal.variant)
    before = last.answered if last and last.answered and signal.answered and last.answered != signal.answered else ""
    found = Rehearsed(
        flag=flag.key, variant=signal.variant, model=signal.model, answered=signal.answered, results=signal.results,
        dollars=signal.dollars, tokens=signal.tokens, before=before,
    )  # fmt: skip
    now_found = Rehearsal(draft.now, signal.model, signal.answered, signal.results)
    draft.add(f"flag/{flag.key}", found, told=bool(before) or _troubles(last) != _troubles(now_found))
    react(draft)  # a fallback that was held back may be usable now
    return draft.done(Noted())


def _troubles(last: Rehearsal | None) -> str:
    return causes(last) if last else ""


HANDLERS: Handlers = {RehearseFlag: on_asked, RehearsalEnded: on_ended}
