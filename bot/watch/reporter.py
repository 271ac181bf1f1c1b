"""Reports of the watch to the ledger: sent by one task, so that no check waits.

The ledger may block for seconds. Meanwhile only the subject of a report is kept, and looked up when its turn comes: then the
newest state is reported, or nothing if it is no longer news.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from bot.core.model import Actor, FeedReport, Verdict
from bot.core.record.sight import Sight
from bot.core.signals import FeedRead, SightChanged, Signal, VerdictReached
from bot.ports import Engine, StoreError
from bot.watch.schedule import Look
from bot.watch.shares import WorkShare

log = structlog.get_logger(__name__)

WATCH = Actor.rule("detector")


class Reporter:
    """Sends signals until the ledger agrees. `run_once` starts a task beside the checks, `flush` writes what verdicts rest on.

    `verdict` returns what to report on a component, None if there is nothing (any more); `sight` whether we are blind.
    """

    def __init__(
        self, engine: Engine, shares: WorkShare, *, verdict: Callable[[str], Verdict | None], sight: Callable[[], Sight],
        flush: Callable[[], Awaitable[None]], run_once: Callable[[Look], None],
    ) -> None:  # fmt: skip
        self._engine = engine
        self._shares = shares
        self._verdict = verdict
        self._sight = sight
        self._flush = flush
        self._run_once = run_once
        self._sight_changed = False
        self._components: dict[str, None] = {}
        self._pages: dict[str, FeedReport] = {}

    def report_component(self, component: str) -> None:
        """Report its verdict."""
        self._components[component] = None
        self._run_once(self.send_all)

    def report_page(self, report: FeedReport) -> None:
        """Report what a provider's page says; a newer report replaces a waiting one."""
        self._pages[report.provider] = report
        self._run_once(self.send_all)

    def report_sight(self) -> None:
        """Report whether we are blind, before any verdict."""
        self._sight_changed = True
        self._run_once(self.send_all)

    async def send_all(self) -> None:
        """Send everything that waits, and what is added meanwhile; waits for the store and the ledger."""
        while self._sight_changed or self._components or self._pages:
            sight, self._sight_changed = self._sight_changed, False
            components, self._components = self._components, {}
            pages, self._pages = self._pages, {}
            if sight and (seen := self._shares.sight_of_all(self._sight())) is not None:
                await self._signal(SightChanged(actor=WATCH, sight=seen))
            if components:
                await self._flush()  # store what verdicts are based on first: after a crash both must agree
            await asyncio.gather(*map(self._send_verdict, components), *map(self._send_page, pages.values()))

    async def _send_verdict(self, component: str) -> None:
        # No await between the verdict and the engine's call, which records at once by what right it is reported.
        if (verdict := self._verdict(component)) is not None:
            await self._signal(VerdictReached(actor=WATCH, verdict=verdict))

    async def _send_page(self, report: FeedReport) -> None:
        if self._shares.may_report_feed(report.provider):
            await self._signal(FeedRead(actor=Actor.vendor(report.provider), report=report))

    async def _signal(self, signal: Signal) -> None:
        try:
            await self._engine.handle(signal)
        except StoreError as error:  # whoever monitors the ledger reports it; the verdict is sent again until both agree
            log.debug("not written", signal=type(signal).__name__, why=str(error))
        except Exception:  # others wait beside it, and are sent all the same
            log.exception("a report to the ledger crashed: this is a bug in Understudy", signal=type(signal).__name__)
