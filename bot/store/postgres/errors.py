"""Errors of PostgreSQL and of the connection to it, with their meaning and remedy."""

from psycopg import InterfaceError, OperationalError

from bot.ports import StoreError, StoreTrouble
from bot.store.postgres.place import Place

# By SQLSTATE (postgresql.org/docs/current/errcodes-appendix.html), longest prefix first: the kind, whether retrying may help,
# and the remedy.
Meaning = tuple[StoreTrouble, bool, str]
KNOWN: dict[str, Meaning] = {
    "22": (StoreTrouble.VALUE, True, "it cannot hold what it was given; that is a mistake of ours"),
    "25006": (StoreTrouble.READ_ONLY, True, "it takes no changes, as a standby does; it goes on by itself once a host does"),
    "25P03": (StoreTrouble.AWAY, True, "this process stood still in the middle of a transaction, which was undone"),
    "28": (StoreTrouble.OTHER, False, "it does not let {user} in; check user and password in `store`, and its pg_hba.conf"),
    "3D000": (StoreTrouble.OTHER, False, "there is no such database; `CREATE DATABASE {database}` makes it"),
    "3F000": (StoreTrouble.OTHER, False, "its schema is gone; restore a backup as docs/storage.md says"),
    "40": (StoreTrouble.OTHER, True, "it undid a transaction that met another one"),
    "42501": (
        StoreTrouble.OTHER, False,
        "{user} may not do what is needed there; docs/storage.md has the rights, such as `GRANT CREATE ON DATABASE {database}`",
    ),
    "42P01": (StoreTrouble.CORRUPT, False, "a table is gone; restore a backup as docs/storage.md says"),
    "53100": (StoreTrouble.FULL, True, "its disk is full; make room there, and it goes on by itself"),
    "53200": (StoreTrouble.AWAY, True, "the server is out of memory"),
    "53300": (
        StoreTrouble.AWAY, True, "it has no connection left; raise max_connections: a replica takes eight",
    ),
    "55P03": (StoreTrouble.AWAY, True, "another replica is writing for longer than we wait"),
    "57014": (StoreTrouble.AWAY, True, "a statement took longer than we wait; its disk may be slow or its CPU busy"),
    "57P": (StoreTrouble.AWAY, True, "it is being stopped or started; it goes on by itself"),
    "58": (StoreTrouble.IO, True, "its disk does not do as it is told; the server's log may say more"),
    "XX": (StoreTrouble.CORRUPT, False, "its files are damaged; restore a backup as docs/storage.md says"),
    "08": (StoreTrouble.AWAY, True, "the connection broke; it is made anew with the next try"),
}  # fmt: skip
# libpq's errors before there is a SQLSTATE: it only passes on the server's sentence.
SAID: tuple[tuple[str, Meaning], ...] = (
    ("password authentication failed", KNOWN["28"]),
    ("no password supplied", KNOWN["28"]),
    ("no pg_hba.conf entry", KNOWN["28"]),
    ("permission denied", KNOWN["42501"]),
    ("too many clients", KNOWN["53300"]),
    ("remaining connection slots", KNOWN["53300"]),
    ("too many connections", KNOWN["53300"]),
    ("read-only", KNOWN["25006"]),
    ("session is not read-only", KNOWN["25006"]),
    ("server is in hot standby", KNOWN["25006"]),
    (
        "does not support SSL",
        (StoreTrouble.OTHER, False, "`sslmode` asks for TLS, and the server has none; turn `ssl` on there"),
    ),
    (
        "certificate",
        (StoreTrouble.OTHER, False, "its certificate is not trusted; check `sslmode` and `sslrootcert` in `store`"),
    ),
    ('role "', KNOWN["28"]),
    ("does not exist", KNOWN["3D000"]),
    ("starting up", KNOWN["57P"]),
    ("shutting down", KNOWN["57P"]),
    ("could not translate host name", (StoreTrouble.AWAY, True, "there is no host of that name, or nobody to ask for it")),
    ("resolve", (StoreTrouble.AWAY, True, "there is no host of that name, or nobody to ask for it")),
    ("invalid connection option", (StoreTrouble.OTHER, False, "an option in `store` is none of PostgreSQL's")),
    ("invalid", (StoreTrouble.OTHER, False, "an option in `store` has a value that it cannot have")),
)
AWAY: Meaning = (StoreTrouble.AWAY, True, "it cannot be reached; it goes on by itself when it can")
ELSE: Meaning = (
    StoreTrouble.OTHER,
    True,
    "it refused a statement; were its tables changed by hand?",
)


def explained(error: Exception, place: Place) -> StoreError:
    """The error with the database's name, the reason and the remedy, but without the password."""
    kind, again, remedy = _meaning(error)
    words = remedy.format(user=place.user or "the user", database=place.database or "the database")
    return StoreError(f"{place}: {words} ({_said(error, place)})", kind=kind, permanent=not again)


def _meaning(error: Exception) -> Meaning:
    state = getattr(error, "sqlstate", None)
    if state:
        found = next((KNOWN[state[:size]] for size in (5, 3, 2) if state[:size] in KNOWN), None)
        return found or ELSE
    text = str(error)
    for words, meaning in SAID:
        if words in text:
            return meaning
    return AWAY if isinstance(error, OperationalError | InterfaceError) else ELSE


def _said(error: Exception, place: Place) -> str:
    first = str(error).strip().splitlines()
    return place.without_secrets(first[0] if first else type(error).__name__)
