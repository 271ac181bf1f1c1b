"""Whether a switch has reached the readers: told once as far as it has, and again when all have it."""

from bot.core.answers.base import Noted
from bot.core.decide.draft import Draft, Handlers, Step
from bot.core.decide.flags.conditions import incident_for
from bot.core.decide.flags.scopes import variant_of_rest
from bot.core.record.flag import FlagState
from bot.core.record.flag_facts import ReadersSaw
from bot.core.record.world import World
from bot.core.signals import ReadersCounted

MOST_NAMED = 5


def awaits_readers(state: FlagState) -> bool:
    """Whether counting is still worthwhile: everybody was switched, and not all readers were reported yet."""
    parted = state.engagement is not None and state.engagement.parted
    return state.changed_at is not None and not parted and not (state.seen and state.seen.whole)


def on_counted(draft: Draft, signal: ReadersCounted) -> Step:
    """Record a count, unless a later switch has made it obsolete."""
    state = draft.world.flag(signal.flag)
    if not awaits_readers(state) or state.changed_at != signal.changed_at or not 0 <= signal.by <= signal.of or not signal.of:
        return draft.done(Noted())
    if state.seen and signal.by < signal.of:
        return draft.done(Noted())
    policy = draft.policy.flag(signal.flag)
    default = variant_of_rest(draft.world, policy) if policy else ""
    body = ReadersSaw(
        flag=signal.flag, variant=state.engagement.variant if state.engagement else default, by=signal.by, of=signal.of,
        missing=signal.missing[:MOST_NAMED], switched_at=signal.changed_at,
    )  # fmt: skip
    incident = _incident(draft.world, state, policy.depends_on if policy else ())
    # Outside an incident, people hear only of readers that lag, and then of how that ended.
    told = incident is not None or signal.by < signal.of or state.seen is not None
    draft.add(f"flag/{signal.flag}", body, incident=incident, told=told)
    return draft.done(Noted())


def _incident(world: World, state: FlagState, depends_on: tuple[str, ...]) -> int | None:
    mine = world.incidents.get(state.engagement.incident or 0) if state.engagement else None
    return mine.number if mine and mine.phase.open else incident_for(world, depends_on)


HANDLERS: Handlers = {ReadersCounted: on_counted}
