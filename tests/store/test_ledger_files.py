"""The ledger's file and folder: who may open them, in which schema, and what a crash leaves."""

import asyncio
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.core.record.incident_facts import NoteAdded
from bot.store.errors import StoreError
from bot.store.ledger import SqlStore
from bot.store.lock import DataLock, is_free
from bot.store.rows import fact_hash
from bot.store.sqlite.engine import connect, connect_read_only, sqlite_report, vulnerable
from bot.store.sqlite.ledgers import InlineLedger, open_ledger, open_read_only
from tests.ledger_facts import NOON, commit, declared, effect, fact, queued, texts

ROOT = Path(__file__).resolve().parents[2]


def pragma(conn: Any, name: str) -> Any:
    return conn.execute(f"PRAGMA {name}").fetchone()[0]


# --- owners


async def test_second_owner_learns_who_holds_the_folder(tmp_path: Path) -> None:
    """The first goes on; when it ends the folder is free, although the lock file remains."""
    folder = tmp_path / "data"
    first = await open_ledger(folder)

    with pytest.raises(StoreError, match=rf"another Understudy \(pid {os.getpid()}\) owns this data folder"):
        await open_ledger(folder)

    await first.close()
    second = await open_ledger(folder)
    await second.close()


async def test_removed_lock_file_admits_no_second_owner(tmp_path: Path) -> None:
    """The folder itself is locked as well."""
    first = await open_ledger(tmp_path)
    (tmp_path / "lock").unlink()

    with pytest.raises(StoreError, match=r"another Understudy \(pid unknown\) owns this data folder"):
        await open_ledger(tmp_path)
    assert not is_free(tmp_path)
    await first.close()
    assert is_free(tmp_path)


async def test_lock_passed_in_is_released_by_its_owner(tmp_path: Path) -> None:
    """Closing the ledger does not release it."""
    with DataLock(tmp_path) as lock:
        ledger = await open_ledger(tmp_path, lock=lock)
        await ledger.close()

        assert lock.held
    assert not lock.held


def test_folder_that_cannot_be_created_is_named(tmp_path: Path) -> None:
    """The sentence says what to check."""
    (tmp_path / "file").write_text("", encoding="utf-8")

    with pytest.raises(StoreError, match=r"file/data cannot be used .* check --data"):
        DataLock(tmp_path / "file" / "data").take()


async def test_only_the_owner_can_read_the_files(tmp_path: Path) -> None:
    """What teams say in an outage is private; too open a file is restricted."""
    folder = tmp_path / "data"
    ledger = await open_ledger(folder)
    await ledger.write(lambda store: store.commit(declared(1)))
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    await ledger.close()
    assert {0o600} == set(modes.values())
    assert 0o700 == folder.stat().st_mode & 0o777

    (folder / "ledger.db").chmod(0o644)
    ledger = await open_ledger(folder)
    assert 0o600 == (folder / "ledger.db").stat().st_mode & 0o777
    await ledger.close()


# --- shapes


@pytest.mark.parametrize("way", ["run", "read"])
async def test_newer_ledger_is_refused(tmp_path: Path, way: str) -> None:
    """By name, with the remedy, and without touching it."""
    ledger = InlineLedger.open(tmp_path / "ledger.db")
    ledger.conn.execute("PRAGMA user_version = 99")
    await ledger.close()

    with pytest.raises(StoreError, match=r"ledger\.db was written by a newer Understudy \(schema 99, .* upgrade Understudy"):
        await open_ledger(tmp_path) if way == "run" else open_read_only(tmp_path)

    DataLock(tmp_path).take().release()  # the refusal gave it back


@pytest.mark.parametrize(
    ("content", "sentence"),
    [("garbage", "cannot be opened"), ("table", "is not an Understudy file"), ("samples", "is not a")],
)
async def test_file_that_is_not_a_ledger_is_refused(tmp_path: Path, content: str, sentence: str) -> None:
    """Nothing is written into somebody else's database."""
    path = tmp_path / "ledger.db"
    if content == "garbage":
        path.write_bytes(b"this is not a database, whatever its name says" * 100)
    else:
        conn = connect(path)
        conn.execute("PRAGMA application_id = 1431519565" if content == "samples" else "CREATE TABLE theirs (a)")
        conn.close()

    with pytest.raises(StoreError, match=sentence):
        await open_ledger(tmp_path)


async def test_old_ledger_cannot_be_read_before_its_migration(tmp_path: Path) -> None:
    """A reader may not migrate it."""
    connect(tmp_path / "ledger.db").close()

    with pytest.raises(StoreError, match="from an older Understudy"):
        open_read_only(tmp_path)


def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    """Every start tries; only the first does something."""
    for _ in range(2):
        ledger = InlineLedger.open(tmp_path / "ledger.db")
        assert [4, "m001_first", "m002_incidents_in_parts", "m003_clocks_of_older_incidents", "m004_replicas"] == [
            pragma(ledger.conn, "user_version"),
            *(row["name"] for row in ledger.conn.execute("SELECT name FROM _sqlite_migrations")),
        ]
        ledger.conn.close()


