"""What people ask of drills, and who is seen to read a flag in one."""

from datetime import timedelta

from bot.core.lazy_dataclass import dataclass
from bot.core.signals.base import COMMAND, RULES, OfIncident, Signal


@dataclass(frozen=True, kw_only=True)
class StartDrill(Signal, by=COMMAND):
    """A person wants an outage of these components pretended: of one provider, by their real ids.

    `paging` calls people as in a real one. `flag` is read as its fallback by whoever asks in the scope of the drill.
    """

    components: tuple[str, ...]
    lasts: timedelta = timedelta(minutes=10)
    paging: bool = False
    flag: str = ""


@dataclass(frozen=True, kw_only=True)
class StopDrill(OfIncident, by=COMMAND):
    """A person ends a drill, and its incident with it."""


@dataclass(frozen=True, kw_only=True)
class ReadInDrill(OfIncident, by=RULES):
    """Who read the flag of a drill lately: its fallback in the scope, or the flag without the scope."""

    fallback: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
