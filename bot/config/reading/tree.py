"""The file as a tree of nodes with line and column, used by all passes until validation."""

from collections.abc import Callable, Iterator
from typing import Any

from bot.core.lazy_dataclass import dataclass

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Mark:
    """A position in the file, counted from 1; line 0 is the file as a whole."""

    line: int
    column: int


@dataclass(frozen=True)
class Scalar:
    """A single value. `variables` names the variables expanded in it; `broken` = an error about it was already reported."""

    value: str | int | float | bool | None
    mark: Mark
    variables: tuple[str, ...] = ()
    broken: bool = False


@dataclass(frozen=True)
class Seq:
    """A list."""

    items: "tuple[Node, ...]"
    mark: Mark


@dataclass(frozen=True)
class Entry:
    """One key of a mapping; `mark` is the key's position."""

    key: str
    mark: Mark
    value: "Node"


@dataclass(frozen=True)
class Map:
    """A mapping with unique keys, in the order of the file."""

    entries: tuple[Entry, ...]
    mark: Mark


Node = Scalar | Seq | Map


def show_path(path: Path) -> str:
    """A key path for people: `providers.anthropic.components.api.checks[1].every`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def plain(node: Node) -> Any:
    """The tree as dicts, lists and values, without positions."""
    match node:
        case Map(entries):
            return {entry.key: plain(entry.value) for entry in entries}
        case Seq(items):
            return [plain(item) for item in items]
        case Scalar(value):
            return value


def entry(node: Node | None, key: str) -> Entry | None:
    """The entry of a mapping with this key; None if there is none, or the node is not a mapping."""
    return next((one for one in entries(node) if one.key == key), None)


def child(node: Node | None, *path: str) -> Node | None:
    """The node at this path of keys, or None."""
    for key in path:
        found = entry(node, key)
        node = found.value if found else None
    return node


def entries(node: Node | None) -> tuple[Entry, ...]:
    """The entries of a mapping; none for any other node."""
    return node.entries if isinstance(node, Map) else ()


def items(node: Node | None) -> tuple[Node, ...]:
    """The items of a list; none for any other node."""
    return node.items if isinstance(node, Seq) else ()


def text(node: Node | None) -> str | None:
    """The text of a scalar that holds text; None for anything else, and for a broken one."""
    return node.value if isinstance(node, Scalar) and isinstance(node.value, str) and not node.broken else None


def walk(node: Node, path: Path = ()) -> Iterator[tuple[Path, Node]]:
    """Every node of the tree with its path, parents first."""
    yield path, node
    for one in entries(node):
        yield from walk(one.value, (*path, one.key))
    for index, item in enumerate(items(node)):
        yield from walk(item, (*path, index))


def put(node: Map, key: str, value: Node) -> Map:
    """The same mapping with this key set, at the position of its value."""
    return Map((*(one for one in node.entries if one.key != key), Entry(key, value.mark, value)), node.mark)


def with_values(node: Node, new: Callable[[Entry], Node]) -> Node:
    """The same mapping with every value replaced by `new(entry)`; a node that is not a mapping is returned unchanged."""
    if not isinstance(node, Map):
        return node
    return Map(tuple(Entry(one.key, one.mark, new(one)) for one in node.entries), node.mark)
