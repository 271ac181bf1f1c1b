"""Misbehaviour on demand: what Slack, or the network on the way to it, does wrong.

Rules are taken in the order in which they were added; each is used up after `times` calls.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from bot.sandbox.slack.records import Json

KINDS = frozenset(
    {"429", "500_before", "500_after", "drop_before", "drop_after", "late", "hang", "hang_after"},
)

Hook = Callable[[str, str, Json], Awaitable[None]]


class Sockets(Protocol):
    """What the faults do to the websockets."""

    def abort_all(self) -> Coroutine[Any, Any, None]: ...
    def disconnect_all(self, reason: str, *, close: bool) -> Coroutine[Any, Any, None]: ...
    def send_late(self, envelopes: Sequence[str]) -> Coroutine[Any, Any, None]: ...


class Listener(Protocol):
    """What the faults do to the HTTP server."""

    def go_offline(self) -> Coroutine[Any, Any, None]: ...
    def go_online(self) -> Coroutine[Any, Any, None]: ...


@dataclass
class Rule:
    """One kind of fault for the next `left` calls of a method."""

    method: str
    kind: str
    left: int
    retry_after: int
    delay: float
    match: Callable[[Json], bool] | None

    def fits(self, method: str, args: Json) -> bool:
        return self.left > 0 and self.method in (method, "*") and (self.match is None or self.match(args))


@dataclass
class SocketFaults:
    """Faults that the socket server must respect while it works."""

    silent: bool = False
    refuse: int = 0
    twice: int = 0
    shares_to_lose: int = 0
    holding: bool = False
    held: list[str] = field(default_factory=list)  # envelopes to be delivered later


@dataclass
class Faults:
    """The faults of one workspace."""

    sockets: Sockets
    listener: Listener
    state: SocketFaults = field(default_factory=SocketFaults)
    rules: list[Rule] = field(default_factory=list)
    hooks: list[Hook] = field(default_factory=list)

    def add(
        self,
        method: str,
        kind: str,
        *,
        times: int = 1,
        retry_after: int = 1,
        delay: float = 0.5,
        match: Callable[[Json], bool] | None = None,
    ) -> None:
        """Spoil the next `times` calls of `method` whose arguments `match`.

        `*` is any method; `upload` and `response_url` are the two addresses that Slack hands out.

        Kinds: `429`, `500_before`, `500_after` (it happened, the reply is a 500), `drop_before`, `drop_after` (it happened,
        the connection drops), `late` (dropped now, happens `delay` real seconds later), `hang` (no answer, no effect),
        `hang_after` (no answer, but it happened), `error:CODE`. Raises ValueError for others.
        """
        if kind not in KINDS and not kind.startswith("error:"):
            raise ValueError(f"no such fault: {kind}; there are {', '.join(sorted(KINDS))} and error:CODE")
        self.rules.append(Rule(method, kind, times, retry_after, delay, match))

    def clear(self) -> None:
        """Forget all rules and let the socket speak again."""
        self.rules.clear()
        self.state.silent = self.state.holding = False
        self.state.held.clear()
        self.state.refuse = self.state.twice = self.state.shares_to_lose = 0

    def take(self, method: str, args: Json) -> Rule | None:
        """The rule for this call, with one use of it spent."""
        for rule in self.rules:
            if rule.fits(method, args):
                rule.left -= 1
                return rule
        return None

    def on_call(self, hook: Hook) -> Callable[[], None]:
        """Await `hook(method, "before" | "after", args)` around the effect of each call; returns a function that ends this."""
        self.hooks.append(hook)
        return lambda: self.hooks.remove(hook)

    async def tell(self, method: str, phase: str, args: Json) -> None:
        """Run the hooks of a phase."""
        for hook in list(self.hooks):
            await hook(method, phase, args)

    def loses_share(self) -> bool:
        """Whether this upload never appears."""
        if self.state.shares_to_lose <= 0:
            return False
        self.state.shares_to_lose -= 1
        return True

    def silent(self) -> None:
        """Sockets stay open but neither deliver nor answer pings; new ones are just as silent."""
        self.state.silent = True

    def speak(self) -> None:
        """End the silence."""
        self.state.silent = False

    def refuse_upgrades(self, n: int) -> None:
        """Answer the next `n` websocket upgrades with HTTP 408; their tickets are spent."""
        self.state.refuse += n

    def deliver_twice(self, n: int) -> None:
        """Send each of the next `n` envelopes twice, with the same envelope_id."""
        self.state.twice += n

    def hold_back(self) -> None:
        """Keep every envelope of the socket until `let_go`, however late; whoever waits for an answer gets none meanwhile."""
        self.state.holding = True

    async def let_go(self) -> None:
        """Deliver what was held back, in order."""
        self.state.holding = False
        held, self.state.held = self.state.held, []
        await self.sockets.send_late(held)

    def lose_shares(self, n: int) -> None:
        """Make the next `n` uploaded files never appear in their channel, as happens on Slack."""
        self.state.shares_to_lose += n

    def warn(self) -> asyncio.Task[None]:
        """Announce that the connections will end, as Slack does about ten seconds ahead; may be awaited."""
        return asyncio.ensure_future(self.sockets.disconnect_all("warning", close=False))

    def refresh(self) -> asyncio.Task[None]:
        """Ask all sockets to reconnect, then close them; may be awaited."""
        return asyncio.ensure_future(self.sockets.disconnect_all("refresh_requested", close=True))

    def link_disabled(self) -> asyncio.Task[None]:
        """Say that Socket Mode was switched off, then close all sockets; may be awaited."""
        return asyncio.ensure_future(self.sockets.disconnect_all("link_disabled", close=True))

    def drop_sockets(self) -> asyncio.Task[None]:
        """Abort the TCP connections of all sockets, without a goodbye; may be awaited."""
        return asyncio.ensure_future(self.sockets.abort_all())

    def offline(self) -> asyncio.Task[None]:
        """Slack is down: nothing listens on the port and every connection is aborted; may be awaited."""
        return asyncio.ensure_future(self.listener.go_offline())

    def online(self) -> asyncio.Task[None]:
        """Slack is back, on the same port; may be awaited."""
        return asyncio.ensure_future(self.listener.go_online())
