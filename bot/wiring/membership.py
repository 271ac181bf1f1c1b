"""Who belongs to us in Slack, put together: the directory of people, the commanders, and the reception that asks them both."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from bot.config.models import PeopleConfig
from bot.ports import Engine, Ledger
from bot.slack.gateway import SlackGateway
from bot.slack.people import People
from bot.slack.reception import Reception
from bot.system.clock import Clock
from bot.wiring.commanders import Commanders


class Membership:
    """`clock` is domain time, by which groups are read anew; `wire` is real time, for waits on Slack."""

    def __init__(
        self, config: PeopleConfig, gateway: SlackGateway, engine: Engine, ledger: Ledger, clock: Clock, wire: Clock
    ) -> None:
        self._engine = engine
        self.people = People(gateway, ledger, wire, trusted=lambda: engine.policy.incidents.commanders)
        self.commanders = Commanders(config.commanders, gateway, ledger, clock, self._command)
        self.reception = Reception(
            self.people, wire, reads=config.external == "read", on_group=self.commanders.heard
        )  # fmt: skip

    async def ready(self) -> None:
        """Slack lets us in: what is remembered counts first, then what Slack says. Raises StoreError."""
        await self.people.recall()
        await self.commanders.recall()
        await self.commanders.read()

    def connected(self) -> None:
        """A connection stands; what happened before it, Slack told nobody."""
        self.people.doubt()
        self.commanders.soon()

    def after(self, beat: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        """That beat, and then ours."""

        async def both() -> None:
            await beat()
            self.commanders.beat()

        return both

    async def close(self) -> None:
        """End what is under way."""
        await self.commanders.close()
        await self.people.close()

    def _command(self, people: tuple[str, ...]) -> None:
        policy = self._engine.policy
        self._engine.policy = replace(policy, incidents=replace(policy.incidents, commanders=people))
