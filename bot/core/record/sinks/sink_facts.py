"""The facts of a sink, each with its effect on the sink's state."""

from dataclasses import replace

from bot.core.lazy_dataclass import dataclass
from bot.core.record.fact import Body, Fact, OfFlag, Reasoned
from bot.core.record.sinks.sink import Order, SinkState


class OfSink(OfFlag):
    """A fact about one sink of a flag."""

    sink: str


@dataclass(frozen=True)
class SinkOrdered(OfSink, Body):
    """The flag moved and the sink is to follow: to a fallback, to another share, or to its original value."""

    KIND = "sink.ordered"
    BOOKKEEPING = True
    flag: str
    sink: str
    variant: str  # the fallback; empty = the original value
    share_back: int = 0

    def onto(self, state: SinkState, fact: Fact) -> SinkState:
        """Ordered; the outcome is not known yet."""
        order = Order(self.variant, self.share_back)
        return replace(state, ordered=order, ordered_at=fact.at, incident=fact.incident, drifted="", drifts=0, left=False)


@dataclass(frozen=True)
class SinkFollowed(OfSink, Body):
    """The sink holds what it was told."""

    KIND = "sink.followed"
    ANNOUNCED = True  # only if people had been told that it did not
    flag: str
    sink: str
    variant: str
    share_back: int = 0
    seen: str = ""

    def onto(self, state: SinkState, fact: Fact) -> SinkState:
        """The sink is up to date."""
        order = Order(self.variant, self.share_back)
        return replace(state, done=order, seen=self.seen, failing="", failing_since=None, drifted="")


@dataclass(frozen=True)
class SinkFailed(OfSink, Reasoned, Body):
    """The sink did not take what it was told; it is retried until it does."""

    KIND = "sink.failed"
    ANNOUNCED = True
    flag: str
    sink: str
    variant: str
    reason: str

    def onto(self, state: SinkState, fact: Fact) -> SinkState:
        """Told once, until it follows."""
        return replace(state, failing=self.reason, failing_since=fact.at)


@dataclass(frozen=True)
class SinkDrifted(OfSink, Body):
    """Somebody else changed the value of a sink."""

    KIND = "sink.drifted"
    ANNOUNCED = True
    flag: str
    sink: str
    expected: str
    found: str
    repaired: bool  # whether we restore our value

    def onto(self, state: SinkState, fact: Fact) -> SinkState:
        """Told once per order."""
        return replace(state, drifted=self.found, drifts=state.drifts + 1)


@dataclass(frozen=True)
class SinkLeft(OfSink, Body):
    """It was removed from the configuration while it held a fallback or an order was pending; it gets no more orders."""

    KIND = "sink.left"
    ANNOUNCED = True  # only if it may hold a fallback
    flag: str
    sink: str
    variant: str  # the fallback; empty = none
    sure: bool = True  # whether it certainly holds it, and was not only ordered to

    def onto(self, state: SinkState, fact: Fact) -> SinkState:
        """Told once, until it is configured again."""
        return replace(state, left=True, failing="", failing_since=None, drifted="")


@dataclass(frozen=True)
class SinkAgreed(OfSink, Body):
    """A value that somebody else had changed is right again, though not by us."""

    KIND = "sink.agreed"
    flag: str
    sink: str

    def onto(self, state: SinkState, fact: Fact) -> SinkState:
        """Nothing is wrong any more."""
        return replace(state, drifted="")
