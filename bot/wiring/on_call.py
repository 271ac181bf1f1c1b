"""Who is on call: each name of the configuration with its source."""

from collections.abc import Mapping

from bot.config.models import Config
from bot.config.paging import OnCallConfig
from bot.on_call.directory import Directory, HasLeft, Members, UserGroup
from bot.on_call.ical import Calendar
from bot.on_call.jsm import Jsm
from bot.on_call.pagerduty import PagerDuty
from bot.on_call.shifts import Rota, Source
from bot.on_call.web import Asker
from bot.ports import OnDuty
from bot.system.version import understudy_version
from bot.web.health import Part
from bot.wiring.part import AppPart
from bot.wiring.setup import Setup
from bot.wiring.slack import Channels
from bot.wiring.store import Store
from bot.wiring.watching import Probes


class OnCallRoom(AppPart):
    """Knows who is on call, even while a source is unavailable."""

    def __init__(self, setup: Setup, store: Store, channels: Channels, probes: Probes, has_left: HasLeft) -> None:
        super().__init__()
        self._setup = setup
        self._store = store
        self._channels = channels
        self._probes = probes
        self._has_left = has_left
        self._directory: Directory | None = None

    async def start(self) -> None:
        """Recall who was on call, and start reading."""
        setup, members = self._setup, self._channels.chat.members_of
        asker = None
        if any(one.elsewhere for one in setup.config.people.on_call.values()):
            asker = Asker(self._probes.now().transport(), version=understudy_version())
            self._ends(asker.close)
        self._directory = Directory(
            sources(setup.config, members, asker), members, self._store.ledger, setup.clock, self._has_left
        )
        self._ends(self._directory.close)
        await self._directory.start()

    async def who(self, name: str) -> OnDuty:
        """The people behind a name now, once started."""
        return await self._directory.who(name) if self._directory else OnDuty(problem="nobody knows yet who is on call")

    def health(self) -> Mapping[str, Part]:
        """Only sources that cannot be read."""
        troubles = self._troubles()
        return {"on_call": Part(False, "unread", None, troubles)} if troubles else {}

    def trouble(self) -> str:
        """The same as `health`, for people."""
        return self._troubles()

    def _troubles(self) -> str:
        return " ".join(f"{sentence}." for sentence in self._directory.troubles) if self._directory else ""


def sources(config: Config, members: Members, asker: Asker | None) -> dict[str, Source]:
    """The source of each name in `people.on_call`; without `asker`, external ones are left out."""
    found = {name: _source(one, members, asker) for name, one in config.people.on_call.items()}
    return {name: source for name, source in found.items() if source}


def _source(one: OnCallConfig, members: Members, asker: Asker | None) -> Source | None:
    if one.rota is not None:
        return Rota(one.rota.starts, one.rota.every, one.rota.users, one.rota.zone)
    if one.elsewhere:
        return _elsewhere(one, asker) if asker else None
    return UserGroup(one.usergroup or "", members)


def _elsewhere(one: OnCallConfig, asker: Asker) -> Source | None:
    if one.ical is not None:
        return Calendar(asker, one.ical.get_secret_value(), one.users)
    if (duty := one.pagerduty) is not None:
        return PagerDuty(asker, duty.api_url, duty.schedule, duty.token.get_secret_value(), one.users)
    if (jsm := one.jsm) is not None:
        token = jsm.token.get_secret_value()
        return Jsm(asker, jsm.api_url, jsm.cloud, jsm.schedule, jsm.email, token, one.users)
    return None
