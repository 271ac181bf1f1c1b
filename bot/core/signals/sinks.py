"""Reports about a sink: what was written to it, why it refused, and what it showed when it was read."""

from datetime import timedelta

from bot.core.lazy_dataclass import dataclass
from bot.core.signals.base import RULES, Signal


@dataclass(frozen=True, kw_only=True)
class SinkPut(Signal, by=RULES):
    """The sink has this value now, and reads back as `seen`."""

    flag: str
    sink: str
    variant: str = ""
    share_back: int = 0
    seen: str = ""


@dataclass(frozen=True, kw_only=True)
class SinkRefused(Signal, by=RULES):
    """Attempt number `attempt` failed; `permanent` = retrying cannot help until somebody does something.

    `waits` is how long the sink asked us to wait before the next attempt.
    """

    flag: str
    sink: str
    reason: str
    permanent: bool = False
    attempt: int = 1
    waits: timedelta = timedelta(0)


@dataclass(frozen=True, kw_only=True)
class SinkLooked(Signal, by=RULES):
    """The sink was read while its newest fact had this number."""

    flag: str
    sink: str
    seen: str = ""
    as_of: int = 0
