"""Files that nobody but us may read."""

import json
import os
from pathlib import Path

from bot.ports import StoreError

CONTROL_FILE = "control.json"


def write_private(path: Path, text: str) -> None:
    """Write a file atomically that only we may read."""
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)


def leave_control(folder: Path, url: str, token: str) -> None:
    """Tell terminal commands where the bot is; raises StoreError."""
    path = folder / CONTROL_FILE
    try:
        write_private(path, json.dumps({"url": url, "token": token}))
    except OSError as error:
        raise StoreError(f"{path} cannot be written ({error.strerror}); check its folder") from error
