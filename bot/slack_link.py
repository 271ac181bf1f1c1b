"""The bot's way to Slack: preflight, Bolt, and the socket; keeps trying where Slack cannot be reached, and says how it stands."""

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog

from bot.clock import Clock
from bot.config.models import SlackConfig
from bot.ports import Ledger
from bot.slack.app import build_bolt
from bot.slack.gateway import SlackGateway
from bot.slack.preflight import Preflight, preflight
from bot.slack.socket import SocketWatch
from bot.web.health import Part
from commands.desk import Desk
from commands.register import register

log = structlog.get_logger(__name__)

FIRST_RETRY_S = 2.0
LONGEST_RETRY_S = 60.0


class SlackLink:
    """Connects once Slack answers. `refused` means that a token or scope is wrong: retrying needs a person first."""

    def __init__(
        self, config: SlackConfig, scopes: frozenset[str], gateway: SlackGateway, ledger: Ledger, clock: Clock,
        on_ready: Callable[[Preflight], None],
    ) -> None:  # fmt: skip
        self._config = config
        self._scopes = scopes
        self._gateway = gateway
        self._ledger = ledger
        self._clock = clock
        self._on_ready = on_ready
        self._socket: SocketWatch | None = None
        self._retry: asyncio.Task[None] | None = None
        self._desk: Desk | None = None
        self.last: Preflight | None = None
        self._since: datetime = clock.now()

    async def start(self, desk: Desk) -> Preflight:
        """Try once; where Slack is unreachable or refuses, go on trying in the background."""
        self._desk = desk
        found = await self._try()
        if not found.ok:
            self._retry = asyncio.create_task(self._keep_trying(), name="slack link")
        return found

    async def stop(self) -> None:
        """Leave Slack."""
        if self._retry:
            self._retry.cancel()
            await asyncio.gather(self._retry, return_exceptions=True)
        if self._socket:
            await self._socket.stop()

    def part(self) -> Part:
        """How the link stands, for health and status."""
        if self._socket is not None:
            state = self._socket.state
            return Part(state.name == "connected", state.name, state.since, state.sentence)
        if self.last is None:
            return Part(False, "connecting", self._since, "Slack was not asked yet.")
        word = "refused" if self.last.refused else "unreachable"
        return Part(False, word, self._since, self.trouble())

    def trouble(self) -> str:
        """What is wrong with the link, with the remedy; empty when nothing is."""
        if self.last is None or self.last.ok:
            return ""
        return " ".join(f"{problem.what} {problem.remedy}" for problem in self.last.problems)

    async def _try(self) -> Preflight:
        found = await preflight(
            bot_token=self._config.bot_token.get_secret_value(),
            app_token=self._config.app_token.get_secret_value(),
            base_url=self._config.api_url,
            expected_scopes=self._scopes,
        )
        self.last = found
        if found.ok:
            await self._connect(found)
        return found

    async def _connect(self, found: Preflight) -> None:
        if self._desk is None:
            raise RuntimeError("start() comes first")
        app = build_bolt(self._gateway, found, first_sight=self._first_sight)
        register(app, self._desk)
        self._socket = SocketWatch(app, self._config.app_token.get_secret_value())
        await self._socket.start()
        self._on_ready(found)

    async def _first_sight(self, id: str) -> bool:
        from bot.slack.app import DEDUPE_FOR

        now = self._clock.now()
        return await self._ledger.write(lambda store: store.first_sight(id, now, DEDUPE_FOR))

    async def _keep_trying(self) -> None:
        wait = FIRST_RETRY_S
        while True:
            await asyncio.sleep(wait)
            found = await self._try()
            if found.ok:
                log.info("Slack is reached")
                return
            log.warning("Slack is not reached", why=self.trouble(), next_try_s=wait)
            wait = min(wait * 2, LONGEST_RETRY_S)
