"""For whom flags are answered: what a reader's token opens, and by what name its readers are known."""

import hashlib
import hmac
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import NamedTuple

TICKET_CHARS = 32


class Audience(NamedTuple):
    """Whoever reads with one token, or with none: the flags that they may read, by pattern (`support-*`), None = all.

    `ticket` opens the stream of events to a browser, which can send no header with it: it stands in the stream's address,
    comes from the token, and opens nothing else.
    """

    flags: tuple[str, ...] | None = None
    name: str = ""
    ticket: str = ""

    def opens(self, flag: str) -> bool:
        """Whether they may read it."""
        return self.flags is None or any(fnmatchcase(flag, pattern) for pattern in self.flags)

    def reader(self, client: str) -> str:
        """A client's name as it is known: with that of the token before it, where the token has one."""
        return f"{self.name}: {client}" if self.name and client else client


EVERYBODY = Audience()


def audience(token: str, flags: Iterable[str] | None = None, name: str = "") -> Audience:
    """Whoever reads with this token."""
    ticket = hmac.new(token.encode(), b"stream of flag events", hashlib.sha256).hexdigest()[:TICKET_CHARS]
    return Audience(None if flags is None else tuple(flags), name, ticket)
