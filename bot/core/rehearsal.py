"""What a rehearsal of a fallback found, and what a flag keeps of its rehearsals."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum

from bot.core.lazy_dataclass import dataclass

QUOTA = "quota"  # the need that nobody asks for: it is judged wherever the provider tells its limits


class Mark(StrEnum):
    """What one need came to."""

    OK = "ok"
    FAILED = "failed"
    LOW = "low"  # it works, with little left of it
    UNSUPPORTED = "unsupported"  # the dialect has no such thing, so nothing was asked


@dataclass(frozen=True)
class NeedResult:
    """One need of the flag, what it came to, and why, as a clause (`it called no tool`)."""

    need: str
    mark: Mark
    why: str = ""


@dataclass(frozen=True)
class Rehearsal:
    """The last one of a variant: the model that was asked for, the one that says it answered, dollars, results."""

    at: datetime
    model: str
    answered: str = ""
    results: tuple[NeedResult, ...] = ()
    dollars: float = 0.0

    @property
    def failed(self) -> tuple[NeedResult, ...]:
        """The needs that it does not meet."""
        return tuple(one for one in self.results if one.mark is Mark.FAILED)

    @property
    def low(self) -> tuple[NeedResult, ...]:
        """What there is little left of."""
        return tuple(one for one in self.results if one.mark is Mark.LOW)


@dataclass(frozen=True)
class Rehearsals:
    """What a flag keeps of its rehearsals, by variant, and what they cost on the day (UTC) of the last one."""

    last: Mapping[str, Rehearsal] = field(default_factory=dict)
    tried: Mapping[str, datetime] = field(default_factory=dict)  # rehearsed or skipped
    skipped: Mapping[str, str] = field(default_factory=dict)  # why the last try was none
    asked_at: datetime | None = None  # by a person
    spent_on: str = ""
    dollars: float = 0.0

    def spent(self, day: str) -> float:
        """Dollars that this flag's rehearsals cost on that day."""
        return self.dollars if self.spent_on == day else 0.0
