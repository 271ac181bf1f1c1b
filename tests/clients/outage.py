"""One whole outage with a bot that is hung, killed and started again, seen through services that read all the time.

Each service is a process (`reader.py`, `tests/interop/reader.mjs`) that reads the flag every 20 ms and prints a line a read.
"""

import asyncio
import itertools
import json
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.cli.deployment import Bot, Deployment, a_deployment

TOKEN = "read-token-of-the-outage"
FLAG = "support-chat.llm"
DEFAULT, FALLBACK, CODE = "anthropic", "openai", "code"  # providers: of the default, of the fallback, in the service's own code
WORDS = {DEFAULT: "the default", FALLBACK: "the fallback", CODE: "your code default"}
LONG_S = 0.5  # no read from memory takes as long, also on a busy machine
HUNG_S = 3.0
SEEN_S = 1.5  # of reads, after a death
WITHIN_S = 30.0

FLAGS = {
    FLAG: {
        "variants": {
            "claude": {"provider": DEFAULT, "model": "claude-sonnet-4-5"}, "gpt": {"provider": FALLBACK, "model": "gpt-5"},
        },
        "default": "claude",
        "fallbacks": [{"variant": "gpt"}],
    }
}  # fmt: skip


@dataclass(frozen=True)
class Read:
    """One read of a service: when it began (the machine's clock), how long it took, and where it sends its customer."""

    at: float
    took_s: float
    provider: str
    reason: str


@dataclass
class Service:
    """A service that runs, and everything that it has read so far."""

    process: asyncio.subprocess.Process
    reads: list[Read] = field(default_factory=list)

    async def follow(self) -> None:
        assert self.process.stdout
        async for line in self.process.stdout:
            said = json.loads(line)
            self.reads.append(Read(said["at"], said["took_s"], said["provider"], said["reason"]))

    def since(self, at: float) -> list[Read]:
        newest = itertools.takewhile(lambda read: read.at >= at, reversed(self.reads))
        return list(newest)[::-1]

    async def until(self, provider: str) -> None:
        """Wait until a read that begins from now on sends a customer there."""
        now = time.time()
        async with asyncio.timeout(WITHIN_S):
            while not any(read.provider == provider for read in self.since(now)):
                assert self.process.returncode is None, "the service ended"
                await asyncio.sleep(0.02)


@dataclass(frozen=True)
class Row:
    """What one client did, in the words of the table in docs/flags.md."""

    hung: str
    killed: str  # in normal times
    killed_in_outage: str
    started: str  # in an outage, without the bot


@dataclass
class Seen:
    """All that the clients did, by name: their row, and every read of theirs while the flag was engaged."""

    rows: dict[str, Row] = field(default_factory=dict)
    in_outage: dict[str, list[Read]] = field(default_factory=dict)
    all_reads: dict[str, list[Read]] = field(default_factory=dict)
    after_restart: dict[str, str] = field(default_factory=dict)


