"""Tuned gateways alone, and with Understudy, before a vendor that fails in four ways: `python -m bench gateways`.

LiteLLM's proxy (health-check routing, cooldowns, fallbacks) and Envoy (outlier detection, retries to the next priority) each
serve customers twice at the same time, once by themselves and once following a flag of a real bot, whose own checks find the
fault. Every time limit, interval and hold is a tenth of the usual one, the gateways', the bot's and the customers' alike.
"""

import asyncio
import math
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import aiohttp

from bench.bot import Running, running
from bench.gateways_proxies import (
    ENVOY,
    KEY,
    LITELLM,
    envoy,
    envoy_config,
    free_port,
    litellm,
    litellm_config,
    write_routes,
)  # fmt: skip
from bench.gateways_vendor import CUSTOMER, Fault, Vendor, serving
from bench.report import line, percentile

WELL_S, FAULT_S, AFTER_S = 5.0, 30.0, 10.0
EVERY_S = 0.5  # a customer of each gateway
PATIENCE_S = 6.0  # of a customer: a minute in life
LOOK_S = 0.05
WARM_TRIES = 10
SPARE = "spare"
SIDES = ("LiteLLM", "LiteLLM and Understudy", "Envoy", "Envoy and Understudy")


@dataclass(frozen=True)
class Way:
    """How the customers of one fault ask one gateway."""

    side: str
    url: str
    model: str


@dataclass(frozen=True)
class Asked:
    """One customer's request: when it began and ended, and whether a whole answer came."""

    question: str
    began: float
    ended: float
    served: bool


@dataclass
class Played:
    """One fault from its beginning to its end, by the loop's clock, and what customers of each gateway had of it."""

    fault: Fault
    primary: Vendor
    asked: dict[str, list[Asked]] = field(default_factory=dict)
    switched_at: float = math.inf  # when the bot's flag was seen on the fallback


@dataclass(frozen=True)
class Row:
    """One gateway in one fault. Seconds count from the beginning of the fault."""

    side: str
    requests: int
    failed: int
    p50_s: float
    p99_s: float
    without_after_s: float  # the first request that did not touch the primary
    switched_after_s: float
    attempts: int  # at the primary, by requests that began after the switch
    failed_after: int  # likewise
    spared: int  # requests that the fallback served though the primary was well

    def cells(self, fault: Fault) -> str:
        """As the table of docs/gateways.md has it."""
        switched = "" if math.isinf(self.switched_after_s) else f"{self.switched_after_s:.1f} s"
        first = "never" if math.isinf(self.without_after_s) else f"{self.without_after_s:.1f} s"
        after = (str(self.attempts), str(self.failed_after)) if first != "never" else ("no switch", "no switch")
        cells = (
            str(fault), self.side, str(self.requests), str(self.failed), f"{self.p50_s:.2f} s", f"{self.p99_s:.2f} s", first,
            switched, *after, str(self.spared),
        )  # fmt: skip
        return f"| {' | '.join(cells)} |"


HEAD = """| fault | gateway | requests | failed | p50 | p99 | first without the primary after | flag switched after | \
attempts at the primary after the switch | failed after it | on the fallback though the primary was well |
|---|---|---|---|---|---|---|---|---|---|---|"""


def main() -> bool:
    """Print the table, say where Understudy loses, and whether what it promises after a switch holds."""
    print(f"gateways: {FAULT_S:.0f} s of each fault, times a tenth of the usual, a request each {EVERY_S} s and gateway")
    missing = [str(program) for program in (LITELLM, ENVOY) if not program.exists()]
    if missing:
        print(f"  NOT MEASURED: {' and '.join(missing)} missing (`make gateways` installs them)")
        return True
    with tempfile.TemporaryDirectory() as folder:
        played = asyncio.run(_play(Path(folder)))
    rows = [(one.fault, _row(one, side)) for one in played for side in SIDES]
    print(HEAD)
    for fault, row in rows:
        print(row.cells(fault))
    for words in lost(rows):
        print(f"  lost: {words}")
    holds = True
    for fault, row in rows:
        if row.side.endswith("Understudy"):
            holds &= line(f"{fault}, {row.side}: attempts after the switch", row.attempts, "", 0)
            holds &= line(f"{fault}, {row.side}: failed requests after it", row.failed_after, "", 0)
            holds &= line(f"{fault}, {row.side}: switched after", row.switched_after_s, "s", FAULT_S)
    return holds


