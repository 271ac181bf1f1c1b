"""Whatever keeps us from a database is reported with its place and the remedy, and never with the password."""

from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from bot.ports import StoreError, StoreTrouble
from bot.sandbox.postgres import PASSWORD, USER, PostgresServer
from bot.store.home import Home
from bot.store.postgres.errors import explained
from bot.store.postgres.ledgers import open_postgres_ledger
from bot.store.postgres.place import place_of
from tests.ledger_facts import commit, fact

CANARY = "pa/ss@wo:rd#100%"


async def refusal(address: str) -> StoreError:
    with pytest.raises(StoreError) as refused:
        await open_postgres_ledger(address, "one")
    assert PASSWORD not in str(refused.value)
    assert PASSWORD not in repr(refused.value.__cause__)
    return refused.value


async def test_wrong_password_is_reported(postgres: str) -> None:
    """With the user, and where to look."""
    error = await refusal(postgres.replace(PASSWORD, "another"))

    assert f"does not let {USER} in; check user and password in `store`" in str(error)
    assert "another" not in str(error)
    assert (StoreTrouble.OTHER, True) == (error.kind, error.permanent)


async def test_server_that_does_not_listen_counts_as_away(postgres: str) -> None:
    """Work resumes by itself when it does."""
    error = await refusal(f"postgresql://{USER}:{PASSWORD}@127.0.0.1:1/x")

    assert "PostgreSQL at 127.0.0.1:1/x: it cannot be reached" in str(error)
    assert (StoreTrouble.AWAY, False) == (error.kind, error.permanent)


async def test_unknown_host_is_reported() -> None:
    """A typing error, or a dead resolver."""
    error = await refusal(f"postgresql://{USER}:{PASSWORD}@nowhere.invalid/x")

    assert "PostgreSQL at nowhere.invalid/x: there is no host of that name" in str(error)


async def test_missing_database_is_reported(postgres_server: PostgresServer) -> None:
    """With the statement that creates it."""
    error = await refusal(postgres_server.url("nothing_there"))

    assert "there is no such database; `CREATE DATABASE nothing_there` makes it" in str(error)


async def test_server_without_tls_is_refused_if_tls_is_required(postgres: str) -> None:
    """Nobody who asks for TLS silently gets less."""
    error = await refusal(f"{postgres}?sslmode=require")

    assert "`sslmode` asks for TLS, and the server has none" in str(error)


async def test_missing_right_to_create_is_reported(postgres: str) -> None:
    """With what to grant."""
    with psycopg.connect(postgres, autocommit=True) as conn:
        conn.execute("DROP ROLE IF EXISTS guest")
        conn.execute("CREATE ROLE guest LOGIN PASSWORD 'guest'")
    error = await refusal(postgres.replace(f"{USER}:{PASSWORD}", "guest:guest"))

    assert "guest may not do what is needed there" in str(error)
    assert f"GRANT CREATE ON DATABASE {place_of(postgres).database}" in str(error)


async def test_database_that_is_not_utf8_is_refused(postgres_server: PostgresServer) -> None:
    """It could not store every text that people write."""
    postgres_server.run(
        "createdb", "--maintenance-db", postgres_server.url(), "-T", "template0", "-E", "LATIN1", "--locale", "C", "latin"
    )
    try:
        assert "its encoding is LATIN1" in str(await refusal(postgres_server.url("latin")))
    finally:
        postgres_server.run("dropdb", "--maintenance-db", postgres_server.url(), "latin")


async def test_standby_is_refused_and_the_primary_is_chosen(postgres: str) -> None:
    """The address may list several hosts."""
    with psycopg.connect(postgres, autocommit=True) as conn:
        conn.execute(f"ALTER DATABASE {place_of(postgres).database} SET default_transaction_read_only = on")

    error = await refusal(postgres)

    assert "it takes no changes, as a standby does" in str(error)


async def test_too_many_connections_are_reported(postgres: str) -> None:
    """With how many a replica needs."""
    with psycopg.connect(postgres, autocommit=True) as conn:
        conn.execute("DROP ROLE IF EXISTS lonely")
        conn.execute("CREATE ROLE lonely LOGIN SUPERUSER PASSWORD 'lonely'")
        conn.execute("ALTER ROLE lonely NOSUPERUSER CONNECTION LIMIT 1")
        conn.execute(f"GRANT CREATE ON DATABASE {place_of(postgres).database} TO lonely")
    error = await refusal(postgres.replace(f"{USER}:{PASSWORD}", "lonely:lonely"))

    assert "it has no connection left; raise max_connections: a replica takes eight" in str(error)
    assert StoreTrouble.AWAY is error.kind


async def test_unknown_option_is_reported(postgres: str) -> None:
    """Before anything is sent."""
    assert "cannot be read" in str(await refusal(f"{postgres}?sslmood=require"))


