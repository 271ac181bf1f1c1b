"""What docs/running.md tells people to type, asked of the programs themselves: Helm, kubectl, Docker, systemd, PostgreSQL."""

import os
import re
import shlex
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest
import yaml

from tests.interop.test_chart import BUILT as BUILT_HELM
from tests.interop.test_compose_read import program as docker_compose
from tests.test_docs import commands_of

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
OURS = {"understudy", "/opt/understudy/bin/understudy"}  # tests/test_docs.py knows them
FAMILIAR = {"cp", "chmod", "install", "python3", "sudoedit", "/opt/understudy/bin/pip"}
COMMANDS = [part.strip() for line in commands_of(PAGE) for part in line.split(" | ")]
ENV = {**os.environ, "PATH": f"{BUILT_HELM.parent}:{os.environ['PATH']}", "KUBECONFIG": "/dev/null", "SYSTEMD_PAGER": "cat"}


def words_of(command: str) -> list[str]:
    """As a shell reads it, without `sudo`."""
    words = shlex.split(command)
    return words[1:] if words[0] == "sudo" else words


FOREIGN = [one for one in COMMANDS if words_of(one)[0] not in OURS | FAMILIAR]


def program(words: list[str]) -> tuple[list[str], list[str]]:
    """What to start, and the words behind it; skips where it is not here."""
    if words[:2] == ["docker", "compose"]:
        return docker_compose(), words[2:]
    found = shutil.which(words[0], path=ENV["PATH"])
    if found is None:
        pytest.skip(f"NO {words[0].upper()}: its commands in docs/running.md were NOT looked at")
    return [found], words[1:]


@cache
def help_of(*command: str) -> str:
    """What it says of itself, with options that count everywhere."""
    asked = command if command[-1] == "options" else (*command, "--help")
    said = subprocess.run(asked, capture_output=True, text=True, check=False, env=ENV, timeout=60)
    assert 0 == said.returncode, f"{command}: {said.stderr}"
    if Path(command[0]).name == "kubectl" and command[1:] != ("options",):
        return said.stdout + help_of(command[0], "options")
    return said.stdout + said.stderr


@pytest.mark.parametrize("command", FOREIGN)
def test_every_command_and_option_exists(command: str) -> None:
    """Subcommands and long options, by the help of each program."""
    start, words = program(words_of(command))
    words = words[: words.index("--")] if "--" in words else words
    options = [word.partition("=")[0] for word in words if word.startswith("--")]
    verbs = subcommands(start, words)
    text = help_of(*start, *verbs)

    assert [] == [option for option in options if not re.search(rf"(?<![\w-]){option}\b", text)]


def subcommands(start: list[str], words: list[str]) -> list[str]:
    """Words that the program itself names as commands, one below the other: `create secret generic`."""
    verbs: list[str] = []
    plain = [
        word for before, word in zip(["", *words], words, strict=False) if not word.startswith("-") and before != "--namespace"
    ]
    if Path(start[0]).name in ("systemctl", "pg_dump", "pg_restore", "createdb", "psql"):
        return verbs
    for word in plain:
        if not re.search(rf"^\s+{re.escape(word)}\b", help_of(*start, *verbs), re.MULTILINE):
            break
        verbs.append(word)
    assert verbs, f"{start} does not know {plain}"
    return verbs


def test_secret_of_the_page_has_a_key_for_each_variable(tmp_path: Path) -> None:
    """kubectl takes compose.env.example as it is once it is filled in."""
    [command] = [one for one in FOREIGN if "--from-env-file" in one]
    filled = re.sub(
        r"^([A-Z_]+)=$", r"\1=value", (ROOT / "compose.env.example").read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    (tmp_path / ".env").write_text(filled, encoding="utf-8")
    start, words = program(words_of(command))
    dry = [*start, *words, "--dry-run=client", "--output=yaml"]
    made = subprocess.run(dry, cwd=tmp_path, capture_output=True, text=True, check=False, env=ENV)
    assert 0 == made.returncode, made.stderr

    secret = yaml.safe_load(made.stdout)
    assert "understudy" == secret["metadata"]["name"]
    assert set(re.findall(r"^([A-Z_]+)=", filled, re.MULTILINE)) == set(secret["data"])


def test_installation_of_the_page_renders_three_replicas(tmp_path: Path) -> None:
    """With a configuration as `understudy init` writes it, and a store."""
    [command] = [one for one in FOREIGN if one.startswith("helm install")]
    (tmp_path / "deploy").symlink_to(ROOT / "deploy")
    (tmp_path / "understudy.yaml").write_text("store: ${UNDERSTUDY_STORE:-}\nslack: none\n", encoding="utf-8")
    start, words = program(words_of(command))
    made = subprocess.run([*start, "template", *words[1:]], cwd=tmp_path, capture_output=True, text=True, check=False, env=ENV)
    assert 0 == made.returncode, made.stderr

    [deployment] = [one for one in yaml.safe_load_all(made.stdout) if one and one["kind"] == "Deployment"]
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    assert (3, "registry.example.com/understudy:0.1.0") == (deployment["spec"]["replicas"], container["image"])
