"""Setting streams aside affects nothing else: each kind of stream, alone and together, in a ledger with a full history."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.effects import About, PostLine, To, effect
from bot.core.model import Phase
from bot.core.record.world import World
from bot.core.signals import AddNote
from bot.engine.engine import CommittingEngine
from bot.ledger_care.audit import load_checked
from bot.ledger_care.setting_aside import set_aside
from bot.ports import StoreError
from bot.store.sqlite.ledgers import InlineLedger
from bot.system.clock import ManualClock
from bot.wiring.upkeep import forget_old
from tests.desk import ANA, CHAT_FLAG, policy
from tests.ledger_facts import after, an_incident, queued

NOW = after(86_400)
FLAG, COMPONENT, PROVIDER, SOLVED, OPEN = (
    f"flag/{CHAT_FLAG.key}", "component/anthropic.api", "provider/anthropic", "incident/1", "incident/2",
)  # fmt: skip
STREAMS = (FLAG, COMPONENT, PROVIDER, SOLVED, OPEN)


@pytest.fixture
def ledger() -> InlineLedger:
    """INC-1 was resolved; INC-2 is open, the flag is engaged, the vendor has spoken."""
    made = InlineLedger.open()
    for commit in an_incident():
        made.store.commit(commit)
    made.conn.execute("DROP TRIGGER facts_stay")
    made.conn.execute("DROP TRIGGER facts_last")
    return made


def edit(ledger: InlineLedger, *streams: str) -> None:
    """Change the date of the first fact of each stream."""
    for stream in streams:
        ledger.conn.execute("UPDATE facts SET at = '2020-01-01T00:00:00.000000+00:00' WHERE stream = ? AND seq = 1", (stream,))


def delete(ledger: InlineLedger, stream: str) -> int:
    """Delete all facts of a stream, and its state; returns how many there were."""
    gone = ledger.conn.execute("DELETE FROM facts WHERE stream = ?", (stream,)).rowcount
    ledger.conn.execute("DELETE FROM states WHERE stream = ?", (stream,))
    return gone


def engine(ledger: InlineLedger) -> CommittingEngine:
    return CommittingEngine(ledger, ManualClock(NOW), policy())


async def started(ledger: InlineLedger) -> World:
    """The world as a start finds it, after its repairs."""
    return await load_checked(engine(ledger), ledger)


def facts_of(ledger: InlineLedger, *without: str) -> list[str]:
    return [str(fact) for fact in ledger.store.all_facts() if fact.stream not in without]


@pytest.mark.parametrize("stream", STREAMS)
async def test_start_finds_nothing_wrong_after_one_stream_was_set_aside(
    stream: str, ledger: InlineLedger, tmp_path: Path
) -> None:
    """Neither what is missing on purpose nor a state that counted what the stream said."""
    edit(ledger, stream)
    await set_aside(ledger, tmp_path, [stream], NOW)
    await started(ledger)

    assert [] == [flaw for one in ledger.store.streams() if (flaw := ledger.store.examine(one))]
    assert 0 == ledger.store.missing()


@pytest.mark.parametrize("stream", STREAMS)
async def test_setting_one_stream_aside_keeps_the_facts_of_all_others(
    stream: str, ledger: InlineLedger, tmp_path: Path
) -> None:
    """An incident's timeline also stands in streams of components, flags and the vendor: those stay."""
    before = facts_of(ledger, stream)
    edit(ledger, stream)
    await set_aside(ledger, tmp_path, [stream], NOW)

    assert before == facts_of(ledger, stream)


@pytest.mark.parametrize("stream", STREAMS)
async def test_stream_set_aside_is_written_to_a_file_completely(stream: str, ledger: InlineLedger, tmp_path: Path) -> None:
    """Every fact with its number, so that it can be examined, or put back."""
    edit(ledger, stream)
    expected = [row[0] for row in ledger.conn.execute("SELECT id FROM facts WHERE stream = ? ORDER BY id", (stream,))]
    await set_aside(ledger, tmp_path, [stream], NOW)
    rows = [json.loads(line) for line in (tmp_path / "ledger.set-aside-1.jsonl").read_text("utf-8").splitlines()]

    assert expected == [row["id"] for row in rows if row["table"] == "facts"]


async def test_flag_and_its_component_can_be_set_aside_together(ledger: InlineLedger, tmp_path: Path) -> None:
    """The flag serves its default, the component starts again, and the incident about both goes on."""
    edit(ledger, FLAG, COMPONENT)
    await set_aside(ledger, tmp_path, [FLAG, COMPONENT], NOW)
    world = await started(ledger)

    assert {} == {key: flag for key, flag in world.flags.items() if flag.engagement}
    assert "anthropic.api" not in world.components
    assert [2] == [incident.number for incident in world.open_incidents()]


