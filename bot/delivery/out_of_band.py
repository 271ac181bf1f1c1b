"""When Slack does not take an alert, people are told by other means: once per incident, and again if it ends unseen."""

import asyncio
import json
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from typing import Any

import structlog

from bot.core.decide.paging import waits_for_people
from bot.core.effects import ALL, About, PostAlert, decode_effect
from bot.core.record.fact import Fact
from bot.core.record.incident import Incident
from bot.core.record.sight import SightLost, SightRegained
from bot.ports import EffectError, Engine, Ledger, Notifier, OutboxRow, StoreError
from bot.system.clock import Clock
from bot.views.component_messages import sight_words
from bot.views.incident.texts import out_of_band

log = structlog.get_logger(__name__)

EFFECT_TOLD_FOR = timedelta(days=30)  # no row is retried for longer
LOSS_TOLD_FOR = timedelta(hours=1)  # within this time, replicas that notice the loss of the channel report one loss
LOST = "the alerts channel is lost"
REFUSED = "it was refused for good"  # why, after a restart
WORTH_A_PAGE = timedelta(minutes=1)  # a shorter wait that Slack or our own pacing asks for is no trouble


class AlertsByOtherWays:
    """Listens to the outbox's failures and calls the notifier; failures of the notifier are logged per address.

    The ledger records what was told, since another replica or the next start may try the same row. If no
    address took it, it counts as not told, and is told again when the outbox tries again.
    """

    def __init__(self, notifier: Notifier, engine: Engine, clock: Clock, ledger: Ledger) -> None:
        self._ledger = ledger
        self._notifier = notifier
        self._engine = engine
        self._clock = clock
        self._told: set[str] = set()
        self._refused: dict[str, str] = {}  # why Slack refused it for good
        self._tasks: set[asyncio.Task[object]] = set()

    def on_trouble(self, row: OutboxRow, error: EffectError) -> None:
        """An effect failed; an urgent one is told by other means, once."""
        effect = row.effect
        incident = self._engine.world.incidents.get(effect.incident or 0)  # nobody is called for one that ended long ago
        name = effect.body.urgent_as(About(effect.stream, effect.seq, effect.incident))
        if not effect.body.URGENT or name in self._told or incident is None or not incident.calls_people:
            return
        if error.retry_after is not None and error.retry_after < WORTH_A_PAGE:
            return
        self._told.add(name)
        if error.permanent:
            self._refused[name] = str(error)
        self._soon(self._say_first(name, EFFECT_TOLD_FOR, *out_of_band(effect.body, incident, self._engine.world, str(error))))

    def retry_refused(self) -> None:
        """Send alerts that Slack refused for good and no address accepted yet: the outbox does not try those again."""
        for incident in self._engine.world.open_incidents():
            name, body = lost_alert(incident)
            if body is None or name in self._told or not waits_for_people(incident):
                continue
            self._told.add(name)
            words = out_of_band(body, incident, self._engine.world, self._refused.get(name, REFUSED))
            self._soon(self._say_first(name, EFFECT_TOLD_FOR, *words))

    def on_facts(self, facts: Sequence[Fact]) -> None:
        """While we are blind Slack may be unreachable too, so people are told by other means as well."""
        for fact in facts:
            if fact.stream == "sight" and isinstance(fact.body, SightLost | SightRegained):
                title = "Understudy is blind" if isinstance(fact.body, SightLost) else "Understudy sees again"
                self.tell(title, sight_words(fact.body))

    def on_lost_channel(self, trouble: str) -> None:
        """The alerts channel cannot be posted to any more."""
        log.error("the alerts channel is lost", why=trouble)
        self._soon(self._say_first(LOST, LOSS_TOLD_FOR, "Understudy's alerts channel is lost", trouble))

    def on_found_channel(self) -> None:
        """The channel works again; the next loss is a new one."""
        self._soon(self._forget(LOST))

    def tell(self, title: str, body: str) -> None:
        """Send in the background: nobody waits for a pager that hangs."""
        self._soon(self.say(title, body))

    def _soon(self, saying: Coroutine[Any, Any, object]) -> None:
        task = asyncio.create_task(saying, name="out-of-band")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _say_first(self, what: str, keep: timedelta, title: str, body: str) -> None:
        """Send unless somebody did so within that time; if the ledger cannot tell, twice is better than never."""
        at = self._clock.now()
        try:
            first = await self._ledger.write(lambda store: store.first_sight(_mark(what), at, keep))
        except StoreError as error:
            log.debug("it is unknown whether this notice was sent before", what=what, why=str(error))
            first = True
        if first and not await self.say(title, body):
            await self._forget(what)

    async def _forget(self, what: str) -> None:
        """Allow it to be told again."""
        self._told.discard(what)
        try:
            await self._ledger.write(lambda store: store.forget_sight(_mark(what)))
        except StoreError as error:
            log.warning("it stays marked as sent for a while", what=what, why=str(error))

    async def say(self, title: str, body: str) -> bool:
        """Send to every address of `notify`; False where there are some and none took it."""
        called = await self._notifier.call(title, body, (ALL,))
        for problem in called.problems:
            log.error("an out-of-band notice was not sent", why=problem)
        return bool(called.reached) or not called.problems

    async def close(self) -> None:
        """Wait for notices that are being sent."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5.0)


def lost_alert(incident: Incident) -> tuple[str, PostAlert | None]:
    """The alert that Slack refused for good, with the name under which it is sent; None if none is left."""
    for lost in reversed(incident.undelivered):
        if lost.what == PostAlert.KIND and lost.fields:
            body = decode_effect(lost.what, json.loads(lost.fields))
            if isinstance(body, PostAlert):
                return body.urgent_as(About(lost.stream, lost.seq, incident.number)), body
    return "", None


def _mark(what: str) -> str:
    """Its id in the ledger."""
    return f"told by other ways/{what}"
