"""`understudy store copy`: a ledger arrives completely, in either direction, or not at all."""

import gzip
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bot.cli.verbs import main
from bot.core import signals as s
from bot.engine.engine import CommittingEngine
from bot.ports import ReplicaInfo, StoreError
from bot.store.copying import TABLES, copy
from bot.store.home import Home
from bot.store.identity import MARKER
from bot.store.lock import DataLock
from bot.store.postgres.ledgers import open_postgres_ledger
from bot.store.sqlite.ledgers import open_ledger
from bot.system.clock import ManualClock
from tests.desk import ANA, policy
from tests.fixtures.ledgers.story import START
from tests.ledger_facts import NOON, commit, declared, effect, fact, queued

FOLDER = Path(__file__).resolve().parents[2] / "fixtures" / "ledgers"
NOW = datetime(2026, 11, 30, tzinfo=UTC)


def table(path: Path, name: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as conn:
        return conn.execute(f"SELECT {', '.join(TABLES[name].split())} FROM {name} ORDER BY 1").fetchall()  # noqa: S608


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[Path]:
    """A data folder with an incident, a setting, a seen id, and an effect that was being sent when the bot died."""
    at = tmp_path / "here"
    ledger = await open_ledger(at)
    await ledger.write(lambda store: store.commit(declared(1)))
    await ledger.write(lambda store: store.commit(commit(fact("flag/a", 1), fact("flag/a", 2), signal="click")))
    await ledger.write(lambda store: store.commit(queued(effect("post", "b"))))
    await ledger.write(lambda store: store.claim(NOON, "me", timedelta(seconds=90), 1))
    await ledger.write(lambda store: store.first_sight("seen", NOON, timedelta(days=9_999)))
    await ledger.close()
    yield at


@pytest.mark.parametrize("name", ["before-issue-8", "before-parts"])
async def test_old_ledger_is_copied_to_postgresql_and_back(name: str, tmp_path: Path, postgres: str) -> None:
    """From every released schema, with facts byte for byte; the old file stays unchanged."""
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    (here / "ledger.db").write_bytes(old := gzip.decompress((FOLDER / f"{name}.db.gz").read_bytes()))

    copied = copy(Home(here), Home(tmp_path, postgres), NOW)
    copy(Home(tmp_path, postgres), Home(there), NOW)

    facts = table(there / "ledger.db", "facts")
    assert facts == table(here / "ledger.db", "facts")
    assert len(facts) == copied.rows["facts"] > 100
    assert old == (here / "ledger.db").read_bytes()
    ledger = await open_postgres_ledger(postgres, "new")
    try:
        engine = CommittingEngine(ledger, ManualClock(START + timedelta(days=30)), policy())
        world = await engine.load()
        said = await engine.handle(s.Declare(actor=ANA, title="It goes on"))
        assert world.last_incident + 1 == said.incident
        assert len(facts) < await ledger.read(lambda store: store.position()) < len(facts) + 20
    finally:
        await ledger.close()


async def test_copy_has_everything(folder: Path, tmp_path: Path, postgres: str) -> None:
    """States, effects under way, signals, seen ids and settings, so that nothing is done twice afterwards."""
    copy(Home(folder), Home(tmp_path, postgres), NOW)
    copy(Home(tmp_path, postgres), Home(tmp_path / "there"), NOW)

    here, there = folder / "ledger.db", tmp_path / "there" / "ledger.db"
    assert {name: table(here, name) for name in TABLES} == {name: table(there, name) for name in TABLES}
    assert all(table(here, name) for name in TABLES)
    assert (folder / MARKER).read_text() == (tmp_path / "there" / MARKER).read_text()


async def test_bot_starts_over_the_copy_of_its_folder(folder: Path, postgres: str) -> None:
    """With `store` set; the folder recognises the ledger."""
    copy(Home(folder), Home(folder, postgres), NOW)

    ledger = await Home(folder, postgres).open(replica="one")
    await ledger.write(lambda store: store.commit(queued(effect("next"))))
    rows = await ledger.read(lambda store: store.outbox())
    await ledger.close()

    assert ["INC-1", "post", "next"] == [row.effect.key for row in rows]


async def test_facts_set_aside_keep_their_numbers_in_the_copy(folder: Path, tmp_path: Path, postgres: str) -> None:
    """The numbers are not given again."""
    ledger = await open_ledger(folder)
    await ledger.write(lambda store: store.remove("flag/a"))
    await ledger.close()

    for source, target in ((Home(folder), Home(tmp_path, postgres)), (Home(tmp_path, postgres), Home(tmp_path / "there"))):
        copy(source, target, NOW)
    back = await open_ledger(tmp_path / "there")
    await back.write(lambda store: store.commit(commit(fact("flag/b", 1))))

    assert 0 == await back.read(lambda store: store.missing())
    assert 4 == await back.read(lambda store: store.position())
    await back.close()


async def test_copy_does_not_overwrite_a_ledger(folder: Path, tmp_path: Path, postgres: str) -> None:
    """Neither a file nor a database."""
    copy(Home(folder), Home(tmp_path, postgres), NOW)

    for target in (Home(tmp_path, postgres), Home(folder)):
        with pytest.raises(StoreError, match=r"there is already a ledger in|onto itself"):
            copy(Home(folder), target, NOW)


async def test_ledger_of_a_running_bot_is_not_copied(folder: Path, tmp_path: Path, postgres: str) -> None:
    """Later commits would be lost."""
    with DataLock(folder), pytest.raises(StoreError, match="another Understudy"):
        copy(Home(folder), Home(tmp_path, postgres), NOW)

    ledger = await open_postgres_ledger(postgres, "one")
    await ledger.write(lambda store: store.renew(ReplicaInfo("host-1", "boot"), 0, timedelta(minutes=1), NOW))
    await ledger.close()
    with pytest.raises(StoreError, match=r"replicas run over PostgreSQL .*host-1"):
        copy(Home(tmp_path, postgres), Home(tmp_path / "there"), NOW)
    assert not (tmp_path / "there" / "ledger.db").exists()


async def test_tampered_facts_are_not_copied(folder: Path, tmp_path: Path, postgres: str) -> None:
    """In the copy they would look valid."""
    with closing(sqlite3.connect(folder / "ledger.db")) as conn:
        conn.execute("DROP TRIGGER facts_stay")
        conn.execute("UPDATE facts SET body = replace(body, 'note 1', 'note 9') WHERE stream = 'flag/a'")
        conn.commit()

    with pytest.raises(StoreError, match="is damaged: the facts of flag/a do not hold"):
        copy(Home(folder), Home(tmp_path, postgres), NOW)


async def test_command_reports_what_it_did_without_the_password(folder: Path, postgres: str) -> None:
    """In one paragraph, with what to do next."""
    done = CliRunner().invoke(main, ["store", "copy", "--from", str(folder), "--to", postgres])
    again = CliRunner().invoke(main, ["store", "copy", "--from", str(folder), "--to", postgres])

    assert (0, 1) == (done.exit_code, again.exit_code)
    assert "3 facts in 2 streams and 2 effects were copied from" in done.stdout
    assert "Set `store` to it and start the bot" in done.stdout
    assert "s3cret" not in done.output + again.output
