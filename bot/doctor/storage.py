"""What `understudy doctor` says about the data folder: whether it is writable, and how long the samples' budget lasts."""

import shutil
from datetime import timedelta
from pathlib import Path

from bot.core.lazy_dataclass import dataclass
from bot.store.errors import REMEDIES, StoreError, ask_disk
from bot.store.home import Home
from bot.store.samples.retention import DailyGrowth, daily_growth, slack
from bot.store.samples.sqlite import SAMPLES_FILE
from bot.store.sqlite.engine import DatabaseError, connect_read_only
from bot.store.sqlite.migrations import SAMPLES, require

A_DAY = timedelta(days=1)
LITTLE_ROOM = 200_000_000  # bytes


@dataclass(frozen=True)
class StorageFinding:
    """`good`, `note` (works, but know this) or `bad` (will not work), and the sentence."""

    state: str
    words: str


def look_at_samples(data: Path, budget_bytes: int, keep: timedelta) -> StorageFinding | None:
    """Read the samples file, whether or not a bot is running; None if there is none yet."""
    path = data / SAMPLES_FILE
    if not path.is_file():
        return None
    try:
        conn = connect_read_only(path)
        try:
            require(conn, SAMPLES, str(path))
            seen = daily_growth(conn)
        finally:
            conn.close()
    except (StoreError, DatabaseError) as error:
        return StorageFinding("bad", f"{path} cannot be read: {error}")
    taken = sum(part.stat().st_size for part in data.glob(f"{SAMPLES_FILE}*"))
    return judge(taken, budget_bytes, keep, seen)


def look_at_disk(data: Path) -> list[StorageFinding]:
    """Whether the ledger could be written now, whether there is space, and what else is in the folder."""
    found = []
    if data.is_dir() and (trouble := ask_disk(data)):
        words = "no change is accepted and no incident opens; flags are served as last committed"
        found.append(StorageFinding("bad", f"{data}: {REMEDIES[trouble]}. Until then {words}"))
    elif data.is_dir() and (free := shutil.disk_usage(data).free) < LITTLE_ROOM:
        found.append(StorageFinding("note", f"only {_size(free)} are free where {data} is; a full disk stops every change"))
    patterns = ("*.db.broken-[0-9]*", "*.db.aside-[0-9]*", "ledger.set-aside-[0-9]*")
    for aside in (path for pattern in patterns for path in sorted(data.glob(pattern))):
        if aside.name.removesuffix(".jsonl").rpartition("-")[2].isdigit():
            found.append(StorageFinding("note", f"{aside.name} was set aside; look at it or delete it"))
    return found


def look_at_database(home: Home) -> tuple[list[StorageFinding], bool]:
    """Findings on the database in `store`, none if it names none, and whether there is a ledger."""
    if not home.shared:
        return [], home.is_begun()
    try:
        remarks, begun = home.report()
        return [StorageFinding(state, words) for state, words in remarks], begun
    except StoreError as error:
        return [StorageFinding("bad", str(error))], False


def judge(taken_bytes: int, budget_bytes: int, keep: timedelta, seen: DailyGrowth | None) -> StorageFinding:
    """How long raw samples last at the present rate; a note if the budget ends them within a day."""
    size = f"samples.db takes {_size(taken_bytes)} of its budget of {_size(budget_bytes)}"
    if seen is None:
        return StorageFinding("good", f"{size}; too few samples yet to say for how long it lasts")
    lasts = _lasts(budget_bytes - slack(budget_bytes), seen)
    arriving = f"{size}; {seen.samples:,.0f} samples a day take {_size(seen.raw_bytes + seen.rolled_bytes)}"
    if lasts >= keep:
        return StorageFinding("good", f"{arriving}, and raw ones are kept for {_span(keep)} as asked")
    if lasts >= A_DAY:
        return StorageFinding("good", f"{arriving}, so that raw ones last {_span(lasts)} of the {_span(keep)} asked for")
    needed = seen.raw_bytes + seen.rolled_bytes * 14
    words = f"{arriving}: raw ones last only {_span(lasts)}; set samples.budget to {_size(needed * 1.15)} for a day of them"
    return StorageFinding("note", words)


def _lasts(budget_bytes: float, seen: DailyGrowth) -> timedelta:
    """A day of raw samples outranks older roll-ups; beyond a day they get only what roll-ups leave."""
    alone = min(budget_bytes / seen.raw_bytes, 1.0)
    beside = (budget_bytes - seen.rolled_bytes * seen.rolled_hours / 24) / seen.raw_bytes
    return timedelta(days=min(max(alone, beside), 36_500))


def _size(count: float) -> str:
    if count >= 1e9:
        return f"{count / 1e9:.1f} GB"
    return f"{count / 1e6:.1f} MB" if count < 10e6 else f"{count / 1e6:.0f} MB"


def _span(span: timedelta) -> str:
    days = span / A_DAY
    if days >= 1:
        return "1 day" if days == 1 else f"{days:.1f} days".replace(".0 ", " ")
    return f"{days * 24:.0f} h" if days * 24 >= 1 else f"{days * 24 * 60:.0f} min"
