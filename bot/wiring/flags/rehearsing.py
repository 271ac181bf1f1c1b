"""Rehearses flags' fallbacks when they are due or somebody asks."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import structlog

from bot.checks.llm.check import LlmCheck
from bot.checks.llm.rehearsal.runner import Findings, estimate, rehearse
from bot.checks.net.transport import Transport
from bot.config.models import Config, PlacedCheck
from bot.core.decide.flags.readiness import rehearsed
from bot.core.decide.flags.rehearsing import DueRehearsal, due_now, waits
from bot.core.model import Actor
from bot.core.policy import RehearsePolicy
from bot.core.record.world import World
from bot.core.signals.rehearsals import RehearsalEnded
from bot.ports import StoreError
from bot.wiring.part import AppPart
from bot.wiring.plan import runtime_check
from bot.wiring.setup import Setup
from bot.wiring.store import Store
from bot.wiring.watching import Probes

log = structlog.get_logger(__name__)

REHEARSALS = Actor.rule("rehearsals")
LOOK_EVERY_S = 1.0
AFTER_TROUBLE_S = 60.0  # real seconds, while the ledger refuses writes: an unrecorded rehearsal would be repeated at once
PATIENCE_S = 300.0  # real seconds for which somebody waits for a result
ALL_A_DAY = 1.00  # dollars per day (UTC) that all flags' rehearsals may cost together
# With these, a model's name is the vendor's own, so the one in a variant can be requested. Azure's deployments and Bedrock's
# ids differ from what services call their model.
NAMED_BY_VENDOR = ("openai", "anthropic", "gemini")


class Rehearsing(AppPart):
    """Checks every second what is due, and rehearses one fallback at a time; idle if no flag has `rehearse`."""

    def __init__(self, setup: Setup, store: Store, probes: Probes) -> None:
        super().__init__()
        self._setup = setup
        self._store = store
        self._probes = probes
        self._wake = asyncio.Event()
        self._news = asyncio.Condition()

    async def start(self) -> None:
        """Start, if there is something to rehearse and a way to ask."""
        if self._probes.probing is None or not any(flag.rehearse for flag in self._setup.config.flags.values()):
            return
        transport = self._probes.now().transport()
        self._ends(transport.aclose)
        task = asyncio.create_task(self._run(transport), name="rehearsals")

        async def stop() -> None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        self._ends(stop)

    async def ended(self, flag: str) -> bool:
        """Wait until this flag has no pending rehearsal; False if that takes too long."""
        self._wake.set()
        try:
            async with asyncio.timeout(PATIENCE_S), self._news:
                await self._news.wait_for(lambda: not self._waits(flag))
        except TimeoutError:
            return False
        return True

    def _waits(self, key: str) -> bool:
        policy, state = self._store.engine.policy.flags.get(key), self._store.engine.world.flag(key)
        return policy is not None and any(waits(state, one.variant) for one in rehearsed(policy))

    async def _run(self, transport: Transport) -> None:
        while True:
            try:
                await self._look(transport)
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._wake.wait()
            except TimeoutError:
                continue
            except StoreError as error:  # whoever monitors the ledger reports it
                log.debug("a rehearsal could not be saved", why=str(error))
                await asyncio.sleep(AFTER_TROUBLE_S)
            except Exception:  # the root of a task: a failure of one flag must not stop the others
                log.exception("a fallback could not be rehearsed")
                await asyncio.sleep(AFTER_TROUBLE_S)
            finally:
                self._wake.clear()

    async def _look(self, transport: Transport) -> None:
        engine = self._store.engine
        if not self._store.leads():  # another replica asks; anybody waiting here still learns the result
            async with self._news:
                self._news.notify_all()
            return
        for due in tuple(due_now(engine.world, engine.policy, self._setup.clock.now())):
            signal = await self._one(due, transport)
            await engine.handle(self._setup.redactor.words(signal))
            async with self._news:
                self._news.notify_all()

    async def _one(self, due: DueRehearsal, transport: Transport) -> RehearsalEnded:
        ended = RehearsalEnded(REHEARSALS, flag=due.flag, variant=due.variant)
        policy = self._store.engine.policy.flags[due.flag]
        check = asked_with(self._setup.config, due.needs, policy.variants.get(due.variant))
        rules = policy.rehearse or RehearsePolicy()
        if isinstance(check, str):
            return replace(ended, skipped=check)
        if spent := self._spent(due, rules, check):
            return replace(ended, skipped=spent, model=check.model)
        found = await rehearse(
            check, rules.needs, rules.context_tokens, clock=self._setup.clock, transport=transport,
            dollars=lambda sent, cached, written: self._dollars(due.needs, sent, cached, written),
        )  # fmt: skip
        self._charge(due, check, found)
        if found.unseen:
            return replace(ended, skipped=f"we could not ask: {found.unseen}", model=check.model, dollars=found.dollars)
        return replace(
            ended, model=check.model, answered=found.answered, results=found.results, dollars=found.dollars, tokens=found.tokens
        )

    def _spent(self, due: DueRehearsal, rules: RehearsePolicy, check: LlmCheck) -> str:
        """Why there is no money, or no tokens, for another one today; empty if there are."""
        calls, tokens, dollars = estimate(
            check, rules.needs, rules.context_tokens, lambda *counts: self._dollars(due.needs, *counts)
        )
        world, day = self._store.engine.world, f"{self._setup.clock.now():%Y-%m-%d}"
        if due.needs in self._setup.config.prices:
            if world.flag(due.flag).rehearsals.spent(day) + dollars > rules.dollars_per_day:
                return f"it would exceed the day's ${rules.dollars_per_day:.2f}"
            if _spent_by_all(world, day) + dollars > ALL_A_DAY:
                return f"it would exceed the ${ALL_A_DAY:.2f} a day of all flags together"
            return ""
        budget, so_far = check.budget, self._probes.now().budgets.spent(check.id)
        if so_far.calls + calls > budget.calls_per_day:
            return f"it would exceed the {budget.calls_per_day} calls a day of {check.id}"
        if budget.tokens_per_day is not None and so_far.tokens + tokens > budget.tokens_per_day:
            return f"it would exceed the {budget.tokens_per_day} tokens a day of {check.id}"
        return ""

    def _charge(self, due: DueRehearsal, check: LlmCheck, found: Findings) -> None:
        """Without a price, usage counts against the check's own budget."""
        if due.needs not in self._setup.config.prices:
            for call in range(found.calls):
                self._probes.now().budgets.charge(check.id, found.tokens if call == 0 else 0)

    def _dollars(self, component: str, sent: int, cached: int, written: int) -> float:
        price = self._setup.config.prices.get(component)
        return price.dollars(sent, cached, written) if price else 0.0


def asked_with(config: Config, component: str, value: Any) -> LlmCheck | str:
    """The check with which to rehearse a variant, with the variant's own model; or why there is none."""
    found = [placed for placed in config.checks() if placed.component == component and placed.check.type == "llm"]
    live = [made for placed in found if placed.live and isinstance(made := _made(placed), LlmCheck)]
    if not live:
        return f"{component} has no llm check" if not found else f"the llm check of {component} has no {_lacks(found[0])}"
    model = value.get("model") if isinstance(value, Mapping) else None
    if not isinstance(model, str) or not model.strip():
        return live[0]
    same = next((one for one in live if one.model == model), None)
    if same is None and live[0].dialect in NAMED_BY_VENDOR:
        return replace(live[0], model=model)
    return same or live[0]


def _made(placed: PlacedCheck) -> Any:
    return runtime_check(placed)


def _lacks(placed: PlacedCheck) -> str:
    return placed.check.missing_credential or "credential"


def _spent_by_all(world: World, day: str) -> float:
    return sum(state.rehearsals.spent(day) for state in world.flags.values())
