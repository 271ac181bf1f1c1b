"""Replicas of other versions as processes over a database: of a past commit, and of a simulated future."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.forks import ROOT
from tests.process.rig import CONFIG, WITHIN_S, BotProcess

SOURCES = ("bot", "commands")
NOTE = '    KIND = "incident.note_added"\n'
NEWER_NOTE = f"{NOTE}    VERSION = 2\n    UPGRADES = {{1: dict}}\n"
STEPS = 'LEDGER = Shape("ledger", (m001_first,))\n'
MORE_STEPS = """def m002_colour(conn: PostgresConnection) -> None:
    conn.execute("ALTER TABLE facts ADD COLUMN colour text NOT NULL DEFAULT ''")


LEDGER = Shape("ledger", (m001_first, m002_colour))
"""
BEFORE_REPLICAS = "0180d638c04d"  # the last commit whose ledger was SQLite's alone
FIRST_REPLICAS = "a8e8f43ca945"  # the first one of which several ran over one PostgreSQL


def of_commit(commit: str, folder: Path) -> Path:
    """The sources of that commit; skips the test, and says so, if the history is missing."""
    made = folder / f"at-{commit}"
    made.mkdir()
    packed = subprocess.run(["git", "archive", commit, *SOURCES], cwd=ROOT, capture_output=True, check=False)
    if packed.returncode != 0:
        pytest.skip(f"NOT TESTED: this clone lacks commit {commit}: git fetch --unshallow")
    subprocess.run(["tar", "--extract", "--directory", str(made)], input=packed.stdout, check=True)
    return made


def of_tomorrow(folder: Path) -> Path:
    """Today's sources with a next version of notes and one more column in the table of facts."""
    made = folder / "tomorrow"
    for name in SOURCES:
        shutil.copytree(ROOT / name, made / name, ignore=shutil.ignore_patterns("__pycache__"))
    _edit(made / "bot/core/record/incident_facts.py", NOTE, NEWER_NOTE)
    _edit(made / "bot/store/postgres/migrations/ledger.py", STEPS, MORE_STEPS)
    return made


class Replica(BotProcess):
    """A replica run as people run it, from the sources of any version."""

    _program: asyncio.subprocess.Process | None = None

    async def start(self, sources: Path) -> None:
        """Start it, as of this version, and wait until it serves."""
        data = self.folder / "data"
        (data / "control.json").unlink(missing_ok=True)
        with (self.folder / "bot.log").open("ab") as log:
            self._program = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot.cli", "run", "--config", str(self.folder / CONFIG), "--data", str(data),
                cwd=sources, env={**os.environ, "PYTHONPATH": str(sources)}, stdout=log, stderr=log,
            )  # fmt: skip
        assert await self.is_up(WITHIN_S), self.log()

    async def stop(self) -> None:
        """As whoever upgrades it does."""
        self.send(signal.SIGTERM)
        await self.gone()

    def log(self) -> str:
        """What it said so far."""
        return (self.folder / "bot.log").read_text(encoding="utf-8")

    @property
    def ended(self) -> int | None:
        return self._program.returncode if self._program else None

    async def gone(self) -> None:
        if self._program:
            await self._program.wait()

    def send(self, number: signal.Signals) -> None:
        if self._program and self.ended is None:
            self._program.send_signal(number)


def _edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert 1 == text.count(old), f"{file} no longer holds {old!r}"
    file.write_text(text.replace(old, new), encoding="utf-8")
