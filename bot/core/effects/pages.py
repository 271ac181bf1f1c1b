"""What pages people: a mention in the alert's thread, direct messages, and the addresses of `notify`.

Names are those of the configuration; who they are is found out when it is sent. Each way of a step has its own key, so a step
is never taken twice.
"""

from bot.core.effects.base import About, Certainty, EffectBody
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Severity

ALL = "all"  # every address of `notify`
HERE = "here"  # whoever is active in the channel


@dataclass(frozen=True)
class OfPage(EffectBody):
    """One way of one step of paging."""

    severity: Severity
    step: int

    @property
    def way(self) -> str:
        """The way that it goes, as outcomes name it."""
        return self.KIND.removeprefix("page.")

    def key(self, about: About) -> str:
        return f"{about.name}/page/{self.severity}/{self.step}/{self.way}"

    def lane(self, about: About) -> str:
        """Each way for itself: none waits for another that is held up, nor for an alert that Slack does not take."""
        return self.key(about)

    def urgent_as(self, about: About) -> str:
        """Where Slack is away, a step is told once on other ways, however many ways it has."""
        return f"{about.name}/page/{self.severity}/{self.step}"


@dataclass(frozen=True)
class PageMention(OfPage):
    """Mention people in a reply to the alert; an edit of the alert would wake nobody."""

    KIND = "page.mention"
    CERTAINTY = Certainty.LOOKED_UP
    REPEATED_UNSEEN = True
    URGENT = True
    names: tuple[str, ...]


@dataclass(frozen=True)
class FindPeople(OfPage):
    """Find out who the people are who get a direct message; user groups become their members."""

    KIND = "page.dm"
    CERTAINTY = Certainty.REPEATABLE  # nothing is sent by it
    URGENT = True
    names: tuple[str, ...]


@dataclass(frozen=True)
class PagePerson(OfPage):
    """A direct message to one person."""

    KIND = "page.person"
    CERTAINTY = Certainty.BEST_EFFORT  # reading direct messages is a right that we do not ask for
    URGENT = True
    user: str

    @property
    def way(self) -> str:
        """Each person is a way of their own."""
        return f"dm/{self.user}"


@dataclass(frozen=True)
class PageAddresses(OfPage):
    """Call addresses of `notify`; Slack is not asked."""

    KIND = "page.notify"
    CERTAINTY = Certainty.BEST_EFFORT  # no address can be asked whether it has a notice already
    addresses: tuple[str, ...] = (ALL,)
