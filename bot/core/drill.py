"""What a drill pretends, and how far it has got."""

from datetime import datetime, timedelta

from bot.core.lazy_dataclass import dataclass

LEFT_OPEN = timedelta(minutes=30)  # a drill that has ended resolves itself if nobody does so within this time
MOST_READERS = 50  # of each side; the flag's metrics know the rest


@dataclass(frozen=True)
class DrillPlan:
    """What the person who started it asked for. Readers in the drill's scope get `variant` for `flag`."""

    until: datetime  # when the pretended outage ends
    paging: bool = False  # page people as in a real incident
    flag: str = ""
    variant: str = ""


@dataclass(frozen=True)
class Drill:
    """A drill as its facts describe it. Readers are services that read its flag while it ran, by their own name or address."""

    plan: DrillPlan
    ended_at: datetime | None = None  # when the pretended outage ended
    ended_because: str = ""
    fallback_readers: tuple[str, ...] = ()  # services in the scope, which read the fallback
    other_readers: tuple[str, ...] = ()  # services outside the scope, which read the flag as usual

    @property
    def running(self) -> bool:
        """Whether an outage is still pretended; the end of the incident ends that too."""
        return self.ended_at is None
