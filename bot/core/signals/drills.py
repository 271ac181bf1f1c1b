"""What people ask of drills, and which services read a flag in one."""

from datetime import timedelta

from bot.core.lazy_dataclass import dataclass
from bot.core.signals.base import COMMAND, RULES, OfIncident, Signal


@dataclass(frozen=True, kw_only=True)
class StartDrill(Signal, by=COMMAND):
    """A person wants an outage of these components, given by their real ids and all of one provider, to be pretended.

    `paging` calls people as in a real incident. Readers in the drill's scope get the fallback for `flag`.
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
    """Who recently read the drill's flag: the fallback inside the scope, or the usual variant outside it."""

    fallback: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
