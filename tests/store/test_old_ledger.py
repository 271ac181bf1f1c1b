"""Ledgers of earlier versions open and read as they did then: see tests/fixtures/ledgers/README.md."""

import gzip
import json
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from bot.core.codec import decode, encode
from bot.core.policy import Policy
from bot.core.record.fact import Fact
from bot.core.record.incident import Incident
from bot.core.record.kinds import BODIES, encode_body
from bot.core.signals import AddNote
from bot.engine.engine import CommittingEngine
from bot.exports import render
from bot.flags.evaluate import snapshot
from bot.ports import Store
from bot.store.sqlite.ledgers import SqliteLedger, open_ledger
from bot.system.clock import ManualClock
from bot.web.api.shapes import incident_shape
from tests.desk import ANA
from tests.fixtures.ledgers.story import START, configured
from tests.rebuilt import rebuild_states

FOLDER = Path(__file__).resolve().parents[1] / "fixtures" / "ledgers"
EXPECTED: Mapping[str, Mapping[str, Any]] = {
    name: json.loads(gzip.decompress((FOLDER / f"{name}.json.gz").read_bytes())) for name in ("before-issue-8", "before-parts")
}


@pytest.fixture(params=list(EXPECTED))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def unpacked(name: str, folder: Path) -> Path:
    """Unpack the stored ledger into a folder of its own; returns its file."""
    file = folder / "ledger.db"
    file.write_bytes(gzip.decompress((FOLDER / f"{name}.db.gz").read_bytes()))
    return file


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[SqliteLedger]:
    made = await open_ledger(folder)
    try:
        yield made
    finally:
        await made.close()


@pytest.fixture
async def ledger(tmp_path: Path, name: str) -> AsyncIterator[SqliteLedger]:
    unpacked(name, tmp_path)
    async with opened(tmp_path) as made:
        yield made


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
        "states": {stream: _flat(state, policy) for stream, state in states.items()},
        "facts": [_row(fact) for fact in facts],
        "exports": exports,
        "flags": {key: dict(one.metadata) for key, one in snapshot(world, policy, 1).entries.items()},
        "api": {incident.name: incident_shape(incident, policy) for incident in world.incidents.values()},
    }))  # fmt: skip
    return made


def _flat(state: Any, policy: Policy) -> dict[str, Any]:
    """A state as earlier versions wrote it: incidents had no parts, as in the API to this day."""
    written: dict[str, Any] = encode(state)
    return incident_shape(state, policy) | {"affected": written["affected"]} if isinstance(state, Incident) else written


def _row(fact: Fact) -> list[Any]:
    where = [fact.stream, fact.seq, fact.at.isoformat(), fact.kind, fact.incident]
    return [*where, encode(fact.actor), encode_body(fact.body)]


def stands(expected: Any, found: Any, at: str = "") -> list[str]:
    """Where today's reading differs from the one stored then. New fields are no difference; texts have tests of their own."""
    if isinstance(expected, dict) and isinstance(found, dict):
        known = [name for name in expected if name != "text" or "data" not in expected]
        return [line for name in known for line in stands(expected[name], found.get(name, "missing"), f"{at}/{name}")]
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        return [line for n, pair in enumerate(zip(expected, found, strict=True)) for line in stands(*pair, f"{at}/{n}")]
    return [] if expected == found else [f"{at}: {expected!r} reads {found!r} now"]


@pytest.mark.parametrize("part", ["states", "facts", "exports", "flags"])
async def test_old_ledger_reads_as_it_did_then(ledger: SqliteLedger, name: str, part: str) -> None:
    """An upgrade changes nothing that was written before it."""
    assert [] == stands(EXPECTED[name][part], (await read(ledger))[part])


async def test_api_shows_old_incidents_unchanged(tmp_path: Path) -> None:
    """Programs that read /api/v1 get the same keys and values; new fields have the meaning of the old behaviour."""
    unpacked("before-parts", tmp_path)

    async with opened(tmp_path) as ledger:
        told = (await read(ledger))["api"]

    since = {
        "backdated": False, "phase_by_person": False, "mitigation": None, "merged_into": None, "parts": [], "tasks": [],
        "duplicate_of": None, "ended_why": "", "drill": False, "zone": "UTC",
        "served": None,
    }  # fmt: skip
    then, known = EXPECTED["before-parts"]["api"], configured()
    named = {
        name: [{**one, "name": known.name_of(one["id"])} for one in shape["affected"]] for name, shape in then.items()
    }  # fmt: skip
    assert {name: shape | since | {"affected": named[name]} for name, shape in then.items()} == told


async def test_no_field_of_an_incident_is_lost_in_the_migration(tmp_path: Path) -> None:
    """The first start of the new version migrates the ledger in place."""
    file = unpacked("before-parts", tmp_path)
    moments = ("acknowledged_at", "vendor_first_at", "outage_began_at", "outage_known_at", "resolve_asked_at", "resolved_at")
    others = ("mitigated_at", "well_since", "severity_at")
    set_to: dict[str, Any] = {field: f"2026-04-0{n}T12:00:00+00:00" for n, field in enumerate((*moments, *others), 1)}
    set_to |= {"channel_refused": "name_taken", "cards_gone": 3, "relapses": 4, "vendor_words": 5, "ended_reason": "over"}
    with closing(sqlite3.connect(file)) as conn, conn:
        row = json.loads(conn.execute("SELECT body FROM states WHERE stream = 'incident/5'").fetchone()[0]) | set_to
        conn.execute("UPDATE states SET body = ? WHERE stream = 'incident/5'", (json.dumps(row),))

    async with opened(tmp_path) as ledger:
        found = (await ledger.read(lambda store: store.incidents([5])))[0]

    shape = incident_shape(decode(Incident, found.body), configured()) | {"affected": {}}
    assert row == {name: shape[name] for name in row}


async def test_states_of_an_old_ledger_equal_its_folded_facts(ledger: SqliteLedger) -> None:
    """The daily audit finds nothing, and every hash holds."""

    def flaws(store: Store) -> list[object]:
        return [flaw for stream in store.streams() if (flaw := store.examine(stream))]

    assert [] == await ledger.read(flaws)


async def test_old_ledger_can_be_continued(ledger: SqliteLedger, engine: CommittingEngine) -> None:
    """A new version first adds to what is there."""
    answer = await engine.handle(AddNote(actor=ANA, incident=4, text="upgraded"))

    assert answer.ok
    assert await ledger.read(lambda store: store.examine("incident/4")) is None


async def test_old_ledger_has_nearly_every_kind_of_fact(ledger: SqliteLedger, name: str) -> None:
    """A kind that it lacks would prove nothing; kinds that came later are excluded."""
    kinds = {fact.kind for fact in await ledger.read(lambda store: store.all_facts())}

    assert kinds <= set(BODIES)
    assert len(kinds) == {"before-issue-8": 42, "before-parts": 43}[name]
