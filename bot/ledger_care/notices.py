"""Tells people that nothing can be committed, by `notify` and in the alerts channel: around the outbox, which needs writing."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta

from bot.core.ids import ComponentId
from bot.core.model import Level, Verdict
from bot.delivery.direct_posts import Note
from bot.ports import Engine, StoreError
from bot.views.storage import (
    failed_before,
    failed_unwritten,
    fails_unwritten,
    ledger_notice,
    nothing_written,
    recovered_unseen,
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
        self._inherited: set[str] = set()  # providers that an earlier process may have called failing, as far as not cleared

    @property
    def told(self) -> bool:
        """Whether people were told that nothing is committed, and not yet that it is over."""
        return self._since is not None

    def inherit(self) -> None:
        """The spell to be told began in an earlier process: what that one called failing may be well by now."""
        self._inherited = set(self._names())

    def spell(
        self, error: StoreError, since: datetime, seen: Mapping[str, Verdict], awaited: Collection[str] = frozenset()
    ) -> None:
        """Nothing was committed since then: tell it once, and each component that fails meanwhile.

        Of the `awaited` components nobody knows yet how they are.
        """
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
            self._failing.setdefault(ComponentId(id).provider, {}).setdefault(id, Level.UNKNOWN)
        self._inherited -= self._failing.keys()
        doubtful = {*awaited, *(id for id, verdict in seen.items() if not self._recovered(verdict))}
        for provider in sorted(self._inherited - {ComponentId(id).provider for id in doubtful}):
            self._inherited.discard(provider)
            well = recovered_unseen(error, self._names()[provider])
            self._show(Note(_key(since, provider), well, since, follows=_key(since), anew=False))
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
        self._end(self._since, at, self._since, self._inherited)
        for provider, levels in self._failing.items():
            if any(level.bad for level in levels.values()):
                key = _key(self._since, provider)
                self._show(Note(key, failed_unwritten(levels, at, self._engine.policy), self._since, follows=key))
        self._since = self._error = None
        self._called, self._failing, self._inherited = set(), {}, set()

    def earlier(self, since: datetime, at: datetime) -> None:
        """An earlier process wrote for the last time at `since`: where the channel was told so, it hears of the end."""
        self._end(since, at, max(since, at - LOOK_BACK), self._names())

    def _end(self, since: datetime, at: datetime, look_from: datetime, inherited: Collection[str]) -> None:
        key = _key(since)
        self._show(Note(key, was_unwritten(since, at), look_from, follows=key))
        self._show(Note(_key(since, "over"), written_again(since, at), look_from, follows=key))
        for provider in sorted(inherited):
            left = failed_before(self._names()[provider], at)
            self._show(Note(_key(since, provider), left, look_from, follows=key, anew=False))

    def _names(self) -> dict[str, str]:
        return {component.provider: component.provider_name for component in self._engine.policy.components.values()}

    def _recovered(self, verdict: Verdict) -> bool:
        """Whether it is well where the ledger says otherwise; where both say well, something made us doubt it."""
        held = self._engine.world.component(verdict.component).level
        return verdict.level is Level.OPERATIONAL and held is not Level.OPERATIONAL


def _key(since: datetime, what: str = "") -> str:
    return f"ledger/{since.isoformat()}" + (f"/{what}" if what else "")