# --- reading beside a bot


async def test_export_reads_while_the_bot_writes(tmp_path: Path) -> None:
    """It takes no lock, sees what is committed and cannot write."""
    ledger = await open_ledger(tmp_path)
    await ledger.write(lambda store: store.commit(declared(1)))
    beside = open_read_only(tmp_path)
    await ledger.write(lambda store: store.commit(commit(fact("incident/1", 2))))

    assert 2 == len(await beside.read(lambda store: store.facts_about(1)))
    with pytest.raises(StoreError, match="reading only"):
        await beside.write(lambda store: store.put_setting("a", "b"))
    with pytest.raises(Exception, match="readonly"):
        await beside.read(lambda store: store.put_setting("a", "b"))
    await beside.close()
    await ledger.close()


def test_folder_without_a_ledger_is_named(tmp_path: Path) -> None:
    """An export from the wrong folder must not create an empty ledger there."""
    with pytest.raises(StoreError, match=r"there is no ledger in .*; check --data"):
        open_read_only(tmp_path)
    assert [] == list(tmp_path.iterdir())


# --- pragmas and the library


def test_writing_connection_is_durable_and_safe(tmp_path: Path) -> None:
    """With synchronous FULL, an answer is never ahead of the disk."""
    conn = connect(tmp_path / "x.db")
    wanted = {
        "journal_mode": sqlite_report().journal_mode.lower(), "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5_000,
        "trusted_schema": 0, "cell_size_check": 1, "auto_vacuum": 2, "journal_size_limit": 64 * 1024 * 1024,
    }  # fmt: skip

    assert wanted == {name: pragma(conn, name) for name in wanted}
    conn.close()


def test_reading_connection_neither_writes_nor_checkpoints(tmp_path: Path) -> None:
    """Only one connection ever does."""
    connect(tmp_path / "x.db").close()
    conn = connect_read_only(tmp_path / "x.db")

    assert (1, 0) == (pragma(conn, "query_only"), pragma(conn, "wal_autocheckpoint"))
    conn.close()


@pytest.mark.parametrize(
    ("version", "defect"),
    [
        ((3, 6, 23), False), ((3, 7, 0), True), ((3, 40, 1), True), ((3, 44, 5), True), ((3, 44, 6), False), ((3, 46, 1), True),
        ((3, 50, 6), True), ((3, 50, 7), False), ((3, 51, 2), True), ((3, 51, 3), False), ((3, 53, 4), False),
    ],
)  # fmt: skip
def test_sqlite_versions_with_the_wal_reset_defect_are_known(version: tuple[int, ...], defect: bool) -> None:
    """As listed at sqlite.org/wal.html#walresetbug, with the two fixed older lines."""
    assert defect == vulnerable(version)


def test_report_says_which_journal_is_used_and_why() -> None:
    """Write-ahead log where it is safe, a rollback journal otherwise."""
    report = sqlite_report()

    assert ("TRUNCATE" if report.vulnerable else "WAL") == report.journal_mode
    assert report.version in report.sentence and report.module in report.sentence


async def test_everything_works_with_the_rollback_journal(tmp_path: Path) -> None:
    """It is used where SQLite has the defect."""
    conn = connect(tmp_path / "ledger.db")
    assert ("truncate",) == tuple(conn.execute("PRAGMA journal_mode = TRUNCATE").fetchone())
    ledger = InlineLedger(conn)
    reader = open_read_only(tmp_path)
    for seq in range(1, 4):
        await ledger.write(lambda store, seq=seq: store.commit(commit(fact("flag/a", seq))))  # type: ignore[misc]
        assert seq == len(await reader.read(lambda store: store.facts("flag/a")))
    await reader.close()
    await ledger.close()


# --- crashes and tampering

WRITER = """
import asyncio, sys
from pathlib import Path
from bot.store.sqlite.ledgers import open_ledger
from tests.ledger_facts import commit, fact

async def main():
    ledger = await open_ledger(Path(sys.argv[1]))
    for seq in range(1, 100_000):
        await ledger.write(lambda store: store.commit(commit(fact("flag/a", seq), signal=f"s{seq}")))
        print(seq, flush=True)

asyncio.run(main())
"""


