"""What `pip install understudy` puts on a disk, without any extra: package by package, as the one that runs this has them."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

from bench.report import line

ROOT = Path(__file__).resolve().parents[1]
OURS = ("bot", "commands")
BLOCK = 4096  # what a file takes is a multiple of this
CLAIM_MB = 110
INSTALLER = "pip"  # which is there before, and which sqlite-utils asks for
SHOWN = 12


def main() -> bool:
    """Print the largest, and how much all take."""
    sizes = {name: size / 1e6 for name, size in sizes_of(dependencies()).items()} | {"understudy": ours() / 1e6}
    print(f"install: {len(sizes)} packages, without pip; compiled modules included")
    for name in sorted(sizes, key=lambda name: -sizes[name])[:SHOWN]:
        line(name, sizes[name], "MB")
    return line("all of them", sum(sizes.values()), "MB", CLAIM_MB)


def dependencies() -> list[str]:
    """What the project asks for without extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return list(project["dependencies"])


def sizes_of(asked: Iterable[str]) -> dict[str, int]:
    """Bytes on disk of these and of all that they need, by name."""
    sizes: dict[str, int] = {}
    waiting = list(_needed(asked, set()))
    while waiting:
        name, extras = waiting.pop()
        if name not in sizes and name != INSTALLER:
            found = distribution(name)
            sizes[name] = _size(found)
            waiting += _needed(found.requires or (), extras)
    return sizes


def _needed(written: Iterable[str], extras: set[str]) -> Iterator[tuple[str, set[str]]]:
    for requirement in map(Requirement, written):
        if requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in (*extras, "")):
            yield re.sub(r"[-_.]+", "-", requirement.name).lower(), requirement.extras


def _size(found: Distribution) -> int:
    files = [Path(str(file.locate())) for file in found.files or ()]
    return _on_disk(file for file in files if file.exists())


def ours() -> int:
    """Bytes of our own; a compiled module takes about as much as its source."""
    files = [file for room in OURS for file in (ROOT / room).rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    return _on_disk(files) + _on_disk(file for file in files if file.suffix == ".py")


def _on_disk(files: Iterable[Path]) -> int:
    return sum(-(-file.stat().st_size // BLOCK) * BLOCK for file in files)
