"""The bot's connection to Slack: preflight, Bolt, and the socket or the request URL. Keeps trying while Slack is away."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from bot.engine.seen_ids import SeenIds
from bot.ports import ChatError, Ledger
from bot.slack.app import build_bolt
from bot.slack.client import SlackLogin
from bot.slack.door import Door
from bot.slack.gateway import SlackGateway
from bot.slack.http_mode.request_url import RequestUrl
from bot.slack.preflight import Preflight, preflight, unanswered
from bot.slack.reception import Reception
from bot.slack.socket_mode.socket import SocketState, SocketWatch
from bot.slack.wording import Wording
from bot.system.clock import Clock
from bot.web.health import Part
from bot.wiring.parts import StartRefused
from commands.desk import CommandContext
from commands.register import register

log = structlog.get_logger(__name__)

FIRST_RETRY_S = 2.0
LONGEST_RETRY_S = 60.0
LOOK_WITHIN_S = 5.0
DEDUPE_FOR = timedelta(minutes=10)  # Slack repeats events after five minutes at the latest


class SlackLink:
    """Connects once Slack answers; with missing scopes it still connects, and says what will not work."""

    def __init__(
        self, login: SlackLogin, scopes: Mapping[str, str], gateway: SlackGateway, ledger: Ledger, clock: Clock,
        on_ready: Callable[[], Awaitable[None]], reception: Reception, on_connected: Callable[[], None],
        requests: RequestUrl | None = None,
    ) -> None:  # fmt: skip
        self._login = login
        self._scopes = scopes
        self._gateway = gateway
        self._seen = SeenIds(ledger, clock, DEDUPE_FOR)
        self._clock = clock
        self._on_ready = on_ready
        self._reception = reception
        self._on_connected = on_connected
        self._requests = requests
        self._open_since: datetime | None = None  # in HTTP mode: since when requests are accepted
        self._socket: SocketWatch | None = None
        self._rests_since: datetime | None = None  # since when requests are left to other replicas
        self._retry: asyncio.Task[None] | None = None
        self._desk: CommandContext | None = None
        self.last: Preflight | None = None
        self._since: datetime = clock.now()

    async def start(self, desk: CommandContext) -> Preflight:
        """Try once; if Slack is unreachable or refuses, keep trying in the background."""
        self._desk = desk
        found = await self._try()
        if not found.usable:
            self._retry = asyncio.create_task(self._keep_trying(), name="slack link")
        return found

    async def stop(self) -> None:
        """Disconnect from Slack."""
        if self._retry:
            self._retry.cancel()
            await asyncio.gather(self._retry, return_exceptions=True)
        if self._socket:
            await self._socket.stop()
        if self._requests:
            await self._requests.close()

    async def attend(self, wanted: bool) -> None:
        """Accept requests, or leave them to the other replicas, among which Slack (or over HTTP the balancer) distributes them.

        Requests already accepted are answered.
        """
        if self._socket and not wanted:
            socket, self._socket = self._socket, None
            self._rests_since = self._clock.now()
            log.warning("requests from Slack are left to newer replicas")
            await socket.stop()
        elif self._rests_since and self.last and wanted:
            self._rests_since = None
            await self._connect(replace(self.last, ticket=""))  # the previous ticket was used

    @property
    def connected(self) -> bool:
        """Whether requests can arrive: over the socket, or because we accept them over HTTP."""
        if self._requests is not None:
            return self._open_since is not None
        return self._socket is not None and self._socket.state.name == "connected"

    def part(self) -> Part:
        """The link's state, for health and status."""
        if self._requests is not None and self._open_since is not None:
            words = f"{requests_words(self._requests)} {self.trouble()}".strip()
            return Part(not self.trouble(), "http", self._open_since, words)
        if self._socket is not None:
            state, spells = self._socket.state, self._socket.offline_spells
            last = (
                f" Last offline from {spells[-1].began_at:%Y-%m-%d %H:%M} to {spells[-1].ended_at:%H:%M} UTC." if spells else ""
            )
            words = f"{state.sentence}.{last} {self.trouble()}".strip()
            return Part(self.connected and not self.trouble(), state.name, state.since, words)
        if self._rests_since is not None:
            return Part(True, "resting", self._rests_since, "Newer replicas take what people type.")
        if self.last is None:
            return Part(False, "connecting", self._since, "Slack was not asked yet.")
        word = "refused" if self.last.refused else "unreachable"
        return Part(False, word, self._since, self.trouble())

    def trouble(self) -> str:
        """What is wrong with the link, with the remedy; empty if nothing is."""
        if self.last is None or self.last.ok:
            return ""
        return " ".join(words if words.endswith(("?", ".")) else f"{words}." for words in map(str, self.last.problems))

    async def _try(self) -> Preflight:
        found = await preflight(self._login, self._scopes, timeout_s=LOOK_WITHIN_S)
        if found.usable:
            try:
                await self._gateway.identity()  # asked once, so that later comparisons need not
                await self._on_ready()
            except ChatError as error:  # Slack became unavailable between two calls
                problems = (*found.problems, unanswered(error))
                found = replace(found, ok=False, unreachable=True, problems=problems)
        self.last = found
        if found.usable:
            await self._connect(found)
        return found

    async def _connect(self, found: Preflight) -> None:
        if self._desk is None:
            raise RuntimeError("start() comes first")
        app = build_bolt(
            self._login, self._gateway, first_sight=self._seen.first_sight, reception=self._reception,
            register=partial(register, desk=self._desk),
        )  # fmt: skip
        if self._requests is not None:
            self._requests.open(Door(app, self._clock, Wording(self._login.prefix)))
            self._open_since = self._clock.now()
            self._on_connected()
            return
        self._socket = SocketWatch(app, self._login, self._clock, ticket=found.ticket, on_change=self._on_socket)
        await self._socket.start()

    def _on_socket(self, state: SocketState) -> None:
        if state.name == "connected":  # events in between were lost
            self._on_connected()

    async def _keep_trying(self) -> None:
        wait = FIRST_RETRY_S
        while True:
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_RETRY_S)
            try:
                found = await self._try()
            except StartRefused as refusal:  # too late to refuse the start, but we do not connect there
                log.error("this app must not speak for this ledger", why=str(refusal))
                continue
            except Exception:  # the root of a task: whatever happened, the bot must reconnect to Slack
                log.exception("connecting to Slack crashed: this is a bug in Understudy", next_try_s=wait)
                continue
            if not found.usable:
                log.warning("Slack cannot be reached", why=self.trouble(), next_try_s=wait)
                continue
            log.info("connected to Slack")
            if not found.ok:
                log.error("Slack grants less than the bot needs", why=self.trouble())
            return


def requests_words(requests: RequestUrl) -> str:
    """How Slack's requests arrive over HTTP: when the last one did, and whether an unsigned one has since."""
    last, refused = requests.last_at, requests.refused_at
    words = f"Slack's last request came at {last:%Y-%m-%d %H:%M:%S} UTC." if last else "No request of Slack's came yet."
    if refused and (last is None or refused > last):
        words += f" At {refused:%H:%M:%S} one came that the signing secret does not fit."
    return words
