"""A ledger that is deleted, emptied or replaced: under a running bot, and before a start."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store.sqlite.ledgers import open_ledger
from tests.cli.deployment import Deployment, a_deployment
from tests.house import FLAG
from tests.ledger_facts import declared


async def test_nothing_is_acknowledged_once_the_ledger_was_deleted_under_a_running_bot(deployment: Deployment) -> None:
    """SQLite goes on writing into a deleted file, so that every yes would be lost at the next start; flags go on."""
    deployment.configure()
    bot = await deployment.ready_bot()
    (deployment.data / "ledger.db").unlink()
    refused = await bot.asks("POST", f"/api/v1/flags/{FLAG}/engage", {"reason": "slow", "variant": "gpt"})
    ledger = await bot.part("ledger", lambda part: part and not part["ok"])

    assert (503, "The ledger's file is gone, nothing was changed.") == (refused.status, refused.json["text"])
    assert ("gone", True) == (ledger["state"], "put the file back, or stop the bot" in ledger["sentence"])
    assert "claude" == await bot.serves(FLAG)


async def test_a_ledger_that_is_put_back_is_used_again(deployment: Deployment) -> None:
    """Moved away by mistake, and moved back."""
    deployment.configure()
    bot = await deployment.ready_bot()
    ledger = deployment.data / "ledger.db"
    ledger.rename(deployment.data / "away")
    await bot.part("ledger", lambda part: part and not part["ok"])
    (deployment.data / "away").rename(ledger)
    await bot.ready()

    engaged = await bot.asks("POST", f"/api/v1/flags/{FLAG}/engage", {"reason": "slow", "variant": "gpt"})
    assert (200, "gpt") == (engaged.status, await bot.serves(FLAG))


async def test_lost_samples_are_begun_anew_and_said(deployment: Deployment) -> None:
    """Nothing is decided on them that is not in memory, so the bot stays ready."""
    deployment.configure()
    bot = await deployment.ready_bot()
    (deployment.data / "samples.db").unlink()
    part = await bot.part("samples", lambda part: part is not None and "begun" in part["sentence"])

    assert "samples.db was deleted or replaced under the running bot; a new one is begun." == part["sentence"]
    assert (deployment.data / "samples.db").stat().st_size > 0
    assert (await bot.asks("GET", "/readyz")).json["ready"]


@pytest.fixture
async def lost(tmp_path: Path) -> AsyncIterator[Deployment]:
    """A deployment whose ledger held an incident."""
    async with a_deployment(tmp_path) as found:
        found.configure()
        ledger = await open_ledger(found.data)
        await ledger.write(lambda store: store.commit(declared(1)))
        await ledger.close()
        yield found


@pytest.mark.parametrize("how", ["gone", "empty"])
async def test_a_lost_ledger_is_not_begun_anew_in_silence(how: str, lost: Deployment) -> None:
    """An engaged flag would be back on the provider that fails. The refusal has the remedy, and no traceback."""
    (lost.data / "ledger.db").unlink()
    if how == "empty":
        (lost.data / "ledger.db").touch()
    ended = await lost.refused()

    assert 1 == ended.status
    assert "ledger.db is gone or empty, and with it every incident" in ended.err
    assert "understudy run --new-ledger" in ended.err
    assert "Traceback" not in ended.err


async def test_another_ledger_in_its_place_is_refused(lost: Deployment, tmp_path: Path) -> None:
    """Somebody restored the wrong backup."""
    (tmp_path / "other").mkdir()
    await (await open_ledger(tmp_path / "other")).close()
    (tmp_path / "other" / "ledger.db").rename(lost.data / "ledger.db")
    ended = await lost.refused()

    assert 1 == ended.status
    assert "ledger.db is not the ledger that was here before" in ended.err


async def test_a_new_ledger_is_begun_when_it_is_asked_for(lost: Deployment) -> None:
    """What was there is kept under another name."""
    bot = await lost.ready_bot("--new-ledger")

    assert [] == (await bot.asks("GET", "/api/v1/incidents")).json["incidents"]
    assert (lost.data / "ledger.db.aside-1").is_file()


async def test_a_restored_backup_of_the_same_ledger_is_taken(lost: Deployment) -> None:
    """Also one from before ledgers had ids."""
    ledger = await open_ledger(lost.data)
    await ledger.write(lambda store: store.conn.execute("DELETE FROM settings"))  # type: ignore[attr-defined]
    await ledger.close()

    again = await open_ledger(lost.data)
    assert 1 == len(await again.read(lambda store: store.all_facts()))
    await again.close()
