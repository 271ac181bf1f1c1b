"""What a container or a unit takes away, taken away without either of them.

The program has a mount namespace of its own in which everything may only be read but what is listed, the paths of the image,
and a foreign user without capabilities who cannot gain any. Needs root, as CI has it. The network stays that of the machine.
"""

import asyncio
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def why_not() -> str:
    """Why no cage can be built here; empty where one can."""
    if os.geteuid() != 0 or not (shutil.which("unshare") and shutil.which("setpriv")):
        return "NOT ROOT, or no unshare and setpriv: whether the hardening lets the program run was NOT tested"
    made = subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True)
    return f"NO MOUNT NAMESPACES ({made.stderr.decode().strip()}): the hardening was NOT tested" if made.returncode else ""


@dataclass(frozen=True)
class Volume:
    """A place that may be written, empty at first: its owner and its mode as whoever mounts it leaves them."""

    owner: str
    mode: str = "0755"
    keeps: bool = False  # its files outlive the process and are found again by the next one that has the same folder


@dataclass(frozen=True)
class Cage:
    """How one process is locked in. `volumes` and `files` (path -> text) lie where the image has them."""

    user: int
    group: int
    volumes: Mapping[str, Volume]
    files: Mapping[str, str] = field(default_factory=dict)
    workdir: str = "/"

    def command(self, folder: Path, program: Sequence[str]) -> list[str]:
        """What to start, as root. `folder` takes what is needed to build it."""
        lines = ["set -eu", "mount --make-rprivate /", "mount -t tmpfs tmpfs /mnt"]
        needed = [Path(sys.base_prefix), Path(sys.prefix), ROOT, folder]
        for number, path in enumerate(needed):
            lines += [f"mkdir /mnt/{number}", f"mount --rbind {path} /mnt/{number}"]
        for top in sorted({f"/{path.split('/')[1]}" for path in self.files} | {"/var/lib"}):
            lines += ["mkdir /mnt/top", "mount -t tmpfs -o mode=0755 tmpfs /mnt/top"]
            if top != "/var/lib":
                lines.append(f"cp -a {top}/. /mnt/top/")
            lines += [f"mount --move /mnt/top {top}", "rmdir /mnt/top"]
        for number, (path, text) in enumerate(self.files.items()):
            source = folder / "files" / str(number)
            source.parent.mkdir(parents=True, exist_ok=True)
            source.write_text(text, encoding="utf-8")
            lines += [f"mkdir -p {Path(path).parent}", f"cp {source} {path}", f"chmod 0644 {path}"]
        lines += [f"mount -t tmpfs -o mode=0755 tmpfs {shut}" for shut in _shut(needed)]
        for number, (path, volume) in enumerate(self.volumes.items()):
            lines.append(f"mkdir -p {path}")
            if volume.keeps:
                (folder / f"volume-{number}").mkdir(exist_ok=True)
                lines.append(f"mount --bind /mnt/{len(needed) - 1}/volume-{number} {path}")
            else:
                lines.append(f"mount -t tmpfs tmpfs {path}")
            lines += [f"chown {volume.owner} {path}", f"chmod {volume.mode} {path}"]
        for number, path in enumerate(needed[:-1]):
            lines += [f"mkdir -p {path}", f"mount --rbind /mnt/{number} {path}"]
        writable = " ".join(shlex.quote(path) for path in self.volumes)
        lines += [
            # every mount may only be read from here on, but for the volumes and what the kernel shows
            "awk '{print $5}' /proc/self/mountinfo | while read -r at; do",
            f'  case " {writable} " in *" $at "*) continue;; esac',
            '  case "$at" in /proc*|/sys*|/dev*) continue;; esac',
            '  mount -o remount,bind,ro "$at" 2>/dev/null || true',
            "done",
            f"cd {self.workdir}",
            f"exec setpriv --reuid {self.user} --regid {self.group} --clear-groups --no-new-privs"
            f" --inh-caps=-all --ambient-caps=-all --bounding-set=-all {shlex.join(program)}",
        ]
        return ["unshare", "--mount", "sh", "-c", "\n".join(lines)]


def _shut(needed: Sequence[Path]) -> list[Path]:
    """Folders of root's that nobody else may enter, and that Python or this checkout lie behind."""
    ways = [next((one for one in reversed(path.parents) if not one.stat().st_mode & 0o001), None) for path in needed[:-1]]
    return sorted({way for way in ways if way is not None})


def understudy(*words: str) -> list[str]:
    """The program of this checkout."""
    return [sys.executable, "-m", "bot.cli", *words]


def environment(values: Mapping[str, str]) -> dict[str, str]:
    """What a container has: its own variables and nothing of ours, but where the code is."""
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **values}


@dataclass
class Running:
    """A caged process. `log` is where its output goes."""

    process: asyncio.subprocess.Process
    log: Path

    @property
    def output(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def status(self) -> dict[str, str]:
        """What the kernel says of it, from /proc."""
        text = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        return {name: value.strip() for name, _, value in (line.partition(":") for line in text.splitlines())}

    async def tries(self, *command: str, env: Mapping[str, str]) -> tuple[int, str]:
        """Run a command beside it, as it sees the world: exit status and output."""
        status = self.status()
        inside = [
            "nsenter", "--target", str(self.process.pid), "--mount", "--wd", "setpriv", "--reuid", status["Uid"].split()[0],
            "--regid", status["Gid"].split()[0], "--clear-groups", "--no-new-privs", *command,
        ]  # fmt: skip
        ran = await asyncio.create_subprocess_exec(
            *inside, env=environment(env), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        async with asyncio.timeout(30):
            output, _ = await ran.communicate()
        return ran.returncode or 0, output.decode()

    async def ends(self) -> int:
        """Ask it to end, as a container is asked; its exit status."""
        if self.process.returncode is None:
            self.process.terminate()
        async with asyncio.timeout(15):
            return await self.process.wait()


async def locked_in(cage: Cage, folder: Path, program: Sequence[str], env: Mapping[str, str]) -> Running:
    """Start a program in a cage; its output goes to a file in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "log"
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            *cage.command(folder, program), env=environment(env), stdout=file, stderr=file, stdin=asyncio.subprocess.DEVNULL
        )
    return Running(process, log)
