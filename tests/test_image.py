"""What the image installs is pinned, complete, within the tested ranges, and made for its Python."""

import json
import os
import re
import subprocess
import sys
import threading
import tomllib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
CONSTRAINTS = (ROOT / "constraints.txt").read_text(encoding="utf-8")
NO_UPPER_BOUND = {"regex", "structlog", "tzdata"}  # versions are dates there and promise nothing
PINNED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;#]+)")


def pins() -> dict[str, Version]:
    lines = [line for line in CONSTRAINTS.splitlines() if line and not line.startswith("#")]
    found = [PINNED.fullmatch(line) for line in lines]
    assert None not in found, [line for line, match in zip(lines, found, strict=True) if match is None]
    return {canonicalize_name(match[1]): Version(match[2]) for match in found if match}


def requirements() -> list[Requirement]:
    """What the program itself needs, without extras."""
    return [Requirement(line) for line in PROJECT["dependencies"]]


def needed() -> set[str]:
    """Every package that installing the program brings along, as far as it is installed here."""
    names: set[str] = set()
    waiting = [(canonicalize_name(one.name), frozenset(one.extras)) for one in requirements()]
    while waiting:
        name, extras = waiting.pop()
        try:
            requires = distribution(name).requires or []
        except PackageNotFoundError:
            continue  # not for this platform
        if name in names:
            continue
        names.add(name)
        for one in map(Requirement, requires):
            wanted = one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in ("", *extras))
            if wanted:
                waiting.append((canonicalize_name(one.name), frozenset(one.extras)))
    return names


def test_every_dependency_has_a_tested_range() -> None:
    """From the version that the tests run with to below the next that may break us."""
    open_ended = {one.name for one in requirements() if not any(s.operator in ("<", "<=", "~=", "==") for s in one.specifier)}
    without_floor = [one.name for one in requirements() if not any(s.operator in (">=", "~=", "==") for s in one.specifier)]

    assert (NO_UPPER_BOUND, []) == (open_ended, without_floor)


def test_pins_are_within_the_ranges() -> None:
    """`pip install --constraint constraints.txt .` must succeed."""
    found = pins()

    assert [] == [str(one) for one in requirements() if found[canonicalize_name(one.name)] not in one.specifier]


def test_pins_are_complete() -> None:
    """Without a pin, a package is whatever is newest on the day of the build."""
    assert set() == needed() - pins().keys() - {"pip", "setuptools"}  # which every environment brings


def test_pins_name_no_source() -> None:
    """Versions only: whoever builds decides where packages come from."""
    assert [] == [line for line in CONSTRAINTS.splitlines() if "://" in line or line.startswith("-")]


def test_image_uses_the_python_of_the_pins() -> None:
    """One tag in both stages: the Python and Debian of constraints.txt, in a version that the project allows."""
    tags = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    [tag] = set(tags)
    match = re.fullmatch(r"python:(3\.\d+)-slim-(bookworm|trixie)", tag)
    assert match is not None, tag
    assert 2 == len(tags)
    assert Version(match[1]) in SpecifierSet(PROJECT["requires-python"])
    assert f"with Python {match[1]}" in CONSTRAINTS.splitlines()[0]


def test_image_installs_the_pins() -> None:
    """The file is copied first, and pip is told to use it."""
    copied, installed = DOCKERFILE.find("constraints.txt"), DOCKERFILE.find("pip install")

    assert 0 < copied < installed
    assert re.search(r"pip install [^\n]*--constraint constraints\.txt \.", DOCKERFILE)


class Health(BaseHTTPRequestHandler):
    """`/healthz` of a bot that is well, or not."""

    status = 200

    def do_GET(self) -> None:  # so named by the library
        self.send_response(self.status if self.path == "/healthz" else 404)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize(("status", "exit"), [(200, 0), (503, 1)])
def test_health_check_ignores_proxies(status: int, exit: int) -> None:
    """Docker passes the host's proxy to every container, and a healthy bot would count as unhealthy."""
    command = re.search(r"^HEALTHCHECK [^\n]*\\\n  CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    assert command
    _, flag, code = json.loads(command[1])
    proxy = {"http_proxy": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9", "no_proxy": "", "NO_PROXY": ""}
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Answer", (Health,), {"status": status})) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        asked = [sys.executable, flag, code.replace(":8080", f":{server.server_port}")]
        ended = subprocess.run(asked, env={**os.environ, **proxy}, capture_output=True, check=False)
        server.shutdown()

    assert exit == ended.returncode
