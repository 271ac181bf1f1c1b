"""The image that the Dockerfile comes to, run as the README has it, with buildah in the place of Docker (`make image`)."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.postgres import free_port

IMAGE = "localhost/understudy"
STORE = {**os.environ, "STORAGE_DRIVER": "vfs", "BUILDAH_ISOLATION": "chroot"}
CONFIG = "/etc/understudy/understudy.yaml"
DATA = "/var/lib/understudy/data"
TOKEN = "read-token-of-the-image"
WITHIN_S = 40.0
CONFIGURED = f"""
slack: none
control_group: []
server: {{read_tokens: [{TOKEN}], control_tokens: [control-token-of-the-image]}}
providers: {{vendor: {{components: {{api: {{checks: [{{type: heartbeat, every: 1h}}]}}}}}}}}
flags: {{chat.llm: {{variants: {{claude: a, gpt: b}}, default: claude}}}}
"""


def buildah(*arguments: str) -> str:
    done = subprocess.run(["buildah", *arguments], env=STORE, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def why_not() -> str:
    if shutil.which("buildah") is None or os.getuid() != 0:
        return "NO BUILDAH: the image was NOT built and NOT run (`make image`, as root)"
    found = subprocess.run(["buildah", "inspect", "--type", "image", IMAGE], env=STORE, check=False, capture_output=True)
    return "" if found.returncode == 0 else "NO IMAGE: it was NOT run (`make image`, as root)"


pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())


class Container:
    """One container of the image with a configuration; what is in its volume outlives what runs in it."""

    def __init__(self, folder: Path) -> None:
        self.name = buildah("from", "--pull=never", IMAGE)
        self.made: dict[str, Any] = json.loads(buildah("inspect", "--type", "image", IMAGE))["Docker"]["config"]
        self.port = free_port()
        config = folder / "understudy.yaml"
        config.write_text(CONFIGURED, encoding="utf-8")
        config.chmod(0o644)
        self._volumes = ("--volume", f"{config}:{CONFIG}:ro")  # and the image's own, which lives as long as the container
        self._folder = folder
        self._running: subprocess.Popen[bytes] | None = None

    def here(self, text: str) -> str:
        """The port that the image says, as the one of this test: other programs may listen at 8080."""
        return text.replace(":8080", f":{self.port}")

    def does(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run this in it, beside what runs there already, to its end."""
        whole = ["buildah", "run", *self._volumes, self.name, "--", *command]
        if beside := self.programs():
            user = self.made["User"]
            enter = ["nsenter", f"--target={beside[0]}", "--mount", "--root", "--wd", f"--setuid={user}", f"--setgid={user}"]
            whole = [*enter, "env", *self.made["Env"], *command]
        return subprocess.run(whole, env=STORE, check=False, capture_output=True, text=True, timeout=WITHIN_S)

    def start(self) -> None:
        """Its own entry point and command, until it is healthy by its own health check."""
        command = [*self.made["Entrypoint"], *map(self.here, self.made["Cmd"])]
        with (self._folder / "log").open("ab") as log:
            whole = ["buildah", "run", *self._volumes, self.name, "--", *command]
            self._running = subprocess.Popen(whole, env=STORE, stdout=log, stderr=log)
        until = time.monotonic() + WITHIN_S
        while not (self.programs() and self.is_healthy()):
            assert time.monotonic() < until, (self._folder / "log").read_text(encoding="utf-8")
            time.sleep(0.2)

    def is_healthy(self) -> bool:
        """What Docker would call it."""
        [how, *check] = self.made["Healthcheck"]["Test"]
        assert how == "CMD"
        return self.does(*map(self.here, check)).returncode == 0

    def stop(self) -> int | None:
        """As `docker stop`: a signal to what runs in it, and a wait for its end."""
        for number in self.programs():
            os.kill(number, signal.SIGTERM)
        return self._running.wait(WITHIN_S) if self._running else None

    def programs(self) -> list[int]:
        """What runs in it, by its number out here."""
        found = []
        for place in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                said = place.read_bytes()
            except OSError:
                continue  # it ended
            if said.startswith(b"/opt/understudy/bin/python\0") and f":{self.port}".encode() in said:
                found.append(int(place.parent.name))
        return found

    def flag(self, token: str = TOKEN) -> Any:
        """What a service reads, or the status of its refusal."""
        asked = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/ofrep/v1/evaluate/flags/chat.llm", b'{"context": {}}',
            {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )  # fmt: skip
        try:
            with urllib.request.urlopen(asked, timeout=WITHIN_S) as answer:
                return json.load(answer)["variant"]
        except urllib.error.HTTPError as refused:
            return refused.code


@pytest.fixture
def container(tmp_path: Path) -> Iterator[Container]:
    made = Container(tmp_path)
    try:
        yield made
    finally:
        made.stop()
        buildah("rm", made.name)


def test_it_runs_as_nobody_in_particular(container: Container) -> None:
    """User 10001, who can change nothing of what was installed."""
    assert "10001" == container.does("id", "-u").stdout.strip()
    assert container.does("touch", "/opt/understudy/bin/understudy").returncode != 0
    assert re.fullmatch(r"understudy, version \S+\n", container.does("understudy", "--version").stdout)


def test_it_serves_flags_once_it_is_healthy_and_keeps_its_ledger(container: Container) -> None:
    """What was switched before `docker stop` is served after the next start, from the volume."""
    container.start()
    before = (container.flag(), container.flag("another-token"))
    switched = container.does(
        "understudy", "flags", "engage", "chat.llm", "gpt", "--reason", "as tested", "--config", CONFIG, "--data", DATA
    )
    ended = container.stop()
    container.start()

    assert ("claude", 401, 0) == (*before, ended)
    assert 0 == switched.returncode, switched.stdout + switched.stderr
    assert "gpt" == container.flag()


def test_nothing_but_the_volume_is_written(container: Container) -> None:
    """So that its root may be read-only, as compose.yaml has it; what is written there is for nobody else to read."""
    container.start()
    ledger = container.does("stat", "--format=%u %a", f"{DATA}/ledger.db").stdout
    container.stop()
    home = Path(buildah("mount", container.name)) / "var/lib/understudy"

    assert "10001 600\n" == ledger
    assert [home / "data"] == [one for one in home.rglob("*") if not one.name.startswith(".")]
