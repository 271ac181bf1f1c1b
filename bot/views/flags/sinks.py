"""What people read about sinks: which are out of date, and why."""

from collections.abc import Iterator
from datetime import datetime

from bot.core.policy import FlagPolicy, Policy
from bot.core.record.fact import Fact
from bot.core.record.sinks.sink import SinkState
from bot.core.record.sinks.sink_facts import SinkDrifted, SinkFailed, SinkFollowed, SinkLeft
from bot.core.record.world import World
from bot.views.names import flag_name, plain_flag_name, variant_name
from bot.views.text import capital, clock, foreign, retold, stop


def sink_fact(fact: Fact, policy: Policy) -> tuple[str, str] | None:
    """Notification and text for a fact about a sink; None for other facts."""
    match fact.body:
        case SinkFailed() as b:
            name, flag, has = _words(policy, b.flag, b.sink, b.variant)
            first = f"🟠 *{name} does not follow.* {capital(flag)} is on {has}."
            return first, f"{first}\nWhy: {stop(retold(b.reason, 400))} Understudy keeps trying."
        case SinkDrifted() as b:
            name, flag, _ = _words(policy, b.flag, b.sink, "")
            first = f"🟠 *{name} was changed by somebody else*, while {flag} is switched."
            then = (
                "Understudy puts it back; find out who changed it." if b.repaired else "It is left as it is (`drift: report`)."
            )
            now, before = stop(foreign(b.found, 300)), stop(foreign(b.expected, 300))
            return first, f"{first} {then}\nNow: {now} Before: {before}"
        case SinkFollowed() as b:
            name, flag, has = _words(policy, b.flag, b.sink, b.variant)
            said = f"🟢 *{name}* follows {flag} again, on {has}."
            return said, said
        case SinkLeft() as b:
            name, flag, has = _words(policy, b.flag, b.sink, b.variant)
            first = f"🟠 *{name} was removed from the configuration* while {flag} is switched there."
            now = f"It still has {has}" if b.sure else f"It may have {has}: it was asked and has not answered"
            return first, f"{first}\n{now}. Add it to the file again and it follows, or restore its old value by hand."
    return None


def sink_name(policy: Policy, flag: str, sink: str) -> str:
    """A sink's configured name, for mrkdwn; its id if it was removed."""
    return foreign(plain_sink_name(policy, flag, sink), 120)


def plain_sink_name(policy: Policy, flag: str, sink: str) -> str:
    """The same without escapes."""
    return capital(next((one.name for one in policy.sinks_of(flag) if one.id == sink), sink.replace(":", " ", 1)))


def sink_line(flag: FlagPolicy, world: World, policy: Policy, now: datetime) -> str:
    """A flag's sinks in its status: those out of date, or that all are current; empty if none was ever told anything."""
    told = [world.sink(flag.key, one.id) for one in flag.sinks]
    behind = [_standing(state, policy, now) for state in told if state.failing or state.drifted or state.on_its_way]
    if behind:
        return " ".join(behind)
    follow = [state for state in told if state.done is not None]
    names = ", ".join(sink_name(policy, flag.key, state.sink) for state in follow)
    return f"Follows: {names}" if follow and world.flag(flag.key).engagement else ""


def _standing(state: SinkState, policy: Policy, now: datetime) -> str:
    name = sink_name(policy, state.flag, state.sink)
    if state.failing:
        since = f" since {clock(state.failing_since, now)}" if state.failing_since else ""
        return f"🟠 {name} does not follow{since}: {stop(retold(state.failing, 200))}"
    if state.drifted:
        return f"🟠 {name} was changed by somebody else: {stop(foreign(state.drifted, 200))}"
    return f"{name} is being told."


def trouble_sentences(world: World, policy: Policy) -> Iterator[str]:
    """For each configured sink with a problem that people were told of, one plain sentence without a full stop."""
    for flag in policy.fed:
        for sink in flag.sinks:
            state, name = world.sink(flag.key, sink.id), plain_sink_name(policy, flag.key, sink.id)
            if state.failing:
                yield f"{name} does not follow {plain_flag_name(flag.key, policy)}: {state.failing.rstrip('.')}"
            elif state.drifted:
                yield f"{name} was changed by somebody else: {state.drifted}"


def left_sentence(state: SinkState) -> str:
    """A sink that was removed while it held our value: plain, without a full stop."""
    return (
        f"the sink {state.sink} of {state.flag} was removed from the configuration while it has {state.holds};  "
        "add it to the file again to restore its old value"
    )


def _words(policy: Policy, key: str, sink: str, variant: str) -> tuple[str, str, str]:
    """Sink, flag and variant by their display names, for mrkdwn."""
    flag = policy.flags.get(key) or FlagPolicy(key, {}, "its default")
    return sink_name(policy, key, sink), flag_name(key, policy), variant_name(flag, variant or flag.default)
