"""A ledger with years of incidents in it, each a real one: found, worked on, switched to a fallback and back, resolved."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from bot.core import signals as s
from bot.core.decide.step import Step, step
from bot.core.effects import AddBookmarks, OpenChannel, PostAlert, PostCard
from bot.core.model import Actor, Fault, Level, Phase, Severity, Verdict
from bot.core.policy import ComponentPolicy, Fallback, FlagPolicy, IncidentPolicy, Policy
from bot.core.record.world import World
from bot.engine.world_reading import changed_states
from bot.ports import Commit, NewFact, Store
from bot.store.connection import Connection, atomic, one
from bot.store.ledger import SqlStore
from bot.store.rows import fact_hash, iso
from bot.store.sqlite.engine import connect
from bot.store.sqlite.ledgers import LEDGER_FILE, open_ledger

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
EVERY = timedelta(hours=6)  # an incident; ten thousand take seven years
PROVIDERS = 20
RULE, ANA = Actor.rule("bench"), Actor.person("U0ANA", "ana")

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00")
INSERT_FACT = (
    "INSERT INTO facts (stream, seq, at, kind, version, actor, incident, body, prev_hash, hash)"
    " VALUES (:stream, :seq, :at, :kind, :version, :actor, :incident, :body, :prev_hash, :hash)"
)
INSERT_STATE = "INSERT INTO states (stream, seq, kind, dedup, body) VALUES (:stream, :seq, :kind, :dedup, :body)"


def component(provider: int) -> str:
    """The one component of a provider."""
    return f"p{provider}.api"


@cache
def policy(flags: int, provider: int = 0) -> Policy:
    """All providers, and so many flags behind one of them."""
    components = {
        component(n): ComponentPolicy(component(n), f"API {n}", f"p{n}", f"Provider {n}", {Level.DOWN: "SEV2"})
        for n in range(PROVIDERS)
    }
    other = component((provider + 1) % PROVIDERS)
    made = {
        key: FlagPolicy(
            key=key, variants={"a": 1, "b": 2}, default="a", fallbacks=(Fallback("b", other),),
            depends_on=(component(provider),), automation="auto",
        )
        for key in (f"service-{provider}-{n}.llm" for n in range(flags))
    }  # fmt: skip
    return Policy(components, made, IncidentPolicy({Severity.SEV2: timedelta(hours=1)}, resolve="auto"))


def looks(provider: int, level: Level, at: datetime) -> s.VerdictReached:
    """A provider's component becomes this well."""
    reason = "all is well" if level is Level.OPERATIONAL else "5 of 5 runs failed, HTTP 502"
    fault = Fault.NONE if level is Level.OPERATIONAL else Fault.THEIRS
    return s.VerdictReached(actor=RULE, verdict=Verdict(component(provider), level, reason, fault, ("k: 502",) * 3, at))


class Past:
    """Makes one incident after the other, and knows the world that they leave."""

    def __init__(self, incidents: int, starts: datetime) -> None:
        self.world = World()
        self._incidents = incidents
        self._starts = starts

    def commits(self) -> Iterator[list[Commit]]:
        """All of it, in the pieces in which it is written."""
        first = [self._commit(looks(n, Level.OPERATIONAL, self._starts), self._starts, 0) for n in range(PROVIDERS)]
        yield [commit for commit in first if commit]
        for number in range(self._incidents):
            yield list(self._incident(number + 1))

    def _incident(self, number: int) -> Iterator[Commit]:
        provider, began_at = number % PROVIDERS, self._starts + EVERY * number
        for minutes, signal in self._life(number, provider, began_at):
            commit = self._commit(signal, began_at + timedelta(minutes=minutes), provider)
            if commit:
                yield commit

    def _life(self, number: int, provider: int, began_at: datetime) -> Iterator[tuple[int, s.Signal]]:
        yield 0, looks(provider, Level.DOWN, began_at)
        places = ((OpenChannel, "channel"), (PostAlert, "alert"), (PostCard, "card"))
        for kind, word in places:
            yield 1, s.EffectDone(
                actor=RULE, key=f"INC-{number}/{word}", kind=kind, incident=number, channel="C0INCIDENT",
                name=f"inc-{number}-api", ts=f"1742472000.{number:06}",
            )  # fmt: skip
        yield 3, s.Acknowledge(actor=ANA, incident=number)
        yield 5, s.AddNote(actor=ANA, incident=number, text="Vendor support says: a database failed over.")
        yield 9, s.WriteUpdate(actor=ANA, incident=number, text="Chat answers from the fallback; quality is fine.")
        yield 20, s.SetSeverity(actor=ANA, incident=number, severity=Severity.SEV1, reason="every customer is hit")
        for minutes, text in enumerate(
            ("Our proxy is not involved.", "Batch jobs wait.", "Support was told.", "Retries are off."), 21
        ):
            yield minutes, s.AddNote(actor=ANA, incident=number, text=text)
        yield 24, s.SetPhase(actor=ANA, incident=number, phase=Phase.IDENTIFIED)
        yield 30, looks(provider, Level.DEGRADED, began_at + timedelta(minutes=29))
        yield 69, s.TimePassed(actor=RULE)
        yield 80, looks(provider, Level.OPERATIONAL, began_at + timedelta(minutes=79))
        yield 81, s.StepBack(actor=ANA, flag=f"service-{provider}-0.llm")
        for minutes in (90, 100, 110, 125):
            yield minutes, s.TimePassed(actor=RULE)
        yield 126, s.SetPhase(actor=ANA, incident=number, phase=Phase.RESOLVED)  # ana chose the phase, so no rule ends it
        yield 130, s.AskExport(actor=ANA, incident=number, format="md")
        yield 140, s.AddNote(actor=ANA, incident=number, text="Review on Thursday.")
        yield 145, s.EffectRefused(
            actor=RULE, key=f"INC-{number}/bookmarks", kind=AddBookmarks, incident=number, reason="not_allowed"
        )  # fmt: skip
        yield 150, s.SetPhase(actor=ANA, incident=number, phase=Phase.CLOSED)

    def _commit(self, signal: s.Signal, at: datetime, provider: int) -> Commit | None:
        decided = step(self.world, signal, at, policy(1, provider))
        if not decided.facts:
            return None
        before, self.world = self.world, decided.world
        return changes(before, decided, at)


