"""What a PostgreSQL ledger guarantees beyond the common contract: for several processes, and while the server is away."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from bot.core import signals as s
from bot.core.codec import decode
from bot.core.model import Phase
from bot.core.record.incident_facts import NoteAdded
from bot.core.record.streams import STREAMS
from bot.engine.engine import CommittingEngine
from bot.ports import RowState, Settled, Store, StoreError, StoreTrouble
from bot.sandbox.postgres import PostgresServer
from bot.store import marks
from bot.store.identity import MARKER
from bot.store.postgres.connection import PostgresConnection
from bot.store.postgres.ledgers import PostgresLedger, PostgresReadOnlyLedger, open_postgres_ledger
from bot.store.postgres.listening import Listener
from bot.store.postgres.opening import reading
from bot.store.postgres.place import place_of
from bot.system.clock import ManualClock
from tests.desk import ANA, START, policy
from tests.ledger_facts import NOON, commit, declared, effect, fact, queued, texts


@pytest.fixture
async def ledger(postgres: str) -> AsyncIterator[PostgresLedger]:
    opened = await open_postgres_ledger(postgres, "one")
    yield opened
    await opened.close()


def ask(address: str, sql: str) -> list[tuple[object, ...]]:
    """Run a statement as whoever has the database's password."""
    with psycopg.connect(address, autocommit=True, options="-c search_path=understudy") as conn:
        done = conn.execute(sql)  # type: ignore[call-overload]
        return done.fetchall() if done.description else []


# --- several processes


async def test_commit_is_announced_to_other_replicas_at_once(ledger: PostgresLedger, postgres: str) -> None:
    """A switched flag is served by all replicas within a moment."""
    other = await open_postgres_ledger(postgres, "two")
    heard = asyncio.Event()
    try:
        other.on_commit(heard.set)
        await asyncio.sleep(0.05)  # the first look at how the ledger stands is over
        heard.clear()
        await ledger.write(lambda store: store.commit(commit(fact("flag/a", 1))))
        await asyncio.wait_for(heard.wait(), 0.9)  # polling alone takes a second

        assert 1 == await other.read(lambda store: store.position())
    finally:
        await other.close()


async def test_refused_commits_leave_no_gap_in_positions(ledger: PostgresLedger) -> None:
    """A gap would look like a missing fact."""
    for number in (1, 2):  # the second holds the same key
        await asyncio.gather(ledger.write(lambda store, n=number: store.commit(declared(n))), return_exceptions=True)  # type: ignore[misc]
    await ledger.write(lambda store: store.commit(commit(fact("flag/a", 1))))

    assert 2 == await ledger.read(lambda store: store.position())
    assert 0 == await ledger.read(lambda store: store.missing())


async def test_facts_can_be_neither_changed_nor_deleted(ledger: PostgresLedger, postgres: str) -> None:
    """Not even with the password; setting streams aside has a way of its own."""
    await ledger.write(lambda store: store.commit(commit(fact("flag/a", 1))))

    for sql in ("UPDATE facts SET body = '{}'", "DELETE FROM facts", "TRUNCATE facts"):
        with pytest.raises(psycopg.errors.RaiseException, match="a fact is never"):
            ask(postgres, sql)
    await ledger.write(lambda store: store.remove("flag/a"))

    assert [] == await ledger.read(lambda store: store.all_facts())
    assert 0 == await ledger.read(lambda store: store.missing())


async def test_removed_facts_are_missed(ledger: PostgresLedger, postgres: str) -> None:
    """The counter knows how many there were, even if the last ones were removed."""
    await ledger.write(lambda store: store.commit(commit(*(fact("flag/a", n) for n in (1, 2, 3)))))
    ask(postgres, "SET understudy.deleting_facts = 'on'; DELETE FROM facts WHERE seq > 1")

    assert 2 == await ledger.read(lambda store: store.missing())


# --- the tables


