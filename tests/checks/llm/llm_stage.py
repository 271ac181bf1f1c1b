"""What tests of llm checks share: every scripted provider of models on real ports, and checks that look at them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.checks.llm.check import LlmCheck, LlmProber
from bot.core.model import Sample
from bot.sandbox.vendor import Vendors
from bot.sandbox.vendor.load import read
from bot.system.clock import Clock, ManualClock

START = datetime(2030, 1, 7, 9, 0, tzinfo=UTC)
DIALECTS = ("anthropic", "openai", "azure", "gemini", "bedrock")
KEY = "sk-canary-0123456789"
MODELS = {
    "anthropic": "claude-haiku-4-5",
    "openai": "gpt-5-mini",
    "azure": "our-deployment",
    "gemini": "gemini-2.5-flash",
    "bedrock": "anthropic.claude-haiku-4-5-20251001-v1:0",
}
HEAD = "name: test\ntitle: A test\nminutes: 60\nproviders:\n" + "".join(
    f"  {name}: {{name: {name}, dialect: {name}, components: {{api: API}}}}\n" for name in DIALECTS
)


@dataclass
class Stage:
    """Providers and one prober."""

    vendors: Vendors
    prober: LlmProber

    def check(self, dialect: str, **changes: Any) -> LlmCheck:
        """A check of a provider that would go well."""
        return check(dialect, self.vendors.url(dialect, "api"), **changes)

    async def look(self, dialect: str, **changes: Any) -> Sample:
        """Look once; a busy machine makes a sample inconclusive, and then it is asked again."""
        return await looked(self.prober, self.check(dialect, **changes))


def check(dialect: str, url: str, **changes: Any) -> LlmCheck:
    """A check that gives up after two seconds."""
    given: dict[str, Any] = {"model": MODELS[dialect], "api_key": KEY, "deadline": timedelta(seconds=2)}
    if dialect == "bedrock":
        given |= {"region": "us-east-1"}
    given |= changes
    return LlmCheck(f"{dialect}.api.inference", f"{dialect}.api", dialect, url, **given)  # type: ignore[arg-type]


async def looked(prober: LlmProber, wanted: LlmCheck) -> Sample:
    """The sample of a check."""
    for _ in range(5):
        sample = await prober.probe(wanted)
        if sample.error != "stalled":
            break
        await asyncio.sleep(0.05)
    return sample


@asynccontextmanager
async def on_stage(word: str = "ok", *, clock: Clock | None = None, **parts: Any) -> AsyncIterator[Stage]:
    """Every provider, answering with one word."""
    clock = clock or ManualClock(START)
    events = "".join(f"  - {{at: 0, component: {name}.api, answer: {word}}}\n" for name in DIALECTS)
    vendors = Vendors(read(f"{HEAD}events:\n{events}", "test.yaml"), clock)
    prober = LlmProber(clock, **parts)
    await vendors.start()
    try:
        yield Stage(vendors, prober)
    finally:
        await prober.close()
        await vendors.stop()
