"""Signals decided in a row and committed together, and the answer to each."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.core.answers.base import Answer, DoneAlready, NotOurs
from bot.core.decide.step import step
from bot.core.effects import Effect
from bot.core.policy import Policy
from bot.core.record.fact import Fact
from bot.core.signals import Signal
from bot.engine.tail import LedgerView
from bot.engine.world_reading import changed_states
from bot.ports import Commit, Fence, NewFact


@dataclass(eq=False)
class Request:
    """A signal that waits for its answer. Its sender may be gone by then."""

    signal: Signal
    answered: "asyncio.Future[Answer]"
    fence: Fence | None = None  # what must still be true of the replica at commit, if it decides by itself

    def answer(self, answer: Answer) -> None:
        """Deliver the answer."""
        self.answered.set_result(answer)

    def fail(self, error: BaseException) -> None:
        """Raise this error in the sender."""
        self.answered.set_exception(error)
        self.answered.exception()  # retrieved, so that asyncio does not complain if nobody awaits it


class DecidedBatch:
    """Signals decided one after the other, each in the world that the previous ones left, not committed yet."""

    def __init__(self, seen: LedgerView) -> None:
        self.world = seen.world
        self.facts: list[Fact] = []
        self._seen = seen
        self._effects: list[Effect] = []
        self._signals: dict[str, str] = {}  # the digest of each
        self._fence: Fence | None = None
        self._answers: list[tuple[Request, Answer | Exception]] = []

    def decide(self, request: Request, now: datetime, policy: Policy) -> int:
        """Decide one more signal; returns how many facts that produced."""
        signal = request.signal
        try:
            decided = step(self.world, signal, now, policy)
        except Exception as error:  # noqa: BLE001 # raised in this signal's sender; the others continue
            self._answers.append((request, error))
            return 0
        if decided.facts and signal.id in self._signals:
            self._answers.append((request, done_already(decided.answer)))
            return 0
        if decided.facts:
            self.world = decided.world
            self.facts += decided.facts
            self._effects += decided.effects
            if request.fence is not None:
                self._fence = request.fence.within(self._fence)
            if signal.id:
                self._signals[signal.id] = signal.digest
        self._answers.append((request, decided.answer))
        return len(decided.facts)

    def commit(self) -> Commit:
        """One commit of everything decided, based on the world seen."""
        return Commit(
            signals=tuple(self._signals),
            digests={id: digest for id, digest in self._signals.items() if digest},
            at=self.facts[0].at,
            facts=tuple(NewFact(x.stream, x.seq, x.actor, x.incident, x.body) for x in self.facts),
            states=changed_states(self._seen.world, self.world),
            effects=tuple(self._effects),
            expects=self._seen.position,
            fence=self._fence,
        )

    def answer(self, worded: Callable[[Answer], Answer] = lambda answer: answer) -> None:
        """Deliver each answer."""
        for request, answer in self._answers:
            if isinstance(answer, Answer):
                request.answer(worded(answer))
            else:
                request.fail(answer)


def done_already(answer: Answer) -> Answer:
    """The answer to a signal whose id was handled before."""
    return DoneAlready(incident=answer.incident, flag=answer.flag)


def not_ours(answer: Answer) -> Answer:
    """The answer to a signal that another replica may have decided."""
    return NotOurs(incident=answer.incident, flag=answer.flag)
