"""Who people are: Slack is asked once about each, the answer is kept, and changes are reported to us (`user_change`).

Why an old answer may replace one that Slack does not give: at three in the morning, with Slack half down, yesterday's full
member is far more likely the engineer on call than somebody made a guest since, which `user_change` would report. So known
people keep their standing, even over a restart, and so do commanders, whom an operator named; unknown people may change
nothing until Slack says who they are.
"""

import asyncio
import json
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from bot.ports import ChatError, Ledger, StoreError
from bot.slack.gateway import SlackGateway
from bot.slack.standing import Standing, barred_as, standing_of
from bot.system.clock import Clock
from bot.system.remembered import read_back

log = structlog.get_logger(__name__)

SETTING = "slack people"  # the setting in the ledger that carries known members over a restart
LONGEST_ZONE = 64  # America/Argentina/ComodRivadavia has 32
MOST = 2_000  # people to remember; the least recently seen are dropped first
FRESH_FOR_S = 3600.0  # then ask Slack again, in case a user_change was missed
ASK_WITHIN_S = 1.5  # Slack waits three seconds for an acknowledgement, and answering takes some of that
PAUSE_AFTER_S = 10.0  # after Slack did not answer

# Slack's codes for somebody outside our workspace whom we cannot see.
NOT_OURS = frozenset({"user_not_found", "user_not_visible"})


@dataclass
class _Known:
    standing: Standing
    asked_at: float | None = None  # on the monotonic clock; None = before this start, or a change was reported since
    zone: str = ""


class People:
    """The directory. `trusted()` returns the people that the configuration names, as far as they are known."""

    def __init__(
        self, gateway: SlackGateway, ledger: Ledger, clock: Clock, *, trusted: Callable[[], Collection[str]] = tuple
    ) -> None:
        self._gateway = gateway
        self._ledger = ledger
        self._clock = clock
        self._trusted = trusted
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._overtaken: dict[str, Standing | None] = {}  # by a change: what bars them now, if the event said so
        self._silent_until = 0.0
        self._silence = ""
        self._kept: tuple[str, ...] = ()
        self._recalled = False

    async def recall(self) -> None:
        """Load the members known before this start. Raises StoreError."""
        if self._recalled:
            return
        remembered = await self._ledger.read(lambda store: store.setting(SETTING))
        self._recalled = True
        found = read_back(remembered, SETTING)
        for user in found if isinstance(found, list) else ():
            self._known.setdefault(str(user), _Known(Standing.MEMBER))

    async def standing(self, user: str) -> Standing:
        """This person's standing, within `ASK_WITHIN_S` real seconds."""
        known = self._known.get(user)
        if known:
            self._known.move_to_end(user)
        if known is None or not self._is_fresh(known):
            await self._ask(user)
            known = self._known.get(user)
        if known:
            return known.standing
        return Standing.MEMBER if user in self._trusted() else Standing.UNKNOWN

    def zone(self, user: str) -> str:
        """The time zone of a known person, such as Europe/Berlin; empty if Slack did not say."""
        known = self._known.get(user)
        return known.zone if known else ""

    @property
    def silence(self) -> str:
        """Why Slack last failed to say who somebody is."""
        return self._silence

    def heard(self, user: Mapping[str, Any]) -> None:
        """Slack reports that a person's record changed. Ignored for unknown people.

        Whatever bars somebody counts at once. The rest is asked, since the event does not list all of a person's workspaces.
        """
        id, barred = str(user.get("id") or ""), barred_as(user)
        if id in self._asking:
            self._overtaken[id] = barred  # an answer already on its way may be older than this
        if id not in self._known:
            return
        before = self._known[id]
        self._known[id] = _Known(
            barred or before.standing, self._clock.monotonic() if barred else None, _zone(user) or before.zone
        )
        if barred and before.standing is not barred:
            log.info("somebody is no longer a full member", user=id, standing=barred.value)
            self._keep_soon()

    def __len__(self) -> int:
        return len(self._known)

    def doubt(self) -> None:
        """Changes may have been missed: ask again about people when they next appear."""
        for known in self._known.values():
            known.asked_at = None

    async def settled(self) -> None:
        """Wait until pending work is done."""
        while self._asking:
            await asyncio.wait(list(self._asking.values()))

    async def close(self) -> None:
        """Cancel open questions."""
        tasks = list(self._asking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- asking

    def _is_fresh(self, known: _Known) -> bool:
        return known.asked_at is not None and self._clock.monotonic() - known.asked_at < FRESH_FOR_S

    async def _ask(self, user: str) -> None:
        """Ask, and wait a little. A late answer still counts the next time."""
        if self._clock.monotonic() < self._silent_until:
            return
        task = self._asking.get(user)
        if task is None:
            task = asyncio.create_task(self._learn(user), name="who is that")
            self._asking[user] = task
            task.add_done_callback(lambda _: self._asking.pop(user, None))
        done, _ = await asyncio.wait({task}, timeout=ASK_WITHIN_S)
        if not done:
            self._was_silent("Slack does not answer in time")

    async def _learn(self, user: str) -> None:
        try:
            zone, us = "", await self._gateway.identity()
            reply = await self._gateway.user_info(user)
        except ChatError as error:
            if error.code not in NOT_OURS:
                self._was_silent(str(error))
                self._overtaken.pop(user, None)  # already counted, and older than the next answer
                return
            found = Standing.FOREIGN
        else:
            found, zone = standing_of(reply, us), _zone(reply)
        asked_at = None if user in self._overtaken else self._clock.monotonic()
        self._known[user] = _Known(self._overtaken.pop(user, None) or found, asked_at, zone)
        self._known.move_to_end(user)
        while len(self._known) > MOST:
            self._known.popitem(last=False)
        self._keep_soon()

    def _was_silent(self, why: str) -> None:
        self._silent_until = self._clock.monotonic() + PAUSE_AFTER_S
        self._silence = why
        log.warning("Slack did not return a person's profile", why=why)

    # --- storing

    def _keep_soon(self) -> None:
        """Store the members in the background; losing this costs one question to Slack."""
        members = tuple(sorted(user for user, known in self._known.items() if known.standing.is_member))
        if members == self._kept:
            return
        self._kept = members
        task = asyncio.create_task(self._keep(members), name="keep who people are")
        self._asking[f"keep/{id(task)}"] = task
        task.add_done_callback(lambda done: self._asking.pop(f"keep/{id(done)}", None))

    async def _keep(self, members: tuple[str, ...]) -> None:
        try:
            await self._ledger.write(lambda store: store.put_setting(SETTING, json.dumps(members)))
        except StoreError as error:
            log.warning("people's profiles could not be saved", why=str(error))


def _zone(user: Mapping[str, Any]) -> str:
    zone = user.get("tz")
    return zone if isinstance(zone, str) and len(zone) <= LONGEST_ZONE else ""
