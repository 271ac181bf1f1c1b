"""The bot's way to Slack: preflight, Bolt and the socket. Keeps trying while Slack is away, and says how it stands."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

import structlog

from bot.clock import Clock
from bot.ports import Ledger
from bot.slack.app import build_bolt
from bot.slack.client import SlackLogin
from bot.slack.gateway import SlackGateway
from bot.slack.preflight import Preflight, preflight
from bot.slack.socket import SocketWatch
from bot.web.health import Part
from commands.desk import Desk
from commands.register import register

log = structlog.get_logger(__name__)

FIRST_RETRY_S = 2.0
LONGEST_RETRY_S = 60.0
LOOK_WITHIN_S = 5.0
DEDUPE_FOR = timedelta(minutes=10)  # Slack repeats events after five minutes at the latest


class SlackLink:
    """Connects once Slack answers; with scopes missing it still connects, and says what will not work."""

    def __init__(
        self, login: SlackLogin, scopes: Mapping[str, str], gateway: SlackGateway, ledger: Ledger, clock: Clock,
        on_ready: Callable[[], None],
    ) -> None:  # fmt: skip
        self._login = login
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
        if not found.usable:
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
            state, spells = self._socket.state, self._socket.offline_spells
            last = (
                f" Last offline from {spells[-1].began_at:%Y-%m-%d %H:%M} to {spells[-1].ended_at:%H:%M} UTC." if spells else ""
            )
            return Part(state.name == "connected", state.name, state.since, f"{state.sentence}{last}")
        if self.last is None:
            return Part(False, "connecting", self._since, "Slack was not asked yet.")
        word = "refused" if self.last.refused else "unreachable"
        return Part(False, word, self._since, self.trouble())

    def trouble(self) -> str:
        """What is wrong with the link, with the remedy; empty when nothing is."""
        if self.last is None or self.last.ok:
            return ""
        return " ".join(f"{problem}." for problem in self.last.problems)

    async def _try(self) -> Preflight:
        found = await preflight(self._login, self._scopes, timeout_s=LOOK_WITHIN_S)
        self.last = found
        if found.usable:
            await self._connect(found)
        return found

    async def _connect(self, found: Preflight) -> None:
        if self._desk is None or found.identity is None:
            raise RuntimeError("start() comes first, and a good preflight knows who we are")
        await self._gateway.identity()  # asked once, so that later comparisons need not ask
        app = build_bolt(self._login, self._gateway, first_sight=self._first_sight, register=partial(register, desk=self._desk))
        self._socket = SocketWatch(app, self._login, self._clock, ticket=found.ticket)
        await self._socket.start()
        self._on_ready()

    async def _first_sight(self, id: str) -> bool:
        now = self._clock.now()
        return await self._ledger.write(lambda store: store.first_sight(id, now, DEDUPE_FOR))

    async def _keep_trying(self) -> None:
        wait = FIRST_RETRY_S
        while True:
            await asyncio.sleep(wait)
            found = await self._try()
            if found.usable:
                log.info("Slack is reached")
                return
            log.warning("Slack is not reached", why=self.trouble(), next_try_s=wait)
            wait = min(wait * 2, LONGEST_RETRY_S)
