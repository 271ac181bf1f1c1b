"""The data folder: ledger and samples, the engine over their state, and their monitoring."""

from collections.abc import Callable, Collection, Mapping, Sequence

import structlog

from bot.cluster.single_replica import SingleReplica
from bot.config.policy import to_policy
from bot.core.model import Verdict
from bot.core.record.fact import Fact
from bot.core.record.world import World
from bot.delivery.direct_posts import Note
from bot.delivery.out_of_band import AlertsByOtherWays
from bot.engine.engine import CommittingEngine
from bot.engine.follower import Follower
from bot.flags.evaluate import revision_of, snapshot
from bot.ledger_care.audit import DailyAudit, load_checked
from bot.ledger_care.notices import LedgerNotices
from bot.ledger_care.opening import open_patiently
from bot.ledger_care.watch import LedgerWatch
from bot.notify.out_of_band import AppriseNotifier
from bot.ports import CLOCK, Member
from bot.system.denials import Denials
from bot.system.private_files import CONTROL_FILE
from bot.views.storage import outdated_words
from bot.web.health import Part
from bot.wiring.part import AppPart
from bot.wiring.retained import SETTING, RetainedPolicy, keep, remember
from bot.wiring.setup import Setup

log = structlog.get_logger(__name__)


class Store(AppPart):
    """Opens the folder, restores the state and serves flags from it.

    `live_verdicts` returns current verdicts, `unchecked` the components without one yet, and `show` displays a note in the
    alerts channel; all are called only once the rest is running.
    """

    def __init__(
        self, setup: Setup, *, live_verdicts: Callable[[], Mapping[str, Verdict]], unchecked: Callable[[], Collection[str]],
        show: Callable[[Note], None],
    ) -> None:  # fmt: skip
        super().__init__()
        self._setup = setup
        self._live_verdicts = live_verdicts
        self._unchecked = unchecked
        self._show = show
        self._restored = False
        self.kept = RetainedPolicy(to_policy(setup.config), {}, ())
        self.member: Member = SingleReplica()  # until the replicas of a shared ledger are joined

    def leads(self) -> bool:
        """Whether this process does the work that only one process on the ledger must do."""
        return self.member.holds(CLOCK)

    async def start(self) -> None:
        """Open, then restore. Raises StoreError."""
        setup, given = self._setup, self._setup.given
        storage = await open_patiently(setup.home, given.ledger, given.samples, setup.replica, patient=not setup.alone)
        self._ends(storage.close)
        self.ledger, self.samples, self._storage = storage.ledger, storage.samples, storage
        (setup.data / CONTROL_FILE).unlink(missing_ok=True)  # left by a killed bot; its port may be another program's by now
        self.denials = Denials(setup.clock, self.ledger, setup.redactor)
        self._ends(self.denials.close)
        self.engine = CommittingEngine(
            self.ledger, setup.clock, self.kept.policy, setup.redactor, self.denials, fence=lambda duty: self.member.fence(duty)
        )
        self.notifier = given.notifier or AppriseNotifier([url.get_secret_value() for url in setup.config.notify])
        self.others = AlertsByOtherWays(self.notifier, self.engine, setup.clock, self.ledger)
        self._ends(self.others.close)
        self.watch = LedgerWatch(
            self.ledger, storage.file, self.engine, setup.clock, beside=[storage.beside] if storage.beside else [],
            live_verdicts=self._live_verdicts, unchecked=self._unchecked, on_change=setup.metrics.set_ledger,
            notices=LedgerNotices(
                self.engine, tell=self.others.tell, show=self._show, place=lambda: self.member.place(),
                replica=setup.replica if self.ledger.shared else "",
            ),
        )  # fmt: skip
        await self._restore()

    def settled(self) -> None:
        """All parts have started: from now on an unreachable database makes nobody wait."""
        self._storage.be_patient(False)

    def health(self) -> Mapping[str, Part]:
        """Whether changes can be committed, and whether the samples' file is intact."""
        loading = Part(False, "loading", self._setup.began_at, "State is being restored.")
        parts = {"ledger": self.watch.part() if self._restored else loading}
        if self._restored and (complaint := self._storage.complaint):
            parts["samples"] = Part(False, "recreated", self._setup.began_at, complaint)
        return parts

    def trouble(self) -> str:
        """That nothing can be committed."""
        return self.watch.trouble()

    def left(self) -> tuple[str, ...]:
        """What was removed from the configuration and is kept because it is in use, one sentence each."""
        return self.kept.sentences(self.engine.world)

    async def _restore(self) -> None:
        setup = self._setup
        world = await load_checked(self.engine, self.ledger)
        await self.denials.recall()
        remembered = await self.ledger.read(lambda store: store.setting(SETTING))
        self.kept = keep(self.engine.policy, world, remembered)
        for sentence in self.left():
            log.warning("kept although it left the configuration", what=sentence)
        if setup.remembers:
            setting = remember(to_policy(setup.config), self.kept.flags)
            await self.watch.when_writable(lambda: self.ledger.write(lambda store: store.put_setting(SETTING, setting)))
        self.engine.policy = self.kept.policy
        await self.engine.caught_up()  # other replicas may have committed since the world was loaded
        self.engine.listen(self._serve)
        self.engine.listen(self._count, own=True)
        self.engine.time_commits(setup.metrics.observe_commit)
        self._serve((), self.engine.world)
        self._restored = True

    def _serve(self, facts: Sequence[Fact], world: World) -> None:
        """Serve a flag's value once it is committed, here or elsewhere; then notify everybody else."""
        if not facts or any(_changes_flags(fact, world) for fact in facts):
            self._setup.board.swap(snapshot(world, self.engine.policy, revision_of(world), kept=self.kept.flags))

    def _count(self, facts: Sequence[Fact], world: World) -> None:
        """Each replica counts only its own commits, so that the sum over all is right."""
        for fact in facts:
            self._setup.metrics.observe_fact(fact, drill=_of_drill(fact, world))


