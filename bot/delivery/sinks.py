"""Writes to sinks what their flags serve, and checks every minute whether it is still there.

A sink's original value is stored in the ledger before the first change, so that a bot killed in between still knows what to
restore. It is never part of facts or messages, since such files may contain secrets.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from hashlib import sha256

import structlog

from bot.core.effects import FeedSink
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Actor
from bot.core.policy import SinkPolicy
from bot.core.record.sinks.sink import sink_id
from bot.core.signals.sinks import SinkLooked, SinkPut, SinkRefused
from bot.flags.board import FlagBoard
from bot.flags.evaluate import Snapshot
from bot.flags.flagd import definitions
from bot.ports import EffectError, Engine, Ledger, OutboxRow, Performed, Performer, Performers, StoreError, Wait
from bot.ports.sinks import Sink, SinkError, Target
from bot.system.clock import Clock

log = structlog.get_logger(__name__)

DEADLINE_S = 30.0  # for one complete attempt; below the lease of the outbox
LOOK_EVERY_S = 60.0
SOONEST, LATEST = timedelta(seconds=1), timedelta(minutes=5)  # between attempts, whatever a sink asks for
FEEDER = Actor.rule("sinks")

SinkKey = tuple[str, str]  # the flag's key and the sink's id


@dataclass(frozen=True)
class OriginalValue:
    """A sink's original value, and whether it still must be restored."""

    text: str
    owed: bool