async def test_incident_with_unusual_characters_is_found(ledger: PostgresLedger) -> None:
    """PostgreSQL refuses JSON with a NUL or half an emoji, and a vendor's page may contain both."""
    clock = ManualClock(START)
    engine = CommittingEngine(ledger, clock, policy())
    await engine.load()
    for title in ("Payments \0 are \ud83d slow 🔥", 'said "phase":"triage" \\u0000'):
        number = (await engine.handle(s.Declare(actor=ANA, title=title))).incident
        assert number is not None
        await engine.handle(s.AddTask(actor=ANA, incident=number, text="look \0 again"))
    await engine.handle(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED))
    await engine.handle(s.SetPhase(actor=ANA, incident=1, phase=Phase.CLOSED))

    assert [1, 2] == sorted(await ledger.read(lambda store: store.with_open_tasks()))
    assert 1 == await ledger.read(lambda store: store.incident_with("title", "Payments \0 are \ud83d slow 🔥"))
    assert "incident/1" not in await ledger.read(lambda store: store.streams(only_open=True))
    assert {None} == {await ledger.read(lambda store, x=x: store.examine(f"incident/{x}")) for x in (1, 2)}  # type: ignore[misc]
    assert 2 == (await engine.load()).last_incident


async def test_state_edited_into_invalid_json_hides_no_other_incident(ledger: PostgresLedger, postgres: str) -> None:
    """It is rebuilt from its facts; meanwhile the others are there."""
    for n in (1, 2):
        await ledger.write(lambda store, n=n: store.commit(declared(n, f"key {n}")))  # type: ignore[misc]
    ask(postgres, """UPDATE states SET dedup = '', body = '{"state":"open"' WHERE stream = 'incident/1'""")

    assert [] == await ledger.read(lambda store: store.with_open_tasks())
    assert {} == await ledger.read(lambda store: store.ended_last({"anthropic.api": NOON}))
    assert 2 == await ledger.read(lambda store: store.incident_with("title", "Claude API is down"))
    assert ["incident/1", "incident/2"] == await ledger.read(lambda store: store.streams(only_open=True))


async def test_address_may_name_a_schema(postgres: str, ledger: PostgresLedger) -> None:
    """Two deployments may share a database without hearing of each other."""
    other = await open_postgres_ledger(f"{postgres}?schema=staging", "other")
    try:
        await ledger.write(lambda store: store.commit(commit(fact("flag/a", 1))))

        assert [] == await other.read(lambda store: store.all_facts())
    finally:
        await other.close()


async def test_ledger_of_a_newer_version_is_refused(postgres: str) -> None:
    """With the remedy."""
    await (await open_postgres_ledger(postgres, "new")).close()
    ask(postgres, "UPDATE versions SET version = 99, needs = 99")

    for opening in (lambda: open_postgres_ledger(postgres, "old"), lambda: asyncio.to_thread(_read_only, postgres)):
        with pytest.raises(StoreError, match=r"written by a newer Understudy \(schema 99.*upgrade Understudy"):
            await opening()


async def test_older_replica_starts_over_tables_that_a_newer_one_extended(postgres: str) -> None:
    """During a rolling upgrade it may have to be restarted."""
    await (await open_postgres_ledger(postgres, "new")).close()
    ask(postgres, "UPDATE versions SET version = 99")
    ask(postgres, "ALTER TABLE facts ADD COLUMN colour text NOT NULL DEFAULT ''")
    ledger = await open_postgres_ledger(postgres, "old")
    await ledger.write(lambda store: store.commit(commit(fact("incident/1", 1))))
    await ledger.close()

    assert [(99,)] == ask(postgres, "SELECT version FROM versions WHERE part = 'ledger'")


def _read_only(address: str) -> PostgresReadOnlyLedger:
    return PostgresReadOnlyLedger(place_of(address))


async def test_eight_replicas_start_over_an_empty_database_at_once(postgres: str, tmp_path: Path) -> None:
    """One creates the tables and names the ledger, and each of them remembers that name."""
    folders = [tmp_path / str(n) for n in range(8)]
    for folder in folders:
        folder.mkdir()
    opened = await asyncio.gather(
        *(open_postgres_ledger(postgres, folder.name, readers=1, folder=folder) for folder in folders)
    )
    await asyncio.gather(*(one.close() for one in opened))

    [(id,)] = ask(postgres, "SELECT value FROM settings WHERE name = 'ledger.id'")
    assert [id] * 8 == [(folder / MARKER).read_text(encoding="ascii").strip() for folder in folders]


async def test_different_ledger_than_before_is_refused(postgres: str, tmp_path: Path) -> None:
    """An empty database in its place would put every flag back on its default."""
    await (await open_postgres_ledger(postgres, "one", folder=tmp_path)).close()
    assert (tmp_path / MARKER).exists()
    await (await open_postgres_ledger(postgres, "one", folder=tmp_path)).close()

    with pytest.raises(StoreError, match="is not the ledger that was here before") as refused:
        await open_postgres_ledger(f"{postgres}?schema=empty", "one", folder=tmp_path)
    assert StoreTrouble.GONE is refused.value.kind


