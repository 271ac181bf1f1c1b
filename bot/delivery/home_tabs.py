"""The Home tabs: each is drawn when its person opens it, and follows commits for a day after that.

It needs no outbox: a tab shows the present, so only the newest version matters. Changes that come faster than Slack lets us
draw are combined.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from bot.cluster.single_replica import SingleReplica
from bot.core.model import Actor
from bot.ports import ChatError, Engine, Ledger, Member, StoreError
from bot.system.clock import Clock
from bot.system.remembered import read_back
from bot.system.token_bucket import TokenBucket
from bot.views.home import closed, home

log = structlog.get_logger(__name__)

SETTING = "home tabs"  # the setting in the ledger that carries recent openings over a restart
FOLLOWED_FOR = timedelta(days=1)
KEPT_EVERY = timedelta(hours=1)  # an opening is recorded if that person's last recorded one is older
MOST = 1_000  # people whose tabs are followed; the earliest opening is dropped first
AT_ONCE = 3  # drawings of one tab in a row
ALL_A_SECOND, ALL_AT_ONCE = 1.5, 30  # Slack allows a hundred views.publish a minute, and bursts
LOOK_AGAIN_S = 0.25
NEVER = datetime.min.replace(tzinfo=UTC)
PAUSE_S = 10.0  # after Slack refused one
HEARD = "home"  # the topic on which replicas tell each other whose tab was opened, and its hash
HOPELESS = frozenset({"not_enabled", "user_not_found", "account_inactive", "invalid_arguments", "missing_scope"})

Publish = Callable[[str, Mapping[str, Any], str], Awaitable[str]]  # user, view, expected hash -> new hash
Asker = Callable[[str], Awaitable[Actor | str]]  # somebody's actor, or why they may not look


class HomeTabs:
    """Draws and follows tabs. `trouble()` is what people should know about the bot itself."""

    def __init__(
        self, publish: Publish, asker: Asker, engine: Engine, ledger: Ledger, clock: Clock, *, every_s: float,
        trouble: Callable[[], str] = lambda: "", member: Member | None = None,
    ) -> None:  # fmt: skip
        self._publish = publish
        self._asker = asker
        self._engine = engine
        self._ledger = ledger
        self._clock = clock
        self._every_s = every_s
        self._trouble = trouble
        self._member = member or SingleReplica()
        self._member.hear(HEARD, self._opened_elsewhere)
        self._opened: dict[str, datetime] = {}
        self._kept: dict[str, datetime] = {}
        self._due: dict[str, bool] = {}  # whose tab to draw; True = even if it looks the same
        self._drawn: dict[str, str] = {}
        self._hashes: dict[str, str] = {}
        self._paces: dict[str, TokenBucket] = {}
        self._pace = TokenBucket(ALL_A_SECOND, ALL_AT_ONCE)
        self._paused_until = 0.0
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Redraw recently opened tabs, and follow them; may be called again. Raises StoreError."""
        if self._task:
            return
        remembered = read_back(await self._ledger.read(lambda store: store.setting(SETTING)), SETTING)
        for user, at in remembered.items() if isinstance(remembered, dict) else ():
            with suppress(TypeError, ValueError):
                self._opened.setdefault(str(user), datetime.fromisoformat(at).astimezone(UTC))
        self._kept = dict(self._opened)
        self._task = asyncio.create_task(self._work(), name="home tabs")
        self.changed()

    async def close(self) -> None:
        """Stop following."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def opened(self, user: str, hash: str) -> None:
        """Somebody looks at their tab and sees the version with this hash (empty: none yet)."""
        now = self._clock.now()
        self._follow(user, hash)
        self._member.tell(HEARD, [user, hash])
        self._due = {user: True, **self._due}  # ahead of people who may not be looking
        self._wake.set()
        if now - self._kept.get(user, NEVER) >= KEPT_EVERY:
            await self._keep()

    def _follow(self, user: str, hash: str) -> None:
        self._opened.pop(user, None)
        self._opened[user] = self._clock.now()
        while len(self._opened) > MOST:
            self._forget(next(iter(self._opened)))
        self._hashes[user] = hash

    async def _opened_elsewhere(self, body: Any) -> None:
        """Another replica was asked and draws it; the replica that owns this tab follows it from then on."""
        user, hash = body
        self._follow(str(user), str(hash))
        self._drawn.pop(str(user), None)

    def changed(self) -> None:
        """Something was committed: any followed tab may look different. Only one of several replicas draws it."""
        since = self._clock.now() - FOLLOWED_FOR
        for user in [user for user, at in self._opened.items() if at < since]:
            self._forget(user)
        for user in self._opened:
            if self._member.owns(f"home {user}"):
                self._due.setdefault(user, False)
        self._wake.set()

    # --- drawing

    async def _work(self) -> None:
        while True:
            self._wake.clear()
            if user := self._turn():
                await self._draw(user, anyway=self._due.pop(user))
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AGAIN_S if self._due else None):
                    await self._wake.wait()

    def _turn(self) -> str:
        """Whose tab may be drawn now; empty if none is due, or all must wait."""
        now = asyncio.get_running_loop().time()
        if not self._due or now < self._paused_until or not self._pace.take(now):
            return ""
        return next((user for user in self._due if self._pace_of(user).take(now)), "")

    def _pace_of(self, user: str) -> TokenBucket:
        return self._paces.setdefault(user, TokenBucket(1 / self._every_s, AT_ONCE))

    async def _draw(self, user: str, *, anyway: bool) -> None:
        try:
            reader = await self._asker(user)
            view = closed(reader) if isinstance(reader, str) else self._view(reader)
            drawn = json.dumps(view)
            if anyway or drawn != self._drawn.get(user):
                self._hashes[user] = await self._publish(user, view, self._hashes.get(user, ""))
                self._drawn[user] = drawn
        except ChatError as refusal:
            self._refused(user, refusal)
        except Exception:  # the root of a task: the next change draws it again
            log.exception("building a Home tab crashed: this is a bug in Understudy", user=user)

    def _view(self, reader: Actor) -> dict[str, Any]:
        return home(self._engine.world, self._engine.policy, self._clock.now(), reader, trouble=self._trouble())

    def _refused(self, user: str, refusal: ChatError) -> None:
        if refusal.code in HOPELESS:
            log.warning("a Home tab cannot be built", user=user, why=str(refusal))
            self._forget(user)
            return
        self._hashes.pop(user, None)  # the tab may show another version, perhaps ours if the response was lost
        if user in self._opened:
            self._due[user] = True
        if refusal.code != "hash_conflict":
            wait = refusal.retry_after.total_seconds() if refusal.retry_after else PAUSE_S
            self._paused_until = asyncio.get_running_loop().time() + wait
            log.info("Slack did not take a Home tab", why=str(refusal), again_in_s=wait)

    # --- recording openings

    def _forget(self, user: str) -> None:
        for held in (self._opened, self._due, self._drawn, self._hashes, self._paces, self._kept):
            held.pop(user, None)

    async def _keep(self) -> None:
        self._kept = dict(self._opened)
        text = json.dumps({user: at.isoformat() for user, at in self._kept.items()})
        try:
            await self._ledger.write(lambda store: store.put_setting(SETTING, text))
        except StoreError as error:
            log.warning("who opened the Home tab could not be saved", why=str(error))
