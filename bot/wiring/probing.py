"""Everything that probes need, put together once: one resolver, one guard and one TLS context for all kinds of checks."""

import json
from collections.abc import Sequence

import structlog

from bot.checks.dns import DnsCheck, DnsProber
from bot.checks.heartbeat import HeartbeatCheck, HeartbeatProber, Heartbeats
from bot.checks.http import HttpCheck, HttpProber
from bot.checks.judging.evidence import secrets_of
from bot.checks.judging.keys import KeyMemory
from bot.checks.llm.budget import BudgetBook
from bot.checks.llm.check import GOOD, LlmCheck, LlmProber
from bot.checks.net.address_guard import Guard
from bot.checks.net.resolve import LookUp, ThreadResolver, machine_look_up
from bot.checks.net.transport import Transport
from bot.checks.net.trust_store import tls_context
from bot.checks.prober import Probers
from bot.checks.tcp import TcpCheck, TcpProber
from bot.checks.tls import TlsCheck, TlsProber
from bot.config.models import Config
from bot.core.model import Sample
from bot.ports import Samples
from bot.system.clock import Clock
from bot.system.redaction import Redactor
from bot.system.version import understudy_version
from bot.watch.plan import Check

log = structlog.get_logger(__name__)

RECALLED = 20  # samples of a check whose prober remembers; its last good one is hardly further back
FURTHER_BACK = 5_000  # where it is: hours of failures, looked at again every few seconds


class Probing:
    """The probers of all kinds behind one `Prober`, and what they remember."""

    def __init__(
        self, config: Config, clock: Clock, *, look_up: LookUp = machine_look_up, redactor: Redactor | None = None
    ) -> None:
        self.heartbeats = Heartbeats(clock)
        self.keys = KeyMemory(clock)
        self._budgets = BudgetBook(clock)
        self._resolver = ThreadResolver(look_up)
        self._vantage = config.vantage  # what others measured says nothing of our keys
        self._guard = guard = Guard(map(str, config.allow_private))
        self._tls = tls = tls_context()
        resolver, version = self._resolver, understudy_version()
        http = HttpProber(
            clock, ssl_context=tls, resolver=resolver, guard=guard, keys=self.keys, version=version,
            known_secrets=config.secrets(),
        )  # fmt: skip
        self._llm = LlmProber(
            clock, self._budgets, ssl_context=tls, resolver=resolver, guard=guard, keys=self.keys, version=version
        )
        self.prober = Probers(
            {
                HttpCheck: http,
                LlmCheck: self._llm,
                TcpCheck: TcpProber(clock, resolver=resolver, guard=guard),
                TlsCheck: TlsProber(clock, ssl_context=tls, resolver=resolver, guard=guard),
                DnsCheck: DnsProber(clock, guard=guard),
                HeartbeatCheck: HeartbeatProber(self.heartbeats, clock),
            },
            redactor or Redactor(config.secrets()),
        )

    def transport(self) -> Transport:
        """The way out for whoever else asks foreign hosts, such as the reader of status pages: the same guard and resolver."""
        return Transport(ssl_context=self._tls, resolver=self._resolver, guard=self._guard, version=understudy_version())

    async def recall(self, checks: Sequence[Check], samples: Samples, budgets: str | None) -> None:
        """Take over from before a restart what jobs told, which keys worked, and what was spent today."""
        for check in checks:
            if isinstance(check, HeartbeatCheck):
                self.heartbeats.restore(check.id, await samples.recent(check.id, RECALLED, self._vantage))
            elif isinstance(check, LlmCheck):
                for sample in await self._own(check.id, samples):
                    self._llm.remember(sample)
            elif isinstance(check, HttpCheck) and secrets_of(check.url, check.headers):
                good = [sample for sample in await self._own(check.id, samples) if sample.outcome in GOOD]
                if good:
                    self.keys.worked(check.id, good[-1].at)
        if budgets is not None:
            try:
                self._budgets.restore(json.loads(budgets))
            except ValueError as error:
                log.warning("what checks had spent today is forgotten", why=str(error))

    async def _own(self, check: str, samples: Samples) -> list[Sample]:
        """Our newest samples of a check; many more of them where a refused key makes its last good one count."""
        found = await samples.recent(check, RECALLED, self._vantage)
        if not any(sample.outcome in GOOD for sample in found) and any(sample.error == "auth_sudden" for sample in found):
            found = await samples.recent(check, FURTHER_BACK, self._vantage)
        return found

    def spent_budgets(self) -> str:
        """What was spent today, to be stored."""
        return json.dumps(self._budgets.snapshot())

    async def close(self) -> None:
        """Close the probers, then what they share."""
        await self.prober.close()
        self._resolver.close()
