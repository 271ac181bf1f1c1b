"""What the watch is given: checks, controls and feeds, and how to judge each."""

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from datetime import timedelta
from typing import Protocol

from bot.core.detection.blindness import BlindnessRule
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
        """The component that it checks."""

    @property
    def every(self) -> timedelta:
        """Its interval."""


class Source(Protocol):
    """What the watch needs of a feed."""

    @property
    def provider(self) -> str:
        """The provider whose page it is."""

    @property
    def every(self) -> timedelta:
        """Its interval."""


class Lag(Protocol):
    """Measures how late our own loop is during a measurement."""

    def begin(self) -> float:
        """A measurement begins; returns what to pass to `end`."""

    def end(self, began: float) -> float:
        """A measurement ended; returns the longest delay of the loop meanwhile, in real seconds."""


class Courier(Protocol):
    """Sends what we measured to other Understudies."""

    def offer(self, samples: Sequence[Sample]) -> int:
        """Accept a batch without waiting; returns how many older samples were dropped for it."""


@dataclass(frozen=True)
class Plan:
    """What to check. `off` names checks without credentials, by component.

    By check id: `rules` holds settings that differ from `rule`, `weights` those other than 1, `intervals` those other than the
    check's own.
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
    sight: BlindnessRule = field(default_factory=BlindnessRule)
    vantage: str = "local"

    def interval(self, check: Check) -> timedelta:
        """How often to run a check."""
        return self.intervals.get(check.id, check.every)

    def only(self, names: Sequence[str]) -> "Plan":
        """The plan reduced to these providers, components or checks; unchanged if none are named."""
        if not names:
            return self
        wanted = set(names)
        chosen = [check for check in self.checks if wanted & {check.id, check.component, ComponentId(check.component).provider}]
        return replace(self, checks=chosen)