def changes(before: World, decided: Step, at: datetime) -> Commit:
    """What a decision leaves in the ledger, without the effects that it asks for."""
    facts = tuple(NewFact(x.stream, x.seq, x.actor, x.incident, x.body) for x in decided.facts)
    return Commit((), at, facts, changed_states(before, decided.world), ())


async def write(folder: Path, incidents: int) -> int:
    """Make a ledger with so many past incidents; how many facts are in it.

    The first of each provider is decided on by the core; the others are copies of it, later and with numbers of their own.
    """
    past = Past(min(incidents, PROVIDERS), NOW - timedelta(days=1) - EVERY * incidents)
    ledger = await open_ledger(folder)
    try:
        for commits in past.commits():

            def work(store: Store, commits: list[Commit] = commits) -> None:
                for commit in commits:
                    store.commit(commit)

            await ledger.write(work)
    finally:
        await ledger.close()
    assert not past.world.open_incidents(), past.world.open_incidents()
    conn = connect(folder / LEDGER_FILE)
    try:
        with atomic(conn):
            _repeat(conn, incidents // PROVIDERS - 1)
        return int(one(conn, "SELECT count(*) FROM facts")[0])
    finally:
        conn.close()


def _repeat(conn: Connection, rounds: int) -> None:
    """Append the whole ledger but its first verdicts so many times, and write the states that it comes to."""
    facts = [dict(row) for row in conn.execute("SELECT * FROM facts WHERE id > ? ORDER BY id", (PROVIDERS,))]
    states = [dict(row) for row in conn.execute("SELECT * FROM states WHERE kind = 'incident'")]
    last = {row["stream"]: (row["seq"], row["hash"]) for row in conn.execute("SELECT * FROM facts ORDER BY id")}
    for n in range(1, rounds + 1):
        for row in facts:
            made = _later(row, n)
            seq, prev_hash = last.get(made["stream"], (0, ""))
            made |= {"seq": seq + 1, "prev_hash": prev_hash}
            made["hash"] = fact_hash(made)
            last[made["stream"]] = (seq + 1, made["hash"])
            conn.execute(INSERT_FACT, made)
        for row in states:
            conn.execute(INSERT_STATE, _later(row, n))
    if rounds > 0:
        for stream in [name for name in last if not name.startswith("incident/")]:
            SqlStore(conn).rebuild(stream)


def _later(row: dict[str, Any], rounds: int) -> dict[str, Any]:
    """A row as it stands so many rounds later."""
    number = int(row["stream"].partition("/")[2]) if row["stream"].startswith("incident/") else row.get("incident") or 0
    other, shift = number + rounds * PROVIDERS, EVERY * PROVIDERS * rounds
    body = re.sub(rf'(INC-|inc-|"number":){number}\b', rf"\g<1>{other}", row["body"])
    made = {**row, "body": TIME.sub(lambda found: (datetime.fromisoformat(found[0]) + shift).isoformat(), body)}
    if "at" in row:
        made |= {"at": iso(datetime.fromisoformat(row["at"]) + shift), "incident": row["incident"] and other}
    if row["stream"] == f"incident/{number}":
        made["stream"] = f"incident/{other}"
    return made
