"""Whether our own network works: the controls are asked before a failure that it may have caused is believed.

A probe that fails by network (no name, no connection, no answer) may be the vendor's fault or ours. So the controls are
checked at that moment, and whatever fails while we are blind is kept as inconclusive.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import structlog

from bot.core.detection.blindness import (
    BlindnessRule,
    ProvenAnswers,
    answered,
    assess_sight,
    hidden,
    lost_controls,
    with_control_evidence,
)
from bot.core.detection.error_classes import network
from bot.core.ids import ComponentId
from bot.core.model import Fault, Outcome, Sample
from bot.core.record.sight import CLEAR, Sight
from bot.system.clock import Clock

log = structlog.get_logger(__name__)

MANY = 500  # samples; evaluating more takes milliseconds
EVALUATE_EVERY_S = 1.0  # domain seconds; then evaluate no more often than this
ANSWERED, INSIDE = "", "inside"  # in place of a check's id: a provider's newest answer, from outside and from our own network
STILL_GOOD_S = 3.0  # domain seconds; controls checked this recently are not asked again


class BlindnessMonitor:
    """Holds the newest results of controls and providers. `look` checks one control and records the result."""

    def __init__(
        self, controls: Sequence[str], look: Callable[[str], Awaitable[None]], clock: Clock, rule: BlindnessRule
    ) -> None:
        self.sight: Sight = CLEAR
        self.proven = ProvenAnswers()
        self.unseen: set[str] = set()  # checks whose newest result was set aside because we were blind
        self._controls = tuple(controls)
        self._look = look
        self._clock = clock
        self._rule = rule
        self._control_samples: dict[str, Sample] = {}
        self._by_provider: dict[str, dict[str, Sample]] = {}
        self._asked_at = float("-inf")
        self._evaluated_at = float("-inf")
        self._asking: asyncio.Task[None] | None = None

    def control(self, sample: Sample) -> None:
        """Record a control's result. While all controls are being asked, nothing is concluded from the first answers."""
        self._control_samples[sample.check] = sample
        if answered(sample) and sample.check not in self.proven.controls:
            self.proven = replace(self.proven, controls=self.proven.controls | {sample.check})
        asking = self._asking is not None and not self._asking.done()
        if not asking and (may_be_ours(sample) or self._in_trouble(f"control/{sample.check}")):
            self.evaluate()

    def provider(self, sample: Sample) -> None:
        """Record a result of a component's check."""
        self.unseen.discard(sample.check)
        if sample.check in self._rule.heartbeats:
            return
        self.proven = self.proven.after(sample)
        provider = ComponentId(sample.component).provider
        latest = self._by_provider.setdefault(provider, {})
        if may_be_ours(sample):
            latest[sample.check] = sample
        else:
            latest.pop(sample.check, None)
            if answered(sample):
                latest[_kept_as(sample)] = sample  # one answer proves the network works; not all of ten thousand need be kept
        if may_be_ours(sample) or self._in_trouble(provider):
            self._evaluate_soon()

    def _in_trouble(self, name: str) -> bool:
        """Whether an answer from it would be news."""
        return self.sight.blind or name in self.sight.onsets

    async def believed(self, sample: Sample) -> Sample:
        """The sample as it counts: a network failure while we were blind is inconclusive.

        A refusal is marked with whether the controls, asked just now, answered. That tells how clear the failure is: here, at
        another replica and after a restart.
        """
        if may_be_ours(sample) and self._worth_asking():
            await self._ask()
        self.provider(sample)
        if not hidden(sample, self.sight):
            return with_control_evidence(sample, self._newest_of_controls().values(), self._rule)
        self.unseen.add(sample.check)
        return blinded(sample, self.sight)

    def memory(self) -> tuple[Sight, tuple[Sample, ...], tuple[Sample, ...]]:
        """What must survive a restart: our sight, and while there is any doubt, the results of controls and providers.

        For each provider only its newest failures and newest answers, since the start of its failure is already known.
        """
        if not (self.sight.blind or self.sight.onsets):
            return self.sight, (), ()
        providers: list[Sample] = []
        for latest in self._by_provider.values():
            for kind in (ANSWERED, INSIDE):
                failed = [sample for sample in latest.values() if may_be_ours(sample) and _kept_as(sample) == kind]
                providers += [max(failed, key=lambda sample: sample.at)] if failed else []
                providers += [latest[kind]] if kind in latest else []
        return self.sight, tuple(self._control_samples.values()), tuple(providers)

    def restore(self, held: Sight, memory: Sight, controls: Sequence[Sample], providers: Sequence[Sample]) -> None:
        """Continue after a restart: whether we are blind comes from the ledger, the rest from what was remembered."""
        self.sight = held
        if memory.blind is held.blind:
            self.sight = replace(
                held, good_since=memory.good_since, controls_well_since=memory.controls_well_since, onsets=memory.onsets,
                inside_well=memory.inside_well,
            )  # fmt: skip
        self._control_samples.update({s.check: s for s in controls if s.check in self._controls})
        for sample in providers:
            latest = self._by_provider.setdefault(ComponentId(sample.component).provider, {})
            latest[sample.check if may_be_ours(sample) else _kept_as(sample)] = sample

    async def recheck(self) -> None:
        """While blind: check the controls again, so that the end is noticed soon."""
        if self.sight.blind:
            await self._ask()
            self.evaluate()

    async def ask_once(self) -> None:
        """Check all controls once, so that we know which ones answer before they are needed."""
        await self._ask()

    async def _ask(self) -> None:
        """Check all controls at once, unless that was just done; concurrent callers share the result."""
        if self._asking is None or self._asking.done():
            if self._clock.monotonic() - self._asked_at < STILL_GOOD_S:
                return
            self._asking = asyncio.create_task(self._ask_all(), name="controls")
        await asyncio.shield(self._asking)

    async def _ask_all(self) -> None:
        await asyncio.gather(*(self._look(control) for control in self._worth_asking()))
        self._asked_at = self._clock.monotonic()

    def _counting_controls(self) -> tuple[str, ...]:
        """The controls that count."""
        return tuple(control for control in self._controls if self.proven.speaks(control))

    def _worth_asking(self) -> tuple[str, ...]:
        """The controls that count, or may come to count."""
        return tuple(id for id in self._controls if self.proven.speaks(id) or id not in self._control_samples)

    def lost(self) -> frozenset[str]:
        """The controls that once answered and no longer count."""
        return lost_controls(self.sight, self._control_samples, self._latest(), self._clock.now(), self._rule)

    def _newest_of_controls(self) -> dict[str, Sample]:
        """The newest samples of the controls that count."""
        return {id: self._control_samples[id] for id in self._counting_controls() if id in self._control_samples}

    def _latest(self) -> dict[str, tuple[Sample, ...]]:
        return {provider: tuple(samples.values()) for provider, samples in self._by_provider.items()}

    def _evaluate_soon(self) -> None:
        """Evaluate now, or if thousands of checks fail at once, at most about once a second."""
        now = self._clock.monotonic()
        many = sum(len(samples) for samples in self._by_provider.values()) > MANY
        if not many or now - self._evaluated_at >= EVALUATE_EVERY_S:
            self.evaluate()

    def evaluate(self) -> bool:
        """Evaluate our sight; True if it changed."""
        before, self._evaluated_at = self.sight, self._clock.monotonic()
        latest = self._latest()
        known = self._newest_of_controls()
        if len(self._control_samples) < len(self._controls) or not (self._by_provider or self.proven.controls):
            known = {}  # just started: a local firewall may be all that there is to see
        self.sight = assess_sight(before, known, latest, self._clock.now(), self._rule)
        if self.sight.blind is not before.blind:
            log.warning("we are blind" if self.sight.blind else "we see again", why=self.sight.reason)
        return self.sight.blind is not before.blind


def _kept_as(sample: Sample) -> str:
    return INSIDE if sample.inside else ANSWERED


def blinded(sample: Sample, sight: Sight) -> Sample:
    """The sample, taken while we were blind, as inconclusive."""
    reason = f"{sight.reason}; what was seen: {sample.reason}"
    return replace(sample, outcome=Outcome.INCONCLUSIVE, error="blind", fault=Fault.LOCAL, reason=reason)


def may_be_ours(sample: Sample) -> bool:
    """Whether our own network could have caused this failure."""
    return sample.outcome is Outcome.FAIL and network(sample.error)
