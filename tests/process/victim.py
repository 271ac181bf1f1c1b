"""A bot in a process of its own that dies by kill -9 at a named point of its ledger; run by test_killed.py.

`victim.py CONFIG DATA POINT`, where POINT is `before:KIND`, `after:KIND` (a kind of fact, around the commit that first holds
it) or `never`. Deaths at Slack's side of a call are dealt by the workspace of the test.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from bot.app import build
from bot.cli.run import serve
from bot.config.load import load
from bot.engine.outbox import OutboxTiming
from bot.ports import Commit, Store
from bot.store.samples.sqlite import open_samples
from bot.store.sqlite.ledgers import SqliteLedger, open_ledger
from bot.wiring.parts import Parts

T = TypeVar("T")


class Watched:
    """A store that reports what is committed."""

    def __init__(self, store: Store, sees: Callable[[Commit], None]) -> None:
        self._store = store
        self._sees = sees

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def commit(self, commit: Commit) -> Any:
        self._sees(commit)
        return self._store.commit(commit)


class DeadlyLedger:
    """A ledger that kills its process before a commit, or after it is durable and before anybody learns of it."""

    def __init__(self, inner: SqliteLedger, point: str) -> None:
        self._inner = inner
        self.shared, self.on_commit = inner.shared, inner.on_commit
        self._when, _, self._kind = point.partition(":")

    async def write(self, work: Callable[[Store], T]) -> T:
        held = False

        def sees(commit: Commit) -> None:
            nonlocal held
            held = any(fact.body.KIND == self._kind for fact in commit.facts)
            if held and self._when == "before":
                os.kill(os.getpid(), signal.SIGKILL)

        result = await self._inner.write(lambda store: work(Watched(store, sees)))  # type: ignore[arg-type] # the same shape
        if held and self._when == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    async def read(self, work: Callable[[Store], T]) -> T:
        return await self._inner.read(work)

    async def close(self) -> None:
        await self._inner.close()


async def main(config: Path, data: Path, point: str) -> None:
    ledger = DeadlyLedger(await open_ledger(data), point)
    parts = Parts(ledger=ledger, samples=await open_samples(data), pace=OutboxTiming(settle_for=timedelta(seconds=1)))
    await serve(build(load(config, {}), data=data, parts=parts))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