class Sinks:
    """All configured sinks. `on_try` is called for each attempt with the flag, the sink and whether it succeeded."""

    def __init__(
        self, sinks: Mapping[SinkKey, Sink], board: FlagBoard, engine: Engine, ledger: Ledger, clock: Clock,
        on_try: Callable[[str, str, bool], None] = lambda flag, sink, well: None, acts: Callable[[], bool] = lambda: True,
    ) -> None:  # fmt: skip
        self._sinks = sinks
        self._board = board
        self._engine = engine
        self._ledger = ledger
        self._clock = clock
        self._on_try = on_try
        self._acts = acts  # whether this replica checks sinks
        self._looking: asyncio.Task[None] | None = None

    def performers(self) -> Performers:
        """The performers for these effects."""
        return {FeedSink: Performer(self._feed)}

    # --- writing

    async def _feed(self, body: FeedSink, row: OutboxRow) -> Performed | Wait:
        sink = self._sinks.get((body.flag, body.sink))
        if sink is None and self._policy_of(body):
            return Wait("it has just come into the configuration")
        if sink is None:  # a rule tells people, and orders it again once it is configured
            raise EffectError("it left the configuration, and is left as it is", permanent=True)
        try:
            target = target_of(self._board.snapshot, body.flag, order=row.effect.key)
            async with asyncio.timeout(DEADLINE_S):
                seen = await self._put(sink, target, body)
        except StoreError:
            raise  # the row keeps its lease, and is taken over after that
        except SinkError as error:
            raise await self._refused(body, row, str(error), permanent=error.permanent, waits=error.retry_after) from error
        except TimeoutError as error:
            raise await self._refused(body, row, f"it did not take it within {DEADLINE_S:.0f} s") from error
        except Exception as error:  # giving up an order because of our own bug would leave the sink wrong for ever
            log.exception("updating a sink crashed: this is a bug in Understudy", flag=body.flag, sink=body.sink)
            raise await self._refused(body, row, f"internal error: {type(error).__name__}", permanent=True) from error
        self._on_try(body.flag, body.sink, True)
        put = SinkPut(
            actor=FEEDER, flag=body.flag, sink=body.sink, variant=target.variant, share_back=target.share_back, seen=seen
        )  # fmt: skip
        await self._engine.handle(put)
        return Performed()

    async def _refused(
        self, body: FeedSink, row: OutboxRow, words: str, *, permanent: bool = False, waits: timedelta | None = None
    ) -> EffectError:
        """The outbox's result of a failed attempt: retry for ever, so that a repair of the sink is all it takes."""
        self._on_try(body.flag, body.sink, False)
        wait = None if waits is None else min(max(waits, SOONEST), LATEST)
        refused = SinkRefused(
            actor=FEEDER, flag=body.flag, sink=body.sink, reason=words, permanent=permanent, attempt=row.attempt,
            waits=wait or timedelta(0),
        )  # fmt: skip
        await self._engine.handle(refused)
        return EffectError(words, permanent=False, retry_after=wait)

    async def _put(self, sink: Sink, target: Target, body: FeedSink) -> str:
        name = setting_of(body.flag, body.sink)
        before = await self._before(name)
        if not target.variant:
            if before is None or not before.owed:
                policy = self._policy_of(body)
                return await sink.apply(target) if policy and policy.at_rest else ""
            seen = await sink.revert(target, before.text)
            await self._keep(name, OriginalValue(before.text, owed=False))
            return seen
        if before is None or not before.owed:
            await self._keep(name, OriginalValue((await sink.plan(target)).before, owed=True))
        return await sink.apply(target)

    def _policy_of(self, body: FeedSink) -> SinkPolicy | None:
        return next((one for one in self._engine.policy.sinks_of(body.flag) if one.id == body.sink), None)

    async def _before(self, name: str) -> OriginalValue | None:
        text = await self._ledger.read(lambda store: store.setting(name))
        if text is None:
            return None
        kept = json.loads(text)
        return OriginalValue(kept["before"], kept["owed"])

    async def _keep(self, name: str, before: OriginalValue) -> None:
        text = json.dumps({"before": before.text, "owed": before.owed})
        await self._ledger.write(lambda store: store.put_setting(name, text))

    # --- checking

    def start(self) -> None:
        """Start checking, every minute."""
        if self._sinks:
            self._looking = asyncio.create_task(self._look_for_ever(), name="sinks")

    async def close(self) -> None:
        """Stop."""
        if self._looking:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def look(self) -> None:
        """Read each sink that holds a fallback of ours. One that cannot be read now reports nothing."""
        await asyncio.gather(*(self._look_at(key, sink) for key, sink in self._sinks.items()))

    async def _look_at(self, key: SinkKey, sink: Sink) -> None:
        flag, name = key
        state = self._engine.world.sink(flag, name)
        if state.on_its_way or state.done is None or not state.done.variant or not state.seen:
            return
        as_of = self._engine.world.seqs.get(f"sink/{sink_id(flag, name)}", 0)
        try:
            async with asyncio.timeout(DEADLINE_S):
                seen = await sink.read_back()
        except (SinkError, TimeoutError) as error:
            log.warning("a sink cannot be read back", flag=flag, sink=name, why=str(error))
            return
        await self._engine.handle(SinkLooked(actor=FEEDER, flag=flag, sink=name, seen=seen, as_of=as_of))

    async def _look_for_ever(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S / self._clock.speed)
            if self._acts():
                await _logged(self.look)


async def _logged(look: Callable[[], Awaitable[None]]) -> None:
    try:
        await look()
    except StoreError as error:
        log.warning("the state of the sinks cannot be saved", why=str(error))
    except Exception:  # the root of a task: a bug in one check must not end all of them
        log.exception("checking the sinks crashed: this is a bug in Understudy")


def setting_of(flag: str, sink: str) -> str:
    """The name under which the ledger stores the sink's original value."""
    return f"sinks/{sink_id(flag, sink)}"


def target_of(snapshot: Snapshot, flag: str, *, order: str = "") -> Target:
    """What the sinks of a flag should hold, as readers get it. Raises SinkError if that is unknown."""
    entry = snapshot.entries.get(flag)
    if entry is None:
        raise SinkError(f"the flag {flag} is not configured any more", permanent=True)
    if entry.lost:
        raise SinkError("the flag is engaged on a variant that left the configuration", permanent=True)
    engagement = entry.engagement
    return Target(
        flag=flag,
        variant=engagement.variant if engagement else "",
        share_back=engagement.share_back if engagement else 0,
        default=entry.policy.default,
        values=entry.values,
        metadata=entry.metadata,
        definitions=definitions(snapshot, only=flag),
        id=f"msg_{sha256(order.encode()).hexdigest()[:24]}",
    )
