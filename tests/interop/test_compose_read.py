"""compose.yaml as Docker Compose itself reads it; that needs no daemon."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / ".venv" / "compose" / "docker-compose"
EXAMPLE = (ROOT / "compose.env.example").read_text(encoding="utf-8")
PASSWORD = "canary-of-the-database"

Config = Callable[[str], subprocess.CompletedProcess[str]]


def program() -> list[str]:
    """Docker's own, or the one that `make compose` built."""
    if BUILT.exists():
        return [str(BUILT)]
    docker = shutil.which("docker")
    if docker and subprocess.run([docker, "compose", "version"], check=False, capture_output=True).returncode == 0:
        return [docker, "compose"]
    pytest.skip("NO DOCKER COMPOSE: whether it takes compose.yaml was NOT tested (`make compose`)")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """What `docker compose config` makes of it beside this `.env`."""
    for name in ("compose.yaml", "Dockerfile"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "understudy.yaml").write_text("slack: none\n", encoding="utf-8")

    def read(env: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / ".env").write_text(env, encoding="utf-8")
        command = [*program(), "config", "--format", "json"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"})

    return read


def test_file_is_read_as_it_is_meant(config: Config) -> None:
    """Two replicas, each with its own port, data and name, and one password for all three."""
    made = config(EXAMPLE.replace("POSTGRES_PASSWORD=", f"POSTGRES_PASSWORD={PASSWORD}").replace("READ_TOKEN=", "READ_TOKEN=r"))
    assert 0 == made.returncode, made.stderr
    services = json.loads(made.stdout)["services"]
    replicas = [services["understudy-1"], services["understudy-2"]]

    assert {"understudy-1", "understudy-2", "postgres"} == set(services)
    assert PASSWORD == services["postgres"]["environment"]["POSTGRES_PASSWORD"]
    assert ["8081", "8082"] == [one["ports"][0]["published"] for one in replicas]
    assert (
        ["understudy-1", "understudy-2"]
        == [one["volumes"][1]["source"] for one in replicas]
        == [one["hostname"] for one in replicas]
    )
    for one in replicas:
        got = one["environment"]
        assert (PASSWORD, "r", "") == (got["PGPASSWORD"], got["UNDERSTUDY_READ_TOKEN"], got["SLACK_BOT_TOKEN"])
        assert (True, ["ALL"]) == (one["read_only"], one["cap_drop"])
        assert {"database", "default"} == set(one["networks"])


def test_without_a_password_nothing_begins(config: Config) -> None:
    """An empty one would be a database that lets in whoever comes."""
    made = config(EXAMPLE)

    assert 0 != made.returncode
    assert "set it in .env" in made.stderr
