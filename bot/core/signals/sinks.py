"""What became of a sink: what was put into it, why it refused, and what it showed when it was looked at."""

from datetime import timedelta

from bot.core.lazy_dataclass import dataclass
from bot.core.signals.base import RULES, Signal


@dataclass(frozen=True, kw_only=True)
class SinkPut(Signal, by=RULES):
    """It has this now, and reads back as `seen`."""

    flag: str
    sink: str
    variant: str = ""
    share_back: int = 0
    seen: str = ""


@dataclass(frozen=True, kw_only=True)
class SinkRefused(Signal, by=RULES):
    """A try failed, the `attempt`th; `permanent` = trying again cannot help before somebody does something.

    `waits` is how long it asked to be left alone before the next one.
    """

    flag: str
    sink: str
    reason: str
    permanent: bool = False
    attempt: int = 1
    waits: timedelta = timedelta(0)


@dataclass(frozen=True, kw_only=True)
class SinkLooked(Signal, by=RULES):
    """It was looked at, when its newest fact was the one of this number."""

    flag: str
    sink: str
    seen: str = ""
    as_of: int = 0
