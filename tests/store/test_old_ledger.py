"""A ledger from before the house was rearranged opens, and reads as it did then: see tests/fixtures/ledgers/README.md."""

import gzip
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.clock import ManualClock
from bot.core.codec import encode
from bot.core.facts import BODIES, Fact, encode_body
from bot.core.signals import AddNote
from bot.engine import CommittingEngine
from bot.exports import render
from bot.flags.evaluate import snapshot
from bot.ports import Store
from bot.store.sqlite import SqliteLedger, open_ledger
from tests.desk import ANA
from tests.fixtures.ledgers.story import START, configured
from tests.rebuilt import rebuild_states

FOLDER = Path(__file__).resolve().parents[1] / "fixtures" / "ledgers"
EXPECTED: Mapping[str, Any] = json.loads(gzip.decompress((FOLDER / "before-issue-8.json.gz").read_bytes()))


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[SqliteLedger]:
    packed = (FOLDER / "before-issue-8.db.gz").read_bytes()
    (tmp_path / "ledger.db").write_bytes(gzip.decompress(packed))
    opened = await open_ledger(tmp_path)
    yield opened
    await opened.close()


@pytest.fixture
async def engine(ledger: SqliteLedger) -> CommittingEngine:
    made = CommittingEngine(ledger, ManualClock(START), configured())
    await made.load()
    return made


async def read(ledger: SqliteLedger) -> dict[str, Any]:
    """Everything that is compared, as plain JSON."""
    policy = configured()
    states = await ledger.read(rebuild_states)
    facts = await ledger.read(lambda store: store.all_facts())
    engine = CommittingEngine(ledger, ManualClock(START), policy)
    world = await engine.load()
    exports = {}
    for number, incident in world.incidents.items():
        about = await ledger.read(lambda store, n=number: store.facts_about(n))  # type: ignore[misc] # bound at once
        exports[incident.name] = json.loads(render("json", incident, about, policy)[1])
    made: dict[str, Any] = json.loads(json.dumps({
        "states": {stream: encode(state) for stream, state in states.items()},
        "facts": [_row(fact) for fact in facts],
        "exports": exports,
        "flags": {key: dict(one.metadata) for key, one in snapshot(world, policy, 1).entries.items()},
    }))  # fmt: skip
    return made


def _row(fact: Fact) -> list[Any]:
    where = [fact.stream, fact.seq, fact.at.isoformat(), fact.kind, fact.incident]
    return [*where, encode(fact.actor), encode_body(fact.body)]


def stands(expected: Any, found: Any, at: str = "") -> list[str]:
    """Where what was read then reads otherwise now. Fields that came later are no difference; prose has tests of its own."""
    if isinstance(expected, dict) and isinstance(found, dict):
        known = [name for name in expected if name != "text" or "data" not in expected]
        return [line for name in known for line in stands(expected[name], found.get(name, "missing"), f"{at}/{name}")]
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        return [line for n, pair in enumerate(zip(expected, found, strict=True)) for line in stands(*pair, f"{at}/{n}")]
    return [] if expected == found else [f"{at}: {expected!r} reads {found!r} now"]


@pytest.mark.parametrize("part", EXPECTED)
async def test_an_old_ledger_reads_as_it_did(ledger: SqliteLedger, part: str) -> None:
    """An upgrade over a weekend changes nothing of what was written before it."""
    assert [] == stands(EXPECTED[part], (await read(ledger))[part])


async def test_states_of_an_old_ledger_are_what_its_facts_come_to(ledger: SqliteLedger) -> None:
    """The daily audit finds nothing: states that were written then equal those that are folded now, and every hash holds."""

    def flaws(store: Store) -> list[object]:
        return [flaw for stream in store.streams() if (flaw := store.examine(stream))]

    assert [] == await ledger.read(flaws)


async def test_an_old_ledger_is_written_on(ledger: SqliteLedger, engine: CommittingEngine) -> None:
    """The first thing that a new version does is to add to what is there."""
    answer = await engine.handle(AddNote(actor=ANA, incident=4, text="upgraded"))

    assert answer.ok
    assert await ledger.read(lambda store: store.examine("incident/4")) is None


async def test_nearly_every_kind_of_fact_stands_in_the_old_ledger(ledger: SqliteLedger) -> None:
    """What is not in it proves nothing; a kind that came later is no fault of it."""
    kinds = {fact.kind for fact in await ledger.read(lambda store: store.all_facts())}

    assert kinds <= set(BODIES)
    assert len(kinds) == 42
