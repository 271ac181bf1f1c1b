"""This replica's name: the machine's name, and a short id kept in the data folder."""

import os
import re
import socket
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

ID_FILE = "replica.id"
OWN = 6  # characters of the id; enough for replicas on machines with the same name
LONGEST_HOST = 40


def replica_name(folder: Path, host: str = "") -> str:
    """The name, which survives restarts; creates the id if there is none. Raises OSError."""
    host = re.sub(r"[^a-z0-9-]+", "-", (host or socket.gethostname()).partition(".")[0].lower()).strip("-")
    return f"{host[:LONGEST_HOST] or 'replica'}-{_own(folder / ID_FILE)[:OWN]}"


def _own(path: Path) -> str:
    with suppress(FileNotFoundError):
        if re.fullmatch(r"[0-9a-f]{6,64}", held := path.read_text(encoding="ascii", errors="replace").strip()):
            return held
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = uuid4().hex
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"{made}\n")
    return made
