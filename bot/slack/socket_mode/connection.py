"""One Socket Mode connection: the SDK's client, but without its own reconnecting and ticket requests."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import structlog
from aiohttp import WSMessage, WSMsgType
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.ports import ChatError
from bot.slack.client import sdk_logger
from bot.slack.errors import TRANSPORT_ERRORS, unanswered
from bot.system.logs import RateLimitedLog
from bot.system.rhythm import next_round

log = structlog.get_logger(__name__)

TOO_MANY = "too_many_websockets"
FAREWELLS = {
    TOO_MANY: "there are too many connections; is another copy of the bot running?",
    "link_disabled": "Socket Mode is switched off in the app's settings",
}
LONGEST_OF_THEIR_OWN = 10_000  # characters of a hello or disconnect message
# Values and structural characters in one message: Slack's largest, a form with 100 blocks, has about 10,000. Parsed in 40 ms at
# worst.
MOST_MARKS = 100_000
_ENVELOPE = re.compile(r'"envelope_id"\s*:\s*"([\w-]{1,100})"', re.ASCII)
CLOSE_WITHIN_S = 1.0  # a silent server does not answer the closing handshake either


class Link:
    """A connection: about to open, open, then ended. `serve` is awaited with each envelope."""

    def __init__(
        self, app_token: str, web: AsyncWebClient, ping_every_s: float,
        serve: "Callable[[Link, SocketModeRequest], Awaitable[None]]", rate_limited: RateLimitedLog,
    ) -> None:  # fmt: skip
        self.farewell = ""  # Slack's reason for ending it: warning, refresh_requested, link_disabled, too_many_websockets
        self._serve = serve
        self._loop = asyncio.get_running_loop()
        self._heard_at = self._loop.time()
        self._pong: float | None = None
        self._greeted = asyncio.Event()  # set by hello, or by an immediate disconnect
        self._news = asyncio.Event()
        self._serving: set[asyncio.Task[Any]] = set()
        self.client = _Client(app_token, web, ping_every_s, self._news.set, rate_limited)
        self.client.on_message_listeners.append(self._on_message)
        self.client.socket_mode_request_listeners.append(self._on_request)

    @property
    def is_open(self) -> bool:
        """Whether the websocket is open, as far as this side knows."""
        session = self.client.current_session
        return not self.client.closed and session is not None and not session.closed

    @property
    def came_to_be(self) -> bool:
        """Whether the websocket was ever open."""
        return self.client.current_session is not None

    @property
    def silent_for_s(self) -> float:
        """Real seconds since anything was received, including answers to pings."""
        # The SDK stores the time of the ping that was answered; we only need to see that it changed.
        pong = self.client.last_ping_pong_time
        if pong != self._pong:
            if self._pong is not None:  # the first value is the SDK's own guess
                self._heard_at = self._loop.time()
            self._pong = pong
        return self._loop.time() - self._heard_at

    async def connect(self, url: str) -> None:
        """Connect once, and wait for Slack's hello; the caller sets the deadline. Raises ChatError."""
        try:
            await self.client.open(url)
        except aiohttp.WSServerHandshakeError as error:
            words = f"Slack refused the connection that it had offered (HTTP {error.status})"
            raise ChatError(words, code="upgrade", permanent=False) from error
        except TRANSPORT_ERRORS as error:
            raise unanswered(error, "Socket Mode") from error
        await self._greeted.wait()
        if self.farewell:
            why = FAREWELLS.get(self.farewell, self.farewell)
            raise ChatError(f"Slack ended the new connection at once: {why}", code="farewell", permanent=False)

    async def look(self, every_s: float) -> None:
        """Return when Slack has announced the end of the connection, or after about `every_s` seconds."""
        until = next_round(self._loop.time(), every_s)
        try:
            async with asyncio.timeout_at(until):
                await self._news.wait()
        except TimeoutError:
            pass  # nothing announced
        # While our own loop was blocked, or the machine paused, Slack may have sent something: do not count that as its
        # silence.
        self._heard_at += max(0.0, self._loop.time() - until)
        self._news.clear()

    async def close(self, grace_s: float) -> None:
        """Close it once everything delivered was handled, or after `grace_s` seconds."""
        if self._serving:
            await asyncio.wait(self._serving, timeout=grace_s)
        await self.client.shut()

    async def _on_message(self, message: WSMessage) -> None:
        self._heard_at = self._loop.time()
        if message.type is not WSMsgType.TEXT or not message.data.startswith("{") or len(message.data) > LONGEST_OF_THEIR_OWN:
            return
        try:
            body = json.loads(message.data)
        except (ValueError, RecursionError):
            return  # the SDK, which reads it too, reports that
        if body.get("type") == "hello":
            self._greeted.set()
        elif body.get("type") == "disconnect":
            self.farewell = str(body.get("reason") or "disconnect")
            self._greeted.set()
            self._news.set()

    async def _on_request(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 # the SDK runs listeners in tasks
        self._serving.add(task)
        try:
            await self._serve(self, request)
        except Exception:  # the root of a task: the SDK would log it without its traceback
            log.exception("a request from Slack crashed: this is a bug in Understudy", type=request.type)
        finally:
            self._serving.discard(task)


class _Client(SocketModeClient):
    """The SDK's client for one connection."""

    def __init__(
        self, app_token: str, web: AsyncWebClient, ping_every_s: float, ended: Callable[[], None], rate_limited: RateLimitedLog
    ) -> None:
        super().__init__(
            app_token, logger=sdk_logger(), web_client=web, auto_reconnect_enabled=False, ping_interval=ping_every_s
        )
        self.proxy = web.proxy  # the SDK has read the environment, even for this machine itself
        self._ended = ended
        self._rate_limited = rate_limited
        self._beginning: set[asyncio.Future[None]] = set()

    async def open(self, url: str) -> None:
        """Connect. The SDK's connect() would retry a failed address for ever, although its ticket is used up."""
        self.current_session = await self.aiohttp_client_session.ws_connect(
            url, autoping=False, heartbeat=self.ping_interval, proxy=self.proxy,
            ssl=True if self.web_client.ssl is None else self.web_client.ssl,
        )  # fmt: skip
        self.current_session_monitor = asyncio.ensure_future(self.monitor_current_session())
        self.message_receiver = asyncio.ensure_future(self.receive_messages())

    async def connect_to_new_endpoint(self, force: bool = False) -> None:
        """When the SDK would reconnect, notify the watch instead."""
        self._ended()

    async def enqueue_message(self, message: str) -> None:
        """Acknowledge, unread, a message too big to parse without blocking everybody, or Slack would repeat it."""
        if len(message) <= MOST_MARKS or sum(map(message.count, ",:[{")) <= MOST_MARKS:
            await super().enqueue_message(message)
            return
        await self._acknowledge_unread(message, "it has more parts than are read")

    async def process_message(self) -> None:
        """Handle one message at a time: with hundreds waiting, the SDK would start all of them before other tasks run.

        An unreadable message is acknowledged, so that Slack does not repeat it; the SDK would only log a traceback.
        """
        raw = await self.message_queue.get()
        try:
            message = json.loads(raw) if raw.startswith("{") else {}
        except (ValueError, RecursionError) as error:
            await self._acknowledge_unread(raw, "it is too deep" if isinstance(error, RecursionError) else "it is not JSON")
        else:
            serving = asyncio.ensure_future(self.run_message_listeners(message, raw))
            self._beginning.add(serving)
            serving.add_done_callback(self._beginning.discard)
        await asyncio.sleep(0)

    async def _acknowledge_unread(self, message: str, why: str) -> None:
        if (unsaid := self._rate_limited.may(why)) is not None:
            log.warning("a message from Slack cannot be read", why=why, characters=len(message), since_last=unsaid)
        if envelope := _ENVELOPE.search(message):
            await self.send_socket_mode_response({"envelope_id": envelope[1]})

    async def run_message_listeners(self, message: dict[str, Any], raw_message: str) -> None:
        """An envelope without a payload goes to the door like any other; the SDK would drop it unacknowledged."""
        if "envelope_id" in message and not isinstance(message.get("payload"), dict):
            message = {"type": "", **message, "payload": {}}
        await super().run_message_listeners(message, raw_message)

    async def shut(self) -> None:
        """Close the connection and cancel the SDK's tasks."""
        self.closed = True
        try:
            async with asyncio.timeout(CLOSE_WITHIN_S):
                if self.current_session is not None:
                    await self.current_session.close()
        except TimeoutError:
            log.debug("the closing handshake was not answered")
        futures = [self.message_processor, self.current_session_monitor, self.message_receiver]
        tasks = [future for future in futures if future is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.aiohttp_client_session.close()
