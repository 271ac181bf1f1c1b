"""Which sinks need an order: those whose flag serves something other than what they were last told."""

from collections.abc import Iterator
from datetime import UTC, datetime

from bot.core.policy import FlagPolicy, Policy, SinkPolicy
from bot.core.record.flag import FlagState
from bot.core.record.sinks.sink import Order, SinkState
from bot.core.record.world import World

AT_ONCE = datetime.min.replace(tzinfo=UTC)


def to_feed(world: World, policy: Policy) -> Iterator[tuple[FlagPolicy, SinkPolicy, Order]]:
    """Each sink that is out of date, or was removed and is back, with what it should hold."""
    for flag in policy.fed:
        wanted = wanted_of(world.flag(flag.key))
        for sink in flag.sinks:
            told = world.sink(flag.key, sink.id).ordered
            untouched = told is None and not wanted.variant and not sink.at_rest
            if (told != wanted or world.sink(flag.key, sink.id).left) and not untouched:
                yield flag, sink, wanted


def wanted_of(state: FlagState) -> Order:
    """What the sinks of a flag should hold."""
    engagement = state.engagement
    return Order(engagement.variant, engagement.share_back) if engagement else Order()


def gone(world: World, policy: Policy) -> Iterator[SinkState]:
    """Sinks that hold something of ours, or await an order, but are no longer configured."""
    known = {(flag.key, sink.id) for flag in policy.fed for sink in flag.sinks}
    for state in world.sinks.values():
        if (state.is_ours or state.on_its_way) and (state.flag, state.sink) not in known:
            yield state


def left_behind(world: World, policy: Policy) -> Iterator[SinkState]:
    """Those of them that may still hold a value of ours, which nobody will reset."""
    return (state for state in gone(world, policy) if state.is_ours)


def due(world: World, policy: Policy) -> Iterator[datetime]:
    """At once if a sink was added and must catch up, or was removed and people must be told."""
    if any(True for _ in to_feed(world, policy)) or not all(state.left for state in gone(world, policy)):
        yield AT_ONCE
