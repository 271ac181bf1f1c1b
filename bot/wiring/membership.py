"""Who belongs to us in Slack: combines the directory of people, their levels, and the reception that uses both.

Also checks whether people with a role in an incident are still there.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import structlog

from bot.config.people import PeopleConfig
from bot.core.decide.incident.roles import GONE
from bot.core.decide.incident.tasks import awaiting
from bot.core.decide.permissions import not_asking
from bot.core.model import ActorKind
from bot.core.record.incident import message_key
from bot.core.signals import HolderGone
from bot.ports import Engine, Ledger, StoreError
from bot.slack.gateway import SlackGateway
from bot.slack.people import People
from bot.slack.reception import Reception
from bot.slack.standing import Standing
from bot.system.clock import Clock
from bot.system.denials import Denials
from bot.wiring.levels import Levels

APPROVERS = "approvers of "  # prefix of the name of a flag's approver list, beside those of `people`

log = structlog.get_logger(__name__)


class Membership:
    """`clock` is domain time, for rereading groups; `wire` is real time, for waiting on Slack."""

    def __init__(
        self, config: PeopleConfig, gateway: SlackGateway, engine: Engine, ledger: Ledger, clock: Clock, wire: Clock,
        denials: Denials, acts: Callable[[], bool] = lambda: True,
    ) -> None:  # fmt: skip
        self._engine = engine
        self._acts = acts  # whether this replica checks people with a role
        self._looking: asyncio.Task[None] | None = None
        self.people = People(gateway, ledger, wire, trusted=self._named)
        self.levels = Levels(config.lists() | self._approvers(), gateway, ledger, clock, self._level)
        self.reception = Reception(
            self.people, wire, denials, reads=config.external == "read", on_group=self.levels.heard,
            not_asking=lambda user: not_asking(user, engine.policy.incidents),
            follows=lambda channel, ts: bool(engine.world.holding(message_key(channel, ts))),
            declare_emoji=lambda: engine.policy.incidents.declare_emoji,
        )  # fmt: skip

    async def ready(self) -> None:
        """Slack is usable: remembered people count first, then what Slack says. Raises StoreError."""
        await self.people.recall()
        await self.levels.recall()
        await self.levels.read()

    def connected(self) -> None:
        """A connection was opened; events before it were lost."""
        self.people.doubt()
        self.levels.soon()

    def after(self, beat: Callable[[], None]) -> Callable[[], None]:
        """A beat that also does ours."""

        def both() -> None:
            beat()
            self.levels.beat()
            if self._acts():
                self._look_at_holders()

        return both

    async def close(self) -> None:
        """Cancel pending work."""
        if self._looking:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        await self.levels.close()
        await self.people.close()

    def _look_at_holders(self) -> None:
        """Check whether people with a role or task are still there.

        Slack is asked about each once an hour, and reports changes in between.
        """
        roles = [role for one in self._engine.world.open_incidents() for role in one.people.roles.values()]
        owners = [task.owner for one in awaiting(self._engine.world) for task in one.open_tasks if task.owner]
        people = {person.id for person in (*roles, *owners) if person.kind is ActorKind.PERSON}
        if people and (self._looking is None or self._looking.done()):
            self._looking = asyncio.create_task(self._look_at(sorted(people)), name="whoever has a role is still there")

    async def _look_at(self, people: Sequence[str]) -> None:
        try:
            for user in people:
                if await self.people.standing(user) is Standing.DEACTIVATED:
                    await self._engine.handle(HolderGone(actor=GONE, user=user))
        except StoreError as error:  # whoever monitors the ledger reports it; the next beat checks again
            log.debug("not written", why=str(error))
        except Exception:  # the root of a task: the next beat checks again
            log.exception("checking whether people with roles are still there crashed: this is a bug in Understudy")

    def _named(self) -> frozenset[str]:
        """Everybody whom the configuration names for any level."""
        policy = self._engine.policy.incidents
        return frozenset((*policy.viewers, *policy.responders, *policy.commanders, *policy.admins))

    def _level(self, people: Mapping[str, tuple[str, ...]]) -> None:
        policy = self._engine.policy
        named = replace(
            policy.incidents, viewers=people["viewers"], responders=people["responders"], commanders=people["commanders"],
            admins=people["admins"],
        )  # fmt: skip
        flags = {key: replace(one, approvers=people.get(f"{APPROVERS}{key}", ())) for key, one in policy.flags.items()}
        self._engine.policy = replace(policy, incidents=named, flags=flags)

    def _approvers(self) -> dict[str, tuple[str, ...]]:
        """The approvers of each flag that names some, by the name of that list."""
        return {f"{APPROVERS}{key}": one.approver_list for key, one in self._engine.policy.flags.items() if one.approver_list}
