"""For whom flags are answered: what a reader's token gives access to, and under which name its readers are known."""

import hashlib
import hmac
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import NamedTuple

TICKET_CHARS = 32


class Audience(NamedTuple):
    """Readers with one token, or without: the flags that they may read, by pattern (`support-*`), None = all.

    `ticket` gives a browser access to the event stream, where it cannot send a header: it is part of the stream's address,
    derived from the token, and gives access to nothing else.
    """

    flags: tuple[str, ...] | None = None
    name: str = ""
    ticket: str = ""

    def opens(self, flag: str) -> bool:
        """Whether they may read this flag."""
        return self.flags is None or any(fnmatchcase(flag, pattern) for pattern in self.flags)

    def reader(self, client: str) -> str:
        """The client's name, prefixed with the token's name if the token has one."""
        return f"{self.name}: {client}" if self.name and client else client


EVERYBODY = Audience()


def audience(token: str, flags: Iterable[str] | None = None, name: str = "") -> Audience:
    """The readers with this token."""
    ticket = hmac.new(token.encode(), b"stream of flag events", hashlib.sha256).hexdigest()[:TICKET_CHARS]
    return Audience(None if flags is None else tuple(flags), name, ticket)
