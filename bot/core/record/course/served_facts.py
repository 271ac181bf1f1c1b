"""How many customers were served: figures that messages and exports state, so they are facts."""

from dataclasses import replace

from bot.core.lazy_dataclass import dataclass
from bot.core.outcomes.served import Served
from bot.core.record.fact import Body, Fact
from bot.core.record.incident import Incident


@dataclass(frozen=True)
class CustomersServed(Body):
    """What services told of their requests in this incident, added up; each fact replaces the one before."""

    KIND = "incident.customers_served"
    BOOKKEEPING = True
    served: Served

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """The newest figures stand."""
        return replace(state, served=self.served)
