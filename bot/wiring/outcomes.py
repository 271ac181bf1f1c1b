"""Services' reports on their requests: accepted while the web server runs, stored beside the samples."""

from collections.abc import Awaitable, Callable, Mapping

from bot.core.detection.verdict import SourceReport
from bot.outcomes.evidence import TrafficEvidence
from bot.outcomes.intake import OutcomeIntake
from bot.outcomes.measured import Measured
from bot.outcomes.served import ServedCounter
from bot.ports import Member
from bot.system.clock import Clock
from bot.wiring.part import AppPart
from bot.wiring.setup import Setup
from bot.wiring.store import Store

MEASURED = "measured"  # topic for services that send metrics, between replicas


def shared(member: Member, clock: Clock) -> Measured:
    """What all replicas know, including later ones."""
    measured = Measured(clock, lambda names: member.tell(MEASURED, names))
    member.hear(MEASURED, measured.hear)
    member.listen(measured.tell_again)
    return measured


class OutcomeRoom(AppPart):
    """Accepts outcomes from before the web server starts until after it has stopped."""

    def __init__(self, setup: Setup, store: Store, hear: Callable[[Mapping[str, SourceReport]], Awaitable[None]]) -> None:
        super().__init__()
        self._setup = setup
        self._store = store
        self._hear = hear
        self.intake: OutcomeIntake | None = None
        self._counter: ServedCounter | None = None
        self._evidence: TrafficEvidence | None = None

    async def start(self) -> None:
        """Start accepting and storing."""
        setup = self._setup
        outcomes, observe = self._store.samples.outcomes, setup.metrics.observe_outcomes
        self.intake = OutcomeIntake(outcomes, setup.clock, observe, measured=shared(self._store.member, setup.clock))
        self._ends(self.intake.stop)
        await self.intake.start()
        engine = self._store.engine
        self._counter = ServedCounter(engine, outcomes, setup.clock, self.intake.flush)
        down_share = setup.config.detection.down_share
        self._evidence = TrafficEvidence(
            engine, outcomes, setup.clock, down_share=down_share, tell=self._hear, acts=self._store.leads
        )

    async def look(self) -> None:
        """Process what was reported; called at each beat."""
        if self._counter and self._store.leads():
            await self._counter.look()
        if self._evidence:
            await self._evidence.look()
