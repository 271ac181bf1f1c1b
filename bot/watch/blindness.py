"""Whether we see at all: the control group is asked before a failure that may be our own is believed.

A probe that fails by the network (no name, no connection, no answer) says as little of the vendor as of our own way out.
So the controls are looked at in that moment, and what failed while we were blind is kept as inconclusive.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import structlog

from bot.core.detection.blindness import Proven, SightRule, answered, beside_controls, look_around, lost_controls
from bot.core.detection.error_classes import network
from bot.core.ids import ComponentId
from bot.core.model import Fault, Outcome, Sample
from bot.core.record.sight import CLEAR, Sight
from bot.system.clock import Clock

log = structlog.get_logger(__name__)

MANY = 500  # samples; thinking more of them over takes milliseconds
RECKON_EVERY_S = 1.0  # domain seconds; how often it is done then
ANSWERED = ""  # in place of a check's id: the newest answer of any check of a provider
STILL_GOOD_S = 3.0  # domain seconds; controls that were looked at so lately need not be asked again


class BlindnessMonitor:
    """Holds what the controls and all providers last came to. `look` looks at one control and remembers what it saw."""

    def __init__(self, controls: Sequence[str], look: Callable[[str], Awaitable[None]], clock: Clock, rule: SightRule) -> None:
        self.sight: Sight = CLEAR
        self.proven = Proven()
        self.unseen: set[str] = set()  # checks whose newest look was set aside because we were blind
        self._controls = tuple(controls)
        self._look = look
        self._clock = clock
        self._rule = rule
        self._control_samples: dict[str, Sample] = {}
        self._by_provider: dict[str, dict[str, Sample]] = {}
        self._asked_at = float("-inf")
        self._reckoned_at = float("-inf")
        self._asking: asyncio.Task[None] | None = None

    def control(self, sample: Sample) -> None:
        """A control was looked at. While all of them are, nothing is concluded from the first."""
        self._control_samples[sample.check] = sample
        if answered(sample) and sample.check not in self.proven.controls:
            self.proven = replace(self.proven, controls=self.proven.controls | {sample.check})
        asking = self._asking is not None and not self._asking.done()
        if not asking and (may_be_ours(sample) or self._in_trouble(f"control/{sample.check}")):
            self.reckon()

    def provider(self, sample: Sample) -> None:
        """A component was looked at."""
        self.unseen.discard(sample.check)
        provider = ComponentId(sample.component).provider
        latest = self._by_provider.setdefault(provider, {})
        if may_be_ours(sample):
            latest[sample.check] = sample
        else:
            latest.pop(sample.check, None)
            if sample.outcome is not Outcome.INCONCLUSIVE:
                latest[ANSWERED] = sample  # one answer proves the way; ten thousand need not be kept
                if not self.proven.provider and answered(sample):
                    self.proven = replace(self.proven, provider=True)
        if may_be_ours(sample) or self._in_trouble(provider):
            self._reckon_soon()

    def _in_trouble(self, name: str) -> bool:
        """Whether an answer of this one is news."""
        return self.sight.blind or name in self.sight.onsets

    async def believed(self, sample: Sample) -> Sample:
        """The sample as it may be counted: what the network spoiled while we were blind is inconclusive.

        A refusal carries on it whether the controls, which were asked just now, answered: that says how clear a failure it is,
        here, at another replica and after a restart.
        """
        if may_be_ours(sample) and self._worth_asking():
            await self._ask()
        self.provider(sample)
        if not (self.sight.blind and may_be_ours(sample)):
            return beside_controls(sample, self._newest_of_controls().values(), self._rule)
        self.unseen.add(sample.check)
        return blinded(sample, self.sight)

    def memory(self) -> tuple[Sight, tuple[Sample, ...], tuple[Sample, ...]]:
        """What a restart must not forget: our sight, and while anything speaks against it, what controls and providers showed.

        Of each provider its newest failure and its newest answer: since when it fails is known already.
        """
        if not (self.sight.blind or self.sight.onsets):
            return self.sight, (), ()
        providers: list[Sample] = []
        for latest in self._by_provider.values():
            failed = [sample for id, sample in latest.items() if id != ANSWERED]
            providers += [max(failed, key=lambda sample: sample.at)] if failed else []
            providers += [latest[ANSWERED]] if ANSWERED in latest else []
        return self.sight, tuple(self._control_samples.values()), tuple(providers)

    def restore(self, held: Sight, memory: Sight, controls: Sequence[Sample], providers: Sequence[Sample]) -> None:
        """Go on after a restart: whether we are blind is as the ledger has it, the rest as it was remembered."""
        self.sight = held
        if memory.blind is held.blind:
            well_since, good_since = memory.controls_well_since, memory.good_since
            self.sight = replace(held, good_since=good_since, controls_well_since=well_since, onsets=memory.onsets)
        self._control_samples.update({s.check: s for s in controls if s.check in self._controls})
        for sample in providers:
            latest = self._by_provider.setdefault(ComponentId(sample.component).provider, {})
            latest[sample.check if may_be_ours(sample) else ANSWERED] = sample

    async def again(self) -> None:
        """While blind: look at the controls anew, so that sight is found back soon."""
        if self.sight.blind:
            await self._ask()
            self.reckon()

    async def introduce(self) -> None:
        """Look at all controls once, so that each is known to answer before it is asked in a doubt."""
        await self._ask()

    async def _ask(self) -> None:
        """Look at all controls at once, unless that was done just now; who comes meanwhile waits for the same answer."""
        if self._asking is None or self._asking.done():
            if self._clock.monotonic() - self._asked_at < STILL_GOOD_S:
                return
            self._asking = asyncio.create_task(self._ask_all(), name="controls")
        await asyncio.shield(self._asking)

    async def _ask_all(self) -> None:
        await asyncio.gather(*(self._look(control) for control in self._worth_asking()))
        self._asked_at = self._clock.monotonic()

    def _heeded(self) -> tuple[str, ...]:
        """The controls that have a say."""
        return tuple(control for control in self._controls if self.proven.speaks(control))

    def _worth_asking(self) -> tuple[str, ...]:
        """Those that have a say, or may come to have one."""
        return tuple(id for id in self._controls if self.proven.speaks(id) or id not in self._control_samples)

    def lost(self) -> frozenset[str]:
        """The controls that answered once and have no say any more."""
        return lost_controls(self.sight, self._control_samples, self._latest(), self._clock.now(), self._rule)

    def _newest_of_controls(self) -> dict[str, Sample]:
        """Of those that have a say."""
        return {id: self._control_samples[id] for id in self._heeded() if id in self._control_samples}

    def _latest(self) -> dict[str, tuple[Sample, ...]]:
        return {provider: tuple(samples.values()) for provider, samples in self._by_provider.items()}

    def _reckon_soon(self) -> None:
        """Reckon now, or, where thousands of checks fail at once, not more than about once a second."""
        now = self._clock.monotonic()
        many = sum(len(samples) for samples in self._by_provider.values()) > MANY
        if not many or now - self._reckoned_at >= RECKON_EVERY_S:
            self.reckon()

    def reckon(self) -> bool:
        """Think it over; whether it changed."""
        before, self._reckoned_at = self.sight, self._clock.monotonic()
        latest = self._latest()
        known = self._newest_of_controls()
        if len(self._control_samples) < len(self._controls) or not (self._by_provider or self.proven.controls):
            known = {}  # just started: a wall may be all that there is to see
        self.sight = look_around(before, known, latest, self._clock.now(), self._rule)
        if self.sight.blind is not before.blind:
            log.warning("we are blind" if self.sight.blind else "we see again", why=self.sight.reason)
        return self.sight.blind is not before.blind


def blinded(sample: Sample, sight: Sight) -> Sample:
    """The sample as inconclusive: it was taken while we were blind."""
    reason = f"{sight.reason}; what was seen: {sample.reason}"
    return replace(sample, outcome=Outcome.INCONCLUSIVE, error="blind", fault=Fault.LOCAL, reason=reason)


def may_be_ours(sample: Sample) -> bool:
    """Whether this failure may as well be our own network's."""
    return sample.outcome is Outcome.FAIL and network(sample.error)
