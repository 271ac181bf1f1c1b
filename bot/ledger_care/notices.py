"""Tells people that nothing can be committed, by `notify` and in the alerts channel: without the outbox, which needs writes."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta

from bot.core.ids import ComponentId
from bot.core.model import Level, Verdict
from bot.delivery.direct_posts import OVER, Note
from bot.ports import Engine, Message, StoreError
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

LATER_S = 60.0  # real seconds by which each replica waits for the previous one: Slack may be slow
LEDGER = "ledger/"
LOOK_BACK = timedelta(days=1)  # for what an earlier process posted


class LedgerNotices:
    """Tells of a spell in which nothing is committed, of each provider that fails meanwhile, and of the spell's end.

    A spell is identified by the time of the last durable write, which restarts do not change: keys of posts are made from it.
    `tell` calls people by other means, `show` displays a post in the alerts channel.

    Any of several replicas may be the only one that cannot reach the ledger, and none can ask the others. The one in `place` 0
    tells first; the next one a minute later, unless the channel, which all can see, shows such a post that still applies; and
    so on. Each tells what fails in its own share. `replica` names this one; empty if there can be no others.
    """

    def __init__(
        self, engine: Engine, *, tell: Callable[[str, str], None], show: Callable[[Note], None],
        place: Callable[[], int] = lambda: 0, replica: str = "",
    ) -> None:  # fmt: skip
        self._place = place
        self.replica = replica
        self._stands = ""  # key of the post about the spell, ours or another replica's
        self._call: tuple[str, str] | None = None  # to be made once the post is ours
        self._have_called = False
        self._engine = engine
        self._tell = tell
        self._show = show
        self._since: datetime | None = None  # of the spell being told; None = none
        self._error: StoreError | None = None
        self._called: set[str] = set()  # failing components about which people were called
        self._failing: dict[str, dict[str, Level]] = {}  # by provider, the levels of components that failed in this spell
        self._inherited: set[str] = set()  # providers that an earlier process may have called failing, until cleared

    @property
    def told(self) -> bool:
        """Whether people were told that nothing is committed, and not yet that this is over."""
        return self._since is not None

    @property
    def shared_post(self) -> str | None:
        """The post about the spell, which any replica may close; None if there can be no others."""
        return (self._stands or self._post_key(self._since)) if self.replica and self._since else None

    def lets_others_s(self) -> float:
        """The seconds that we leave to others before we tell of it."""
        return self._place() * LATER_S

    def inherit(self) -> None:
        """The spell began in an earlier process: what that one called failing may be healthy by now."""
        self._inherited = set(self._names())

    def spell(
        self, error: StoreError, since: datetime, seen: Mapping[str, Verdict], awaited: Collection[str] = frozenset()
    ) -> None:
        """Nothing was committed since then: tell of it once, and of each component that fails meanwhile.

        The `awaited` components have no verdict yet.
        """
        world, policy = self._engine.world, self._engine.policy
        news = unwritten(world, seen)
        waits = not self.told and not news and self._place() > 0
        if not self.told or not self._called.issuperset(news):
            self._called.update(news)
            call = ledger_notice(str(error), world, policy, seen, replica=self.replica)
            if waits:
                self._call = call
            else:
                self._call_people(call)
        since = self._since = self._since or since
        if self._error is None or self._error.kind is not error.kind:
            self._error = error
            self._show(self._main(nothing_written(error, since, world, policy, replica=self.replica), since))
        for id in news:
            self._failing.setdefault(ComponentId(id).provider, {}).setdefault(id, Level.UNKNOWN)
        self._inherited -= self._failing.keys()
        doubtful = {*awaited, *(id for id, verdict in seen.items() if not self._recovered(verdict))}
        for provider in sorted(self._inherited - {ComponentId(id).provider for id in doubtful}):
            self._inherited.discard(provider)
            well = recovered_unseen(error, self._names()[provider])
            self._show(Note(self._own(since, provider), well, since, follows=self._post_key(since), may_post=False))
        for provider, before in self._failing.items():
            now = {id: seen[id].level if id in seen else world.component(id).level for id in before}
            if now != before:  # not for a mere change of wording
                self._failing[provider] = now
                fails = fails_unwritten(error, now, seen, world, policy, replica=self.replica)
                self._show(Note(self._own(since, provider), fails, since))

    def _main(self, message: Message, since: datetime) -> Note:
        if not self.replica:
            return Note(self._post_key(since), message, since)
        unseen = self._place() == 0
        return Note(self._post_key(since), message, since, rivals=_tells_of_spell, settled=self._settled, without_search=unseen)

    def _settled(self, key: str) -> None:
        """Which post tells of the spell."""
        if self._since is None:
            return
        self._stands = key
        if self._call and key == self._post_key(self._since):
            self._call_people(self._call)
        self._call = None

    def _call_people(self, call: tuple[str, str]) -> None:
        self._have_called = True
        self._tell(*call)

    def over(self, at: datetime, *, ours: bool = True) -> None:
        """Commits work again: everybody who was told learns of it, from us if the end is `ours` to tell."""
        if self._since is None:
            return
        if ours and (self._have_called or self._stands):
            self._tell("Understudy can write its ledger again", "It goes on by itself; what it missed is decided now.")
        self._end(self._since, at, self._since, self._inherited, ours=ours)
        for provider, levels in self._failing.items():
            if any(level.bad for level in levels.values()):
                key = self._own(self._since, provider)
                self._show(Note(key, failed_unwritten(levels, at, self._engine.policy), self._since, follows=key))
        self._since = self._error = self._call = None
        self._stands, self._have_called = "", False
        self._called, self._failing, self._inherited = set(), {}, set()

    def earlier(self, since: datetime, at: datetime) -> None:
        """An earlier process last wrote at `since`: if it told the channel of a spell, close that post."""
        self._end(since, at, max(since, at - LOOK_BACK), self._names())

    def _end(
        self, since: datetime, at: datetime, look_from: datetime, inherited: Collection[str], *, ours: bool = True
    ) -> None:  # fmt: skip
        mine, several = self._post_key(since), bool(self.replica)
        for key in dict.fromkeys((mine, self._stands or mine) if ours else (mine,)):
            began = min(since, _began(key))
            self._show(Note(key, was_unwritten(began, at, replicas=several), min(look_from, began), follows=key))
            if ours:
                self._show(Note(f"{key}{OVER}", written_again(began, at, replicas=several), min(look_from, began), follows=key))
        for provider in sorted(inherited):
            left = failed_before(self._names()[provider], at)
            self._show(Note(self._own(since, provider), left, look_from, follows=mine, may_post=False))

    def _post_key(self, since: datetime) -> str:
        """The key of our own post about a spell."""
        return f"{_spell_key(since)}@{self.replica}" if self.replica else _spell_key(since)

    def _own(self, since: datetime, provider: str) -> str:
        """The key of our post about a provider; replicas that share its components each have their own."""
        return _spell_key(since, "/".join(filter(None, (provider, self.replica))))

    def _names(self) -> dict[str, str]:
        return {component.provider: component.provider_name for component in self._engine.policy.components.values()}

    def _recovered(self, verdict: Verdict) -> bool:
        """Whether it is healthy although the ledger says otherwise; if both say healthy, something made us doubt it."""
        held = self._engine.world.component(verdict.component).level
        return verdict.level is Level.OPERATIONAL and held is not Level.OPERATIONAL


def _tells_of_spell(key: str) -> bool:
    return key.startswith(LEDGER) and (key.count("/") == 1 or key.endswith(OVER))


def _began(key: str) -> datetime:
    """When the spell in a post's key began."""
    return datetime.fromisoformat(key.removeprefix(LEDGER).partition("@")[0])


def _spell_key(since: datetime, what: str = "") -> str:
    return f"{LEDGER}{since.isoformat()}" + (f"/{what}" if what else "")
