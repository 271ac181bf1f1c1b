"""What the watch is given: checks, controls and feeds, and how each is to be judged."""

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from datetime import timedelta
from typing import Protocol

from bot.core.detection.blindness import SightRule
from bot.core.detection.settings import Rule
from bot.core.detection.verdict import VerdictRule
from bot.core.ids import ComponentId
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Sample


class Check(Protocol):
    """What the watch needs of a check; the prober knows the rest."""

    @property
    def id(self) -> str:
        """Unique name: provider.component.check."""

    @property
    def component(self) -> str:
        """The component that it looks at."""

    @property
    def every(self) -> timedelta:
        """Its interval."""


class Source(Protocol):
    """What the watch needs of a feed."""

    @property
    def provider(self) -> str:
        """Whose page it is."""

    @property
    def every(self) -> timedelta:
        """Its interval."""


class Lag(Protocol):
    """How late our own loop is while something is measured."""

    def begin(self) -> float:
        """Something is measured from now on; what `end` is to be given."""

    def end(self, began: float) -> float:
        """It was measured. The longest, in real seconds, that anything waited for its turn meanwhile."""


class Courier(Protocol):
    """Takes what we measured to other Understudies."""

    def offer(self, samples: Sequence[Sample]) -> int:
        """Take a batch along; never waits. Says how many older ones were dropped for it."""


@dataclass(frozen=True)
class Plan:
    """What to look at. `off` names checks without credential, by component.

    By check id: `rules` holds what differs from `rule`, `weights` what is not 1, `intervals` how often to look where that is
    not the check's own interval.
    """

    checks: Sequence[Check] = ()
    feeds: Sequence[Source] = ()
    controls: Sequence[Check] = ()
    off: Mapping[str, Sequence[str]] = field(default_factory=dict)
    rule: Rule = field(default_factory=Rule)
    rules: Mapping[str, Rule] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    intervals: Mapping[str, timedelta] = field(default_factory=dict)
    verdicts: VerdictRule = field(default_factory=VerdictRule)
    sight: SightRule = field(default_factory=SightRule)
    vantage: str = "local"

    def interval(self, check: Check) -> timedelta:
        """How often to look with a check."""
        return self.intervals.get(check.id, check.every)

    def only(self, names: Sequence[str]) -> "Plan":
        """The same with these providers, components or checks alone; everything where nothing is named."""
        if not names:
            return self
        wanted = set(names)
        chosen = [check for check in self.checks if wanted & {check.id, check.component, ComponentId(check.component).provider}]
        return replace(self, checks=chosen)
