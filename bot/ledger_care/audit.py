"""Detects edits of the ledger: at start it checks open streams, and once a day everything.

A start folds only the facts after the last audit's mark, and compares earlier ones with what was audited then.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta

import structlog

from bot.core.record.world import World
from bot.engine.engine import CommittingEngine
from bot.engine.tail import require_known
from bot.ports import Flaw, Ledger, Mark, StoreError, StoreTrouble

log = structlog.get_logger(__name__)

FIRST_AFTER_S = 600.0  # after the start, which skips long streams
EVERY_S = timedelta(days=1).total_seconds()  # real seconds
PAUSE_S = 0.02  # between two streams, so that reading a long history does not disturb other work
REMEDY = (
    "Restore a backup (docs/storage.md). Without one, {way} sets aside into a file what does not hold and keeps the rest; "
    "`understudy run --new-ledger` begins anew, and all flags are on their defaults then."
)
MOST_NAMED = 10
REMEDY_MISSING = (
    "Restore a backup (docs/storage.md). Without one, `understudy run --accept-missing` goes on with what is left: "
    "a flag whose facts are gone serves its default."
)


def remedy(streams: Sequence[str]) -> str:
    """What to do about facts that are not intact, with the commands for these streams."""
    return REMEDY.format(way=f"`understudy run {' '.join(f'--set-aside {stream}' for stream in streams[:MOST_NAMED])}`")


async def missing_words(ledger: Ledger) -> str:
    """That facts are missing from the ledger, and from which streams as far as known; empty if none are."""
    number = await ledger.read(lambda store: store.missing())
    if not number:
        return ""
    streams = await ledger.read(lambda store: store.missing_from())
    more = f" and {len(streams) - MOST_NAMED} more streams" if len(streams) > MOST_NAMED else ""
    whose = (
        f"facts of {', '.join(streams[:MOST_NAMED])}{more} are gone"
        if streams
        else "nothing that is left says of which streams"
    )
    return f"{number:,} of its facts {'was' if number == 1 else 'were'} deleted, together with the state they led to ({whose})"


async def load_checked(engine: CommittingEngine, ledger: Ledger) -> World:
    """The committed world, after rebuilding states of open streams that do not follow from their facts.

    Raises StoreError if facts are not intact, or were written by a newer Understudy.
    """
    await _put_right(ledger, await ledger.read(lambda store: store.streams(only_open=True)), from_mark=True)
    try:
        return await engine.load()
    except (StoreError, ValueError, KeyError, TypeError):  # a finished incident's state cannot be read
        await _put_right(ledger, await ledger.read(lambda store: store.streams()), from_mark=False)
        return await engine.load()


async def _put_right(ledger: Ledger, streams: Sequence[str], *, from_mark: bool) -> None:
    try:
        audited = await ledger.read(lambda store: [store.audit(stream, from_mark=from_mark) for stream in streams])
    except StoreError as error:
        if error.kind is StoreTrouble.NEWER:
            await ledger.read(require_known)  # its error names everything unknown
        raise
    flaws = [one.flaw for one in audited if one.flaw]
    broken = [flaw.sentence for flaw in flaws if not flaw.facts_hold]
    if broken:
        others = len(broken) - 1
        more = f" ({others} more {'stream is' if others == 1 else 'streams are'} broken)" if others else ""
        way = remedy([flaw.stream for flaw in flaws if flaw.state is None])
        raise StoreError(f"the ledger was changed by hand: {broken[0]}{more}. {way}", kind=StoreTrouble.CORRUPT)
    if gone := await missing_words(ledger):
        sentence = f"the ledger was changed by hand: {gone}. {REMEDY_MISSING}"
        raise StoreError(sentence, kind=StoreTrouble.CORRUPT)
    for flaw in flaws:
        await _rebuild(ledger, flaw)
    await _keep(ledger, [one.mark for one in audited if one.mark])


async def _rebuild(ledger: Ledger, flaw: Flaw) -> None:
    await ledger.write(lambda store: store.rebuild(flaw.stream))
    log.error("a state in the ledger was rebuilt from its facts", why=flaw.sentence)


async def _keep(ledger: Ledger, marks: Sequence[Mark]) -> None:
    if marks:
        with suppress(StoreError):  # the disk refuses writes: the next start just reads a little longer
            await ledger.write(lambda store: store.keep_marks(marks))


class DailyAudit:
    """Reads every stream once a day; `tell` calls people if facts are not intact. The bot continues with what it has in memory.

    `acts` returns whether this replica should do it.
    """

    def __init__(self, ledger: Ledger, tell: Callable[[str, str], None], *, acts: Callable[[], bool] = lambda: True) -> None:
        self._acts = acts
        self._ledger = ledger
        self._tell = tell
        self._task: asyncio.Task[None] | None = None
        self.broken: tuple[str, ...] = ()

    @property
    def trouble(self) -> str:
        """What people should know; empty while every fact is intact."""
        return f"The ledger was changed by hand: {'; '.join(self.broken[:5])}." if self.broken else ""

    def start(self) -> None:
        """Start, some minutes from now."""
        self._task = asyncio.create_task(self._run(), name="daily audit")

    async def close(self) -> None:
        """Stop."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        await asyncio.sleep(FIRST_AFTER_S)
        while True:
            if not self._acts():  # another replica does it; it may become our turn later
                await asyncio.sleep(FIRST_AFTER_S)
                continue
            try:
                await self.look()
            except Exception:  # the root of a task: retried tomorrow
                log.exception("the ledger could not be audited")
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        """Read everything, stream by stream."""
        broken, streams, marks = [], [], []
        for stream in await self._ledger.read(lambda store: store.streams()):
            audited = await self._ledger.read(lambda store, stream=stream: store.audit(stream, from_mark=False))  # type: ignore[misc] # bound early
            flaw = audited.flaw
            marks += [audited.mark] if audited.mark else []
            if flaw and flaw.facts_hold:
                await _rebuild(self._ledger, flaw)
            elif flaw:
                log.error("the ledger was changed by hand", why=flaw.sentence)
                broken.append(flaw.sentence)
                streams.append(flaw.stream)
            await asyncio.sleep(PAUSE_S)
        if broken:
            await self._ledger.write(lambda store: store.forget_marks())  # the next start reads everything, and refuses
        else:
            await _keep(self._ledger, marks)
        way = remedy(streams)
        if not broken and (gone := await missing_words(self._ledger)):
            log.error("the ledger was changed by hand", why=gone)
            broken, way = [gone], REMEDY_MISSING
        if broken and tuple(broken) != self.broken:
            self._tell("Understudy's ledger was changed by hand", f"{'; '.join(broken[:5])}. {way}")
        self.broken = tuple(broken)
