"""A throwaway PostgreSQL server from the machine's own package; root may not run one, so another user does."""

import asyncio
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

USER, PASSWORD = "understudy", "s3cret-of-the-database"  # of a short-lived server that only this machine can reach
MISSING = "PostgreSQL is missing (Debian: apt-get install postgresql)"
# Demo and tests care about what is written, not whether it survives a power cut: only `durable` servers flush.
QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
SETTINGS = {"listen_addresses": "127.0.0.1", "max_connections": "200", "unix_socket_directories": "", "shared_buffers": "64MB"}


class PostgresError(Exception):
    """No server can be had or run here; the sentence says what to do."""


def programs() -> Path | None:
    """The folder of `initdb` and `pg_ctl`; None if there is no PostgreSQL."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


class PostgresServer:
    """One server in a folder of its own, on a free port of this machine. `stop` leaves the data for the next `start`."""

    def __init__(self, *, durable: bool = False, settings: dict[str, str] | None = None) -> None:
        found = programs()
        if found is None:
            raise PostgresError(MISSING)
        self._programs = found
        self.folder = Path(tempfile.mkdtemp(prefix="understudy-postgres-"))
        self.data = self.folder / "data"
        self.port = free_port()
        self._user = _owner()
        if self._user:
            shutil.chown(self.folder, self._user)
        self._settings = {**SETTINGS, **({} if durable else QUICK), **(settings or {})}

    def create(self) -> None:
        """Create the data folder, with one user who has a password and may create databases."""
        secret = self.folder / "password"
        secret.write_text(PASSWORD, encoding="ascii")
        if self._user:
            shutil.chown(secret, self._user)
        self.run(
            "initdb", "--pgdata", str(self.data), "--username", USER, "--auth", "scram-sha-256", "--pwfile", str(secret),
            "--encoding", "UTF8", "--locale", "C", "--no-sync",
        )  # fmt: skip

    def start(self) -> None:
        """Start the server, and wait until it accepts connections."""
        options = " ".join(
            f"-c {name}={value or chr(39) * 2}" for name, value in {**self._settings, "port": str(self.port)}.items()
        )
        self.run("pg_ctl", "start", "-w", "-t", "60", "-D", str(self.data), "-l", str(self.folder / "log"), "-o", options)

    def stop(self, how: str = "immediate") -> None:
        """Stop the server: `immediate` amounts to a crash, `fast` shuts down cleanly."""
        self.run("pg_ctl", "stop", "-w", "-m", how, "-D", str(self.data))

    async def restart(self, how: str = "immediate") -> None:
        """Stop and start without blocking the loop."""
        await asyncio.to_thread(self.stop, how)
        await asyncio.to_thread(self.start)

    def pause(self, paused: bool) -> None:
        """Freeze all its processes, as on a machine that is stuck, or let them go on."""
        first = int((self.data / "postmaster.pid").read_text(encoding="ascii").split()[0])
        children = Path(f"/proc/{first}/task/{first}/children").read_text(encoding="ascii").split()
        for pid in (first, *map(int, children)):
            os.kill(pid, signal.SIGSTOP if paused else signal.SIGCONT)

    def close(self) -> None:
        """Stop the server for good."""
        with suppress(PostgresError):  # it is not running
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(
        self, database: str = "postgres", *, port: int = 0, user: str = USER, password: str = PASSWORD, rest: str = ""
    ) -> str:
        """The URL of the server, directly or through another port of this machine."""
        return f"postgresql://{user}:{password}@127.0.0.1:{port or self.port}/{database}{rest}"

    def run(self, program: str, *arguments: str) -> str:
        """Run one of PostgreSQL's own programs as the server's user; raises PostgresError with its output if it fails."""
        with tempfile.TemporaryFile() as said:  # the server that was started would hold a pipe open
            done = subprocess.run(  # noqa: S603 # PostgreSQL's own programs
                [str(self._programs / program), *arguments], stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                user=self._user, group=_group(self._user), extra_groups=[] if self._user else None, cwd=self.folder,
                check=False,
            )  # fmt: skip
            said.seek(0)
            words = said.read().decode(errors="replace")
        if done.returncode != 0:
            raise PostgresError(f"PostgreSQL's {program} failed: {words.strip()}")
        return words


@contextmanager
def a_server(*, durable: bool = False, settings: dict[str, str] | None = None) -> Iterator[PostgresServer]:
    """A server that runs inside the block and is thrown away afterwards."""
    server = PostgresServer(durable=durable, settings=settings)
    try:
        server.create()
        server.start()
        yield server
    finally:
        server.close()


def _owner() -> str | None:
    """The user that the server runs as if we are root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise PostgresError(
        "PostgreSQL does not run as root, and there is no user `postgres` or `nobody`: run this as another user"
    )


def _group(user: str | None) -> int | None:
    return pwd.getpwnam(user).pw_gid if user else None


def free_port() -> int:
    """A port of this machine on which nothing is listening at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
