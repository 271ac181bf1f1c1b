"""The right ledger in its right place: what counts as lost, and that nothing is committed into a file that is gone."""

from pathlib import Path

import pytest

from bot.ports import StoreError, StoreTrouble
from bot.store.identity import MARKER, require_there
from bot.store.sqlite.ledgers import open_ledger


@pytest.mark.parametrize("left", ["samples.db", MARKER])
async def test_a_folder_with_one_trace_of_a_ledger_is_no_new_one(left: str, tmp_path: Path) -> None:
    """Either is proof enough that one was here."""
    (tmp_path / left).write_text("x")
    with pytest.raises(StoreError, match="is gone or empty"):
        require_there(tmp_path / "ledger.db", tmp_path / "samples.db")


@pytest.mark.parametrize("file", ["ledger.db", "ledger.db-wal"])
async def test_nothing_is_committed_into_a_file_that_is_gone(file: str, tmp_path: Path) -> None:
    """The log beside it counts: what is written there is lost with it."""
    ledger = await open_ledger(tmp_path)
    await ledger.write(lambda store: store.put_setting("a", "1"))
    (tmp_path / file).rename(tmp_path / "away")
    with pytest.raises(StoreError) as found:
        await ledger.write(lambda store: store.put_setting("a", "2"))
    (tmp_path / "away").rename(tmp_path / file)

    assert StoreTrouble.GONE is found.value.kind
    assert "1" == await ledger.read(lambda store: store.setting("a"))
    await ledger.close()


async def test_a_commit_is_not_acknowledged_when_the_file_went_meanwhile(tmp_path: Path) -> None:
    """It may be lost, so nobody is told that it is done."""
    ledger = await open_ledger(tmp_path)
    with pytest.raises(StoreError, match="is gone"):
        await ledger.write(lambda store: ledger.path.unlink())
    await ledger.close()
