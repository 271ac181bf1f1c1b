"""The result of rehearsing a fallback, and the history of rehearsals that a flag keeps."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum

from bot.core.lazy_dataclass import dataclass

QUOTA = "quota"  # a need that is never configured: it is judged whenever the provider reports its limits


class Mark(StrEnum):
    """The result of one need."""

    OK = "ok"
    FAILED = "failed"
    LOW = "low"  # it works, but little of it is left
    UNSUPPORTED = "unsupported"  # the dialect has no such feature, so nothing was asked


@dataclass(frozen=True)
class NeedResult:
    """One need of the flag, its result, and the reason as a clause (`it called no tool`)."""

    need: str
    mark: Mark
    why: str = ""


@dataclass(frozen=True)
class Rehearsal:
    """The last rehearsal of a variant: the model asked for, the model that answered, the cost in dollars, and the results."""

    at: datetime
    model: str
    answered: str = ""
    results: tuple[NeedResult, ...] = ()
    dollars: float = 0.0

    @property
    def failed(self) -> tuple[NeedResult, ...]:
        """The needs that the variant does not meet."""
        return tuple(one for one in self.results if one.mark is Mark.FAILED)

    @property
    def low(self) -> tuple[NeedResult, ...]:
        """The needs of which little is left."""
        return tuple(one for one in self.results if one.mark is Mark.LOW)


@dataclass(frozen=True)
class Rehearsals:
    """What a flag keeps of its rehearsals, by variant, and their cost on the day (UTC) of the last one."""

    last: Mapping[str, Rehearsal] = field(default_factory=dict)
    tried: Mapping[str, datetime] = field(default_factory=dict)  # rehearsed or skipped
    skipped: Mapping[str, str] = field(default_factory=dict)  # why the last attempt was skipped
    asked_at: datetime | None = None  # by a person
    spent_on: str = ""
    dollars: float = 0.0

    def spent(self, day: str) -> float:
        """The dollars that this flag's rehearsals cost on that day."""
        return self.dollars if self.spent_on == day else 0.0
