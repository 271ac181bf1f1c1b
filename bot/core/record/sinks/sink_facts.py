"""The facts of a sink, each with what it makes of the sink's state."""

from dataclasses import replace

from bot.core.lazy_dataclass import dataclass
from bot.core.record.fact import Body, Fact, OfFlag, Reasoned
from bot.core.record.sinks.sink import Order, SinkState


class OfSink(OfFlag):
    """A fact about one sink of a flag."""

    sink: str


@dataclass(frozen=True)
class SinkOrdered(OfSink, Body):
    """The flag moved, and the sink is to follow: to a fallback, to another share, or back to what it had before."""

    KIND = "sink.ordered"
    BOOKKEEPING = True
    flag: str
    sink: str
    variant: str  # the fallback; empty = what it had before
    share_back: int = 0

    def onto(self, state: SinkState, fact: Fact) -> SinkState:
        """It was told, and nobody knows yet what comes of it."""
        order = Order(self.variant, self.share_back)
        return replace(state, ordered=order, ordered_at=fact.at, incident=fact.incident, drifted="", drifts=0, left=False)


@dataclass(frozen=True)
class SinkFollowed(OfSink, Body):
    """The sink has what it was told."""

    KIND = "sink.followed"
    ANNOUNCED = True  # only where people were told before that it does not
    flag: str
    sink: str
    variant: str
    share_back: int = 0
    seen: str = ""

    def onto(self, state: SinkState, fact: Fact) -> SinkState:
        """All is as it should be."""
        order = Order(self.variant, self.share_back)
        return replace(state, done=order, seen=self.seen, failing="", failing_since=None, drifted="")


@dataclass(frozen=True)
class SinkFailed(OfSink, Reasoned, Body):
    """The sink does not take what it was told; it is tried again until it does."""

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
    """Somebody else changed what the sink had."""

    KIND = "sink.drifted"
    ANNOUNCED = True
    flag: str
    sink: str
    expected: str
    found: str
    repaired: bool  # whether it is put back by us

    def onto(self, state: SinkState, fact: Fact) -> SinkState:
        """Told once for what it was ordered."""
        return replace(state, drifted=self.found, drifts=state.drifts + 1)


@dataclass(frozen=True)
class SinkLeft(OfSink, Body):
    """It left the configuration with a fallback or an order on its way, and is left as it is: it is told nothing any more."""

    KIND = "sink.left"
    ANNOUNCED = True  # only where it may have a fallback
    flag: str
    sink: str
    variant: str  # the fallback; empty = none
    sure: bool = True  # that it has it, and did not only get the order

    def onto(self, state: SinkState, fact: Fact) -> SinkState:
        """Told once, until it is in the configuration again."""
        return replace(state, left=True, failing="", failing_since=None, drifted="")


@dataclass(frozen=True)
class SinkAgreed(OfSink, Body):
    """What somebody else had changed is as it should be again, not by us."""

    KIND = "sink.agreed"
    flag: str
    sink: str

    def onto(self, state: SinkState, fact: Fact) -> SinkState:
        """Nothing is wrong any more."""
        return replace(state, drifted="")
