"""Who the commanders are: people and members of user groups, read anew every few minutes, on reconnecting, and at each change.

What could be read last stays where Slack does not answer, over a restart too: a group that cannot be read must neither lock the
people on call out nor, by becoming empty, let everybody in.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog

from bot.ports import ChatError, GroupGone, Ledger, StoreError
from bot.slack.gateway import SlackGateway
from bot.slack.invites import GROUP, USER
from bot.system.clock import Clock
from bot.system.remembered import read_back

log = structlog.get_logger(__name__)

SETTING = "commanders' groups"  # the setting in the ledger that holds the members of each group, as they were read last
EVERY = timedelta(minutes=3)


class Commanders:
    """Keeps the commanders up to date. `ids` as configured; `apply(people)` is called with all of them at each change."""

    def __init__(
        self, ids: Sequence[str], gateway: SlackGateway, ledger: Ledger, clock: Clock, apply: Callable[[tuple[str, ...]], None]
    ) -> None:
        self._ids = tuple(ids)
        self._people = tuple(found[1] for id in ids if (found := USER.fullmatch(id)))
        self._groups = tuple(found[1] for id in ids if (found := GROUP.fullmatch(id)))
        self._gateway = gateway
        self._ledger = ledger
        self._clock = clock
        self._apply = apply
        self._members: dict[str, tuple[str, ...]] = {}
        self._read_at = clock.monotonic()
        self._task: asyncio.Task[None] | None = None
        self._again = False
        self._problems: dict[str, str] = {}
        for id in ids:
            if not USER.fullmatch(id) and not GROUP.fullmatch(id):
                log.error("people.commanders holds an id that stands for nobody", id=id)

    @property
    def everybody(self) -> tuple[str, ...]:
        """All commanders. Never empty where some are configured: that would mean everybody."""
        people = dict.fromkeys([*self._people, *(user for group in self._groups for user in self._members.get(group, ()))])
        return tuple(people) or self._ids

    async def recall(self) -> None:
        """Take over what was read before this start. Raises StoreError."""
        if not self._groups:
            return
        remembered = await self._ledger.read(lambda store: store.setting(SETTING))
        found = read_back(remembered, SETTING)
        for group, members in found.items() if isinstance(found, dict) else ():
            if group in self._groups and isinstance(members, list):
                self._members.setdefault(group, tuple(map(str, members)))
        self._apply(self.everybody)

    def beat(self) -> None:
        """Time passed; begin to read where it is due."""
        if self._groups and self._clock.monotonic() - self._read_at >= EVERY.total_seconds():
            self.soon()

    def heard(self, group: str) -> None:
        """Slack says that a user group changed."""
        if group in self._groups:
            self.soon()

    def soon(self) -> None:
        """Read the groups now, beside the work; once more afterwards where that is being done already."""
        if not self._groups:
            return
        self._read_at = self._clock.monotonic()
        if self._task and not self._task.done():
            self._again = True
            return
        self._task = asyncio.create_task(self._keep_reading(), name="commanders")

    async def read(self) -> None:
        """Read every group; one that cannot be read keeps its members."""
        before = dict(self._members)
        for group in self._groups:
            try:
                self._members[group] = tuple(await self._gateway.members_of(group))
                self._problems.pop(group, None)
            except ChatError as error:
                if isinstance(error, GroupGone):  # then it has no members; anything else may pass
                    self._members[group] = ()
                self._say(group, str(error))
        if self._members != before:
            self._apply(self.everybody)
            await self._keep()

    async def idle(self) -> None:
        """Wait until what was begun is read; for those who move time by hand."""
        if self._task:
            await asyncio.wait({self._task})

    async def close(self) -> None:
        """End."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _keep_reading(self) -> None:
        try:
            await self.read()
            while self._again:
                self._again = False
                await self.read()
        except Exception:  # the root of a task: the next reading comes in a few minutes
            log.exception("the commanders' groups could not be read")

    def _say(self, group: str, why: str) -> None:
        """Once for each way in which it fails."""
        if self._problems.get(group) != why:
            self._problems[group] = why
            kept = f"{len(self._members.get(group, ()))} members as read last"
            log.error("a group of people.commanders cannot be read", group=group, why=why, kept=kept)

    async def _keep(self) -> None:
        kept = json.dumps(self._members)
        try:
            await self._ledger.write(lambda store: store.put_setting(SETTING, kept))
        except StoreError as error:
            log.warning("who the commanders are is not on record", why=str(error))
