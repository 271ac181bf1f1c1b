"""Who is behind a name at this moment. Answers within seconds, from the last read if the source is unavailable."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from bot.core.codec import decode, encode
from bot.core.effects import HERE
from bot.core.lazy_dataclass import dataclass
from bot.on_call.shifts import Rota, Shift, Source, SourceError, on_duty
from bot.ports import ChatError, GroupGone, Ledger, OnDuty, StoreError
from bot.system.clock import Clock
from bot.system.remembered import read_back

log = structlog.get_logger(__name__)

SETTING = "on call"  # the setting in the ledger that holds each source's last answer
FRESH_FOR = timedelta(seconds=60)  # a source is not asked again sooner
ANSWER_WITHIN_S = 4.0  # a page waits no longer than this to learn whom to call
REFRESH_S = 300.0
NOT_AGAIN_FOR = timedelta(seconds=10)  # before a failed source is asked again: a page and its report ask one after the other
USER = re.compile(r"[UW][A-Z0-9]{2,}")
GROUP = re.compile(r"S[A-Z0-9]{2,}")

Members = Callable[[str], Awaitable[Sequence[str]]]
HasLeft = Callable[[str], Awaitable[bool]]


@dataclass(frozen=True)
class Read:
    """A source's answer, and when it was given."""

    at: datetime
    shifts: tuple[Shift, ...]


@dataclass(frozen=True)
class UserGroup:
    """A user group in Slack: its members are on call."""

    id: str
    members: Members

    async def shifts(self, now: datetime) -> Sequence[Shift]:
        """Its current members. Raises SourceError, and GroupGone if the group no longer exists."""
        try:
            return (Shift(tuple(await self.members(self.id)), now),)
        except GroupGone:
            raise
        except ChatError as error:
            raise SourceError(f"the user group {self.id} cannot be read: {error}") from error


async def nobody_has_left(user: str) -> bool:
    """Without Slack to ask, everybody counts as there."""
    return False


class Directory:
    """`OnCall` over all sources by name. Ids of people and user groups count as names too.

    `has_left` returns whether a person's account in Slack is deactivated, so that nothing reaches them there.
    """

    def __init__(
        self, sources: Mapping[str, Source], members: Members, ledger: Ledger, clock: Clock, has_left: HasLeft = nobody_has_left
    ) -> None:
        self._sources = dict(sources)
        self._members = members
        self._ledger = ledger
        self._clock = clock
        self._has_left = has_left
        self._read: dict[str, Read] = {}
        self._troubles: dict[str, str] = {}
        self._failed: dict[str, tuple[datetime, SourceError]] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Load what was known before this start, then read all sources every few minutes. Raises StoreError."""
        remembered = read_back(await self._ledger.read(lambda store: store.setting(SETTING)), SETTING)
        for name, kept in remembered.items() if isinstance(remembered, dict) else ():
            try:
                self._read[str(name)] = decode(Read, kept)
            except (ValueError, KeyError) as error:
                log.warning("who was on call could not be restored", name=name, why=str(error))
        if any(not isinstance(source, Rota) for source in self._sources.values()):
            self._task = asyncio.create_task(self._refresh(), name="on call")

    async def close(self) -> None:
        """Stop."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    @property
    def troubles(self) -> tuple[str, ...]:
        """A sentence for each source whose last read failed."""
        return tuple(self._troubles.values())

    async def who(self, name: str) -> OnDuty:
        """The people behind a name now."""
        found = await self._behind(name)
        if found.group or found.people == (HERE,):  # Slack itself takes people who left out of its groups
            return found
        gone = await asyncio.gather(*map(self._has_left, found.people))
        left = [person for person, is_gone in zip(found.people, gone, strict=True) if is_gone]
        if not left:
            return found
        here = "" if name in left else f"{name}: "
        problem = f"{here}the account of {' and '.join(left)} in Slack is deactivated"
        return OnDuty(
            tuple(person for person in found.people if person not in left),
            problem="; ".join(filter(None, [found.problem, problem])),
        )

    async def _behind(self, name: str) -> OnDuty:
        if USER.fullmatch(name):
            return OnDuty((name,))
        source = UserGroup(name, self._members) if GROUP.fullmatch(name) else self._sources.get(name)
        if name == HERE:
            return OnDuty((HERE,))
        if source is None:
            return OnDuty(problem=f"people.on_call has no {name}")
        group = source.id if isinstance(source, UserGroup) else ""
        now = self._clock.now()
        try:
            shifts, stale = await self._shifts(name, source, now), ""
        except GroupGone as error:
            return OnDuty(problem=f"{name}: {error}")
        except SourceError as error:
            known = self._read.get(name)
            if known is None:
                return OnDuty(group=group, problem=f"{name}: {error}")  # a group can be mentioned without knowing its members
            shifts, stale = known.shifts, f"{name} as read at {known.at:%Y-%m-%d %H:%M} UTC: {error}"
        people = on_duty(shifts, now)
        unknown = dict.fromkeys(one for shift in shifts if shift.covers(now) for one in shift.unknown)
        strangers = f"{name}: on call is {', '.join(unknown)}, of whom `users` knows nothing" if unknown else ""
        problem = "; ".join(filter(None, [stale, strangers]))
        if not people:
            return OnDuty(problem=problem or f"{name}: nobody is on call now")
        return OnDuty(people, group, problem)

    async def _shifts(self, name: str, source: Source, now: datetime) -> Sequence[Shift]:
        if isinstance(source, Rota):
            return await source.shifts(now)
        known = self._read.get(name)
        if known and timedelta(0) <= now - known.at < FRESH_FOR:
            return known.shifts
        failed = self._failed.get(name)
        if failed and timedelta(0) <= now - failed[0] < NOT_AGAIN_FOR:
            raise failed[1]
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                shifts = tuple(await source.shifts(now))
        except (SourceError, GroupGone, TimeoutError) as error:
            why = SourceError(f"no answer within {ANSWER_WITHIN_S:.0f} s") if isinstance(error, TimeoutError) else error
            trouble = f"Who is on call as {name} cannot be read: {why}"
            if self._troubles.get(name) != trouble:
                log.error("who is on call cannot be read", name=name, why=str(why))
            self._troubles[name] = trouble
            if isinstance(error, GroupGone):
                self._read.pop(name, None)
            if isinstance(why, SourceError):
                self._failed[name] = (now, why)
            raise why from error
        self._troubles.pop(name, None)
        self._failed.pop(name, None)
        changed = known is None or known.shifts != shifts
        self._read[name] = Read(now, shifts)
        if changed:
            await self._keep()
        return shifts

    async def _refresh(self) -> None:
        while True:
            for name, source in self._sources.items():
                try:
                    await self._shifts(name, source, self._clock.now())
                except (SourceError, GroupGone):
                    continue  # it is logged, and reported by `troubles`
                except Exception:  # the root of a task: the next round may succeed
                    log.exception("reading who is on call crashed: this is a bug in Understudy", name=name)
            await asyncio.sleep(REFRESH_S)

    async def _keep(self) -> None:
        kept = json.dumps({name: encode(read) for name, read in self._read.items() if name in self._sources})
        try:
            await self._ledger.write(lambda store: store.put_setting(SETTING, kept))
        except StoreError as error:
            log.warning("who is on call could not be saved", why=str(error))
