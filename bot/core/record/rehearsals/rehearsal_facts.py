"""The facts of a flag about its rehearsals."""

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
        """Whoever runs rehearsals sees the request, even after a restart."""
        return replace(state, rehearsals=replace(state.rehearsals, asked_at=fact.at))


@dataclass(frozen=True)
class Rehearsed(OfFlag, Body):
    """A fallback was tested for everything that the flag needs; people are told if that changes what they can rely on."""

    KIND = "flag.rehearsed"
    ANNOUNCED = True
    flag: str
    variant: str
    model: str  # the model asked for
    answered: str  # the model that answered, as it says; empty if the provider does not say
    results: tuple[NeedResult, ...]
    dollars: float
    tokens: int
    before: str = ""  # the model that answered last time, if different

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """Keep the variant's latest result, and add up the day's cost."""
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
    """A fallback was due but not rehearsed: the day's budget is spent, or there is no way to ask."""

    KIND = "flag.rehearsal_skipped"
    ANNOUNCED = True
    flag: str
    variant: str
    reason: str
    dollars: float = 0.0  # cost of what was asked before our own network failed

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """Keep the variant's last result; the money counts as spent."""
        known, day = state.rehearsals, f"{fact.at:%Y-%m-%d}"
        kept = replace(
            known, tried={**known.tried, self.variant: fact.at}, skipped={**known.skipped, self.variant: self.reason},
            spent_on=day, dollars=known.spent(day) + self.dollars,
        )  # fmt: skip
        return replace(state, rehearsals=kept)
