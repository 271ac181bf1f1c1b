"""`understudy export`: the timeline as a file, beside a running bot or without one."""

import csv
import io
import json
import signal
from pathlib import Path

import pytest

from tests.cli.deployment import Deployment


async def test_export_is_the_same_as_the_running_bots(deployment: Deployment) -> None:
    """It reads the ledger beside the bot, takes no lock and writes nothing of its own."""
    bot = await deployment.ready_bot()
    await deployment.verb("incident", "declare", "Claude is slow", "--component", "anthropic.api")
    await deployment.verb("incident", "note", "1", "support was told")
    await deployment.quiet()
    files = {path.name for path in deployment.data.iterdir()}
    for format in ("md", "csv", "json"):
        ended = await deployment.verb("export", "inc-01", "--format", format)
        served = await bot.asks("GET", f"/api/v1/incidents/1/export?format={format}")

        assert (0, "") == (ended.status, ended.err)
        assert served.text.replace("\r\n", "\n") == ended.out.replace("\r\n", "\n")
    assert files == {path.name for path in deployment.data.iterdir()}
    assert 0 == await bot.ends(signal.SIGTERM)


async def test_export_is_written_to_a_file(deployment: Deployment, tmp_path: Path) -> None:
    """Byte for byte, in each format; the name of the incident's file is said on standard error."""
    await deployment.verb("incident", "declare", "Claude is slow: é")
    for format in ("md", "csv", "json"):
        path = tmp_path / f"INC-1.{format}"
        ended = await deployment.verb("export", "INC-1", "--format", format, "--output", str(path))

        assert (0, "", f"INC-1-timeline.{format} written to {path}\n") == (ended.status, ended.out, ended.err)
        assert "Claude is slow: é" in path.read_text(encoding="utf-8").replace("\\", "")
    assert "INC-1" == json.loads((tmp_path / "INC-1.json").read_text(encoding="utf-8"))["incident"]["name"]
    rows = list(csv.DictReader(io.StringIO((tmp_path / "INC-1.csv").read_text(encoding="utf-8"))))
    assert "incident.declared" == rows[0]["kind"]


@pytest.mark.parametrize("place", ["nowhere/INC-1.md", "."])
async def test_export_says_why_it_cannot_write(place: str, deployment: Deployment, tmp_path: Path) -> None:
    """One sentence with the path."""
    output = str(tmp_path / place)
    await deployment.verb("incident", "declare", "Claude is slow")
    ended = await deployment.verb("export", "1", "--output", output)

    assert (1, "") == (ended.status, ended.out)
    assert ended.err.startswith(f"{output} cannot be written: ")
    assert "Traceback" not in ended.err


async def test_export_works_without_a_sound_configuration(deployment: Deployment) -> None:
    """The post-mortem does not wait for a file to be mended; components are called by their ids."""
    await deployment.verb("incident", "declare", "Claude is slow", "--component", "anthropic.api")
    named = await deployment.verb("export", "1")
    deployment.config.write_text("flags: [", encoding="utf-8")
    broken = await deployment.verb("export", "1")
    deployment.config.unlink()
    without = await deployment.verb("export", "1")

    assert "Claude API" in named.out
    assert (0, True) == (broken.status, "has errors, so components are called by their ids" in broken.err)
    assert (0, "") == (without.status, without.err)
    assert "| anthropic.api |" in without.out
    assert broken.out == without.out
