"""What a drill is about, and how far it is."""

from datetime import datetime, timedelta

from bot.core.lazy_dataclass import dataclass

LEFT_OPEN = timedelta(minutes=30)  # nobody resolves it for so long after its end: then it resolves itself
MOST_READERS = 50  # of each side; who reads besides is in the metrics of the flag


@dataclass(frozen=True)
class DrillPlan:
    """What whoever started it wanted. `flag` is read as `variant` by those who ask in the scope of the drill."""

    until: datetime  # when what it pretends is over
    paging: bool = False  # people are called as in a real one
    flag: str = ""
    variant: str = ""


@dataclass(frozen=True)
class Drill:
    """A drill, as its facts left it. Readers are those of its flag while it ran, by their own name or their address."""

    plan: DrillPlan
    ended_at: datetime | None = None  # since when nothing is pretended any more
    ended_because: str = ""
    fallback_readers: tuple[str, ...] = ()  # read the fallback, in the scope
    other_readers: tuple[str, ...] = ()  # read the flag without the scope

    @property
    def running(self) -> bool:
        """Whether something is still pretended; an incident that is over ends that too."""
        return self.ended_at is None
