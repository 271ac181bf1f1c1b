"""Who carries effects out: a table from the effect's class to its performer."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Any

from bot.core.effects import Certainty, EffectBody
from bot.core.lazy_dataclass import dataclass
from bot.ports.ledger import OutboxRow


class HandsOff(Exception):  # noqa: N818 # a thing that happens, not a fault
    """Others may count this replica as dead by now, so the effect is theirs: it is not begun, and nothing is written of it."""


_look: ContextVar[Callable[[], None] | None] = ContextVar("last look", default=None)


@contextmanager
def looks_last(look: Callable[[], None]) -> Iterator[None]:
    """What is done inside asks `look`, which raises HandsOff, before anything leaves the process."""
    token = _look.set(look)
    try:
        yield
    finally:
        _look.reset(token)


def last_look() -> None:
    """Whether what is under way may still be done: asked as late as can be, right before a request is written.

    Raises HandsOff; outside of the outbox it never does.
    """
    if (look := _look.get()) is not None:
        look()


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
    """What an effect's doing gave: where a post stands, a channel's id and name; whom a page or an invitation
    reached, and whom a page did not."""

    channel: str = ""
    ts: str = ""
    name: str = ""
    reached: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class Wait:
    """An effect's turn has not come, or its next try will go another way: no trouble. `until` where it is known."""

    reason: str
    until: datetime | None = None


@dataclass(frozen=True)
class Performer:
    """How effects of one class are carried out. Both get the effect and its row, and raise EffectError.

    `find` says whether it was carried out already, by the row's key (None: it was not); for effects that are looked up.
    """

    perform: Callable[[Any, OutboxRow], Awaitable[Performed | Wait]]
    find: Callable[[Any, OutboxRow], Awaitable[Performed | Wait | None]] | None = None


Performers = Mapping[type[EffectBody], Performer]


def together(*tables: Performers) -> Performers:
    """One table of several; raises ValueError where two would carry out the same, or a look-up is missing."""
    merged: dict[type[EffectBody], Performer] = {}
    for table in tables:
        for kind, performer in table.items():
            if kind in merged:
                raise ValueError(f"{kind.__name__} has two performers")
            if kind.CERTAINTY is Certainty.LOOKED_UP and performer.find is None:
                raise ValueError(f"{kind.__name__} is to be looked up, and its performer cannot")
            merged[kind] = performer
    return merged
