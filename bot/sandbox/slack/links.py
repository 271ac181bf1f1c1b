"""How events reach the app and are acknowledged: over Socket Mode (tickets, websockets, envelopes) or at its request URL."""

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from aiohttp import WSCloseCode, WSMsgType, web

from bot.sandbox.slack import payloads
from bot.sandbox.slack.errors import SlackbotSays
from bot.sandbox.slack.events import is_wanted
from bot.sandbox.slack.faults import SocketFaults
from bot.sandbox.slack.http_delivery import RequestUrl, sent
from bot.sandbox.slack.records import SCOPE_OF_EVENT, Ack, Json
from bot.sandbox.slack.team import Team

RETRY_REASON = "timeout"


@dataclass(eq=False)
class Link:
    """One open websocket."""

    socket: web.WebSocketResponse
    request: web.Request


@dataclass
class Links:
    """All websockets of the app, and what was sent over them but not yet acknowledged."""

    team: Team
    acks: list[Ack]
    faults: SocketFaults
    links: list[Link] = field(default_factory=list)
    tickets: dict[str, float] = field(default_factory=dict)
    spent: int = 0
    request_url: RequestUrl = field(default_factory=RequestUrl)
    _waiting: dict[str, asyncio.Future[Json | None]] = field(default_factory=dict)
    _turn: Iterator[int] = field(default_factory=count)
    _events: set[asyncio.Task[None]] = field(default_factory=set)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    # -- opening

    def open_ticket(self) -> str:
        """A websocket URL that works once."""
        ticket = secrets.token_hex(16)
        self.tickets[ticket] = self.team.clock.monotonic()
        host = self.team.base_url.replace("http://", "ws://")
        return f"{host}/link/?ticket={ticket}&app_id={self.team.app_id}"

    async def upgrade(self, request: web.Request) -> web.StreamResponse:
        """Serve one websocket until it ends; a stale or used ticket is answered with HTTP 408."""
        born_at = self.tickets.pop(request.query.get("ticket", ""), None)
        if self.faults.refuse > 0:
            self.faults.refuse -= 1
            return web.Response(status=408, text="ticket refused")
        if born_at is None or self.team.age_s(born_at) > self.team.settings.ticket_lives_s:
            return web.Response(status=408, text="ticket expired or used")
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        if len(self.links) >= self.team.settings.max_sockets:
            await socket.send_json(self._disconnect("too_many_websockets"))
            await socket.close()
            return socket
        link = Link(socket, request)
        self.links.append(link)
        self._changed.set()
        try:
            if not self.faults.silent:
                await socket.send_json(self._hello())
            await self._listen(socket)
        finally:
            self.links.remove(link)
            self._changed.set()
        return socket

    async def wait_for_links(self, at_least: int) -> None:
        """Return once at least that many websockets are open."""
        while sum(not link.socket.closed for link in self.links) < at_least:
            self._changed.clear()
            await self._changed.wait()

    async def _listen(self, socket: web.WebSocketResponse) -> None:
        async for message in socket:
            if self.faults.silent:
                continue
            if message.type == WSMsgType.PING:
                await socket.pong(message.data)
            elif message.type == WSMsgType.TEXT:
                answer = message.json()
                waiting = self._waiting.get(answer.get("envelope_id", ""))
                if waiting is not None and not waiting.done():
                    waiting.set_result(answer.get("payload"))

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self.links),
            "debug_info": {
                "host": "local-workspace",
                "build_number": 1,
                "approximate_connection_time": self.team.settings.socket_lives_s,
            },
            "connection_info": {"app_id": self.team.app_id},
        }

    def _disconnect(self, reason: str) -> Json:
        return {"type": "disconnect", "reason": reason, "debug_info": {"host": "local-workspace"}}

    # -- closing

    async def disconnect_all(self, reason: str, *, close: bool) -> None:
        """Send `disconnect` to every websocket that is open now, and close it if asked."""
        for link in list(self.links):
            if link.socket.closed:
                continue
            await link.socket.send_json(self._disconnect(reason))
            if close:
                await link.socket.close(code=WSCloseCode.OK)

    async def abort_all(self) -> None:
        """Abort the TCP connection of every websocket."""
        for link in list(self.links):
            if link.request.transport is not None:
                link.request.transport.abort()

    async def stop(self) -> None:
        """Close everything and cancel the pending retries."""
        for task in self._events:
            task.cancel()
        await asyncio.gather(*self._events, return_exceptions=True)
        for link in list(self.links):
            await link.socket.close(code=WSCloseCode.GOING_AWAY)
        await self.request_url.close()

    # -- sending

    async def deliver(self, kind: str, payload: Json, extra: Mapping[str, object] | None = None) -> Json | None:
        """Send one payload to the request URL, or else to one arbitrary websocket, and return its acknowledgement.

        Raises SlackbotSays: `dispatch_failed` if nobody takes it, `operation_timeout` after three seconds of silence.
        """
        rest = {"accepts_response_payload": kind != "events_api", **(extra or {})}
        if self.request_url.url:
            return await self._acknowledged(kind, lambda _: self._post(kind, payload, rest))
        return await self._deliver(kind, lambda id: json.dumps({"envelope_id": id, "type": kind, "payload": payload, **rest}))

    async def deliver_text(self, kind: str, payload: str) -> Json | None:
        """Like `deliver`, with a payload that is sent as it is, JSON or not."""
        if self.request_url.url:
            return await self._acknowledged(kind, lambda _: self._post(kind, payload, {}))
        return await self._deliver(kind, lambda id: f'{{"envelope_id": "{id}", "type": "{kind}", "payload": {payload}}}')

    async def _deliver(self, kind: str, envelope: Callable[[str], str]) -> Json | None:
        link = self._pick()
        if link is None:
            raise SlackbotSays("dispatch_failed")

        async def over_it(envelope_id: str) -> Json | None:
            waiting: asyncio.Future[Json | None] = asyncio.get_running_loop().create_future()
            self._waiting[envelope_id] = waiting
            try:
                await self._send(link, envelope(envelope_id))
                return await waiting
            finally:
                del self._waiting[envelope_id]

        return await self._acknowledged(kind, over_it)

    async def _acknowledged(self, kind: str, send: Callable[[str], Awaitable[Json | None]]) -> Json | None:
        """Send it, and note how long the acknowledgement took."""
        id = f"{secrets.token_hex(4)}-{secrets.token_hex(2)}-{secrets.token_hex(6)}"
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(self.team.settings.ack_within_s):
                answer = await send(id)
        except TimeoutError:
            self.acks.append(Ack(kind, id, None))
            raise SlackbotSays("operation_timeout") from None
        self.acks.append(Ack(kind, id, loop.time() - began, answer))
        return answer

    async def _post(self, kind: str, payload: Json | str, extra: Mapping[str, object]) -> Json | None:
        times = 1
        if self.faults.twice > 0:
            self.faults.twice -= 1
            times = 2
        within_s = self.team.settings.ack_within_s
        return await self.request_url.deliver(sent(kind, payload, extra), times=times, within_s=within_s)

    def _pick(self) -> Link | None:
        open_links = [link for link in self.links if not link.socket.closed]
        return open_links[next(self._turn) % len(open_links)] if open_links else None

    async def send_late(self, envelopes: Sequence[str]) -> None:
        """Send what was held back, over a websocket that is open now."""
        for envelope in envelopes:
            if link := self._pick():
                await self._send(link, envelope)

    async def _send(self, link: Link, envelope: str) -> None:
        if self.faults.holding:
            self.faults.held.append(envelope)
            return
        times = 1
        if self.faults.twice > 0:
            self.faults.twice -= 1
            times = 2
        for _ in range(0 if self.faults.silent else times):
            try:
                await link.socket.send_str(envelope)
            except ConnectionError:
                return  # closed while we were sending: nobody will acknowledge

    # -- events

    def emit(self, event: Json) -> None:
        """Send an event that the app subscribed to, and retry until it is acknowledged."""
        if is_wanted(self.team, event, SCOPE_OF_EVENT):
            task = asyncio.get_running_loop().create_task(self._deliver_event(event))
            self._events.add(task)
            task.add_done_callback(self._events.discard)

    async def _deliver_event(self, event: Json) -> None:
        payload = payloads.event_callback(self.team, event, self.team.new_id("Ev"))
        for attempt, wait_s in enumerate((None, *self.team.settings.event_retries_after_s)):
            if wait_s:
                await asyncio.sleep(wait_s)
            retry = {"retry_attempt": attempt, "retry_reason": RETRY_REASON if attempt else ""}
            try:
                await self.deliver("events_api", payload, retry)
            except SlackbotSays:
                continue
            return
