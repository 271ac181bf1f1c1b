"""Which sinks are to be told something: those whose flag serves something else than they were told last."""

from collections.abc import Iterator
from datetime import UTC, datetime

from bot.core.policy import FlagPolicy, Policy, SinkPolicy
from bot.core.record.flag import FlagState
from bot.core.record.sinks.sink import Order, SinkState
from bot.core.record.world import World

AT_ONCE = datetime.min.replace(tzinfo=UTC)


def to_feed(world: World, policy: Policy) -> Iterator[tuple[FlagPolicy, SinkPolicy, Order]]:
    """Each sink that should have something else than it was told, and what that is."""
    for flag in policy.fed:
        wanted = wanted_of(world.flag(flag.key))
        for sink in flag.sinks:
            told = world.sink(flag.key, sink.id).ordered
            untouched = told is None and not wanted.variant and not sink.at_rest
            if told != wanted and not untouched:
                yield flag, sink, wanted


def wanted_of(state: FlagState) -> Order:
    """What the sinks of a flag should have."""
    engagement = state.engagement
    return Order(engagement.variant, engagement.share_back) if engagement else Order()


def left_behind(world: World, policy: Policy) -> Iterator[SinkState]:
    """Sinks that may hold what we put there, and that the configuration does not name any more: nobody puts them back."""
    known = {(flag.key, sink.id) for flag in policy.fed for sink in flag.sinks}
    for state in world.sinks.values():
        if state.is_ours and (state.flag, state.sink) not in known:
            yield state


def due(world: World, policy: Policy) -> Iterator[datetime]:
    """At once, where a sink was put into the configuration, or left it for a while, and has to catch up."""
    if any(True for _ in to_feed(world, policy)):
        yield AT_ONCE
