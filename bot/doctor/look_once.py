"""Runs every check once, and judges the components by that alone."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bot.checks.heartbeat import HeartbeatCheck
from bot.core.detection.blindness import assess_sight, hidden
from bot.core.detection.detector import Condition, Judgement
from bot.core.detection.verdict import CheckView, reach
from bot.core.ids import ComponentId
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Fault, Outcome, Sample, Verdict
from bot.core.record.sight import CLEAR, Sight
from bot.ports import Prober
from bot.system.clock import Clock
from bot.watch.blindness import blinded
from bot.watch.plan import Check, Plan

AT_ONCE = 50  # concurrent runs: a laptop's network is not a data centre's
UNHEARD = "only the running bot receives its heartbeats; ask it with `understudy health`"

CONDITIONS: Mapping[Outcome, Condition] = {
    Outcome.OK: Condition.WELL,
    Outcome.SLOW: Condition.SLOW,
    Outcome.FAIL: Condition.FAILING,
    Outcome.INCONCLUSIVE: Condition.UNKNOWN,
}


@dataclass(frozen=True)
class OneLook:
    """The results: a sample per check (controls first, in the order of the plan), and a verdict per component.

    `unheard` are the ids of heartbeat checks: nobody can run those, so their samples say only that.
    """

    samples: tuple[Sample, ...]
    verdicts: tuple[Verdict, ...]
    sight: Sight
    unheard: frozenset[str] = frozenset()

    @property
    def looked_at(self) -> frozenset[str]:
        """The components with at least one check that really ran."""
        return frozenset(sample.component for sample in self.samples if sample.check not in self.unheard)


async def look_once(plan: Plan, prober: Prober, clock: Clock, components: Sequence[str]) -> OneLook:
    """Run every check in the plan once and judge by that: no patience, no window, no history."""
    room = asyncio.Semaphore(AT_ONCE)
    unheard = frozenset(check.id for check in (*plan.controls, *plan.checks) if isinstance(check, HeartbeatCheck))

    async def look(check: Check) -> Sample:
        if check.id in unheard:
            return Sample(check.id, check.component, clock.now(), Outcome.INCONCLUSIVE, reason=UNHEARD)
        async with room:
            return await prober.probe(check)

    samples = await asyncio.gather(*(look(check) for check in (*plan.controls, *plan.checks)))
    controls = {sample.check: sample for sample in samples[: len(plan.controls)]}
    seen = samples[len(plan.controls) :]
    now = clock.now()
    by_provider: dict[str, list[Sample]] = {}
    for sample in seen:
        by_provider.setdefault(ComponentId(sample.component).provider, []).append(sample)
    sight = assess_sight(CLEAR, controls, by_provider, now, plan.sight)
    believed = tuple(blinded(sample, sight) if hidden(sample, sight) else sample for sample in seen)
    verdicts = tuple(_verdict(plan, component, seen, unheard, sight, now) for component in components)
    return OneLook((*controls.values(), *believed), verdicts, sight, unheard)


def _verdict(
    plan: Plan, component: str, samples: Sequence[Sample], unheard: frozenset[str], sight: Sight, now: datetime
) -> Verdict:
    own = [sample for sample in samples if sample.component == component]
    heard = [sample for sample in own if sample.check not in unheard]
    views = {
        sample.check.removeprefix(f"{component}."): CheckView(
            {plan.vantage: at_first_sight(sample)}, plan.weights.get(sample.check, 1.0)
        )
        for sample in heard or own
    }
    rule = replace(plan.verdicts, own=plan.vantage)
    return reach(component, views, off=plan.off.get(component, ()), sight=sight, rule=rule, now=now)


def at_first_sight(sample: Sample) -> Judgement:
    """The judgement from a single sample."""
    fault = sample.fault if sample.outcome is not Outcome.OK else Fault.NONE
    return Judgement(CONDITIONS[sample.outcome], sample.reason, fault, sample.at, sample)
