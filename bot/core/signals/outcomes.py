"""What services told of their requests, as far as decisions need it."""

from bot.core.lazy_dataclass import dataclass
from bot.core.outcomes.served import Served
from bot.core.signals.base import RULES, OfIncident, Signal


@dataclass(frozen=True, kw_only=True)
class OutcomesCounted(OfIncident, by=RULES):
    """Requests of an incident were counted anew."""

    served: Served


@dataclass(frozen=True, kw_only=True)
class HandBackMeasured(Signal, by=RULES):
    """How requests fared on the default since the last step of a hand-back: of which engagement, and at which share."""

    flag: str
    engagement: str
    share: int
    requests: int
    failed: int
