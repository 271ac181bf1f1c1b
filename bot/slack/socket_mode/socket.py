"""Watches the Socket Mode connection: it restores itself, and reports its state and its interruptions.

The SDK's client goes deaf for ever if the first connection on a fresh ticket fails, requests tickets without limit, and says
nothing if its token is wrong. So here it handles a single connection; when that ends, for whatever reason, the watch opens the
next one with a new ticket, after a growing pause.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from math import inf
from typing import Literal

import structlog
from slack_bolt.adapter.socket_mode.async_internals import send_async_response
from slack_bolt.adapter.socket_mode.internals import build_headers
from slack_bolt.async_app import AsyncApp
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.core.lazy_dataclass import dataclass
from bot.ports import ChatError
from bot.slack.client import SlackApi, SlackLogin
from bot.slack.door import Arrival, Door
from bot.slack.preflight import TOKEN_REFUSED
from bot.slack.socket_mode.connection import TOO_MANY, Link
from bot.slack.wording import Wording
from bot.system.clock import Clock
from bot.system.logs import RateLimitedLog

log = structlog.get_logger(__name__)

StateName = Literal["connected", "connecting", "deaf", "refused"]
SPELLS_KEPT = 50
ANNOUNCED_AFTER_S = 1.0  # an end announced by Slack is not a failure, unless it comes at once, again and again


@dataclass(frozen=True)
class SocketState:
    """The connection's state: `deaf` = open, but nothing arrives; `refused` = Slack rejects the token."""

    name: StateName
    since: datetime
    sentence: str


@dataclass(frozen=True)
class OfflineSpell:
    """A time in which Slack could not reach us, so that commands got no answer."""

    began_at: datetime
    ended_at: datetime
    why: str


@dataclass(frozen=True)
class SocketTiming:
    """The watch's own delays, in real seconds; tests shorten them."""

    ping_every_s: float = 5.0  # the SDK's default of 10 notices a broken connection too late
    deaf_after_pings: float = 2.5
    connect_within_s: float = 8.0
    look_every_s: float = 1.0
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0  # apps.connections.open may be tier 1, one call a minute
    steady_after_s: float = 10.0  # a connection that lasted this long is replaced without a pause
    answer_within_s: float = 3.0  # Slack's own limit for an acknowledgement
    spell_from: timedelta = timedelta(seconds=5)


