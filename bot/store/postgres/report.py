"""What `understudy doctor` asks about a database: is it there, may we use it, and are commits durable?"""

from typing import Any

from bot.store.connection import one
from bot.store.postgres.connection import PostgresConnection
from bot.store.postgres.migrations import known_version
from bot.store.postgres.migrations.ledger import LEDGER
from bot.store.postgres.opening import looking, require_usable
from bot.store.postgres.place import Place

A_REPLICA = 8  # connections

# In the order of the questions below.
STANDING = """
SELECT current_setting('server_version'), current_setting('fsync'), current_setting('full_page_writes'),
    pg_is_in_recovery(), CAST(current_setting('max_connections') AS integer), (SELECT count(*) FROM pg_stat_activity),
    coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false), inet_server_addr() IS NULL,
    has_database_privilege(current_database(), 'CREATE')
"""


Remark = tuple[str, str]  # `good`, `note` (works, but know this) or `bad` (will not work), and the sentence


def report(place: Place) -> tuple[list[Remark], bool]:
    """Inspect the database; also returns whether it has a ledger. Raises StoreError if that is impossible."""
    conn = looking(place, "doctor")
    try:
        require_usable(conn, place)
        return _remarks(conn, place)
    except conn.Error as error:
        raise conn.explained(error, str(place)) from error
    finally:
        conn.close()


def _remarks(conn: PostgresConnection, place: Place) -> tuple[list[Remark], bool]:
    version, fsync, whole_pages, standby, most, used, tls, local, may_create = _asked(conn)
    known = known_version(conn, LEDGER, place)
    found: list[Remark] = [("good", f"{place}, version {version}" + (f"; its ledger has schema {known}" if known else ""))]
    if not known and not may_create:
        words = "there is no ledger yet, and we may not make one: GRANT CREATE ON DATABASE"
        words += f" {place.database} TO {place.user or 'the user'}"
        found.append(("bad", words))
    elif not known:
        found.append(("note", "there is no ledger yet; the first start creates it"))
    if standby:
        found.append(("bad", "it is a standby, which takes no changes; name all hosts, divided by commas"))
    if "off" in (fsync, whole_pages):
        found.append(("note", "its fsync or full_page_writes is off: a power cut may lose what was committed"))
    if most - used < A_REPLICA:
        found.append(("note", f"{used} of its {most} connections are taken, and a replica needs {A_REPLICA}"))
    if not tls and not local and not _loopback(place):
        found.append(("note", "what we tell it crosses the network without TLS; add sslmode=verify-full to `store`"))
    return found, known > 0


def _asked(conn: PostgresConnection) -> Any:
    return one(conn, STANDING)


def _loopback(place: Place) -> bool:
    hosts = (place.options.get("host") or "localhost").split(",")
    return all(host in ("localhost", "::1") or host.startswith(("127.", "/")) for host in hosts)