@pytest.mark.parametrize(
    "address",
    [
        f"postgresql://u:{CANARY}@db.example.com/x",
        f"postgresql://u:{CANARY}@db.example.com:5432/x?sslmode=none",
        f"postgres://u:{CANARY}@[::1/x",
        f"mysql://u:{CANARY}@db.example.com/x",
        f"postgresql://u:{quote(CANARY, safe='')}@db.example.com/x?schema=No%20Schema",
        f"postgresql://u:{quote(CANARY, safe='')}@db.example.com:port/x",
    ],
)
def test_unreadable_address_is_refused_without_quoting_it(address: str) -> None:
    """A password with special characters may be split anywhere."""
    with pytest.raises(StoreError) as refused:
        place_of(address)

    assert not [part for part in ("pa/ss", "ss@wo", "wo:rd", "rd#100", "pa%2F") if part in str(refused.value)]
    assert "postgresql://user:password@host:5432/database" in str(refused.value)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://u:secret@db.example.com/x", "PostgreSQL at db.example.com/x"),
        ("postgresql://u:secret@a.example.com:1,b.example.com:2/x", "PostgreSQL at a.example.com:1,b.example.com:2/x"),
        ("postgresql:///x?host=/run/postgresql&password=secret", "PostgreSQL at /run/postgresql/x"),
        ("postgresql://u:secret@[::1]:5432/x?schema=staging", "PostgreSQL at [::1]:5432/x (schema staging)"),
        ("postgres://secret_user@h", "PostgreSQL at h/secret_user"),
    ],
)
def test_place_is_shown_without_its_password(address: str, shown: str) -> None:
    """In sentences, logs and Python's repr."""
    assert shown == str(place_of(address))
    assert "secret" not in repr(Home(Path("data"), address))


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (psycopg.errors.DiskFull("could not extend file"), StoreTrouble.FULL, "its disk is full; make room there"),
        (psycopg.errors.QueryCanceled("canceling"), StoreTrouble.AWAY, "a statement took longer than we wait"),
        (psycopg.errors.AdminShutdown("terminating"), StoreTrouble.AWAY, "it is being stopped or started"),
        (psycopg.errors.ReadOnlySqlTransaction("read-only"), StoreTrouble.READ_ONLY, "it takes no changes"),
        (psycopg.errors.SerializationFailure("could not"), StoreTrouble.OTHER, "it undid a transaction"),
        (psycopg.errors.DataCorrupted("invalid page"), StoreTrouble.CORRUPT, "its files are damaged; restore a backup"),
        (psycopg.errors.IoError("could not read"), StoreTrouble.IO, "its disk does not do as it is told"),
        (psycopg.errors.UndefinedTable("no facts"), StoreTrouble.CORRUPT, "a table is gone; restore a backup"),
        (psycopg.errors.LockNotAvailable("lock timeout"), StoreTrouble.AWAY, "another replica is writing"),
        (psycopg.OperationalError("the connection is closed"), StoreTrouble.AWAY, "it cannot be reached"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_every_server_error_has_a_kind_and_a_remedy(error: psycopg.Error, kind: StoreTrouble, words: str) -> None:
    """On one line: the place first, the server's own words last."""
    place = place_of("postgresql://u:secret@db.example.com/x")
    said = explained(type(error)(f"{error} secret\nDETAIL: more"), place)

    assert kind is said.kind
    assert str(said).startswith(f"PostgreSQL at db.example.com/x: {words}")
    assert str(said).endswith("***)")


async def test_server_cancels_statements_after_ten_seconds(postgres: str) -> None:
    """Nobody waits longer for a hanging disk, and one slow writer does not block the others."""
    ledger = await open_postgres_ledger(postgres, "one")
    try:
        [(limit,)] = await ledger.write(lambda store: store.conn.execute("SHOW statement_timeout").fetchall())  # type: ignore[attr-defined]

        assert limit == "10s"
    finally:
        await ledger.close()


async def test_statement_that_timed_out_is_rolled_back(postgres: str) -> None:
    """Only its caller is affected, and no commit is half done."""
    ledger = await open_postgres_ledger(postgres, "one")
    try:

        def work(store: object) -> None:
            store.commit(commit(fact("flag/a", 1)))  # type: ignore[attr-defined]
            store.conn.execute("SET LOCAL statement_timeout = '50ms'")  # type: ignore[attr-defined]
            store.conn.execute("SELECT pg_sleep(5)")  # type: ignore[attr-defined]

        with pytest.raises(StoreError, match="a statement took longer than we wait"):
            await ledger.write(work)

        assert [] == await ledger.read(lambda store: store.all_facts())
    finally:
        await ledger.close()
