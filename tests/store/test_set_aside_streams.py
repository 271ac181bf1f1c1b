"""What is set aside takes nothing else along: each kind of stream, alone and together, in a ledger with a whole story."""

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
    """The first fact of each is dated anew."""
    for stream in streams:
        ledger.conn.execute("UPDATE facts SET at = '2020-01-01T00:00:00.000000+00:00' WHERE stream = ? AND seq = 1", (stream,))


def delete(ledger: InlineLedger, stream: str) -> int:
    """All facts of a stream, and the state they led to."""
    gone = ledger.conn.execute("DELETE FROM facts WHERE stream = ?", (stream,)).rowcount
    ledger.conn.execute("DELETE FROM states WHERE stream = ?", (stream,))
    return gone


def engine(ledger: InlineLedger) -> CommittingEngine:
    return CommittingEngine(ledger, ManualClock(NOW), policy())


async def started(ledger: InlineLedger) -> World:
    """The world as a start finds it, after what a start mends."""
    return await load_checked(engine(ledger), ledger)


def facts_of(ledger: InlineLedger, *without: str) -> list[str]:
    return [str(fact) for fact in ledger.store.all_facts() if fact.stream not in without]


@pytest.mark.parametrize("stream", STREAMS)
async def test_a_start_after_one_stream_was_set_aside_finds_nothing_wrong(
    stream: str, ledger: InlineLedger, tmp_path: Path
) -> None:
    """Neither what is missing on purpose nor a state that counted what the stream said."""
    edit(ledger, stream)
    await set_aside(ledger, tmp_path, [stream], NOW)
    await started(ledger)

    assert [] == [flaw for one in ledger.store.streams() if (flaw := ledger.store.examine(one))]
    assert 0 == ledger.store.missing()


@pytest.mark.parametrize("stream", STREAMS)
async def test_setting_one_stream_aside_leaves_the_facts_of_all_others(
    stream: str, ledger: InlineLedger, tmp_path: Path
) -> None:
    """An incident's timeline also stands in streams of components, flags and the vendor: those stay."""
    before = facts_of(ledger, stream)
    edit(ledger, stream)
    await set_aside(ledger, tmp_path, [stream], NOW)

    assert before == facts_of(ledger, stream)


@pytest.mark.parametrize("stream", STREAMS)
async def test_what_was_set_aside_stands_in_the_file_whole(stream: str, ledger: InlineLedger, tmp_path: Path) -> None:
    """Every fact with its number, so that it can be looked at, or put back."""
    edit(ledger, stream)
    expected = [row[0] for row in ledger.conn.execute("SELECT id FROM facts WHERE stream = ? ORDER BY id", (stream,))]
    await set_aside(ledger, tmp_path, [stream], NOW)
    rows = [json.loads(line) for line in (tmp_path / "ledger.set-aside-1.jsonl").read_text("utf-8").splitlines()]

    assert expected == [row["id"] for row in rows if row["table"] == "facts"]


async def test_a_flag_and_its_component_are_set_aside_together(ledger: InlineLedger, tmp_path: Path) -> None:
    """The flag serves its default, the component is learned anew, the incident about both goes on."""
    edit(ledger, FLAG, COMPONENT)
    await set_aside(ledger, tmp_path, [FLAG, COMPONENT], NOW)
    world = await started(ledger)

    assert {} == {key: flag for key, flag in world.flags.items() if flag.engagement}
    assert "anthropic.api" not in world.components
    assert [2] == [incident.number for incident in world.open_incidents()]


async def test_everything_about_an_incident_is_set_aside_together(ledger: InlineLedger, tmp_path: Path) -> None:
    """The incident, its component and its vendor: INC-2 keeps its number and is over."""
    edit(ledger, OPEN, COMPONENT, PROVIDER)
    await set_aside(ledger, tmp_path, [OPEN, COMPONENT, PROVIDER], NOW)
    world = await started(ledger)

    assert Phase.RESOLVED is world.incidents[2].phase
    assert {"openai.api", "anthropic.web", "anthropic.mobile"} == set(world.components)
    assert {} == world.providers


async def test_an_incident_whose_vendor_was_set_aside_goes_on(ledger: InlineLedger, tmp_path: Path) -> None:
    """What the vendor said is no longer counted in its state, and more can be written to it."""
    edit(ledger, PROVIDER)
    await set_aside(ledger, tmp_path, [PROVIDER], NOW)
    bot = engine(ledger)
    await load_checked(bot, ledger)
    answer = await bot.handle(AddNote(actor=ANA, incident=2, text="the vendor's words are gone"))

    assert answer.ok
    assert ledger.store.examine(OPEN) is None


