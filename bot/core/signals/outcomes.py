"""What services reported about their requests, as far as decisions need it."""

from bot.core.lazy_dataclass import dataclass
from bot.core.outcomes.served import Served
from bot.core.signals.base import RULES, Duty, OfIncident, Signal


@dataclass(frozen=True, kw_only=True)
class OutcomesCounted(OfIncident, by=RULES, duty=Duty.CLOCK):
    """Requests of an incident were counted again."""

    served: Served


@dataclass(frozen=True, kw_only=True)
class HandBackMeasured(Signal, by=RULES, duty=Duty.CLOCK):
    """How requests fared on the default since the last step of a hand-back, with its engagement and share."""

    flag: str
    engagement: str
    share: int
    requests: int
    failed: int
