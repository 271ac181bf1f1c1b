"""What the body of every fact has, and the registry that each kind enters by being defined."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from bot.core.codec import decode, encode

BODIES: dict[str, type["Body"]] = {}


class Body:
    """One kind of fact: a frozen dataclass that says the following of itself, and enters `BODIES` by being defined.

    Raises TypeError at definition for a kind that has no name, or one that is taken.
    """

    KIND: ClassVar[str]  # as written in the ledger; it never changes
    VERSION: ClassVar[int] = 1  # of its shape; when that changes it goes up by one and `UPGRADES` learns to lift old rows
    UPGRADES: ClassVar[Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]]] = {}  # version -> its data as of the next one
    ANNOUNCED: ClassVar[bool] = False  # people in the channel are told of it in a line of its own
    BOOKKEEPING: ClassVar[bool] = False  # about our own effects: it makes no new edit of alert and card, or there is no end

    def onto(self, state: Any, fact: Any) -> Any:
        """What the state of its stream is after this fact, where the fact says so itself instead of `folds`."""
        return state

    def __init_subclass__(cls) -> None:
        """Enter the registry."""
        kind = cls.__dict__.get("KIND")
        if not kind:
            raise TypeError(f"{cls.__name__} has no KIND of its own")
        if kind in BODIES:
            raise TypeError(f"{cls.__name__} and {BODIES[kind].__name__} are both called {kind!r}")
        BODIES[kind] = cls


class OfComponent:
    """A fact about one component."""

    component: str


class OfComponents:
    """A fact about any number of components."""

    components: tuple[str, ...]


class OfFlag:
    """A fact about one flag."""

    flag: str


class Reasoned:
    """A fact that says why."""

    reason: str


def encode_body(body: Body) -> dict[str, Any]:
    """The body as JSON-ready data, without kind and version."""
    data: dict[str, Any] = encode(body)
    return data


def decode_body(kind: str, version: int, data: Mapping[str, Any]) -> Body:
    """Rebuild a body of any version ever written; raises ValueError for a kind or version that nobody knows."""
    body = BODIES.get(kind)
    if body is None:
        raise ValueError(f"fact kind {kind!r} is unknown; was this ledger written by a newer Understudy?")
    if version > body.VERSION:
        raise ValueError(f"{kind} version {version} is newer than this Understudy ({body.VERSION}); upgrade it")
    row = dict(data)
    for older in range(version, body.VERSION):
        upgrade = body.UPGRADES.get(older)
        if upgrade is None:
            raise ValueError(f"{kind} version {older} was never written by any Understudy")
        row = upgrade(row)
    return decode(body, row)
