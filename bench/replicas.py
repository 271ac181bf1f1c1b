"""Several replicas over one PostgreSQL: how soon each sees a switch, and another one takes over: `python -m bench replicas`."""

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import yaml
from aiohttp import web

from bench.bot import Process, Server, ready, settings, vendor
from bench.outcomes import BATCH, outcomes
from bench.report import line, percentile
from bot.cluster.name import ID_FILE, OWN
from bot.ports import CLOCK
from bot.sandbox.postgres import MISSING, a_server, programs
from bot.sandbox.slack import CommandSpec, LocalWorkspace
from bot.store.postgres.ledgers import PostgresLedger, open_postgres_ledger
from bot.system.clock import SystemClock
from commands.table import words

FLAG = {"chat": {"variants": {"a": 1, "b": 2}, "default": "a", "fallbacks": [{"variant": "b"}]}}
READ = "/ofrep/v1/evaluate/flags/chat"
REPLICAS, CHECKS = 3, 30
SWITCHES = 100
POLL_S = 0.002
DEATHS = 5
NOTES, CALLERS, EACH = 200, 64, 10
READS, BATCHES, ROUNDS = 8_000, 400, 3
IDLE_S, WRITTEN_S = 4.0, 2.0  # what was taken is in the database after this


@dataclass
class Replica(Process):
    """One of them, and its API with the token that it takes."""

    id: str  # ends its name
    process: asyncio.subprocess.Process
    api: aiohttp.ClientSession


@dataclass
class Cluster:
    """Replicas that run, their ledger, and when each of the vendor's paths was asked last."""

    workspace: LocalWorkspace
    ledger: PostgresLedger
    address: str
    server: Server
    port: int
    folder: Path
    asked: dict[str, float]
    replicas: list[Replica] = field(default_factory=list)

    async def start(self, number: int) -> Replica:
        """Start the one of that number."""
        folder = self.folder / f"replica-{number}"
        folder.mkdir(exist_ok=True)
        config, control = folder / "understudy.yaml", folder / "data" / "control.json"
        control.unlink(missing_ok=True)
        written = settings(self.workspace, self.port, CHECKS, every="1s") | {"flags": FLAG, "store": self.address}
        config.write_text(yaml.safe_dump(written), encoding="utf-8")
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot.cli", "run", "--config", str(config), "--data", str(folder / "data"),
            "--log-level", "ERROR",
        )  # fmt: skip
        url = await ready(control)
        token = json.loads(control.read_text(encoding="utf-8"))["token"]
        api = aiohttp.ClientSession(url, headers={"Authorization": f"Bearer {token}"})
        id = (folder / "data" / ID_FILE).read_text(encoding="ascii")[:OWN]
        return Replica(url, process.pid, id, process, api)

    async def holder(self) -> tuple[str, str]:
        """Who holds the clock: the start of it, and its name; empty while nobody does."""
        now = SystemClock().now()
        held, live = await self.ledger.read(lambda store: (store.leases(now), store.replicas(now)))
        boot = next((lease.holder for lease in held if lease.name == CLOCK), "")
        return boot, next((one.says.name for one in live if one.says.boot == boot), "")


def main() -> bool:
    """Start them, ask them, and kill whoever leads."""
    print(f"replicas: {REPLICAS} processes and their PostgreSQL on this machine, which share its cores")
    if programs() is None:
        print(f"  NOT MEASURED: {MISSING}")
        return True
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder, a_server(durable=True) as server:
        return asyncio.run(_measured(Path(folder), server.url(), Server(server)))


async def _measured(folder: Path, address: str, server: Server) -> bool:
    async with _cluster(folder, address, server) as cluster:
        held = await _notes(cluster)
        held = await _switches(cluster) and held
        held = await _reads(cluster) and held
        held = await _outcomes(cluster) and held
        return await _deaths(cluster) and held


@asynccontextmanager
async def _cluster(folder: Path, address: str, server: Server) -> AsyncIterator[Cluster]:
    async with AsyncExitStack() as stack:
        asked: dict[str, float] = {}
        served = web.AppRunner(vendor(asked), access_log=None)
        await served.setup()
        stack.push_async_callback(served.cleanup)
        await web.TCPSite(served, "127.0.0.1", 0).start()
        workspace = await stack.enter_async_context(LocalWorkspace(commands=[CommandSpec(*word) for word in words()]))
        workspace.add_user("ana")
        workspace.add_channel("ops", members=("ana",))
        ledger = await open_postgres_ledger(address, "bench")
        stack.push_async_callback(ledger.close)
        cluster = Cluster(workspace, ledger, address, server, served.addresses[0][1], folder, asked)
        try:
            for number in range(1, REPLICAS + 1):
                cluster.replicas.append(await cluster.start(number))
            yield cluster
        finally:
            for replica in cluster.replicas:
                await replica.api.close()
                if replica.process.returncode is None:
                    replica.process.kill()
                await replica.process.wait()


