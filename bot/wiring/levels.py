"""Who has which level: people and members of user groups, read every few minutes, on reconnecting, and on changes.

While Slack does not answer, the last members stay, even over a restart: an unreadable group must neither lock out the people
on call nor, by seeming empty, let everybody in.
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

import structlog

from bot.ports import ChatError, GroupGone, Ledger, StoreError
from bot.slack.gateway import SlackGateway
from bot.slack.invites import GROUP, USER
from bot.system.clock import Clock
from bot.system.remembered import read_back

log = structlog.get_logger(__name__)

# The setting in the ledger with each group's members as last read. Its name is from when only commanders had groups.
SETTING = "commanders' groups"
EVERY = timedelta(minutes=3)

Lists = Mapping[str, Sequence[str]]


class Levels:
    """Keeps the lists of `people` current. `lists` as configured, by name; `apply(people)` gets all of them on each change."""

    def __init__(
        self, lists: Lists, gateway: SlackGateway, ledger: Ledger, clock: Clock,
        apply: Callable[[Mapping[str, tuple[str, ...]]], None],
    ) -> None:  # fmt: skip
        self._lists = {name: tuple(ids) for name, ids in lists.items()}
        ids = [(name, id) for name, listed in self._lists.items() for id in listed]
        self._groups = tuple(dict.fromkeys(found[1] for _, id in ids if (found := GROUP.fullmatch(id))))
        self._gateway = gateway
        self._ledger = ledger
        self._clock = clock
        self._apply = apply
        self._members: dict[str, tuple[str, ...]] = {}
        self._read_at = clock.monotonic()
        self._task: asyncio.Task[None] | None = None
        self._again = False
        self._problems: dict[str, str] = {}
        for name, id in ids:
            if not USER.fullmatch(id) and not GROUP.fullmatch(id):
                log.error(f"the list {name} holds an id that stands for nobody", id=id)

    @property
    def people(self) -> dict[str, tuple[str, ...]]:
        """Everybody in each list. Never empty if somebody is configured: that would admit more people than intended."""
        return {name: tuple(dict.fromkeys(self._people_of(ids))) or ids for name, ids in self._lists.items()}

    async def recall(self) -> None:
        """Load what was read before this start. Raises StoreError."""
        if not self._groups:
            return
        remembered = await self._ledger.read(lambda store: store.setting(SETTING))
        found = read_back(remembered, SETTING)
        for group, members in found.items() if isinstance(found, dict) else ():
            if group in self._groups and isinstance(members, list):
                self._members.setdefault(group, tuple(map(str, members)))
        self._apply(self.people)

    def beat(self) -> None:
        """Start reading, if that is due."""
        if self._groups and self._clock.monotonic() - self._read_at >= EVERY.total_seconds():
            self.soon()

    def heard(self, group: str) -> None:
        """Slack reports a changed user group."""
        if group in self._groups:
            self.soon()

    def soon(self) -> None:
        """Read the groups now in the background; once more afterwards if a read is in progress."""
        if not self._groups:
            return
        self._read_at = self._clock.monotonic()
        if self._task and not self._task.done():
            self._again = True
            return
        self._task = asyncio.create_task(self._keep_reading(), name="groups of people")

    async def read(self) -> None:
        """Read every group; one that cannot be read keeps its members."""
        before = dict(self._members)
        for group in self._groups:
            try:
                self._members[group] = tuple(await self._gateway.members_of(group))
                self._problems.pop(group, None)
            except ChatError as error:
                if isinstance(error, GroupGone):  # then it has no members; any other error may pass
                    self._members[group] = ()
                self._say(group, str(error))
        if self._members != before:
            self._apply(self.people)
            await self._keep()

    async def idle(self) -> None:
        """Wait until pending reads are done; for callers that move time by hand."""
        if self._task:
            await asyncio.wait({self._task})

    async def close(self) -> None:
        """Stop."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _people_of(self, ids: Sequence[str]) -> list[str]:
        """The people in a list: first those named in it, then its groups' members."""
        named = [found[1] for id in ids if (found := USER.fullmatch(id))]
        groups = [found[1] for id in ids if (found := GROUP.fullmatch(id))]
        return named + [user for group in groups for user in self._members.get(group, ())]

    async def _keep_reading(self) -> None:
        try:
            await self.read()
            while self._again:
                self._again = False
                await self.read()
        except Exception:  # the root of a task: the next read is in a few minutes
            log.exception("the groups of people could not be read")

    def _say(self, group: str, why: str) -> None:
        """Log each kind of failure once."""
        if self._problems.get(group) != why:
            self._problems[group] = why
            kept = f"{len(self._members.get(group, ()))} members as read last"
            log.error("a user group of people cannot be read", group=group, why=why, kept=kept)

    async def _keep(self) -> None:
        kept = json.dumps(self._members)
        try:
            await self._ledger.write(lambda store: store.put_setting(SETTING, kept))
        except StoreError as error:
            log.warning("the members of user groups could not be saved", why=str(error))
