"""Everything that probes share: one resolver, one guard and one TLS context for all kinds of checks."""

import json
from collections.abc import Sequence
from functools import partial

import structlog

from bot.checks.heartbeat import HeartbeatCheck, HeartbeatProber
from bot.checks.http import HttpCheck
from bot.checks.judging.evidence import secrets_of
from bot.checks.judging.keys import KeyMemory
from bot.checks.kind import ProberResources
from bot.checks.kinds import KINDS
from bot.checks.llm.budget import BudgetBook
from bot.checks.llm.check import GOOD, LlmCheck, LlmProber
from bot.checks.net.address_guard import Guard
from bot.checks.net.resolve import LookUp, ThreadResolver, machine_look_up
from bot.checks.net.transport import Transport
from bot.checks.net.trust_store import tls_context
from bot.checks.prober import Probers
from bot.config.models import Config
from bot.core.model import Sample
from bot.ports import Samples
from bot.system.clock import Clock
from bot.system.redaction import Redactor
from bot.system.version import understudy_version
from bot.watch.plan import Check

log = structlog.get_logger(__name__)

RECALLED = 20  # samples of a check with a memory; its last good one is usually among them
FURTHER_BACK = 5_000  # if it is not: hours of failures, with a run every few seconds


class Probing:
    """The probers of all kinds as one `Prober`, and what they remember."""

    def __init__(
        self, config: Config, clock: Clock, *, look_up: LookUp = machine_look_up, redactor: Redactor | None = None
    ) -> None:
        self.keys = KeyMemory(clock)
        self._resolver = ThreadResolver(look_up)
        self._vantage = config.vantage  # what others measured says nothing about our keys
        self._peers = frozenset(peer.vantage for peer in config.peers)  # peers to which jobs report themselves
        self._guard = Guard(map(str, config.allow_private))
        self._tls = tls_context()
        shared = ProberResources(
            clock, self._resolver, self._guard, self._tls, self.keys, version=understudy_version(), secrets=config.secrets()
        )
        probers = {kind.check: kind.prober(shared) for kind in KINDS.values()}
        self._llm = next(one for one in probers.values() if isinstance(one, LlmProber))
        self.heartbeats = next(one.register for one in probers.values() if isinstance(one, HeartbeatProber))
        self.prober = Probers(probers, redactor or Redactor(config.secrets()))

    def transport(self) -> Transport:
        """Access for others who ask foreign hosts, such as the reader of status pages: the same guard and resolver."""
        return Transport(ssl_context=self._tls, resolver=self._resolver, guard=self._guard, version=understudy_version())

    @property
    def budgets(self) -> BudgetBook:
        """What llm checks have spent today."""
        return self._llm.book

    async def recall(self, checks: Sequence[Check], samples: Samples, budgets: str | None) -> None:
        """Restore from before a restart: jobs' reports, keys that worked, and today's spending."""
        self.heartbeats.recall = partial(self._told, samples) if getattr(samples, "shared", False) else None
        for check in checks:
            if isinstance(check, HeartbeatCheck):
                self.heartbeats.restore(check.id, await self._told(samples, check.id))
            elif isinstance(check, LlmCheck):
                for sample in await self._own(check.id, samples):
                    self._llm.remember(sample)
            elif isinstance(check, HttpCheck) and secrets_of(check.url, check.headers):
                good = [sample for sample in await self._own(check.id, samples) if sample.outcome in GOOD]
                if good:
                    self.keys.worked(check.id, good[-1].at)
        if budgets is not None:
            try:
                self._llm.book.restore(json.loads(budgets))
            except ValueError as error:
                log.warning("today's spending of checks could not be restored", why=str(error))

    async def _told(self, samples: Samples, check: str) -> list[Sample]:
        """A job's reports and recent states, received here or by another replica, whatever its vantage is called."""
        found = await samples.recent(check, RECALLED * (1 + len(self._peers)))
        return [sample for sample in found if sample.vantage not in self._peers]

    async def _own(self, check: str, samples: Samples) -> list[Sample]:
        """Our newest samples of a check; many more if its last good one matters because a key is refused."""
        found = await samples.recent(check, RECALLED, self._vantage)
        if not any(sample.outcome in GOOD for sample in found) and any(sample.error == "auth_sudden" for sample in found):
            found = await samples.recent(check, FURTHER_BACK, self._vantage)
        return found

    def spent_budgets(self) -> str:
        """Today's spending, to be stored."""
        return json.dumps(self._llm.book.snapshot())

    def adopt_budgets(self, told: str) -> None:
        """Count at least what was stored, which another replica may have spent."""
        try:
            self._llm.book.adopt(json.loads(told))
        except ValueError as error:
            log.warning("today's spending of other replicas is not counted", why=str(error))

    async def close(self) -> None:
        """Close the probers, then what they share."""
        await self.prober.close()
        self._resolver.close()
