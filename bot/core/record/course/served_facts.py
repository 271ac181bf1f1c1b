"""How many customers were served: messages and exports state the figures, so they are facts."""

from dataclasses import replace

from bot.core.lazy_dataclass import dataclass
from bot.core.outcomes.served import Served
from bot.core.record.fact import Body, Fact
from bot.core.record.incident import Incident


@dataclass(frozen=True)
class CustomersServed(Body):
    """The totals of what services reported during this incident; each fact replaces the one before."""

    KIND = "incident.customers_served"
    BOOKKEEPING = True
    served: Served

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """Keep the newest figures."""
        return replace(state, served=self.served)
