"""YAML with the position of every value, so that errors can name file, line and key."""

import math
from collections.abc import Mapping
from typing import Any

import yaml

from bot.core.lazy_dataclass import dataclass
from bot.sandbox.vendor.scenario import ScenarioError


@dataclass(frozen=True)
class Part:
    """A value of the file with its position."""

    value: Any
    path: str
    file: str
    lines: Mapping[str, int]

    def wrong(self, what: str, remedy: str) -> ScenarioError:
        """The error that names this position."""
        return ScenarioError(f"{self.file}:{self.lines.get(self.path, 1)}: {self.path or 'the file'} {what}; {remedy}")

    def part(self, key: str) -> "Part":
        """The value of a required key."""
        if key not in self.mapping():
            raise self.wrong(f"has no `{key}`", f"add `{key}:`")
        return self._at(key, self.value[key])

    def parts(self) -> list[tuple[str, "Part"]]:
        """Every key with its value."""
        return [(key, self._at(key, value)) for key, value in self.mapping().items()]

    def rows(self) -> list["Part"]:
        """The entries of a list."""
        if not isinstance(self.value, list):
            raise self.wrong("is not a list", "write its entries with dashes")
        return [self._at(str(index), value) for index, value in enumerate(self.value)]

    def only(self, *keys: str) -> None:
        """Refuse keys that nothing reads."""
        for key in self.mapping():
            if key not in keys:
                raise self._at(key, None).wrong("is not a known key", f"use {', '.join(keys)}")

    def mapping(self) -> dict[str, Any]:
        """The value, which must be a mapping."""
        if not isinstance(self.value, dict):
            raise self.wrong("is not a mapping", "write `key: value` lines under it")
        return self.value

    def text(self) -> str:
        """The value, which must be a non-empty text."""
        if isinstance(self.value, bool) or not isinstance(self.value, str | int | float) or not str(self.value).strip():
            raise self.wrong("is not a text", "write one, in quotes if need be")
        return str(self.value)

    def number(self, *, above: float | None = None, up_to: float | None = None) -> float:
        """The value, which must be a number within bounds."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float) or not math.isfinite(self.value):
            raise self.wrong(f"is {self.value!r}, not a number", "write minutes as a number, such as 45 or 0.5")
        if (above is not None and self.value <= above) or (up_to is not None and self.value > up_to) or self.value < 0:
            bounds = " and ".join(
                words
                for words in (
                    f"above {above:g}" if above is not None else "not below 0",
                    f"at most {up_to:g}" if up_to is not None else "",
                )
                if words
            )
            raise self.wrong(f"is {self.value:g}", f"it must be {bounds}")
        return float(self.value)

    def one_of(self, known: tuple[str, ...]) -> str:
        """The value, which must be one of these."""
        if self.text() not in known:
            raise self.wrong(f"is {self.value!r}", f"choose one of {', '.join(known)}")
        return self.text()

    def _at(self, key: str, value: Any) -> "Part":
        return Part(value, f"{self.path}.{key}" if self.path else key, self.file, self.lines)


def compose(text: str, file: str) -> Part:
    """The file's mapping; ScenarioError for invalid YAML, aliases and duplicate keys."""
    lines: dict[str, int] = {}
    try:
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)):
            raise ScenarioError(f"{file}: uses a YAML alias (*name); write the value out")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if not isinstance(node, yaml.MappingNode):
            raise ScenarioError(f"{file}:1: the file is not a mapping; it needs name, title, minutes, providers and events")
        return Part(_plain(node, "", lines, file), "", file, lines)
    except (yaml.YAMLError, ValueError) as exc:  # a ValueError comes from an invalid date
        mark = getattr(exc, "problem_mark", None)
        where = f"{file}:{mark.line + 1}" if mark else file
        raise ScenarioError(f"{where}: not YAML ({getattr(exc, 'problem', exc)}); check indentation and quotes") from exc


def _plain(node: yaml.Node, path: str, lines: dict[str, int], file: str) -> Any:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            here = f"{path}.{key}" if path else key
            lines[here] = key_node.start_mark.line + 1
            if key in found:
                raise ScenarioError(f"{file}:{lines[here]}: {here} is there twice; keep one")
            found[key] = _plain(value_node, here, lines, file)
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, f"{path}.{index}", lines, file) for index, item in enumerate(node.value)]
    return yaml.SafeLoader("").construct_object(node)
