"""The right ledger in the right place: when it counts as lost, and that nothing is committed into a deleted file."""

from pathlib import Path

import pytest

from bot.ports import StoreError, StoreTrouble
from bot.store.identity import MARKER, require_there
from bot.store.sqlite.ledgers import open_ledger


@pytest.mark.parametrize("left", ["samples.db", MARKER])
async def test_folder_with_traces_of_a_ledger_is_not_new(left: str, tmp_path: Path) -> None:
    """Either file proves that a ledger was here."""
    (tmp_path / left).write_text("x")
    with pytest.raises(StoreError, match="is gone or empty"):
        require_there(tmp_path / "ledger.db", tmp_path / "samples.db")


@pytest.mark.parametrize("file", ["ledger.db", "ledger.db-wal"])
async def test_commit_into_a_deleted_file_is_refused(file: str, tmp_path: Path) -> None:
    """Its log file counts too: what is written there is lost with it."""
    ledger = await open_ledger(tmp_path)
    await ledger.write(lambda store: store.put_setting("a", "1"))
    (tmp_path / file).rename(tmp_path / "away")
    with pytest.raises(StoreError) as found:
        await ledger.write(lambda store: store.put_setting("a", "2"))
    (tmp_path / "away").rename(tmp_path / file)

    assert StoreTrouble.GONE is found.value.kind
    assert "1" == await ledger.read(lambda store: store.setting("a"))
    await ledger.close()


async def test_commit_is_not_acknowledged_if_the_file_was_deleted_meanwhile(tmp_path: Path) -> None:
    """It may be lost, so nobody gets a confirmation."""
    ledger = await open_ledger(tmp_path)
    with pytest.raises(StoreError, match="is gone"):
        await ledger.write(lambda store: ledger.path.unlink())
    await ledger.close()
