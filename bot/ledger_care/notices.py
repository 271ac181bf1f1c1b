"""Tells people that nothing can be committed, by `notify` and in the alerts channel: around the outbox, which needs writing."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from bot.core.model import Level, Verdict
from bot.delivery.direct_posts import Note
from bot.ports import Engine, StoreError
from bot.views.storage import (
    failed_unwritten,
    fails_unwritten,
    ledger_notice,
    nothing_written,
    unwritten,
    was_unwritten,
    written_again,
)

LOOK_BACK = timedelta(days=1)  # for what an earlier process said


class LedgerNotices:
    """Tells of a spell in which nothing is committed, of each provider that fails meanwhile, and of the spell's end.

    A spell is known by the moment of the last durable write, which stays the same however often the bot is started in it: posts
    carry keys made of it. `tell` calls people on other ways, `show` lets a post stand in the alerts channel.
    """

    def __init__(self, engine: Engine, *, tell: Callable[[str, str], None], show: Callable[[Note], None]) -> None:
        self._engine = engine
        self._tell = tell
        self._show = show
        self._since: datetime | None = None  # of the spell that is told; None = none is
        self._error: StoreError | None = None
        self._called: set[str] = set()  # failing components that people were called for
        self._failing: dict[str, dict[str, Level]] = {}  # by provider, how the components are that failed in this spell

    @property
    def told(self) -> bool:
        """Whether people were told that nothing is committed, and not yet that it is over."""
        return self._since is not None

    def spell(self, error: StoreError, since: datetime, seen: Mapping[str, Verdict]) -> None:
        """Nothing was committed since then: tell it once, and each component that fails meanwhile."""
        world, policy = self._engine.world, self._engine.policy
        news = unwritten(world, seen)
        if not self.told or not self._called.issuperset(news):
            self._called.update(news)
            self._tell(*ledger_notice(str(error), world, policy, seen))
        since = self._since = self._since or since
        if self._error is None or self._error.kind is not error.kind:
            self._error = error
            self._show(Note(_key(since), nothing_written(error, since, world, policy), since))
        for id in news:
            self._failing.setdefault(id.partition(".")[0], {}).setdefault(id, Level.UNKNOWN)
        for provider, before in self._failing.items():
            now = {id: seen[id].level if id in seen else world.component(id).level for id in before}
            if now != before:  # not for each new wording of the same
                self._failing[provider] = now
                self._show(Note(_key(since, provider), fails_unwritten(error, now, seen, world, policy), since))

    def over(self, at: datetime) -> None:
        """It is committed again: everybody who was told hears of it."""
        if self._since is None:
            return
        self._tell("Understudy can write its ledger again", "It goes on by itself; what it missed is decided now.")
        self._end(self._since, at, self._since)
        for provider, levels in self._failing.items():
            if any(level.bad for level in levels.values()):
                key = _key(self._since, provider)
                self._show(Note(key, failed_unwritten(levels, at, self._engine.policy), self._since, follows=key))
        self._since = self._error = None
        self._called, self._failing = set(), {}

    def earlier(self, since: datetime, at: datetime) -> None:
        """An earlier process wrote for the last time at `since`: where the channel was told so, it hears of the end."""
        self._end(since, at, max(since, at - LOOK_BACK))

    def _end(self, since: datetime, at: datetime, look_from: datetime) -> None:
        key = _key(since)
        self._show(Note(key, was_unwritten(since, at), look_from, follows=key))
        self._show(Note(_key(since, "over"), written_again(since, at), look_from, follows=key))


def _key(since: datetime, what: str = "") -> str:
    return f"ledger/{since.isoformat()}" + (f"/{what}" if what else "")
