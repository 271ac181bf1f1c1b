"""What a check may spend per day, and what it has spent: probing models costs money, and quota that services need."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from bot.core.lazy_dataclass import dataclass
from bot.system.clock import Clock

CALLS_A_DAY = 3_000  # once a minute is 1,440; the rest is for rechecks


@dataclass(frozen=True)
class Budget:
    """Paid calls, and tokens in and out together (None: no limit), per check and UTC day."""

    calls_per_day: int = CALLS_A_DAY
    tokens_per_day: int | None = None


@dataclass(frozen=True)
class Spent:
    """What a check has spent today."""

    calls: int = 0
    tokens: int = 0


USUAL = Budget()


class BudgetBook:
    """What each check has spent on this UTC day of the domain clock. In memory; `snapshot` and `restore` persist it.

    Setting the wall clock back across midnight does not give a new budget; setting it back by days does.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._day = clock.now().date()
        self._spent: dict[str, Spent] = {}

    def spent(self, check_id: str) -> Spent:
        """What a check has spent today."""
        self._turn()
        return self._spent.get(check_id, Spent())

    def exhausted(self, check_id: str, budget: Budget) -> str:
        """The limit that is reached, as a clause (`budget of 3000 calls a day is spent`); empty while something is left."""
        spent = self.spent(check_id)
        if spent.calls >= budget.calls_per_day:
            return f"budget of {budget.calls_per_day} calls a day is spent"
        if budget.tokens_per_day is not None and spent.tokens >= budget.tokens_per_day:
            return f"budget of {budget.tokens_per_day} tokens a day is spent"
        return ""

    def charge(self, check_id: str, tokens: int) -> None:
        """Record one call of a check, with its tokens."""
        spent = self.spent(check_id)
        self._spent[check_id] = Spent(spent.calls + 1, spent.tokens + max(0, tokens))

    def snapshot(self) -> dict[str, Any]:
        """The book as JSON: `{"day": "2030-01-07", "spent": {check: [calls, tokens]}}`."""
        self._turn()
        return {"day": self._day.isoformat(), "spent": {id_: [row.calls, row.tokens] for id_, row in self._spent.items()}}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Restore what was spent before a restart; a snapshot of another day changes nothing.

        Raises ValueError if it is not a snapshot.
        """
        if (rows := self._rows(snapshot)) is None:
            return
        for id_, row in rows.items():
            now = self._spent.get(id_, Spent())
            self._spent[id_] = Spent(now.calls + row.calls, now.tokens + row.tokens)

    def adopt(self, snapshot: Mapping[str, Any]) -> None:
        """Count at least what another replica, which ran these checks before, reports for today. Raises ValueError."""
        for id_, row in (self._rows(snapshot) or {}).items():
            now = self._spent.get(id_, Spent())
            self._spent[id_] = Spent(max(now.calls, row.calls), max(now.tokens, row.tokens))

    def _rows(self, snapshot: Mapping[str, Any]) -> dict[str, Spent] | None:
        """The content of today's snapshot; None for another day."""
        self._turn()
        try:
            day = date.fromisoformat(snapshot["day"])
            rows = {str(id_): Spent(int(calls), int(tokens)) for id_, (calls, tokens) in snapshot["spent"].items()}
        except (KeyError, TypeError, AttributeError) as exc:
            raise ValueError("the stored budgets are not shaped as `snapshot` makes them") from exc
        return rows if day == self._day else None

    def _turn(self) -> None:
        today = self._clock.now().date()
        if today > self._day or self._day - today > timedelta(days=1):
            self._day, self._spent = today, {}
