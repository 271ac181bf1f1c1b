"""compose.yaml: two replicas and their PostgreSQL, as the image has things and as the threat model wants them."""

import re
import subprocess
import sys
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.config.first_file import FirstFileOptions

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
TEXT = (ROOT / "compose.yaml").read_text(encoding="utf-8")
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
REPLICAS = {name: service for name, service in SERVICES.items() if service["image"] == "understudy"}
EXAMPLE = (ROOT / "compose.env.example").read_text(encoding="utf-8")
CONFIG = "/etc/understudy/understudy.yaml"
SLACK = {"bot_token": "${SLACK_BOT_TOKEN}", "app_token": "${SLACK_APP_TOKEN}"}


def image_has(instruction: str) -> str:
    """The last of these instructions of the Dockerfile."""
    return re.findall(rf"^{instruction} (.*)$", DOCKERFILE, re.MULTILINE)[-1]


def image_environment() -> dict[str, str]:
    """The variables that the Dockerfile sets, without PATH."""
    found = [pair for line in re.findall(r"^ENV (.*)$", DOCKERFILE, re.MULTILINE) for pair in line.split()]
    return dict(pair.split("=", 1) for pair in found if not pair.startswith("PATH="))


def listed_variables() -> set[str]:
    """What compose.env.example names, also where it stands commented out."""
    return set(re.findall(r"^(?:# )?([A-Z_]+)=$", EXAMPLE, re.MULTILINE))


# --- the files together


def test_replicas_are_as_the_image_has_them() -> None:
    """Its command, its port, its data folder and the place of its configuration."""
    environment = image_environment()

    for replica in REPLICAS.values():
        assert "command" not in replica
        assert "entrypoint" not in replica
        assert all(port.endswith(f":{image_has('EXPOSE')}") for port in replica["ports"])
        files, data = (volume.split(":") for volume in replica["volumes"])
        assert ["./understudy.yaml", environment["UNDERSTUDY_CONFIG"], "ro"] == files
        assert [environment["UNDERSTUDY_DATA"], image_has("VOLUME")] == [data[1], data[1]]


def test_each_replica_has_a_place_of_its_own() -> None:
    """Two on one folder would be refused by its lock; two of one name nobody could tell apart."""
    volumes = [replica["volumes"][1].split(":")[0] for replica in REPLICAS.values()]

    assert 2 == len(REPLICAS)
    assert 2 == len(set(volumes)) == len({replica["ports"][0] for replica in REPLICAS.values()})
    assert list(REPLICAS) == [replica["hostname"] for replica in REPLICAS.values()]
    assert set(volumes) < set(yaml.safe_load(TEXT)["volumes"])


def test_only_this_machine_reaches_them() -> None:
    """The server speaks plain HTTP: what comes from elsewhere comes by a proxy with TLS, and nobody reaches PostgreSQL."""
    assert [] == [port for replica in REPLICAS.values() for port in replica["ports"] if not port.startswith("127.0.0.1:")]
    assert "ports" not in SERVICES["postgres"]
    assert ["database"] == SERVICES["postgres"]["networks"]
    assert yaml.safe_load(TEXT)["networks"]["database"]["internal"] is True


@pytest.mark.parametrize("service", SERVICES.values(), ids=list(SERVICES))
def test_every_container_is_hardened(service: Mapping[str, Any]) -> None:
    """Nobody in particular, who can write where it must and gain nothing."""
    assert (True, ["ALL"], ["no-new-privileges:true"]) == (service["read_only"], service["cap_drop"], service["security_opt"])
    assert "/tmp" in service["tmpfs"]  # noqa: S108 # the container's
    assert "cap_add" not in service
    assert "privileged" not in service
    assert service.get("user", image_has("USER")) not in ("root", "0")
    assert service["healthcheck"]["test"][0] == "CMD"


def test_no_secret_stands_in_the_file() -> None:
    """Passwords come from .env, which git does not take."""
    assert [] == re.findall(r"(?i)(?:password|token|key|secret)\w*: +(?!\$\{)\S+", TEXT)
    assert ".env" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert [] == re.findall(r"^[A-Z_]+=.+$", EXAMPLE, re.MULTILINE)


def test_env_example_names_what_a_first_configuration_needs() -> None:
    """Whoever answered `understudy init` finds a line for each variable."""
    asked = {
        variable
        for slack in ("socket", "http")
        for variable in FirstFileOptions(("anthropic", "openai", "gemini"), (), slack, "#ops", "", "chat").variables
    }

    assert set() == asked - listed_variables()


def test_env_example_names_nothing_that_is_of_no_use() -> None:
    """Each line is a variable of the example configuration or of compose.yaml."""
    known = re.findall(r"\$\{([A-Z_]+)", (ROOT / "examples" / "understudy.yaml").read_text(encoding="utf-8") + TEXT)

    assert set() == listed_variables() - set(known)


class Ready(BaseHTTPRequestHandler):
    """`/readyz` of a replica that can commit, or not."""

    status = 200

    def do_GET(self) -> None:  # so named by the library
        self.send_response(self.status if self.path == "/readyz" else 404)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize(("status", "exit"), [(200, 0), (503, 1)])
def test_health_check_asks_whether_the_replica_can_commit(status: int, exit: int) -> None:
    """`docker compose ps` shows which one cannot."""
    [code] = {replica["healthcheck"]["test"][3] for replica in REPLICAS.values()}
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Answer", (Ready,), {"status": status})) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        asked = [sys.executable, "-c", code.replace(":8080", f":{server.server_port}")]
        ended = subprocess.run(asked, capture_output=True, check=False)
        server.shutdown()

    assert exit == ended.returncode
