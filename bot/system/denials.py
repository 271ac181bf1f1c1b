"""Who was refused what: logged and recorded, at most once a minute per person.

Refusals are not facts: facts record changes, and anybody could fill the ledger by asking. The newest are stored beside the
facts, as a setting, so that an admin can see them after a restart too.
"""

import asyncio
import json
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import Any

import structlog

from bot.core.lazy_dataclass import dataclass
from bot.ports import Ledger, Store, StoreError
from bot.system.clock import Clock
from bot.system.logs import RateLimitedLog
from bot.system.redaction import Redactor
from bot.system.remembered import read_back

log = structlog.get_logger(__name__)

SETTING = "denied attempts"  # the setting in the ledger that holds the newest refusals
KEPT = 200  # the oldest are dropped first
MOST = 1_000  # people tracked separately; beyond that, counting starts again
MOST_CHARS = 80  # in a name


@dataclass(frozen=True)
class Attempt:
    """Somebody tried to do something without the right to. `held_back` counts their attempts that were not recorded."""

    at: datetime
    who: str
    name: str
    role: str
    what: str
    incident: int | None = None
    held_back: int = 0


class Denials:
    """Records refusals, without secrets. Without a ledger they are kept until the process ends."""

    def __init__(self, clock: Clock, ledger: Ledger | None = None, redactor: Redactor | None = None) -> None:
        self._redactor = redactor or Redactor(())
        self._clock = clock
        self._ledger = ledger
        self._rate_limited = RateLimitedLog(clock)
        self._people: set[str] = set()
        self._attempts: deque[Attempt] = deque(maxlen=KEPT)
        self._keeping: asyncio.Task[None] | None = None
        self._again = False

    async def newest(self) -> list[Attempt]:
        """The recorded refusals, newest first, including those of other replicas."""
        before: Sequence[Attempt] = ()
        if self._ledger is not None:
            try:
                before = _attempts(await self._ledger.read(lambda store: store.setting(SETTING)))
            except StoreError as error:
                log.debug("denied attempts at other replicas cannot be read", why=str(error))
        return list(reversed(_newest(*before, *self._attempts)))

    async def recall(self) -> None:
        """Load what was recorded before this start. Raises StoreError."""
        if self._ledger is None:
            return
        before = _attempts(await self._ledger.read(lambda store: store.setting(SETTING)))
        self._attempts.extendleft(reversed(before[-KEPT:]))

    def note(self, who: str, role: str, what: str, *, name: str = "", incident: int | None = None) -> None:
        """Somebody tried to do something without the right to."""
        if who not in self._people and len(self._people) >= MOST:
            self._people.clear()
            self._rate_limited = RateLimitedLog(self._clock)
        self._people.add(who)
        if (unsaid := self._rate_limited.may(who)) is None:
            return
        what, name = self._redactor.text(what), self._redactor.text(name[:MOST_CHARS])
        log.warning("denied", who=who, role=role, what=what, since_last=unsaid)
        self._attempts.append(Attempt(self._clock.now(), who, name, role, what, incident, unsaid))
        self._keep_soon()

    async def close(self) -> None:
        """Wait until everything noted is recorded."""
        if self._keeping:
            await asyncio.wait({self._keeping})

    def _keep_soon(self) -> None:
        if self._ledger is None:
            return
        if self._keeping and not self._keeping.done():
            self._again = True
            return
        self._keeping = asyncio.create_task(self._keep(self._ledger), name="keep denied attempts")

    async def _keep(self, ledger: Ledger) -> None:
        self._again = True
        while self._again:
            self._again = False
            try:
                kept = await ledger.write(partial(_put, tuple(self._attempts)))
            except StoreError as error:
                log.warning("denied attempts could not be saved", why=str(error))
            else:
                self._attempts = deque(_newest(*kept, *self._attempts), maxlen=KEPT)


def _put(mine: Sequence[Attempt], store: Store) -> Sequence[Attempt]:
    """Record these beside those of other replicas; returns the result."""
    kept = _newest(*_attempts(store.setting(SETTING)), *mine)
    store.put_setting(SETTING, json.dumps([asdict(one) | {"at": one.at.isoformat()} for one in kept]))
    return kept


def _newest(*attempts: Attempt) -> Sequence[Attempt]:
    """Each once, the newest last."""
    return sorted(dict.fromkeys(attempts), key=lambda one: one.at)[-KEPT:]


def _attempts(text: str | None) -> Sequence[Attempt]:
    found = read_back(text, SETTING)
    return [attempt for one in (found if isinstance(found, list) else ()) if (attempt := _read(one))]


def _read(one: Any) -> Attempt | None:
    """One recorded attempt; None if it cannot be read."""
    try:
        incident = None if one["incident"] is None else int(one["incident"])
        who, name, role, what = (str(one[name]) for name in ("who", "name", "role", "what"))
        return Attempt(_moment(one["at"]), who, name, role, what, incident, int(one["held_back"]))
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _moment(text: str) -> datetime:
    """In UTC, even without a zone. Raises ValueError or OverflowError for an invalid time."""
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