async def outage(folder: Path, clients: Mapping[str, Sequence[str]]) -> Seen:
    """Play it.

    A client's command may hold `{url}` and `{cache}`, `{page}`: where a web page that may read has to stand, and `{flagd}`: the
    file that the bot keeps for flagd.
    """
    async with a_deployment(folder) as deployment, AsyncExitStack() as stack:
        url, page = (f"http://127.0.0.1:{port}" for port in free_ports(2))
        flagd = str(folder / "flagd.json")
        server = {"listen": url.removeprefix("http://"), "read_tokens": [TOKEN], "browsers": [page]}
        flags = {FLAG: {**FLAGS[FLAG], "sinks": [{"type": "flagd_file", "path": flagd}]}}
        deployment.configure(deployment.settings(flags=flags, server=server))
        bot = await deployment.ready_bot()
        async with asyncio.timeout(WITHIN_S):  # flagd does not start without it
            while not Path(flagd).exists():
                await asyncio.sleep(0.02)

        async def start() -> dict[str, Service]:
            return {
                name: await stack.enter_async_context(
                    a_service(command, folder / f"{number}.json", url=url, page=page, flagd=flagd)
                )
                for number, (name, command) in enumerate(clients.items())
            }

        running = await start()
        await all_see(running, DEFAULT)
        hung_at = time.time()
        await hang(bot)
        await all_see(running, DEFAULT)
        killed_at = await kill(bot)
        killed_to = time.time()
        bot = await deployment.ready_bot()
        await all_see(running, DEFAULT)
        await switch(deployment, "engage")
        await all_see(running, FALLBACK)
        engaged_at = time.time()
        await hang(bot)
        await all_see(running, FALLBACK)
        killed_again_at = await kill(bot)
        starting = await start()
        for service in starting.values():
            async with asyncio.timeout(WITHIN_S):
                while not service.reads:
                    await asyncio.sleep(0.02)
        restarted_at = time.time()
        await deployment.ready_bot()
        await all_see(running, FALLBACK)
        await all_see(starting, FALLBACK)
        await asyncio.sleep(SEEN_S)
        released_at = time.time()
        await switch(deployment, "release")
        await all_see(running, DEFAULT)

    seen = Seen()
    for name, service in running.items():
        hung = [read for began in (hung_at, engaged_at) for read in service.reads if began <= read.at < began + HUNG_S - 1.2]
        killed = [read for read in service.reads if killed_at + 0.1 <= read.at < killed_to]
        killed_again = [read for read in service.reads if killed_again_at + 0.1 <= read.at < restarted_at]
        seen.rows[name] = Row(while_hung(hung), gave(killed), gave(killed_again), gave(starting[name].reads[:1]))
        seen.all_reads[name] = service.reads + starting[name].reads
        in_outage = [read for read in service.reads + starting[name].reads if engaged_at <= read.at < released_at]
        seen.in_outage[name] = in_outage
        seen.after_restart[name] = service.reads[-1].reason
    return seen


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def while_hung(reads: Sequence[Read]) -> str:
    """Whether a read waited, and what it gave; those that began shortly before the bot went on are left out."""
    longest = max(read.took_s for read in reads)
    if longest > HUNG_S - 0.5:
        return "a read waits for as long as the bot hangs"
    return f"{gave(reads)}, {'at once' if longest < LONG_S else 'after its timeout'}"


def gave(reads: Sequence[Read]) -> str:
    """What customers got, in words."""
    found = dict.fromkeys(WORDS[read.provider] for read in reads)
    return "its last answer" if set(found) == {WORDS[DEFAULT], WORDS[FALLBACK]} else " and ".join(found)


async def hang(bot: Bot) -> None:
    bot.process.send_signal(signal.SIGSTOP)
    await asyncio.sleep(HUNG_S)
    bot.process.send_signal(signal.SIGCONT)


async def kill(bot: Bot) -> float:
    """Kill it, let services read for a while, and say when it died."""
    await bot.ends(signal.SIGKILL)
    at = time.time()
    await asyncio.sleep(SEEN_S)
    return at


async def switch(deployment: Deployment, verb: str) -> None:
    ended = await deployment.verb("flags", verb, FLAG, "--reason", "Claude fails")
    assert 0 == ended.status, ended.err


async def all_see(services: Mapping[str, Service], provider: str) -> None:
    for name, service in services.items():
        try:
            await service.until(provider)
        except TimeoutError:
            raise AssertionError(f"{name} never got {WORDS[provider]}: {service.reads[-1:]}") from None


@asynccontextmanager
async def a_service(command: Sequence[str], cache: Path, **addresses: str) -> AsyncIterator[Service]:
    words = [word.format(cache=cache, **addresses) if word.startswith("{") else word for word in command]
    process = await asyncio.create_subprocess_exec(
        *words, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "UNDERSTUDY_READ_TOKEN": TOKEN, "FLAGS_FILE": str(cache), "FLAGS_URL": addresses["url"]},
    )  # fmt: skip
    service = Service(process)
    following = asyncio.create_task(service.follow())
    try:
        yield service
    finally:
        assert process.stdin
        process.stdin.close()
        try:
            async with asyncio.timeout(5):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        await following


def python(kind: str) -> list[str]:
    """A service in Python, see reader.py."""
    return [
        sys.executable,
        str(Path(__file__).with_name("reader.py")),
        kind,
        "{url}",
        "{flagd}" if kind == "flagd" else "{cache}",
    ]


def table_row(name: str, row: Row) -> str:
    """As it stands in docs/flags.md."""
    return f"| {name} | {row.hung} | {row.killed} | {row.killed_in_outage} | {row.started} |"


def cells(page: str) -> dict[str, str]:
    """The rows of the table in docs/flags.md, by their client."""
    return {line.split("|")[1].strip(): line for line in page.splitlines() if line.startswith("| ") and line.count("|") == 6}
