"""Pings another monitor while the bot is well."""

from collections.abc import Mapping

from bot.notify.ping import Ping
from bot.system.version import understudy_version
from bot.web.health import Part
from bot.wiring.part import AppPart
from bot.wiring.setup import Setup
from bot.wiring.store import Store
from bot.wiring.watching import Probes, Watching

STILL_S = 60.0  # without a successful beat of the watch


class Pinging(AppPart):
    """Pings `server.ping_url` while the ledger accepts commits and the watch runs; idle if it is not configured."""

    def __init__(self, setup: Setup, store: Store, probes: Probes, watching: Watching) -> None:
        super().__init__()
        self._setup = setup
        self._store = store
        self._probes = probes
        self._watching = watching
        self._ping: Ping | None = None

    async def start(self) -> None:
        """Start pinging."""
        setup = self._setup
        url = setup.config.server.ping_url.get_secret_value()
        if not url:
            return
        self._ping = Ping(
            url, self._probes.now().transport(), setup.wire, version=understudy_version(), unwell=self._unwell,
            on_outcome=setup.metrics.observe_ping,
        )  # fmt: skip
        self._ends(self._ping.close)
        self._ping.start()

    def health(self) -> Mapping[str, Part]:
        """Only failed pings; they never make the bot unready."""
        if self._ping is None or not self._ping.trouble:
            return {}
        return {"ping": Part(False, "not taken", self._ping.since, self._words(self._ping.trouble))}

    def trouble(self) -> str:
        """The same as `health`, for people."""
        return self._words(self._ping.trouble) if self._ping and self._ping.trouble else ""

    def _words(self, why: str) -> str:
        return f"The monitor behind server.ping_url does not hear that we are alive: {why}."

    def _unwell(self) -> str:
        if not self._store.member.alive():
            return "no sign of life reaches the ledger"
        error = self._store.watch.standing.error
        if error:
            return f"the ledger cannot be written: {error}"
        beaten_at = self._watching.beaten_at
        if beaten_at is None or self._setup.wire.monotonic() - beaten_at > STILL_S:
            return "the watch does not beat"
        return ""
