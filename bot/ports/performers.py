"""Who carries out effects: a table from an effect's class to its performer."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Any

from bot.core.effects import Certainty, EffectBody
from bot.core.lazy_dataclass import dataclass
from bot.ports.ledger import OutboxRow


class LeaseLost(Exception):  # noqa: N818 # an outcome, not a bug
    """Others may count this replica as dead by now, so the effect is theirs: do not start it, and record nothing about it."""


_lease_check: ContextVar[Callable[[], None] | None] = ContextVar("lease check", default=None)


@contextmanager
def lease_checked_by(check: Callable[[], None]) -> Iterator[None]:
    """Inside, `check` is called before anything leaves the process; it raises LeaseLost."""
    token = _lease_check.set(check)
    try:
        yield
    finally:
        _lease_check.reset(token)


def check_lease() -> None:
    """Check that the work in progress may continue: called as late as possible, just before a request is written.

    Raises LeaseLost; never outside the outbox.
    """
    if (check := _lease_check.get()) is not None:
        check()


class EffectError(Exception):
    """An effect was not carried out, or nobody knows.

    `permanent` means that repeating it cannot help; `unclear` that it may have been carried out; `retry_after` is how long the
    other side asks to wait. The sentence says what to do.
    """

    def __init__(
        self, sentence: str, *, permanent: bool, unclear: bool = False, retry_after: timedelta | None = None
    ) -> None:  # fmt: skip
        super().__init__(sentence)
        self.permanent = permanent
        self.unclear = unclear
        self.retry_after = retry_after


@dataclass(frozen=True)
class Performed:
    """The result of an effect: a post's position, a channel's id and name, and for pages and invitations whom they reached.

    For pages also whom they did not reach.
    """

    channel: str = ""
    ts: str = ""
    name: str = ""
    reached: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class Wait:
    """An effect must wait, or its next attempt will go another way; not a failure. `until` if known."""

    reason: str
    until: datetime | None = None


@dataclass(frozen=True)
class Performer:
    """Carries out effects of one class. Both functions get the effect and its row, and raise EffectError.

    `find` looks up by the row's key whether it was already carried out (None: it was not); for effects that can be looked up.
    """

    perform: Callable[[Any, OutboxRow], Awaitable[Performed | Wait]]
    find: Callable[[Any, OutboxRow], Awaitable[Performed | Wait | None]] | None = None


Performers = Mapping[type[EffectBody], Performer]


def together(*tables: Performers) -> Performers:
    """Several tables as one; raises ValueError if two handle the same effect, or a look-up is missing."""
    merged: dict[type[EffectBody], Performer] = {}
    for table in tables:
        for kind, performer in table.items():
            if kind in merged:
                raise ValueError(f"{kind.__name__} has two performers")
            if kind.CERTAINTY is Certainty.LOOKED_UP and performer.find is None:
                raise ValueError(f"{kind.__name__} is to be looked up, and its performer cannot")
            merged[kind] = performer
    return merged
