"""The place of a database, parsed from its address. No sentence or name made here contains the password."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, urlencode

from bot.core.lazy_dataclass import dataclass
from bot.ports import StoreError

SCHEMA = "understudy"  # the default, unless the address says `schema=`
SCHEMES = ("postgresql://", "postgres://")
UNREADABLE = (
    "the address of the database in `store` cannot be read: {why}. It is "
    "postgresql://user:password@host:5432/database, with @ : / ? # and % in user and password written as %40 and so on"
)


@dataclass(frozen=True)
class Place:
    """An address: the part for libpq, and the schema with the tables."""

    options: Mapping[str, str]
    schema: str = SCHEMA

    def __str__(self) -> str:
        """The address for people: hosts, ports and database, and the schema if it is not the default."""
        hosts = self.options.get("host") or self.options.get("hostaddr") or "the local socket"
        ports = self.options.get("port", "").split(",")
        named = [f"[{host}]" if ":" in host else host for host in hosts.split(",")]
        each = [ports[n] if len(ports) > n else ports[0] for n in range(len(named))]
        where = ",".join(f"{host}:{port}" if port else host for host, port in zip(named, each, strict=True))
        schema = "" if self.schema == SCHEMA else f" (schema {self.schema})"
        return f"PostgreSQL at {where}/{self.database}{schema}"

    @property
    def database(self) -> str:
        """The database's name."""
        return self.options.get("dbname") or self.user

    @property
    def user(self) -> str:
        """The user who connects; empty if libpq decides."""
        return self.options.get("user", "")

    def without_secrets(self, text: str) -> str:
        """A text by libpq or the server as one line, without the password."""
        password = self.options.get("password", "")
        for secret in {password, quote(password, safe="")} - {""}:
            text = text.replace(secret, "***")
        return " ".join(text.split())


def is_postgres(address: str) -> bool:
    """Whether an address names a PostgreSQL database."""
    return address.startswith(SCHEMES)


def place_of(address: str) -> Place:
    """Parse an address. Raises StoreError, which never quotes it."""
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    if not is_postgres(address):
        raise StoreError(UNREADABLE.format(why="it does not begin with postgresql://"))
    where, _, asked = address.partition("?")
    query = parse_qsl(asked, keep_blank_values=True)
    schema = next((value for name, value in query if name == "schema"), SCHEMA)
    rest = urlencode([(name, value) for name, value in query if name != "schema"], quote_via=quote)
    try:
        options = {name: str(value) for name, value in conninfo_to_dict(f"{where}?{rest}").items()}
    except ProgrammingError:  # its message may contain parts of the password
        raise StoreError(UNREADABLE.format(why="PostgreSQL's library does not accept it")) from None
    if "@" in options.get("host", "") or not all(part.isdecimal() for part in options.get("port", "0").split(",") if part):
        raise StoreError(UNREADABLE.format(why="its host or port is not valid"))
    if (
        not schema
        or not schema.replace("_", "a").isalnum()
        or not schema.isascii()
        or schema[0].isdigit()
        or schema.lower() != schema
    ):
        raise StoreError(UNREADABLE.format(why="its schema may only have lower-case letters, digits and _"))
    if len(schema) > 63:  # PostgreSQL truncates longer names
        raise StoreError(UNREADABLE.format(why="its schema has more than 63 letters"))
    return Place(options, schema)