async def _play(folder: Path) -> list[Played]:
    """One fault after the other, each of a vendor of its own: many at once would be taken for trouble of our own line."""
    async with AsyncExitStack() as stack:
        spare = await stack.enter_async_context(serving(Vendor()))
        primaries = [await stack.enter_async_context(serving(Vendor(fault))) for fault in Fault]
        names = [fault.name.lower() for fault in Fault]
        listen = f"127.0.0.1:{free_port()}"
        ports = {(name, alone): free_port() for name in names for alone in (True, False)}
        for name, alone in ports:
            write_routes(_file(folder, name, alone), _routes(name, alone), _routes(name, alone))
        bot = await stack.enter_async_context(running(folder, 0, **_settings(folder, listen, names, primaries, spare)))
        both = {name: (vendor.url, spare.url) for name, vendor in zip(names, primaries, strict=True)}
        broken = await stack.enter_async_context(serving(Vendor(Fault.ERROR, fails_from=0.0)))
        groups: dict[str, Sequence[str]] = {SPARE: (spare.url,), "warm": (broken.url, spare.url)}
        for name, urls in both.items():
            groups |= {f"{name}-alone": urls, f"{name}-claude": urls}
        flags, config = {name: f"{name}.llm" for name in names}, litellm_config(groups, SPARE)
        proxy = await stack.enter_async_context(litellm(folder / "litellm", config, f"http://{listen}", flags))
        clusters: dict[str, Sequence[str]] = {SPARE: (spare.url,)}
        for name, urls in both.items():
            clusters |= {_routes(name, True): urls, _routes(name, False): urls}
        listeners = {port: (_routes(*of), _file(folder, *of)) for of, port in ports.items()}
        admin = free_port()
        await stack.enter_async_context(envoy(folder, envoy_config(clusters, listeners, admin), admin))
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        for _ in range(3):  # what LiteLLM loads with its first failure is not in question
            await _ask(http, Way(SIDES[0], proxy, "warm"), "warm")
        return [
            await _one(http, bot, name, primary, _ways(name, proxy, ports))
            for name, primary in zip(names, primaries, strict=True)
        ]


def _routes(name: str, alone: bool) -> str:
    """What the routes of one side are called, and their cluster: what one side learns of a vendor the other must not know."""
    return f"{name}-alone" if alone else f"{name}-flag"


def _file(folder: Path, name: str, alone: bool) -> Path:
    return folder / _routes(name, alone) / "routes.json"


def _ways(name: str, proxy: str, ports: Mapping[tuple[str, bool], int]) -> list[Way]:
    envoys = (f"http://127.0.0.1:{ports[name, alone]}" for alone in (True, False))
    urls, models = (proxy, proxy, *envoys), (f"{name}-alone", name, "any", "any")
    return [Way(*of) for of in zip(SIDES, urls, models, strict=True)]


def _settings(folder: Path, listen: str, names: Sequence[str], primaries: Sequence[Vendor], spare: Vendor) -> dict[str, object]:
    """A bot that looks every 30 s (here 3) with a deadline of 10 s (here 1), and switches by itself."""

    def provider(vendor: Vendor) -> dict[str, object]:
        check = {
            "type": "llm", "dialect": "openai", "url": vendor.url, "model": "gpt-4o-mini", "api_key": "k", "every": "3s",
            "deadline": "1s",
        }  # fmt: skip
        return {"components": {"llm": {"checks": [check]}}}

    def flag(name: str) -> dict[str, object]:
        routes = _routes(name, False)
        sink = {
            "type": "envoy_rds", "path": str(_file(folder, name, False)), "route": routes,
            "clusters": {"claude": routes, "gpt": SPARE},
        }  # fmt: skip
        return {
            "variants": {"claude": {"model": f"{name}-claude"}, "gpt": {"model": SPARE}}, "default": "claude",
            "depends_on": [f"{name}.llm"], "fallbacks": [{"variant": "gpt", "needs": f"{SPARE}.llm"}], "automation": "auto",
            "min_hold": "60s", "sinks": [sink],
        }  # fmt: skip

    vendors = {**dict(zip(names, primaries, strict=True)), SPARE: spare}
    return {
        "server": {"listen": listen, "open_to_loopback": True},
        "providers": {name: provider(vendor) for name, vendor in vendors.items()},
        "flags": {f"{name}.llm": flag(name) for name in names},
        "detection": {"at_least": "1s", "recheck": "150ms", "recover_for": "6s"},
    }