async def test_everything_about_an_incident_can_be_set_aside_together(ledger: InlineLedger, tmp_path: Path) -> None:
    """The incident, its component and its vendor; INC-2 keeps its number and counts as ended."""
    edit(ledger, OPEN, COMPONENT, PROVIDER)
    await set_aside(ledger, tmp_path, [OPEN, COMPONENT, PROVIDER], NOW)
    world = await started(ledger)

    assert Phase.RESOLVED is world.incidents[2].phase
    assert {"openai.api", "anthropic.web", "anthropic.mobile"} == set(world.components)
    assert {} == world.providers


async def test_incident_whose_vendor_was_set_aside_goes_on(ledger: InlineLedger, tmp_path: Path) -> None:
    """The vendor's statements no longer count in its state, and new ones can be recorded."""
    edit(ledger, PROVIDER)
    await set_aside(ledger, tmp_path, [PROVIDER], NOW)
    bot = engine(ledger)
    await load_checked(bot, ledger)
    answer = await bot.handle(AddNote(actor=ANA, incident=2, text="the vendor's words are gone"))

    assert answer.ok
    assert ledger.store.examine(OPEN) is None


@pytest.mark.parametrize("stream", STREAMS)
async def test_deleted_stream_is_missed_after_another_was_set_aside(stream: str, ledger: InlineLedger, tmp_path: Path) -> None:
    """What is missing on purpose hides nothing else: exactly the deleted facts are counted."""
    other = COMPONENT if stream != COMPONENT else FLAG
    edit(ledger, other)
    await set_aside(ledger, tmp_path, [other], NOW)
    ledger.conn.execute("DROP TRIGGER facts_last")
    gone = delete(ledger, stream)

    assert gone == ledger.store.missing()


async def test_facts_deleted_from_a_stream_that_was_set_aside_are_not_missed(ledger: InlineLedger, tmp_path: Path) -> None:
    """The refusal says to set it aside, and that is enough."""
    ledger.conn.execute("DELETE FROM facts WHERE stream = ? AND seq = 2", (COMPONENT,))
    await set_aside(ledger, tmp_path, [COMPONENT], NOW)

    assert 0 == ledger.store.missing()


async def test_edited_number_hides_no_later_deletion(ledger: InlineLedger, tmp_path: Path) -> None:
    """A stream that claims a million facts when it is set aside is not believed."""
    ledger.conn.execute("UPDATE states SET seq = 1000000 WHERE stream = ?", (COMPONENT,))
    await set_aside(ledger, tmp_path, [COMPONENT], NOW)
    ledger.conn.execute("DROP TRIGGER facts_last")
    gone = delete(ledger, FLAG)

    assert gone == ledger.store.missing()


async def test_pruned_rows_are_not_missed(ledger: InlineLedger) -> None:
    """Effects and signal ids are pruned, facts are not."""
    late = NOW + timedelta(days=400)
    for row in ledger.store.outbox():
        ledger.conn.execute("UPDATE outbox SET state = 'done' WHERE id = ?", (row.id,))

    assert await forget_old(ledger, late, timedelta(days=30)) > 0
    assert 0 == ledger.store.missing()


async def test_refused_commit_leaves_no_gap(ledger: InlineLedger) -> None:
    """Numbers from a rolled-back transaction are given again."""
    again = an_incident()[-1]
    with pytest.raises(Exception, match="signal/"):
        ledger.store.commit(again)

    assert 0 == ledger.store.missing()


async def test_start_refuses_a_ledger_with_a_deleted_stream(ledger: InlineLedger) -> None:
    """An engaged flag would be back on the failing provider, and nothing in its stream would show it."""
    gone = delete(ledger, FLAG)

    with pytest.raises(StoreError, match=f"{gone} of its facts were deleted"):
        await started(ledger)


async def test_ledger_whose_losses_were_accepted_is_used(ledger: InlineLedger) -> None:
    """They are accepted once; facts deleted later are missed again."""
    delete(ledger, FLAG)
    ledger.store.accept_missing()
    await started(ledger)
    gone = delete(ledger, COMPONENT)

    assert gone == ledger.store.missing()


async def test_facts_after_accepted_losses_are_reported(ledger: InlineLedger) -> None:
    """A flag starts again at number 1, and its first line is not confused with the earlier one."""
    line = effect(PostLine(To.OPS), About(FLAG, 1))
    ledger.store.commit(queued(line))
    delete(ledger, FLAG)
    ledger.store.accept_missing()
    ledger.store.commit(queued(line, at=NOW))

    assert [NOW] == [row.created_at for row in ledger.store.outbox() if row.effect.key == line.key]


async def test_losses_without_a_trace_are_reported_as_such(ledger: InlineLedger) -> None:
    """So that nobody searches for a name."""
    ledger.conn.execute("DELETE FROM outbox")
    delete(ledger, FLAG)

    with pytest.raises(StoreError, match="nothing that is left says of which streams"):
        await started(ledger)


async def test_deleted_incident_is_named_from_other_streams(ledger: InlineLedger) -> None:
    """Its effects are pruned after a month, but facts of its provider and flags name it for ever."""
    ledger.conn.execute("DELETE FROM outbox")
    delete(ledger, "incident/1")

    with pytest.raises(StoreError, match="facts of incident/1 are gone"):
        await started(ledger)
