"""Who has which level: people and members of user groups, read anew every few minutes, on reconnecting, and at each change.

What could be read last stays where Slack does not answer, over a restart too: a group that cannot be read must neither lock the
people on call out nor, by becoming empty, let everybody in.
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

# The setting in the ledger that holds the members of each group, as they were read last. Its name is of the time when only
# commanders had groups.
SETTING = "commanders' groups"
EVERY = timedelta(minutes=3)

Lists = Mapping[str, Sequence[str]]


class Levels:
    """Keeps the lists of `people` up to date. `lists` as configured, by name; `apply(people)` takes them all at each change."""

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
        """Everybody in each list. Never empty where somebody is configured: that would let in more than was meant."""
        return {name: tuple(dict.fromkeys(self._people_of(ids))) or ids for name, ids in self._lists.items()}

    async def recall(self) -> None:
        """Take over what was read before this start. Raises StoreError."""
        if not self._groups:
            return
        remembered = await self._ledger.read(lambda store: store.setting(SETTING))
        found = read_back(remembered, SETTING)
        for group, members in found.items() if isinstance(found, dict) else ():
            if group in self._groups and isinstance(members, list):
                self._members.setdefault(group, tuple(map(str, members)))
        self._apply(self.people)

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
        self._task = asyncio.create_task(self._keep_reading(), name="groups of people")

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
            self._apply(self.people)
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

    def _people_of(self, ids: Sequence[str]) -> list[str]:
        """The people of a list: those named in it first, then the members of its groups."""
        named = [found[1] for id in ids if (found := USER.fullmatch(id))]
        groups = [found[1] for id in ids if (found := GROUP.fullmatch(id))]
        return named + [user for group in groups for user in self._members.get(group, ())]

    async def _keep_reading(self) -> None:
        try:
            await self.read()
            while self._again:
                self._again = False
                await self.read()
        except Exception:  # the root of a task: the next reading comes in a few minutes
            log.exception("the groups of people could not be read")

    def _say(self, group: str, why: str) -> None:
        """Once for each way in which it fails."""
        if self._problems.get(group) != why:
            self._problems[group] = why
            kept = f"{len(self._members.get(group, ()))} members as read last"
            log.error("a user group of people cannot be read", group=group, why=why, kept=kept)

    async def _keep(self) -> None:
        kept = json.dumps(self._members)
        try:
            await self._ledger.write(lambda store: store.put_setting(SETTING, kept))
        except StoreError as error:
            log.warning("who is in the groups of people is not on record", why=str(error))
