"""The file as a tree of nodes that know their line and column, through all passes until the models take over."""

from collections.abc import Callable, Iterator
from typing import Any

from bot.core.lazy_dataclass import dataclass

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Mark:
    """A place in the file, counted from 1; line 0 is the file as a whole."""

    line: int
    column: int


@dataclass(frozen=True)
class Scalar:
    """A single value. `variables` names what was expanded into it; `broken` says that an error about it is already noted."""

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
    """One key of a mapping; `mark` is the key's place."""

    key: str
    mark: Mark
    value: "Node"


@dataclass(frozen=True)
class Map:
    """A mapping, its keys in the order of the file and each of them once."""

    entries: tuple[Entry, ...]
    mark: Mark


Node = Scalar | Seq | Map


def show_path(path: Path) -> str:
    """A key path as people read it: `providers.anthropic.components.api.checks[1].every`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def plain(node: Node) -> Any:
    """The tree as dicts, lists and values, without places."""
    match node:
        case Map(entries):
            return {entry.key: plain(entry.value) for entry in entries}
        case Seq(items):
            return [plain(item) for item in items]
        case Scalar(value):
            return value


def entry(node: Node | None, key: str) -> Entry | None:
    """The entry of a mapping under this key, or None when there is none or the node is no mapping."""
    return next((one for one in entries(node) if one.key == key), None)


def child(node: Node | None, *path: str) -> Node | None:
    """The node below this path of keys, or None."""
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
    """The text of a scalar that holds text, or None for everything else and for what is broken."""
    return node.value if isinstance(node, Scalar) and isinstance(node.value, str) and not node.broken else None


def walk(node: Node, path: Path = ()) -> Iterator[tuple[Path, Node]]:
    """Every node of the tree with its path, from the root down."""
    yield path, node
    for one in entries(node):
        yield from walk(one.value, (*path, one.key))
    for index, item in enumerate(items(node)):
        yield from walk(item, (*path, index))


def put(node: Map, key: str, value: Node) -> Map:
    """The same mapping with this key set, at the place of its value."""
    return Map((*(one for one in node.entries if one.key != key), Entry(key, value.mark, value)), node.mark)


def with_values(node: Node, new: Callable[[Entry], Node]) -> Node:
    """The same mapping with every value made anew from its entry; a node that is no mapping stays as it is."""
    if not isinstance(node, Map):
        return node
    return Map(tuple(Entry(one.key, one.mark, new(one)) for one in node.entries), node.mark)