async def test_reader_beside_the_bot_sees_commits(ledger: PostgresLedger, postgres: str) -> None:
    """For exports; it writes nothing."""
    await ledger.write(lambda store: store.commit(commit(fact("flag/a", 1))))
    reader = _read_only(postgres)
    try:
        assert ["note 1"] == texts(await reader.read(lambda store: store.all_facts()))
        with pytest.raises(StoreError, match="for reading only"):
            await reader.write(lambda store: store.put_setting("a", "b"))
    finally:
        await reader.close()


# --- when the server goes away


@pytest.fixture
def server(postgres_server: PostgresServer) -> PostgresServer:
    """A server that the test may stop."""
    del postgres_server  # skips where there is none
    made = PostgresServer()
    made.create()
    made.start()
    return made


async def test_everything_resumes_when_the_server_returns(server: PostgresServer) -> None:
    """Its absence is reported, nothing acknowledged is lost, and nobody has to act."""
    ledger = await open_postgres_ledger(server.url(), "one")
    changes: list[int] = []
    ledger.on_commit(lambda: changes.append(1))
    try:
        await ledger.write(lambda store: store.commit(commit(fact("flag/a", 1))))
        await asyncio.to_thread(server.stop)
        with pytest.raises(StoreError) as away:
            await ledger.write(lambda store: store.commit(commit(fact("flag/a", 2))))
        with pytest.raises(StoreError):
            await ledger.read(lambda store: store.all_facts())
        await _until(lambda: _away(ledger))
        before = len(changes)
        await asyncio.to_thread(server.start)
        await _until(lambda: not _away(ledger))
        await _until(lambda: len(changes) > before)
        await ledger.write(lambda store: store.commit(commit(fact("flag/a", 2))))

        assert (StoreTrouble.AWAY, False) == (away.value.kind, away.value.permanent)
        assert f"127.0.0.1:{server.port}" in str(away.value)
        assert ["note 1", "note 2"] == texts(await ledger.read(lambda store: store.all_facts()))
    finally:
        await ledger.close()
        server.close()


async def test_start_waits_for_a_server_that_is_away(server: PostgresServer) -> None:
    """Even in the middle of the start; afterwards errors are immediate again."""
    ledger = await open_postgres_ledger(server.url(), "one")
    ledger.be_patient(True)
    try:
        await asyncio.to_thread(server.stop)
        started = asyncio.create_task(ledger.write(lambda store: store.put_setting("name", "value")))
        await asyncio.sleep(0.2)
        await asyncio.to_thread(server.start)
        await started
        ledger.be_patient(False)
        await asyncio.to_thread(server.stop)
        with pytest.raises(StoreError):
            await ledger.read(lambda store: store.setting("name"))
    finally:
        await ledger.close()
        await asyncio.to_thread(server.start)
        server.close()


async def test_connection_broken_before_listening_counts_as_server_away(postgres: str) -> None:
    """A start retries if the server goes down in its middle."""

    def broken() -> PostgresConnection:
        conn = reading(place_of(postgres), "listens")
        ask(postgres, f"SELECT pg_terminate_backend({conn.pid})")
        return conn

    listener = Listener(place_of(postgres), broken, lambda: 0, lambda: None, lambda away: None)

    with pytest.raises(StoreError) as away:
        listener.start()
    assert StoreTrouble.AWAY is away.value.kind


async def test_follower_is_not_woken_by_its_own_commits(postgres: str) -> None:
    """Forty commits a second would be forty queries; other replicas' commits still wake it."""
    wake, waker = os.pipe()
    conn = reading(place_of(postgres), "listens")
    conn.listen("understudy")
    with psycopg.connect(postgres, autocommit=True) as mine, psycopg.connect(postgres, autocommit=True) as other:
        waiting = asyncio.create_task(asyncio.to_thread(conn.wait_for_notice, wake, 20.0, mine.info.backend_pid))
        for _ in range(3):
            await asyncio.to_thread(mine.execute, "NOTIFY understudy")
        done, _ = await asyncio.wait({waiting}, timeout=0.1)
        await asyncio.to_thread(other.execute, "NOTIFY understudy")

        assert (set(), True) == (done, await waiting)
        os.write(waker, b"x")
        assert not await asyncio.to_thread(conn.wait_for_notice, wake, 20.0, mine.info.backend_pid)
    conn.close()
    os.close(wake)
    os.close(waker)