def _changes_flags(fact: Fact, world: World) -> bool:
    """Whether a fact may change what readers get: one about a flag, or about a drill, which may have one in its scope."""
    return fact.stream.startswith("flag/") or (fact.stream.startswith("incident/") and _of_drill(fact, world))


def _of_drill(fact: Fact, world: World) -> bool:
    incident = world.incidents.get(fact.incident or 0)
    return incident is not None and incident.drill is not None


class Following(AppPart):
    """Shows what other replicas commit to a shared ledger; does nothing if one process owns it."""

    def __init__(self, setup: Setup, store: Store) -> None:
        super().__init__()
        self._setup = setup
        self._store = store
        self._follower: Follower | None = None

    async def start(self) -> None:
        """Start following; from now on flags say when they may be outdated."""
        if not self._store.ledger.shared:
            return
        self._follower = Follower(self._store.ledger, self._store.engine, self._setup.wire)
        self._ends(self._follower.close)
        self._follower.start()
        self._setup.board.ages(self._follower.unheard_since)

    def health(self) -> Mapping[str, Part]:
        """Whether others' commits are shown here."""
        if self._follower is None:
            return {}
        since = self._follower.unheard_since()
        if since is None:
            return {"following": Part(True, "followed", self._setup.began_at, "What other replicas commit is shown here.")}
        error = self._follower.error
        why = error or "the ledger says nothing"
        words = f"What other replicas commit is not known here: {why}. Flags are served as they were."
        return {"following": Part(False, error.kind.value if error else "unheard", since, words)}

    @property
    def outdated(self) -> bool:
        """Whether only a newer Understudy understands the ledger, so that nothing can be decided here."""
        return self._follower is not None and self._follower.outdated

    def trouble(self) -> str:
        """That nothing is decided here; an unreachable ledger is reported by `LedgerCare`."""
        return outdated_words(self._store.member.name) if self.outdated else ""


class LedgerCare(AppPart):
    """Monitors the ledger while the bot runs: whether it accepts commits, and whether its facts are intact."""

    def __init__(self, setup: Setup, store: Store) -> None:
        super().__init__()
        self._setup = setup
        self._store = store
        self._audit: DailyAudit | None = None

    async def start(self) -> None:
        """Start monitoring."""
        self._ends(self._store.watch.close)
        self._store.watch.start()
        self._audit = DailyAudit(self._store.ledger, self._store.others.tell, acts=self._store.leads)
        self._ends(self._audit.close)
        self._audit.start()

    def health(self) -> Mapping[str, Part]:
        """Facts that were changed by hand."""
        if self._audit is None or not self._audit.broken:
            return {}
        return {"facts": Part(False, "changed by hand", self._setup.began_at, "; ".join(self._audit.broken))}

    def trouble(self) -> str:
        """The same as `health`, for people."""
        return self._audit.trouble if self._audit else ""


class Retained(AppPart):
    """Reports what was removed from the configuration and is kept because it is in use."""

    def __init__(self, setup: Setup, store: Store) -> None:
        super().__init__()
        self._setup = setup
        self._store = store

    def health(self) -> Mapping[str, Part]:
        """All of it as one part."""
        left = self._store.left()
        return {"configuration": Part(False, "kept", self._setup.began_at, "; ".join(left))} if left else {}

    def trouble(self) -> str:
        """A sentence for each."""
        return " ".join(f"{sentence}." for sentence in self._store.left())
