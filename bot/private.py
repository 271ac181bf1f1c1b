"""Files that nobody but us may read."""

import os
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Write a file that only we may read, in one move: nobody ever reads half of it."""
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)