async def test_acknowledged_writes_survive_a_kill(tmp_path: Path) -> None:
    """kill -9 while writing loses nothing acknowledged, breaks no hash chain and frees the folder."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, str(tmp_path), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        printed = [int(await process.stdout.readline()) for _ in range(50)]
    finally:
        process.kill()
    printed += [int(line) for line in (await process.stdout.read()).split()]
    await process.wait()

    reader = open_read_only(tmp_path)
    assert len(printed) <= len(await reader.read(lambda store: store.facts("flag/a")))
    await reader.close()
    ledger = await open_ledger(tmp_path)
    facts = await ledger.read(lambda store: store.facts("flag/a"))
    assert list(range(1, len(facts) + 1)) == [f.seq for f in facts]
    assert printed == [f.seq for f in facts][: len(printed)]
    flaw = await ledger.read(lambda store: store.examine("flag/a"))
    assert flaw is None or flaw.facts_hold
    await ledger.close()


@pytest.mark.parametrize(
    ("tampering", "first_wrong"),
    [
        ('UPDATE facts SET body = \'{"text":"all was well"}\' WHERE seq = 3', 3),
        ("UPDATE facts SET at = '2020-01-01T00:00:00.000000+00:00' WHERE seq = 1", 1),
        ("UPDATE facts SET actor = replace(actor, 'ana', 'bob') WHERE seq = 5", 5),
        ("UPDATE facts SET hash = 'abc' WHERE seq = 2", 2),
        ("DELETE FROM facts WHERE seq = 4", 4),
        ("DELETE FROM facts WHERE seq = 5", 5),
    ],
)
async def test_hash_chain_names_the_first_tampered_fact(tampering: str, first_wrong: int) -> None:
    """Whether edited, removed or cut off."""
    ledger = InlineLedger.open()
    await ledger.write(lambda store: store.commit(declared(1)))
    for seq in range(2, 6):
        await ledger.write(lambda store, seq=seq: store.commit(commit(fact("incident/1", seq))))  # type: ignore[misc]
    flaw = await ledger.read(lambda store: store.examine("incident/1"))
    assert flaw is None or flaw.facts_hold
    ledger.conn.execute("DROP TRIGGER facts_stay")
    ledger.conn.execute("DROP TRIGGER facts_last")
    ledger.conn.execute(tampering)

    flaw = await ledger.read(lambda store: store.examine("incident/1"))
    assert flaw is not None
    assert f"do not hold from number {first_wrong} on" in flaw.sentence
    await ledger.close()


@pytest.mark.parametrize("relinked", [False, True])
async def test_hash_chain_shows_a_fact_rewritten_with_a_new_hash(relinked: bool) -> None:
    """The next fact contains the old hash, and its own hash covers that."""
    ledger = InlineLedger.open()
    for seq in range(1, 5):
        ledger.store.commit(commit(fact("flag/a", seq)))
    ledger.conn.execute("DROP TRIGGER facts_stay")
    row = dict(ledger.conn.execute("SELECT * FROM facts WHERE seq = 2").fetchone())
    row["body"] = '{"text":"all was well"}'
    ledger.conn.execute("UPDATE facts SET body = ?, hash = ? WHERE seq = 2", (row["body"], fact_hash(row)))
    if relinked:
        ledger.conn.execute("UPDATE facts SET prev_hash = ? WHERE seq = 3", (fact_hash(row),))

    flaw = ledger.store.examine("flag/a")
    assert flaw is not None
    assert "do not hold from number 3 on" in flaw.sentence
    await ledger.close()


@pytest.mark.parametrize(
    "sql", ["UPDATE facts SET kind = 'x'", "DELETE FROM facts", "INSERT OR REPLACE INTO facts SELECT * FROM facts"]
)
async def test_fact_cannot_be_changed_by_accident(sql: str) -> None:
    """The file itself refuses."""
    ledger = InlineLedger.open()
    await ledger.write(lambda store: store.commit(declared(1)))

    with pytest.raises(Exception, match="a fact is never"):
        ledger.conn.execute(sql)
    await ledger.close()


async def test_fact_of_an_unknown_kind_is_named(tmp_path: Path) -> None:
    """A ledger of a newer version is read as far as possible, and the error says where it stopped."""
    conn = connect(tmp_path / "ledger.db")
    store = SqlStore(InlineLedger(conn).conn)
    store.commit(commit(fact("flag/a", 1, NoteAdded("x"))))
    conn.execute("DROP TRIGGER facts_stay")
    conn.execute("UPDATE facts SET kind = 'flag.transcended'")

    with pytest.raises(StoreError, match=r"fact 1 of flag/a cannot be read: .*flag\.transcended"):
        store.all_facts()
    conn.close()


def test_helper_reads_the_texts_of_notes() -> None:
    """The helper of these tests works."""
    store = InlineLedger.open().store

    assert ["note 1"] == texts(store.commit(commit(fact("flag/a", 1))))


def test_unreadable_outbox_row_does_not_block_its_lane() -> None:
    """It is given up by name, and the rows behind it go out."""
    store = InlineLedger.open().store
    store.commit(queued(effect("first"), effect("second")))
    store.conn.execute("UPDATE outbox SET args = '{' WHERE key = 'first'")  # type: ignore[attr-defined]

    rows = [row for _ in range(2) for row in store.claim(NOON, "me", timedelta(seconds=90), 5)]
    assert [("first", "dead"), ("second", "sending")] == [(row.effect.key, row.state) for row in rows]
    assert [("first", "this row cannot be read")] == [(row.effect.key, row.error[:23]) for row in store.outbox("dead")]
