"""Who is on call: each name of the configuration with its source."""

from collections.abc import Mapping

from bot.config.models import Config
from bot.config.paging import OnCallConfig
from bot.on_call.directory import Directory, Members, UserGroup
from bot.on_call.shifts import Rota, Source
from bot.ports import OnDuty
from bot.web.health import Part
from bot.wiring.part import AppPart
from bot.wiring.setup import Setup
from bot.wiring.slack import Channels
from bot.wiring.store import Store


class OnCallRoom(AppPart):
    """Knows who is on call, also while a source is away."""

    def __init__(self, setup: Setup, store: Store, channels: Channels) -> None:
        super().__init__()
        self._setup = setup
        self._store = store
        self._channels = channels
        self._directory: Directory | None = None

    async def start(self) -> None:
        """Recall who was on call, and begin to read."""
        setup, members = self._setup, self._channels.chat.members_of
        self._directory = Directory(sources(setup.config, members), members, self._store.ledger, setup.clock)
        self._ends(self._directory.close)
        await self._directory.start()

    async def who(self, name: str) -> OnDuty:
        """Whom a name stands for now, once the room is open."""
        return await self._directory.who(name) if self._directory else OnDuty(problem="nobody knows yet who is on call")

    def health(self) -> Mapping[str, Part]:
        """Only sources that cannot be read."""
        troubles = self._troubles()
        return {"on_call": Part(False, "unread", None, troubles)} if troubles else {}

    def trouble(self) -> str:
        """The same, for people."""
        return self._troubles()

    def _troubles(self) -> str:
        return " ".join(f"{sentence}." for sentence in self._directory.troubles) if self._directory else ""


def sources(config: Config, members: Members) -> dict[str, Source]:
    """The source of each name of `people.on_call`."""
    return {name: _source(one, members) for name, one in config.people.on_call.items()}


def _source(one: OnCallConfig, members: Members) -> Source:
    if one.rota is not None:
        return Rota(one.rota.starts, one.rota.every, one.rota.users, one.rota.zone)
    return UserGroup(one.usergroup or "", members)
