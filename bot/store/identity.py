"""Whether a data folder's ledger is the one that was there before: a lost one must not be silently replaced.

The ledger has an id, which `ledger.id` beside it repeats. A new ledger means that every engaged flag is back on its default.
"""

import os
from pathlib import Path
from uuid import uuid4

from bot.ports import Store, StoreError, StoreTrouble

MARKER = "ledger.id"
SETTING = "ledger.id"
PARTS = ("", "-wal", "-shm")


def require_there(ledger: Path, samples: Path) -> None:
    """Raise StoreError if there was a ledger and it is gone or empty."""
    if ledger.is_file() and ledger.stat().st_size > 0:
        return
    if not _named(ledger.with_name(MARKER)) and not samples.exists():
        return  # the first start
    raise StoreError(
        f"{ledger} is gone or empty, and with it every incident and every flag that was switched. Restore a backup "
        "(docs/storage.md), or start over with `understudy run --new-ledger`, which puts all flags on their defaults",
        kind=StoreTrouble.GONE,
    )


def move_aside(ledger: Path) -> None:
    """Move a ledger that is no longer wanted aside, and forget its id."""
    number = 1
    while any(ledger.with_name(f"{ledger.name}.aside-{number}{part}").exists() for part in PARTS):
        number += 1
    for part in PARTS:
        found = ledger.with_name(f"{ledger.name}{part}")
        if found.exists():
            found.rename(ledger.with_name(f"{ledger.name}.aside-{number}{part}"))
    ledger.with_name(MARKER).unlink(missing_ok=True)


def recognise(store: Store, has_facts: bool, marker: Path, ledger: str) -> str:
    """The id that the open ledger has or should get; raises StoreError if the marker names a different one."""
    held, named = store.setting(SETTING), _named(marker)
    if held is None and (not named or has_facts):
        return named or uuid4().hex  # a new ledger, or one older than ids
    if held is not None and named in ("", held):
        return held
    raise StoreError(
        f"{ledger} is not the ledger that was here before. Put the right one back; to use this one, delete "
        f"{marker}, and the next start accepts it",
        kind=StoreTrouble.GONE,
    )


def named(store: Store, id: str) -> str:
    """Give a ledger its id if it has none; returns its id."""
    held = store.setting(SETTING)
    if held is None:
        store.put_setting(SETTING, id)
    return held or id


def name(marker: Path, id: str) -> None:
    """Write the ledger's id to the data folder; raises OSError."""
    if _named(marker) != id:
        descriptor = os.open(marker, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{id}\n")


def _named(marker: Path) -> str:
    try:
        return marker.read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        return ""
