"""The facts of a flag that tell of its rehearsals."""

from dataclasses import replace

from bot.core.lazy_dataclass import dataclass
from bot.core.record.fact import Body, Fact, OfFlag, Reasoned
from bot.core.record.flag import FlagState
from bot.core.rehearsal import NeedResult, Rehearsal


@dataclass(frozen=True)
class RehearsalAsked(OfFlag, Body):
    """Somebody wants the fallbacks of a flag rehearsed now."""

    KIND = "flag.rehearsal_asked"
    flag: str

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """Whoever runs rehearsals sees it, also after a restart."""
        return replace(state, rehearsals=replace(state.rehearsals, asked_at=fact.at))


@dataclass(frozen=True)
class Rehearsed(OfFlag, Body):
    """A fallback was asked for everything that the flag needs; people are told where that changed what they may count on."""

    KIND = "flag.rehearsed"
    ANNOUNCED = True
    flag: str
    variant: str
    model: str  # that was asked for
    answered: str  # that says it answered; empty where the provider does not say
    results: tuple[NeedResult, ...]
    dollars: float
    tokens: int
    before: str = ""  # the model that answered last time, where it was another one

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """The last result of the variant, and the day's costs."""
        known, day = state.rehearsals, f"{fact.at:%Y-%m-%d}"
        last = Rehearsal(fact.at, self.model, self.answered, self.results, self.dollars)
        skipped = {variant: why for variant, why in known.skipped.items() if variant != self.variant}
        kept = replace(
            known, last={**known.last, self.variant: last}, tried={**known.tried, self.variant: fact.at}, skipped=skipped,
            spent_on=day, dollars=known.spent(day) + self.dollars,
        )  # fmt: skip
        return replace(state, rehearsals=kept)


@dataclass(frozen=True)
class RehearsalSkipped(OfFlag, Reasoned, Body):
    """A fallback was due for a rehearsal and not rehearsed: the day's budget is spent, or there is nothing to ask with."""

    KIND = "flag.rehearsal_skipped"
    ANNOUNCED = True
    flag: str
    variant: str
    reason: str
    dollars: float = 0.0  # of what was asked before our own line failed

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """What was known of the variant stays; what was spent is spent."""
        known, day = state.rehearsals, f"{fact.at:%Y-%m-%d}"
        kept = replace(
            known, tried={**known.tried, self.variant: fact.at}, skipped={**known.skipped, self.variant: self.reason},
            spent_on=day, dollars=known.spent(day) + self.dollars,
        )  # fmt: skip
        return replace(state, rehearsals=kept)