class SocketWatch:
    """Keeps one Socket Mode connection for a Bolt app. `ticket` is an address that a preflight has already opened."""

    def __init__(
        self, app: AsyncApp, login: SlackLogin, clock: Clock, *, ticket: str = "", patience: SocketTiming | None = None,
        on_change: Callable[[SocketState], None] | None = None,
    ) -> None:  # fmt: skip
        self._door = Door(app, clock, Wording(login.prefix))
        self._clock = clock
        self._rate_limited = RateLimitedLog(clock)
        self._patience = patience or SocketTiming()
        self._api = SlackApi(login.api_url, login.app_token)
        self._app_token = login.app_token
        self._ticket = ticket
        self._on_change = on_change
        self._state = SocketState("connecting", clock.now(), "connecting to Slack")
        self._down_since: datetime | None = None
        self._down_why = ""
        self._spells: deque[OfflineSpell] = deque(maxlen=SPELLS_KEPT)
        self._link: Link | None = None
        self._up = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def state(self) -> SocketState:
        """The connection's state, and since when."""
        return self._state

    @property
    def offline_spells(self) -> tuple[OfflineSpell, ...]:
        """The interruptions worth recording, oldest first."""
        return tuple(self._spells)

    async def start(self) -> None:
        """Start connecting, and retry for ever; returns at once and never fails because of Slack."""
        self._down_since = self._clock.now()
        self._task = asyncio.create_task(self._run(), name="socket watch")

    async def connected(self, within_s: float) -> bool:
        """Wait for a connection; False if there is none within that many real seconds."""
        try:
            async with asyncio.timeout(within_s):
                await self._up.wait()
        except TimeoutError:
            return False
        return True

    async def stop(self) -> None:
        """Let pending requests be acknowledged, then close. No task is left behind."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._link:
            self._retire(self._link)
        await asyncio.gather(*self._closing)
        await self._api.close()
        self._link = None
        self._up.clear()

    # --- keeping a connection

    async def _run(self) -> None:
        failures = 0
        while True:
            try:
                link = await self._open()
                lived_s, why = await self._keep(link)
                enough_s = min(self._patience.steady_after_s, ANNOUNCED_AFTER_S if link.farewell else inf)
                failures = 0 if lived_s >= enough_s else failures + 1
                wait_s = self._pause(failures)
                log.info("the Slack connection is replaced", why=why, wait_s=wait_s)
            except ChatError as error:
                failures += 1
                wait_s = max(self._pause(failures), error.retry_after.total_seconds() if error.retry_after else 0.0)
                self._lost(error)
                log.warning("no Slack connection", why=str(error), code=error.code, wait_s=wait_s)
            except Exception:  # the root of the watch: whatever happened, the bot must not stay deaf
                failures += 1
                wait_s = self._pause(failures)
                self._lost(ChatError("an error of ours, see the log", code="internal", permanent=False))
                log.exception("the Slack connection crashed: this is a bug in Understudy")
            await self._rest(wait_s)

    async def _rest(self, wait_s: float) -> None:
        """Wait, but notice if the connection to be replaced ends meanwhile."""
        loop = asyncio.get_running_loop()
        until = loop.time() + wait_s
        while (left := until - loop.time()) > 0:
            await asyncio.sleep(min(left, self._patience.look_every_s))
            if self._link and not self._link.is_open:
                self._drop(self._link)
                self._lost(ChatError("Slack closed the connection", code="broken", permanent=False))

    def _pause(self, failures: int) -> float:
        if failures == 0:
            return 0.0
        return min(self._patience.first_wait_s * 2.0 ** min(failures - 1, 10), self._patience.longest_wait_s)

    async def _open(self) -> Link:
        """A connection on which Slack has said hello. The previous one stays open until then, if it still is."""
        if self._link is None or not self._link.is_open:
            self._lost(None)
        url, self._ticket = self._ticket, ""
        if not url:
            url = str((await self._api.call(self._api.web.apps_connections_open, app_token=self._app_token))["url"])
        link = Link(self._app_token, self._api.web, self._patience.ping_every_s, self._serve, self._rate_limited)
        try:
            async with asyncio.timeout(self._patience.connect_within_s):
                await link.connect(url)
        except TimeoutError:
            self._retire(link)
            if link.came_to_be:
                raise ChatError("a connection is open, but Slack says nothing on it", code="deaf", permanent=False) from None
            raise ChatError("Slack did not open the connection that it offered", code="upgrade", permanent=False) from None
        except BaseException:
            self._retire(link)
            raise
        return link

    async def _keep(self, link: Link) -> tuple[float, str]:
        """Use this connection until it ends; returns how long it lasted and why it ended."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        old, self._link = self._link, link
        if old:
            self._retire(old)
        self._found()
        deaf_after_s = self._patience.ping_every_s * self._patience.deaf_after_pings
        while True:
            await link.look(self._patience.look_every_s)
            if link.farewell:
                if link.farewell == TOO_MANY:
                    self._drop(link)
                return loop.time() - began, f"Slack said {link.farewell}"
            if not link.is_open:
                why = "the connection broke off"
            elif link.silent_for_s >= deaf_after_s:
                why = f"nothing was heard for {link.silent_for_s:.0f} s"
            else:
                continue
            self._drop(link)
            broken = ChatError(why, code="deaf" if link.is_open else "broken", permanent=False)
            self._lost(broken, silent_s=link.silent_for_s)
            return loop.time() - began, why

    def _drop(self, link: Link) -> None:
        self._link = None
        self._retire(link)

    def _retire(self, link: Link) -> None:
        """Close a connection in the background, after everything it delivered is acknowledged."""
        task = asyncio.create_task(link.close(self._patience.answer_within_s), name="closing a Slack connection")
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    # --- reporting its state

    def _found(self) -> None:
        now = self._clock.now()
        long = self._down_since is not None and now - self._down_since >= self._patience.spell_from
        if self._down_since and long and self._down_why:  # an ordinary start is not an outage
            self._spells.append(OfflineSpell(self._down_since, now, self._down_why))
        self._down_since = None
        self._up.set()
        self._say("connected", "connected to Slack")

    def _lost(self, error: ChatError | None, *, silent_s: float = 0.0) -> None:
        """Not connected, because of this error, or not yet if it is None; silent for `silent_s` real seconds."""
        if self._link is not None and self._link.is_open:
            return  # a replacement failed to open; the previous connection still works
        if self._down_since is None:
            self._down_since = self._clock.now() - timedelta(seconds=silent_s * self._clock.speed)
            self._down_why = ""
        self._down_why = self._down_why or (str(error) if error else "")
        self._up.clear()
        if error is None:
            if self._state.name == "connected":
                self._say("connecting", "connecting to Slack")
        elif error.permanent or error.code in TOKEN_REFUSED:
            self._say("refused", f"Slack refuses the connection: {error}")
        else:
            self._say("deaf" if error.code == "deaf" else "connecting", str(error))

    def _say(self, name: StateName, sentence: str) -> None:
        before = self._state
        since = before.since if before.name == name else self._clock.now()
        self._state = SocketState(name, since, sentence)
        if before.name != name:
            log.info("Slack connection", state=name, why=sentence)
            if self._on_change:
                self._on_change(self._state)

    # --- answering

    async def _serve(self, link: Link, request: SocketModeRequest) -> None:
        """Run the app on one envelope and acknowledge it, over a newer connection if its own is gone."""
        is_command = request.type == "slash_commands"
        response = await self._door.answer(
            Arrival(request.payload, is_command=is_command, headers=build_headers(request) or {})
        )
        try:
            client = link.client if link.is_open else await self._newer()
            # The time is only for a debug line of the SDK's.
            await send_async_response(client, request, response, 0.0)
        except ConnectionError:
            try:
                await send_async_response(await self._newer(), request, response, 0.0)
            except ConnectionError:
                log.warning("an answer to Slack could not be sent", envelope=request.envelope_id, type=request.type)

    async def _newer(self) -> AsyncBaseSocketModeClient:
        await self.connected(self._patience.answer_within_s)
        if self._link is None or not self._link.is_open:
            raise ConnectionError("there is no connection to Slack")
        return self._link.client
