"""A sink's state: what it was last told, what it holds, and what went wrong."""

from datetime import datetime

from bot.core.lazy_dataclass import dataclass


@dataclass(frozen=True)
class Order:
    """What a sink should hold: the fallback `variant`, with `share_back` percent on the default; "" = its original value."""

    variant: str = ""
    share_back: int = 0


@dataclass(frozen=True)
class SinkState:
    """One sink of one flag; `id` is the flag's key, a slash, and the sink's own id."""

    id: str
    ordered: Order | None = None
    done: Order | None = None  # what it holds, as far as we know
    seen: str = ""  # how it read back afterwards; empty if it cannot be read
    incident: int | None = None  # the incident in which the order is told
    ordered_at: datetime | None = None
    failing: str = ""  # why it does not take the order, once people have been told
    failing_since: datetime | None = None
    drifted: str = ""  # what it holds instead, after a change by somebody else
    drifts: int = 0  # number of such changes since the order
    left: bool = False  # it was removed from the configuration while it held our value or an order was pending

    @property
    def flag(self) -> str:
        """The flag's key, which holds no slash."""
        return self.id.partition("/")[0]

    @property
    def sink(self) -> str:
        """The sink's own id."""
        return self.id.partition("/")[2]

    @property
    def on_its_way(self) -> bool:
        """Whether it does not hold yet what it was told."""
        return self.ordered != self.done

    @property
    def holds(self) -> str:
        """The fallback that it holds, or was told to hold if that is unknown; empty if it holds none of ours."""
        return next((order.variant for order in (self.done, self.ordered) if order and order.variant), "")

    @property
    def is_sure(self) -> bool:
        """Whether we know that it holds that."""
        return self.done is not None and bool(self.done.variant)

    @property
    def is_ours(self) -> bool:
        """Whether it may hold a value of ours that nobody has reset."""
        return bool(self.holds)


def sink_id(flag: str, sink: str) -> str:
    """The key of a sink's state."""
    return f"{flag}/{sink}"
