"""Transcripts in the docs, run as they stand: the commands of a ```console block, and what was printed below each.

A block runs when a mark stands on the line above it. `<!-- runs -->`: the output is the same, letter by letter.
`<!-- runs: anthropic.api answers 529 -->`: beside a scripted provider that answers so, durations aside.
`<!-- runs: cut off -->`: where nothing can be reached.
"""

import asyncio
import logging
import re
import shlex
import shutil
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog
from click.testing import CliRunner

from bot.cli.verbs import main
from bot.sandbox.vendor import Vendors
from bot.sandbox.vendor.load import read
from bot.system.clock import SystemClock

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^<!-- runs(?:: (.*?))? -->\n```console\n(.*?)^```", re.DOTALL | re.MULTILINE)
COLUMNS = "100"  # of the window in which they were taken
SCRIPT = """
name: docs
title: What the docs show
minutes: 60
providers:
  anthropic: {{name: Claude, dialect: anthropic, components: {{api: Claude API, web: claude.ai}}}}
events: [{events}]
"""
PHASES = "dns|connect|tls|first_byte|first_token|total"


@dataclass(frozen=True)
class Transcript:
    """One block: `scene` is what its mark says ("" where nothing), `steps` are commands with what they print."""

    scene: str | None
    steps: tuple[tuple[str, str], ...]


def transcripts(text: str) -> list[Transcript]:
    """The blocks of a page that run."""
    return [Transcript(scene or None, tuple(_steps(block))) for scene, block in BLOCK.findall(text)]


def _steps(block: str) -> list[tuple[str, str]]:
    parts = re.split(r"^\$ (.*)\n", block, flags=re.MULTILINE)
    assert not parts[0].strip(), f"a transcript begins with a command, not with {parts[0]!r}"
    return list(zip(parts[1::2], parts[2::2], strict=True))


async def play(transcript: Transcript, folder: Path) -> list[tuple[str, str]]:
    """Run the commands in a folder that holds the examples; says what each printed, its errors after its output.

    The working directory of the process is `folder` already. `echo $?` shows the exit status of the command before.
    """
    shutil.copytree(ROOT / "examples", folder / "examples")
    printed, status = [], 0
    async with _scene(transcript.scene) as environ:
        runner = CliRunner(env={"COLUMNS": COLUMNS, **environ})
        for command, _ in transcript.steps:
            if command == "echo $?":
                printed.append((command, f"{status}\n"))
                continue
            program, *arguments = shlex.split(command)
            assert program == "understudy", f"only understudy is run, not {program}"
            with own_logs():
                done = await asyncio.to_thread(runner.invoke, main, arguments)
            if done.exception is not None and not isinstance(done.exception, SystemExit):
                raise done.exception
            status = done.exit_code
            printed.append((command, done.stdout + done.stderr))
    return printed


@contextmanager
def own_logs() -> Iterator[None]:
    """A verb sets up the logs of its process, which here is ours."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:], root.level = handlers, level
        structlog.reset_defaults()


@asynccontextmanager
async def _scene(scene: str | None) -> AsyncIterator[Mapping[str, str]]:
    """What the environment says of the addresses in examples/check.yaml."""
    if scene is None:
        yield {}
        return
    if scene == "cut off":
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))  # bound and not listening: it refuses
            yield _addresses(*[f"127.0.0.1:{closed.getsockname()[1]}"] * 3)
        return
    answers = [part.split(" answers ") for part in scene.split(", ")]
    events = ", ".join(f"{{at: 0, component: {component}, answer: {word}}}" for component, word in answers)
    vendors = Vendors(read(SCRIPT.format(events=events), "docs.yaml"), SystemClock())
    await vendors.start()
    try:
        bases = (
            vendors.url("anthropic", surface).removeprefix("http://").partition("/")[0] for surface in ("api", "web", "page")
        )
        yield _addresses(*bases)
    finally:
        await vendors.stop()


def _addresses(api: str, web: str, control: str) -> dict[str, str]:
    host, _, port = control.rpartition(":")
    return {
        "ANTHROPIC_URL": f"http://{api}", "CLAUDE_URL": f"http://{web}", "ANTHROPIC_API_KEY": "sk-ant-docs-0123456789",
        "CONTROL_HOST": host, "CONTROL_PORT": port, "PRIVATE_NETWORK": "127.0.0.0/8",
    }  # fmt: skip


def comparable(printed: str, scene: str | None) -> str:
    """The text as it is compared: ends of lines aside, and where servers answered, durations and how lines were folded."""
    text = "\n".join(line.rstrip() for line in printed.rstrip().splitlines())
    if scene is None:
        return text
    text = re.sub(r"^(\S+ +(?:ok|slow|fail|inconclusive))((?: +[\d.]+)+)$", _without_numbers, text, flags=re.MULTILINE)
    text = re.sub(rf'"({PHASES})": [\d.]+', r'"\1": N', text)
    text = re.sub(r"\b[\d.]+ m?s\b", "N ms", text)
    text = re.sub(r"req_sim_\d+", "req_sim_N", text)  # who asks first is left to chance
    return " ".join(text.split())


def _without_numbers(row: re.Match[str]) -> str:
    return row[1] + re.sub(r"[\d.]+", "N", row[2])