@pytest.mark.parametrize("stream", STREAMS)
async def test_a_stream_that_was_deleted_whole_is_missed_after_another_was_set_aside(
    stream: str, ledger: InlineLedger, tmp_path: Path
) -> None:
    """What is missing on purpose hides nothing else: exactly the deleted facts are counted."""
    other = COMPONENT if stream != COMPONENT else FLAG
    edit(ledger, other)
    await set_aside(ledger, tmp_path, [other], NOW)
    ledger.conn.execute("DROP TRIGGER facts_last")
    gone = delete(ledger, stream)

    assert gone == ledger.store.missing()


async def test_facts_deleted_from_a_stream_before_it_was_set_aside_are_not_missed(ledger: InlineLedger, tmp_path: Path) -> None:
    """The refusal says to set it aside, and that is enough."""
    ledger.conn.execute("DELETE FROM facts WHERE stream = ? AND seq = 2", (COMPONENT,))
    await set_aside(ledger, tmp_path, [COMPONENT], NOW)

    assert 0 == ledger.store.missing()


async def test_an_edited_number_hides_no_later_deletion(ledger: InlineLedger, tmp_path: Path) -> None:
    """A stream that claims a million facts when it is set aside is not believed to have had them."""
    ledger.conn.execute("UPDATE states SET seq = 1000000 WHERE stream = ?", (COMPONENT,))
    await set_aside(ledger, tmp_path, [COMPONENT], NOW)
    ledger.conn.execute("DROP TRIGGER facts_last")
    gone = delete(ledger, FLAG)

    assert gone == ledger.store.missing()


async def test_what_is_forgotten_after_a_month_is_not_missed(ledger: InlineLedger) -> None:
    """Effects and ids of signals are pruned, facts are not."""
    late = NOW + timedelta(days=400)
    for row in ledger.store.outbox():
        ledger.conn.execute("UPDATE outbox SET state = 'done' WHERE id = ?", (row.id,))

    assert await forget_old(ledger, late, timedelta(days=30)) > 0
    assert 0 == ledger.store.missing()


async def test_a_commit_that_was_refused_leaves_no_gap(ledger: InlineLedger) -> None:
    """Numbers that were given in a transaction that did not come about are given again."""
    again = an_incident()[-1]
    with pytest.raises(Exception, match="signal/"):
        ledger.store.commit(again)

    assert 0 == ledger.store.missing()


async def test_a_start_refuses_a_ledger_that_a_stream_was_deleted_from(ledger: InlineLedger) -> None:
    """An engaged flag would be back on the provider that fails, and nothing in its stream would show it."""
    gone = delete(ledger, FLAG)

    with pytest.raises(StoreError, match=f"{gone} of its facts were deleted"):
        await started(ledger)


async def test_a_ledger_whose_missing_facts_were_accepted_is_used(ledger: InlineLedger) -> None:
    """They are counted once; what is deleted later is missed again."""
    delete(ledger, FLAG)
    ledger.store.accept_missing()
    await started(ledger)
    gone = delete(ledger, COMPONENT)

    assert gone == ledger.store.missing()


async def test_what_follows_accepted_losses_is_told(ledger: InlineLedger) -> None:
    """A flag begins at number 1 again; the line about its first fact is not taken for the one that was told before."""
    line = effect(PostLine(To.OPS), About(FLAG, 1))
    ledger.store.commit(queued(line))
    delete(ledger, FLAG)
    ledger.store.accept_missing()
    ledger.store.commit(queued(line, at=NOW))

    assert [NOW] == [row.created_at for row in ledger.store.outbox() if row.effect.key == line.key]


async def test_losses_of_which_nothing_tells_are_said_to_be_so(ledger: InlineLedger) -> None:
    """Nobody looks for a name that the sentence has not."""
    ledger.conn.execute("DELETE FROM outbox")
    delete(ledger, FLAG)

    with pytest.raises(StoreError, match="nothing that is left says of which streams"):
        await started(ledger)


async def test_an_incident_that_was_deleted_is_named_by_what_other_streams_say(ledger: InlineLedger) -> None:
    """Its effects are forgotten after a month; facts of its provider and its flags name it for ever."""
    ledger.conn.execute("DELETE FROM outbox")
    delete(ledger, "incident/1")

    with pytest.raises(StoreError, match="facts of incident/1 are gone"):
        await started(ledger)
