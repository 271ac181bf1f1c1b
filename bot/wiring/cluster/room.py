"""Joins the replicas of a shared ledger; does nothing for a ledger in a local file."""

from collections.abc import Callable, Mapping
from uuid import uuid4

from bot.cluster.replica import Replica
from bot.ports import CLOCK, ReplicaInfo
from bot.store.sqlite.migrations import LEDGER
from bot.system.version import understudy_version
from bot.views.text import count
from bot.web.health import Part
from bot.wiring.cluster.alike import alike
from bot.wiring.cluster.identity import forget_identity, require_name
from bot.wiring.part import AppPart
from bot.wiring.setup import Setup
from bot.wiring.store import Store


class ClusterRoom(AppPart):
    """Sends heartbeats, so that `store.member` knows what this process may do.

    `blind` returns whether its network is down, `older` whether only a newer Understudy understands the ledger.

    Stopped after everything that acts, it hands over at once.
    """

    def __init__(self, setup: Setup, store: Store, *, blind: Callable[[], bool], older: Callable[[], bool]) -> None:
        super().__init__()
        self._setup = setup
        self._store = store
        self._blind = blind
        self._older = older
        self._replica: Replica | None = None

    async def start(self) -> None:
        """Join. Raises StoreError, and StartRefused if the ledger is another cluster's."""
        setup, ledger = self._setup, self._store.ledger
        if not ledger.shared:
            return
        if setup.given.new_identity:
            await forget_identity(ledger)
        await require_name(ledger, setup.config.cluster.name)
        host, port = setup.listen
        says = ReplicaInfo(
            setup.replica, uuid4().hex, listen=f"{host}:{port}", version=understudy_version(),
            schema=LEDGER.version, configuration=alike(setup.config),
        )  # fmt: skip
        replica = Replica(ledger, says, setup.wire, setup.wall, blind=self._blind, older=self._older)
        self._ends(replica.stop)
        await replica.start()
        self._store.member = self._replica = replica

    def health(self) -> Mapping[str, Part]:
        """Who is alive, and how replicas differ."""
        if self._replica is None:
            return {}
        troubles = self._replica.troubles()
        words = " ".join([f"{self.words()}.", *(f"{one}." for one in troubles)])
        return {"replicas": Part(not troubles, "differing" if troubles else "alike", self._setup.began_at, words)}

    def others_work(self) -> bool:
        """Whether another replica holds the clock, and so understands the ledger."""
        replica = self._replica
        return replica is not None and not replica.holds(CLOCK) and bool(replica.holder(CLOCK))

    def trouble(self) -> str:
        """How replicas differ, or that this one is cut off."""
        return " ".join(f"{one}." for one in self._replica.troubles()) if self._replica else ""

    def words(self) -> str:
        """How many are live, who they are, and who holds the clock; empty for a local ledger."""
        replica = self._replica
        if replica is None:
            return ""
        names = [f"{one.says.name}{' (this one)' if one.says.boot == replica.boot else ''}" for one in replica.live]
        holder = replica.holder(CLOCK)
        clock = f"{holder} holds the clock" if holder else "nobody holds the clock at the moment"
        return f"{count(len(names), 'replica')} live: {', '.join(names)}; {clock}"
