"""What the body of every fact has."""

from typing import ClassVar


class Body:
    """A kind, as written in the ledger, and the version of its shape."""

    KIND: ClassVar[str]
    VERSION: ClassVar[int] = 1