async def test_nobody_waits_for_ever_for_a_frozen_server(server: PostgresServer) -> None:
    """Its machine acknowledges every packet, so no connection breaks; checks go on."""
    ledger = await open_postgres_ledger(server.url(), "one")
    ledger._patience._answers_within_s = 0.5
    try:
        server.pause(True)
        with pytest.raises(StoreError, match="does not answer") as silent:
            await ledger.write(lambda store: store.put_setting("name", "value"))
        began = time.monotonic()
        with pytest.raises(StoreError, match="does not answer"):
            await ledger.read(lambda store: store.setting("name"))
        spared_s = time.monotonic() - began
        server.pause(False)
        ledger._patience._spared_until = 0.0
        await ledger.write(lambda store: store.put_setting("other", "value"))

        assert (StoreTrouble.AWAY, True) == (silent.value.kind, spared_s < 0.4)
        assert "value" == await ledger.read(lambda store: store.setting("name"))
    finally:
        server.pause(False)
        await ledger.close()
        server.close()


async def test_connection_cut_between_commits_is_replaced_silently(ledger: PostgresLedger, postgres: str) -> None:
    """Nothing had begun on it."""
    await ledger.write(lambda store: store.commit(commit(fact("flag/a", 1))))
    ask(postgres, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'understudy/%'")

    await ledger.write(lambda store: store.commit(commit(fact("flag/a", 2))))

    assert ["note 1", "note 2"] == texts(await ledger.read(lambda store: store.all_facts()))


async def test_interrupted_commit_is_rolled_back_and_raises(ledger: PostgresLedger, postgres: str) -> None:
    """Its caller gets the error, and others go on."""

    def work(store: Store) -> None:
        store.put_setting("half", "done")
        ask(postgres, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'understudy/one'")
        store.put_setting("whole", "done")

    with pytest.raises(StoreError) as cut:
        await ledger.write(work)

    assert StoreTrouble.AWAY is cut.value.kind
    assert await ledger.read(lambda store: store.setting("half")) is None
    await ledger.write(lambda store: store.put_setting("half", "again"))


async def test_swallowed_error_does_not_count_as_a_commit(ledger: PostgresLedger) -> None:
    """PostgreSQL answers COMMIT of a failed transaction with ROLLBACK, and reports success."""

    def work(store: Store) -> None:
        store.put_setting("a", "1")
        try:
            store.conn.execute("SELECT nonsense")  # type: ignore[attr-defined]
        except psycopg.Error:
            pass

    with pytest.raises(StoreError):
        await ledger.write(work)

    assert await ledger.read(lambda store: store.setting("a")) is None


async def test_failure_affects_only_its_own_caller(ledger: PostgresLedger) -> None:
    """Sixty-four callers share one commit."""
    await ledger.write(lambda store: store.commit(declared(1)))
    tries = [ledger.write(lambda store, n=n: store.commit(declared(n, "" if n % 2 else "anthropic"))) for n in range(2, 66)]  # type: ignore[misc]

    results = await asyncio.gather(*tries, return_exceptions=True)

    assert 32 == sum(isinstance(result, Exception) for result in results)
    assert 33 == await ledger.read(lambda store: store.position())


async def test_paused_process_blocks_nobody(ledger: PostgresLedger, postgres: str) -> None:
    """The server ends its transaction after two seconds."""
    other = await open_postgres_ledger(postgres, "two")
    try:
        started = asyncio.Event()
        loop = asyncio.get_running_loop()

        def stands_still(store: Store) -> None:
            store.put_setting("a", "stood still")
            loop.call_soon_threadsafe(started.set)
            time.sleep(3)
            store.put_setting("b", "too late")

        standing = asyncio.create_task(ledger.write(stands_still))
        await started.wait()
        await asyncio.wait_for(other.write(lambda store: store.put_setting("a", "went on")), 4)
        with pytest.raises(StoreError):
            await standing

        assert "went on" == await other.read(lambda store: store.setting("a"))
    finally:
        await other.close()


def _away(ledger: PostgresLedger) -> bool:
    try:
        ledger.check_place()
    except StoreError:
        return True
    return False


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.02)


# --- time


async def test_leases_use_the_clock_of_the_database(ledger: PostgresLedger) -> None:
    """A replica whose clock is an hour off gains nothing."""
    ttl = timedelta(seconds=0.3)
    wrong = NOON + timedelta(days=9_000)

    async def take(who: str, at: datetime) -> int | None:
        return await ledger.write(lambda store: store.lease("clock", who, ttl, at))

    assert 1 == await take("a", NOON)
    assert await take("b", wrong) is None
    await asyncio.sleep(0.4)
    assert 2 == await take("b", NOON)
    assert await take("a", wrong) is None


# --- the tools of the audit and of pruning


async def test_missing_facts_are_named_and_can_be_accepted(ledger: PostgresLedger, postgres: str) -> None:
    """As far as effects, incidents and other streams mention them."""
    await ledger.write(lambda store: store.commit(declared(1)))
    await ledger.write(lambda store: store.commit(commit(fact("flag/a", 1, NoteAdded("of it"), 1))))
    ask(postgres, "SET understudy.deleting_facts = 'on'; DELETE FROM facts WHERE stream = 'incident/1'; DELETE FROM states")

    assert ("incident/1",) == await ledger.read(lambda store: store.missing_from())
    await ledger.write(lambda store: store.accept_missing())

    assert 0 == await ledger.read(lambda store: store.missing())
    assert [] == await ledger.read(lambda store: store.outbox())


async def test_mark_is_valid_until_a_fact_before_it_is_edited(ledger: PostgresLedger, postgres: str) -> None:
    """A start compares the bytes of audited facts, and reads the whole stream if they differ."""
    clock = ManualClock(START)
    engine = CommittingEngine(ledger, clock, policy())
    await engine.load()
    for n in range(5):
        await engine.handle(s.Mute(actor=ANA, component="anthropic.api", lasts=timedelta(hours=1), reason=f"{n}"))
        await engine.handle(s.Unmute(actor=ANA, component="anthropic.api"))
    stream = "component/anthropic.api"
    state = await ledger.read(lambda store: store.states_but_incidents()[0].body)

    def made(store: Store) -> None:
        conn = store.conn  # type: ignore[attr-defined]
        store.keep_marks([marks.made(conn, stream, 10, decode(STREAMS["component"].state, state))])

    await ledger.write(made)
    assert 10 == await ledger.read(lambda store: marks.begin(store.conn, stream).seq)  # type: ignore[attr-defined]
    ask(postgres, "ALTER TABLE facts DISABLE TRIGGER facts_stay; UPDATE facts SET at = replace(at, '12', '13') WHERE seq = 3")

    assert 0 == await ledger.read(lambda store: marks.begin(store.conn, stream).seq)  # type: ignore[attr-defined]
    audited = await ledger.read(lambda store: store.audit(stream, from_mark=True))
    assert audited.flaw is not None
    assert "do not hold from number 3 on" in audited.flaw.sentence
    assert [1, 2, 3] == [row["seq"] for row in await ledger.read(lambda store: store.everything_about(stream))][:3]
    await ledger.write(lambda store: store.forget_marks())


async def test_edited_state_is_rebuilt(ledger: PostgresLedger, postgres: str) -> None:
    """From its facts."""
    engine = CommittingEngine(ledger, ManualClock(START), policy())
    await engine.load()
    await engine.handle(s.Declare(actor=ANA, title="Payments are slow"))
    before = await ledger.read(lambda store: store.states())
    ask(postgres, "UPDATE states SET body = replace(body, 'slow', 'fast') WHERE kind = 'incident'")
    await ledger.write(lambda store: store.rebuild("incident/1"))

    assert before == await ledger.read(lambda store: store.states())


async def test_done_effects_and_signals_are_deleted_after_a_month(ledger: PostgresLedger) -> None:
    """Whatever is under way stays."""
    await ledger.write(lambda store: store.commit(declared(1)))
    await ledger.write(lambda store: store.commit(queued(effect("open", "x"))))
    [row, _] = await ledger.write(lambda store: store.claim(NOON, "me", timedelta(seconds=90), 9))
    await ledger.write(lambda store: store.settle(row.id, row.attempt, Settled(RowState.DONE), NOON))
    later = NOON + timedelta(days=40)
    old = await ledger.read(lambda store: store.find_old(later, timedelta(days=30), 0))
    await ledger.write(lambda store: store.forget(old))

    assert ((row.id,), ("declare/1",)) == (old.rows, old.signals)
    assert ["open"] == [left.effect.key for left in await ledger.read(lambda store: store.outbox())]
