"""An outbox that was written before effects had classes: every row is read, and done once under the key it always had.

`ledgers/outbox_before_typed_effects.sql` was made by the commit before: three incidents, rows of all eighteen kinds, in every
state that a killed bot leaves behind.
"""

import asyncio
import sqlite3
from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.effects import PostAlert, PostLine, PostUpdate, ReplyInThread, TellPerson, To, UploadExport
from bot.delivery.chat import Delivery, MessageContext
from bot.engine.engine import CommittingEngine
from bot.engine.outbox import Outbox
from bot.ports import Message, OutboxRow, Place
from bot.sandbox.chat import ME, FakeChat
from bot.sandbox.world import EPOCH, LoopClock, VirtualLoop
from bot.store.sqlite.ledgers import InlineLedger
from tests.desk import ANA, BOB, policy

BEFORE = Path(__file__).parent / "ledgers" / "outbox_before_typed_effects.sql"
LANDED = ["INC-1/refusal.post/incident/1/4", "INC-3/alert.post/incident/3/1"]  # posted, and nobody heard of it
DIRECT = "INC-1/tell/incident/1/4"  # its sender was killed; a direct message cannot be looked up


@dataclass(frozen=True)
class Aftermath:
    """The result: how often each key is in Slack, the rows by key, and what else was created."""

    posts: Counter[str]
    rows: dict[str, OutboxRow]
    channels: list[str]
    files: list[str]


def write_down(path: Path) -> dict[str, str]:
    """Create the old ledger; returns the kinds of its unfinished rows by key."""
    conn = sqlite3.connect(path)
    conn.executescript(BEFORE.read_text(encoding="utf-8"))
    found = dict(conn.execute("SELECT key, kind FROM outbox WHERE state IN ('pending', 'sending', 'ambiguous')"))
    conn.close()
    return found


async def _carry_on(path: Path) -> Aftermath:
    await asyncio.sleep(7_200)  # the old bot was killed an hour after its clock began
    loop_clock = LoopClock(asyncio.get_running_loop())
    known = policy()
    known.components["anthropic.api"] = replace(known.components["anthropic.api"], runbook_steps=("Ask the vendor",))
    ledger = InlineLedger.open(path)
    engine = CommittingEngine(ledger, loop_clock, known)
    await engine.load()
    chat = FakeChat(loop_clock)
    chat.people |= {ANA.id, BOB.id}
    ops = chat.add_channel("ops", member=True)
    chat.add_channel(engine.world.incidents[2].room.name, member=True, creator=ME)
    for key in LANDED:
        await chat.post(Place(ops), Message("It landed after all."), key)
    await chat.create_channel(engine.world.incidents[3].room.name, False)
    performers = Delivery(chat, engine, ledger, loop_clock, MessageContext()).performers()
    outbox = Outbox(ledger, engine, performers, loop_clock)
    engine.listen(lambda facts, world: outbox.wake())
    await outbox.start()
    await asyncio.sleep(1_800)
    await outbox.stop()
    rows = await ledger.read(lambda store: store.outbox())
    return Aftermath(
        Counter(message.key for channel in chat.channels.values() for message in channel.messages if message.key),
        {row.effect.key: row for row in rows},
        [channel.name for channel in chat.channels.values() if channel.name.startswith("inc-")],
        [file.name for file in chat.files.values()],
    )


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return write_down(tmp_path_factory.mktemp("before") / "ledger.db")


@pytest.fixture(scope="module")
def after(tmp_path_factory: pytest.TempPathFactory) -> Aftermath:
    path = tmp_path_factory.mktemp("after") / "ledger.db"
    write_down(path)
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(_carry_on(path))


def test_every_old_post_is_in_slack_once_under_its_old_key(waiting: dict[str, str], after: Aftermath) -> None:
    """Nothing that waited is lost, and what had arrived unnoticed is not posted again."""
    posts = [key for key, kind in waiting.items() if kind.endswith((".post", ".reply"))]

    assert dict.fromkeys(posts, 1) == {key: after.posts[key] for key in posts}


def test_every_old_row_but_an_unclear_direct_message_is_done(waiting: dict[str, str], after: Aftermath) -> None:
    """That message may have arrived and is not sent again; an edit overtaken by a newer one is not needed."""
    states = {key: after.rows[key].state for key in waiting}

    assert {DIRECT: "dead"} == {key: state for key, state in states.items() if state not in ("done", "superseded")}


def test_old_channel_and_old_file_are_created_once(after: Aftermath) -> None:
    """The channel of INC-3 existed, and its timeline had not been uploaded."""
    assert [2, 3] == sorted(int(name.split("-")[2]) for name in after.channels)
    assert 1 == len(after.files)


def test_arguments_of_old_rows_are_understood(after: Aftermath) -> None:
    """Who is told, where a line goes, which thread is answered, since when."""
    expected = {
        DIRECT: TellPerson(BOB.id),
        "given-up/INC-1/channel.topic": PostLine(To.OPS),
        "quiet.reply/component/openai.api/2": ReplyInThread("quiet/component/openai.api/1"),
        "INC-3/export.upload/incident/3/11": UploadExport("md"),
        "INC-3/update/2": PostUpdate(EPOCH + timedelta(seconds=11)),
        "INC-3/alert.post/incident/3/1": PostAlert(),
    }

    assert expected == {key: after.rows[key].effect.body for key in expected}
