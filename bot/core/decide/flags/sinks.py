"""What follows from a sink's reports: it is up to date, it is not, or somebody else changed it.

None of this ever moves the flag itself: its readers get what was decided, whatever a sink does.
"""

from dataclasses import replace
from datetime import timedelta

from bot.core.answers.base import Noted
from bot.core.decide.draft import Draft, Handlers, Step
from bot.core.effects import FeedSink
from bot.core.record.fact import Body, Fact
from bot.core.record.sinks.sink import Order, SinkState, sink_id
from bot.core.record.sinks.sink_facts import SinkAgreed, SinkDrifted, SinkFailed, SinkFollowed
from bot.core.signals.sinks import SinkLooked, SinkPut, SinkRefused

TOLD_AFTER = 3  # attempts, after three seconds; a hiccup is over by then
LONG = timedelta(seconds=15)  # a wait this long is not a hiccup


def on_put(draft: Draft, signal: SinkPut) -> Step:
    """Record what the sink holds. People are told if they had heard that it was out of date."""
    state = draft.world.sink(signal.flag, signal.sink)
    same = state.done == Order(signal.variant, signal.share_back) and state.seen == signal.seen
    if not same or state.failing or state.drifted:
        body = SinkFollowed(signal.flag, signal.sink, signal.variant, signal.share_back, signal.seen)
        _add(draft, state, body, told=bool(state.failing))
    return draft.done(Noted())


def on_refused(draft: Draft, signal: SinkRefused) -> Step:
    """Say once that the sink is out of date: at once if retrying cannot help, or must wait long."""
    state = draft.world.sink(signal.flag, signal.sink)
    if not state.failing and not state.left and (signal.permanent or signal.attempt >= TOLD_AFTER or signal.waits > LONG):
        variant = state.ordered.variant if state.ordered else ""
        _add(draft, state, SinkFailed(signal.flag, signal.sink, variant, signal.reason))
    return draft.done(Noted())


def on_looked(draft: Draft, signal: SinkLooked) -> Step:
    """Compare what was read with what we wrote. A reading older than the newest fact is ignored."""
    state = draft.world.sink(signal.flag, signal.sink)
    sink = next((one for one in draft.policy.sinks_of(signal.flag) if one.id == signal.sink), None)
    newest = draft.world.seqs.get(f"sink/{sink_id(signal.flag, signal.sink)}", 0)
    if sink is None or state.on_its_way or signal.as_of != newest:
        return draft.done(Noted())
    if signal.seen == state.seen:
        if state.drifted:
            _add(draft, state, SinkAgreed(signal.flag, signal.sink))
    elif not state.drifted:
        body = SinkDrifted(signal.flag, signal.sink, state.seen, signal.seen, sink.repairs)
        fact = _add(draft, state, body, told=not state.drifts)
        if sink.repairs:
            draft.send(FeedSink(signal.flag, signal.sink), replace(fact, incident=None))
    return draft.done(Noted())


def _add(draft: Draft, state: SinkState, body: Body, *, told: bool = True) -> Fact:
    incident = state.incident if state.incident in draft.world.running else None
    return draft.add(f"sink/{state.id}", body, incident=incident, told=told)


HANDLERS: Handlers = {SinkPut: on_put, SinkRefused: on_refused, SinkLooked: on_looked}
