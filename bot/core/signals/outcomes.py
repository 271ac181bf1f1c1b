"""What services told of their requests, as far as decisions need it."""

from bot.core.lazy_dataclass import dataclass
from bot.core.outcomes.served import Served
from bot.core.signals.base import RULES, OfIncident


@dataclass(frozen=True, kw_only=True)
class OutcomesCounted(OfIncident, by=RULES):
    """Requests of an incident were counted anew."""

    served: Served
