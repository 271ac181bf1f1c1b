"""What the facts of a sink add up to: what it was told last, what it has, and why it has not."""

from datetime import datetime

from bot.core.lazy_dataclass import dataclass


@dataclass(frozen=True)
class Order:
    """What a sink should have: the fallback `variant` with `share_back` percent on the default; "" is as it was before."""

    variant: str = ""
    share_back: int = 0


@dataclass(frozen=True)
class SinkState:
    """One sink of one flag; `id` is the flag's key, a slash, and the sink's own id."""

    id: str
    ordered: Order | None = None
    done: Order | None = None  # what it has, as far as we know
    seen: str = ""  # how it read back when that was done; empty where it cannot be read
    incident: int | None = None  # where the order is told
    ordered_at: datetime | None = None
    failing: str = ""  # why it does not take the order, once people were told
    failing_since: datetime | None = None
    drifted: str = ""  # what it has instead, changed by somebody else
    drifts: int = 0  # since it was ordered
    left: bool = False  # the configuration, with what we put there or an order on its way

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
        """Whether it was told something that it does not have yet."""
        return self.ordered != self.done

    @property
    def holds(self) -> str:
        """The fallback that it has, or where nobody knows that it was told to have; empty where it has none of ours."""
        return next((order.variant for order in (self.done, self.ordered) if order and order.variant), "")

    @property
    def is_sure(self) -> bool:
        """Whether it has that for all we know."""
        return self.done is not None and bool(self.done.variant)

    @property
    def is_ours(self) -> bool:
        """Whether it may hold what we put there, and nobody put back yet."""
        return bool(self.holds)


def sink_id(flag: str, sink: str) -> str:
    """The key of a sink's state."""
    return f"{flag}/{sink}"
