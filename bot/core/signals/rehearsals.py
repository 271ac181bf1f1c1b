"""Rehearsals of fallbacks: requests for one, and results."""

from bot.core.lazy_dataclass import dataclass
from bot.core.rehearsal import NeedResult
from bot.core.signals.base import RESPONDERS, RULES, Duty, Signal


@dataclass(frozen=True, kw_only=True)
class RehearseFlag(Signal, by=RESPONDERS):
    """A person wants a flag's fallbacks rehearsed now; it costs money, within the day's budget."""

    flag: str


@dataclass(frozen=True, kw_only=True)
class RehearsalEnded(Signal, by=RULES, duty=Duty.CLOCK):
    """The result of rehearsing a fallback; `skipped` says why none took place."""

    flag: str
    variant: str
    model: str = ""
    answered: str = ""
    results: tuple[NeedResult, ...] = ()
    dollars: float = 0.0
    tokens: int = 0
    skipped: str = ""
