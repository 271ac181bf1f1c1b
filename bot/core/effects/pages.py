"""Paging people: a mention in the alert's thread, direct messages, and the addresses in `notify`.

Names are as configured and resolved when sent. Each way of a step has its own key, so no step is taken twice.
"""

from bot.core.effects.base import About, Certainty, EffectBody
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Severity

ALL = "all"  # every address of `notify`
HERE = "here"  # whoever is active in the channel


@dataclass(frozen=True)
class OfPage(EffectBody):
    """One way of paging people in one step."""

    severity: Severity
    step: int

    @property
    def way(self) -> str:
        """The name of the way, as in outcomes."""
        return self.KIND.removeprefix("page.")

    def key(self, about: About) -> str:
        return f"{about.name}/page/{self.severity}/{self.step}/{self.way}"

    def lane(self, about: About) -> str:
        """A lane per way: none waits for another that is stuck, nor for an alert that Slack does not take."""
        return self.key(about)

    def urgent_as(self, about: About) -> str:
        """While Slack is away, a step is told once by other means, however many ways it has."""
        return f"{about.name}/page/{self.severity}/{self.step}"


@dataclass(frozen=True)
class PageMention(OfPage):
    """Mention people in a reply to the alert; editing the alert would notify nobody."""

    KIND = "page.mention"
    CERTAINTY = Certainty.LOOKED_UP
    REPEATED_UNSEEN = True
    URGENT = True
    names: tuple[str, ...]


@dataclass(frozen=True)
class FindPeople(OfPage):
    """Find the people to message directly; user groups become their members."""

    KIND = "page.dm"
    CERTAINTY = Certainty.REPEATABLE  # it sends nothing
    URGENT = True
    names: tuple[str, ...]


@dataclass(frozen=True)
class PagePerson(OfPage):
    """Send a direct message to one person."""

    KIND = "page.person"
    CERTAINTY = Certainty.BEST_EFFORT  # we do not ask for the permission to read direct messages
    URGENT = True
    user: str

    @property
    def way(self) -> str:
        """One way per person."""
        return f"dm/{self.user}"


@dataclass(frozen=True)
class PageAddresses(OfPage):
    """Call addresses in `notify`; Slack is not involved."""

    KIND = "page.notify"
    CERTAINTY = Certainty.BEST_EFFORT  # no address can be asked whether it has already received a notice
    addresses: tuple[str, ...] = (ALL,)
