"""Ctrl-C in the demo, at any moment: it ends at once, without a traceback, and leaves nothing running."""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from bot.sandbox.postgres import MISSING, programs

ROOT = Path(__file__).resolve().parents[2]
WITHIN_S = 60.0


@pytest.mark.parametrize("moment", ["told in", "the story begins", "The board:"])
@pytest.mark.parametrize("presses", [1, 2])
async def test_demo_ends_quietly_on_ctrl_c(moment: str, presses: int, tmp_path: Path) -> None:
    """As a terminal sends it: to every process of the group. An impatient person presses it twice."""
    status, said = await interrupted(tmp_path, moment, presses)

    assert "Traceback" not in said, said
    assert status == 130 or (presses > 1 and status == -signal.SIGINT), status  # the second may meet an interpreter that ends


@pytest.mark.skipif(programs() is None, reason=f"NO REPLICAS: {MISSING}")
async def test_demo_with_replicas_ends_quietly_on_ctrl_c(tmp_path: Path) -> None:
    """They end with it."""
    status, said = await interrupted(tmp_path, "The board:", 2, "--replicas", "2")

    assert "Traceback" not in said, said
    assert status in (130, -signal.SIGINT)


async def interrupted(tmp_path: Path, moment: str, presses: int, *more: str) -> tuple[int, str]:
    """The exit status, and what was said, once all the demo's processes have ended."""
    output = tmp_path / "output"
    with output.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot.cli", "demo", "--out", str(tmp_path / "out"), *more, cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}, stdout=out, stderr=out,
            stdin=asyncio.subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    try:
        async with asyncio.timeout(WITHIN_S):
            while moment not in output.read_text():
                await asyncio.sleep(0.02)
            for _ in range(presses):
                with suppress(ProcessLookupError):  # it may have ended after the first
                    os.killpg(process.pid, signal.SIGINT)
                await asyncio.sleep(0.3)
            status = await process.wait()
    except BaseException:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # its customers are of the same group
        await process.wait()
        raise

    try:
        async with asyncio.timeout(WITHIN_S):
            while processes_of(tmp_path):
                await asyncio.sleep(0.05)
    finally:
        for left in processes_of(tmp_path):
            os.kill(left, signal.SIGKILL)
    return status, output.read_text()


async def test_ctrl_c_leaves_no_traceback_while_the_program_loads(tmp_path: Path) -> None:
    """Somebody who mistyped an option presses it within the first second."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot.cli", "demo", "--out", str(tmp_path / "out"), cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        stdin=asyncio.subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    async with asyncio.timeout(WITHIN_S):
        while b"_pydantic_core" not in Path(f"/proc/{process.pid}/maps").read_bytes():  # one of the first that it loads
            await asyncio.sleep(0.005)
        os.killpg(process.pid, signal.SIGINT)
        said, _ = await process.communicate()

    assert "Traceback" not in said.decode(), said.decode()
    assert process.returncode in (-signal.SIGINT, 130)


def processes_of(folder: Path) -> list[int]:
    """The demo's other processes, customers and replicas, that write into this folder and have not ended."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue  # it ended meanwhile
            if b"bot.demo." in command and os.fsencode(folder) in command:
                found.append(int(entry.name))
    return found