async def _one(http: aiohttp.ClientSession, bot: Running, name: str, primary: Vendor, ways: Sequence[Way]) -> Played:
    """Well, then the fault, then well again; customers of all gateways ask at the same time."""
    assert primary.fault is not None
    played, loop = Played(primary.fault, primary), asyncio.get_running_loop()
    for way in ways:
        await _warm(http, way, name)
    primary.fails_from = loop.time() + WELL_S
    primary.fails_to = primary.fails_from + FAULT_S
    watching = asyncio.create_task(_watch(http, bot, name, played))
    async with asyncio.TaskGroup() as group:
        running_ways = {way.side: group.create_task(_customers(http, way, name, primary.fails_to + AFTER_S)) for way in ways}
    watching.cancel()
    played.asked = {side: task.result() for side, task in running_ways.items()}
    return played


async def _warm(http: aiohttp.ClientSession, way: Way, name: str) -> None:
    """What a gateway loads with its first requests is not in question."""
    for _ in range(WARM_TRIES):
        if (await _ask(http, way, f"warm {name}")).served:
            return
    raise RuntimeError(f"{way.side} does not serve while all is well")


async def _watch(http: aiohttp.ClientSession, bot: Running, name: str, played: Played) -> None:
    url, loop = f"{bot.url}/ofrep/v1/evaluate/flags/{name}.llm", asyncio.get_running_loop()
    while math.isinf(played.switched_at):
        async with http.post(url, json={}) as answer:
            if (await answer.json()).get("variant") == "gpt":
                played.switched_at = loop.time()
        await asyncio.sleep(LOOK_S)


async def _customers(http: aiohttp.ClientSession, way: Way, name: str, until: float) -> list[Asked]:
    """A customer every so often, however long the others wait."""
    loop, asking = asyncio.get_running_loop(), list[asyncio.Task[Asked]]()
    while loop.time() < until:
        asking.append(asyncio.create_task(_ask(http, way, f"{CUSTOMER}{len(asking)} of {way.side}, {name}")))
        await asyncio.sleep(EVERY_S)
    return list(await asyncio.gather(*asking))


async def _ask(http: aiohttp.ClientSession, way: Way, question: str) -> Asked:
    """One request; served when the whole answer came while the customer was there."""
    loop = asyncio.get_running_loop()
    began, served = loop.time(), False
    body = {"model": way.model, "stream": True, "messages": [{"role": "user", "content": question}]}
    headers = {"Authorization": f"Bearer {KEY}"}
    try:
        async with (
            asyncio.timeout(PATIENCE_S),
            http.post(f"{way.url}/v1/chat/completions", json=body, headers=headers) as answer,
        ):
            text = await answer.text()
            served = answer.status == 200 and "way." in text and "[DONE]" in text
    except (aiohttp.ClientError, TimeoutError):
        pass
    return Asked(question, began, loop.time(), served)


def _row(played: Played, side: str) -> Row:
    """The figures of one gateway. Alone it has switched with its first request in the fault that did not touch the primary."""
    primary, asked = played.primary, played.asked[side]
    begins, ends = primary.fails_from, primary.fails_to
    during = [one for one in asked if begins <= one.began < ends]
    took = [one.ended - one.began for one in during]
    away = [one for one in during if one.question not in primary.attempts]
    flagged = side.endswith("Understudy")
    first = min((one.began for one in away), default=math.inf)
    switch = min((one.began for one in away if not flagged or one.began >= played.switched_at), default=math.inf)
    after = [one for one in during if one.began >= switch]
    well = [one for one in asked if one.began >= begins and not primary.fails(one.began)]
    return Row(
        side, len(during), sum(not one.served for one in during), percentile(took, 0.5), percentile(took, 0.99),
        first - begins, played.switched_at - begins if flagged else math.inf,
        sum(len(primary.attempts.get(one.question, ())) for one in after), sum(not one.served for one in after),
        sum(one.served and one.question not in primary.attempts for one in well),
    )  # fmt: skip


def lost(rows: Sequence[tuple[Fault, Row]]) -> list[str]:
    """Where a gateway does better by itself, in words."""
    found = []
    for (fault, alone), (_, with_us) in pairwise(rows):
        if not with_us.side.endswith("Understudy"):
            continue
        pairs = {
            "failed requests": (alone.failed, with_us.failed, 0.0),
            "s p50": (alone.p50_s, with_us.p50_s, 0.05),
            "s p99": (alone.p99_s, with_us.p99_s, 0.1),
            "s until the first request without the primary": (alone.without_after_s, with_us.without_after_s, EVERY_S),
            "requests on the fallback though the primary was well": (alone.spared, with_us.spared, 0.0),
        }
        for what, (theirs, ours, margin) in pairs.items():
            if ours > theirs + margin:
                found.append(f"{fault}, {alone.side}: {theirs:.3g} {what} alone, {ours:.3g} with Understudy")
    return found


if __name__ == "__main__":
    raise SystemExit(0 if main() else 1)