async def _post(replica: Replica, path: str, **body: object) -> float:
    """Ask it to do something; how long it took, in seconds."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with replica.api.post(path, json=body) as answer:
        text = await answer.text()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {text[:200]}")
    return loop.time() - began


async def _notes(cluster: Cluster) -> bool:
    """A note over HTTP: decided on, committed and answered."""
    first = cluster.replicas[0]
    await _post(first, "/api/v1/incidents", title="Payments are slow")
    alone = [await _post(first, "/api/v1/incidents/1/note", text=f"alone {n}") for n in range(NOTES)]
    line("a note committed and answered over HTTP, p50", percentile(alone, 0.5) * 1e3, "ms")

    async def caller(name: int) -> list[float]:
        return [await _post(first, "/api/v1/incidents/1/note", text=f"{name} {n}") for n in range(EACH)]

    together = [took for found in await asyncio.gather(*map(caller, range(CALLERS))) for took in found]
    line(f"the same, {CALLERS} callers of one replica, p50", percentile(together, 0.5) * 1e3, "ms")
    return line(f"the same, {CALLERS} callers of one replica, p99", percentile(together, 0.99) * 1e3, "ms")


async def _switches(cluster: Cluster) -> bool:
    """From the answer that a flag is switched until every other replica serves it."""
    first, *others = cluster.replicas
    seen: list[float] = []
    for number in range(SWITCHES):
        if number % 2:
            await _post(first, "/api/v1/flags/chat/release", reason="it is well again")
        else:
            await _post(first, "/api/v1/flags/chat/engage", reason="to measure", variant="b", force=True)
        wanted = "a" if number % 2 else "b"
        seen += await asyncio.gather(*(_until_served(other, wanted) for other in others))
    line("a switch visible on another replica, p50", percentile(seen, 0.5) * 1e3, "ms")
    return line("a switch visible on another replica, p99", percentile(seen, 0.99) * 1e3, "ms", 100)


async def _until_served(replica: Replica, variant: str) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    while True:
        async with replica.api.post(READ, json={"context": {}}) as answer:
            if (await answer.json())["variant"] == variant:
                return loop.time() - began
        await asyncio.sleep(POLL_S)


async def _reads(cluster: Cluster) -> bool:
    """CPU of a read on one replica, and of one on each of three: what does not grow is had as often as there are replicas."""
    body = json.dumps({"context": {}}).encode()
    return await _as_often(cluster, "a flag read", READ, [body] * READS, 1)


async def _outcomes(cluster: Cluster) -> bool:
    """The same of outcomes, of which each replica writes sums of its own."""
    return await _as_often(cluster, "an outcome", "/api/v1/outcomes", [outcomes(n) for n in range(BATCHES)], BATCH)


async def _as_often(cluster: Cluster, what: str, path: str, bodies: list[bytes], each: int) -> bool:
    """What a thing costs all replicas and the database, where one takes all of them and where each takes its third."""
    one, three = [], []
    for _ in range(ROUNDS):  # in turns, as the machine is busier at one time than at another
        one.append(await _cost(cluster, cluster.replicas[:1], path, bodies, each))
        three.append(await _cost(cluster, cluster.replicas, path, bodies, each))
    (by_one, at_one), (by_three, at_three) = map(_middle, (one, three))
    line(f"CPU of {what}, one of three takes them all", by_one, "us")
    line(f"CPU of {what}, each takes a third", by_three, "us")
    line("PostgreSQL's CPU for it, by one", at_one, "us")
    line("PostgreSQL's CPU for it, by three", at_three, "us")
    return line(f"{what} by three, of one by one", by_three / by_one, "times", 1.25)


def _middle(found: list[tuple[float, float]]) -> tuple[float, float]:
    ours, databases = zip(*found, strict=True)
    return percentile(ours, 0.5), percentile(databases, 0.5)


async def _cost(cluster: Cluster, takers: list[Replica], path: str, bodies: list[bytes], each: int) -> tuple[float, float]:
    """Microseconds of all replicas, and of the database, for each; without what they need while nothing comes.

    The takers take their parts one after the other, each as busy as if it had a core of its own.
    """
    loop, parts = asyncio.get_running_loop(), (cluster.replicas, [cluster.server])

    def used() -> list[float]:
        return [sum(one.cpu_s() for one in part) for part in parts]

    before = used()
    await asyncio.sleep(IDLE_S)
    idle = [(after - earlier) / IDLE_S for after, earlier in zip(used(), before, strict=True)]
    before, at = used(), loop.time()
    for number, body in enumerate(bodies):
        taker = takers[number * len(takers) // len(bodies)]
        async with taker.api.post(path, data=body, headers={"Content-Type": "application/json"}) as answer:
            if answer.status != 200:
                raise RuntimeError(f"{path}: {answer.status} {(await answer.text())[:200]}")
            await answer.read()
    await asyncio.sleep(WRITTEN_S)
    took_s, count = loop.time() - at, len(bodies) * each
    spent = [after - earlier - rest * took_s for after, earlier, rest in zip(used(), before, idle, strict=True)]
    return max(spent[0], 0.0) / count * 1e6, max(spent[1], 0.0) / count * 1e6


async def _deaths(cluster: Cluster) -> bool:
    """From kill -9 of the one that leads until another holds the clock, and every check is looked at again."""
    loop = asyncio.get_running_loop()
    clocks, checks = [], []
    for _ in range(DEATHS):
        boot, name = await cluster.holder()
        number = next(n for n, one in enumerate(cluster.replicas) if name.endswith(one.id))
        leader = cluster.replicas[number]
        leader.process.kill()
        died = loop.time()
        while (await cluster.holder())[0] in ("", boot):  # noqa: ASYNC110 # other processes tell nobody
            await asyncio.sleep(0.01)
        clocks.append(loop.time() - died)
        while min(cluster.asked.values()) < died:  # noqa: ASYNC110 # likewise
            await asyncio.sleep(0.01)
        checks.append(loop.time() - died)
        await leader.api.close()
        await leader.process.wait()
        cluster.replicas[number] = await cluster.start(number + 1)
        await asyncio.sleep(3.0)
    line("the clock taken over after kill -9, median", percentile(clocks, 0.5), "s")
    held = line("the clock taken over after kill -9, slowest", max(clocks), "s", 5)
    line("every check looked at again, median", percentile(checks, 0.5), "s")
    return line("every check looked at again, slowest", max(checks), "s", 5) and held


if __name__ == "__main__":
    raise SystemExit(0 if main() else 1)
