"""YAML text to a tree with lines and columns, by rules without surprises.

Only `true` and `false` (also `True`, `TRUE`) are Booleans, so `off`, `no` and `on` are words. There are no dates, no octal or
sexagesimal numbers, no tags, and no duplicate keys. Anchors, aliases and `<<` work, within limits.
"""

import math
import re
from collections.abc import Iterator
from typing import Any

import yaml

from bot.config.reading.errors import Report
from bot.config.reading.tree import Entry, Map, Mark, Node, Path, Scalar, Seq

MAX_BYTES = 10_000_000  # ten thousand checks are three million
_MAX_NODES = 500_000  # after aliases: a few hundred bytes of nested aliases could grow into gigabytes
_MAX_DEPTH = 40

_NULL = re.compile(r"|~|null|Null|NULL")
_TRUE, _FALSE = {"true", "True", "TRUE"}, {"false", "False", "FALSE"}
_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?")
_SURROGATE = re.compile("[\ud800-\udfff]")

# libyaml if PyYAML has it: twenty thousand checks are read in two seconds instead of ten.
FASTEST: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Stop(Exception):  # noqa: N818 - ends the reading of one file, never leaves this module
    def __init__(self, mark: Mark, message: str, remedy: str) -> None:
        super().__init__(message)
        self.mark, self.message, self.remedy = mark, message, remedy


def parse(text: str, report: Report) -> Node | None:
    """Read one YAML document; None if it is empty or has a syntax error, which is reported.

    A syntax error is reported alone, duplicate keys all together. What libyaml rejects is read again by PyYAML's own parser,
    five times slower, for its better messages.
    """
    try:
        return _read(text, report, FASTEST)
    except (yaml.YAMLError, ValueError, OverflowError):
        return _explained(text, report)


def _read(text: str, report: Report, loader: type[Any]) -> Node | None:
    reader, found = _Reader(text, loader), None
    try:
        found = reader.document()
    except _Stop as stop:
        reader.complaints.append((stop.mark, (), stop.message, stop.remedy))
    for complaint in reader.complaints:
        report.error(*complaint)
    return found


def _explained(text: str, report: Report) -> Node | None:
    try:
        return _read(text, report, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        place = error.problem_mark or error.context_mark
        mark = Mark(place.line + 1, place.column + 1) if place else Mark(1, 1)
        report.error(
            mark, (), f"not valid YAML: {error.problem or error.context}", "look at indentation, colons and quotes here"
        )
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        report.error(Mark(line, 1), (), f"a character that YAML does not take: {error.character!r}", "remove it")
    except (ValueError, OverflowError):
        # PyYAML converts escapes such as "\UFFFFFFFF" without checking that there is such a character.
        report.error(
            Mark(0, 0), (), "not valid YAML: an escape or a directive has an impossible value", "look for \\U and %YAML"
        )
    return None


class _Reader:
    """Builds the tree from PyYAML's events one by one, so that limits apply before anything has grown."""

    def __init__(self, text: str, loader: type[Any]) -> None:
        self._events: Iterator[yaml.Event] = iter(yaml.parse(text, Loader=loader))
        self.complaints: list[tuple[Mark, Path, str, str]] = []
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._nodes = 0

    def document(self) -> Node | None:
        root: Node | None = None
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _Stop(
                        _mark(event), "a second document begins", "keep one document in the file, without a further ---"
                    )
                root = self._node(next(self._events), (), 0)
        return root

    def _node(self, event: yaml.Event, path: Path, depth: int) -> Node:
        mark = _mark(event)
        if depth > _MAX_DEPTH:
            raise _Stop(mark, "nested too deeply", f"at most {_MAX_DEPTH} levels")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        before = self._nodes
        self._count(1, mark)
        tag = getattr(event, "tag", None)
        if tag is not None and tag != "tag:yaml.org,2002:str":
            raise _Stop(mark, f"the tag {tag[:60]} has no meaning here", "remove it")
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            node = Scalar(_value(event, plain_style=event.implicit[0] and tag is None), mark)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._sequence(mark, path, depth)
        else:
            node = self._mapping(mark, path, depth)
        anchor = getattr(event, "anchor", None)
        if anchor:
            self._anchors[anchor] = (node, self._nodes - before)
        return node

    def _alias(self, event: yaml.AliasEvent) -> Node:
        mark = _mark(event)
        if event.anchor not in self._anchors:
            raise _Stop(mark, f"the alias *{event.anchor} has no finished anchor before it", f"put &{event.anchor} further up")
        node, size = self._anchors[event.anchor]
        self._count(size, mark)
        return node

    def _count(self, more: int, mark: Mark) -> None:
        self._nodes += more
        if self._nodes > _MAX_NODES:
            raise _Stop(mark, "the file grows too large once its aliases are followed", f"at most {_MAX_NODES} values")

    def _sequence(self, mark: Mark, path: Path, depth: int) -> Seq:
        found: list[Node] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            found.append(self._node(event, (*path, len(found)), depth + 1))
        return Seq(tuple(found), mark)

    def _mapping(self, mark: Mark, path: Path, depth: int) -> Map:
        found: dict[str, Entry] = {}
        merged: list[Map] = []
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key_mark = _mark(event)
            if not isinstance(event, yaml.ScalarEvent):
                raise _Stop(key_mark, "a key must be a word", "put quotes around a key that begins with [, {, * or &")
            key = _text(event)
            value = self._node(next(self._events), (*path, key), depth + 1)
            if key == "<<" and event.implicit[0]:
                merged += self._merge_sources(value, key_mark)
            elif key in found:
                message = f"the key appears twice, in line {found[key].mark.line} and in line {key_mark.line}"
                self.complaints.append((key_mark, (*path, key), message, "keep one of them, or give one another name"))
            elif key == "":
                self.complaints.append((key_mark, path, "a key is empty", "write a word before the colon"))
            else:
                found[key] = Entry(key, key_mark, value)
        for source in merged:  # own keys win, then earlier sources
            for entry in source.entries:
                found.setdefault(entry.key, entry)
        return Map(tuple(found.values()), mark)

    def _merge_sources(self, value: Node, mark: Mark) -> list[Map]:
        sources = list(value.items) if isinstance(value, Seq) else [value]
        maps = [source for source in sources if isinstance(source, Map)]
        if len(maps) != len(sources):
            raise _Stop(mark, "<< takes a mapping, or a list of mappings", "write it as <<: *anchor")
        return maps


def _mark(event: yaml.Event) -> Mark:
    place = event.start_mark
    return Mark(place.line + 1, place.column + 1) if place else Mark(1, 1)


def _text(event: yaml.ScalarEvent) -> str:
    value = str(event.value)
    if _SURROGATE.search(value):
        raise _Stop(_mark(event), "half of a character (a lone surrogate)", "write the character itself")
    return value


def _value(event: yaml.ScalarEvent, plain_style: bool) -> str | int | float | bool | None:
    value = _text(event)
    if not plain_style:
        return value
    if _NULL.fullmatch(value):
        return None
    if value in _TRUE or value in _FALSE:
        return value in _TRUE
    if _INT.fullmatch(value):
        if len(value) > 19:
            raise _Stop(_mark(event), "the number is too large", "put quotes around it if it is text")
        return int(value)
    if _FLOAT.fullmatch(value):
        number = float(value)
        if math.isinf(number):
            raise _Stop(_mark(event), "the number is too large", "put quotes around it if it is text")
        return number
    return value
