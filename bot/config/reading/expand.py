"""Expands `${VAR}`, `${VAR:-default}` and `${file:/path}` inside strings, and drops what became empty."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path as File

from bot.config.reading.errors import Report
from bot.config.reading.files import NotRegularError, read_regular
from bot.config.reading.tree import Entry, Map, Mark, Node, Path, Scalar, Seq

_EXPRESSION = re.compile(r"\$\$\{|\$\{([^}]*)\}|\$\{")
_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)
_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASS|CREDENTIAL|AUTH|DSN|WEBHOOK", re.IGNORECASE)
_MAX_FILE = 65_536

_OPAQUE = (("flags", "*", "variants"), ("providers", "*", "components", "*", "checks", "*", "json"))  # values kept as written
_KEYED = (
    ("providers", "*"),
    ("providers", "*", "components", "*"),
    ("flags", "*"),
    ("runbooks", "*"),
)  # empty = all defaults


@dataclass
class Expansion:
    """One pass over a tree. `lenient` lists root sections in which a missing variable counts as empty, with a warning."""

    environ: Mapping[str, str]
    report: Report
    lenient: tuple[str, ...] = ()
    secrets: set[str] = field(default_factory=set)  # contents of files, and of variables named like secrets

    def run(self, node: Node, path: Path = ()) -> Node:
        """The tree with everything expanded; empty list items and keys without a value are dropped."""
        match node:
            case Scalar(str()):
                return self._scalar(node, path)
            case Seq(items, mark):
                expanded = [self.run(item, (*path, index)) for index, item in enumerate(items)]
                self._refuse_empty(items, expanded, path)
                return Seq(tuple(item for item in expanded if _opaque(path) or not _is_empty(item)), mark)
            case Map(entries, mark):
                found = [Entry(one.key, one.mark, self.run(one.value, (*path, one.key))) for one in entries]
                return Map(tuple(one for entry in found if (one := _keep(entry, path)) is not None), mark)
            case _:
                return node

    def _refuse_empty(self, written: tuple[Node, ...], expanded: list[Node], path: Path) -> None:
        """A token that became empty by mistake is an error; `${VAR:-}` says that it may be empty."""
        if path not in (("server", "control_tokens"), ("server", "outcome_tokens")):
            return
        for index, (before, after) in enumerate(zip(written, expanded, strict=True)):
            optional = isinstance(before, Scalar) and ":-}" in str(before.value)
            if _is_empty(after) and not optional:
                remedy = "give it a value, or write ${VAR:-} where there may be none"
                self.report.error(before.mark, (*path, index), "the token is empty", remedy)

    def _scalar(self, node: Scalar, path: Path) -> Scalar:
        text = str(node.value)
        if "${" not in text:
            return node
        variables: list[str] = []
        broken = False
        parts: list[str] = []
        end = 0
        for match in _EXPRESSION.finditer(text):
            parts.append(text[end : match.start()])
            end = match.end()
            if match[0] == "$${":
                parts.append("${")
                continue
            value = self._value(match[1], node.mark, path, variables)
            broken = broken or value is None
            parts.append(value or "")
        parts.append(text[end:])
        return replace(node, value="" if broken else "".join(parts), variables=tuple(variables), broken=broken)

    def _value(self, expression: str | None, mark: Mark, path: Path, variables: list[str]) -> str | None:
        if expression is None:
            self.report.error(mark, path, "${ is not closed", "add the }, or write $${ for the two characters themselves")
            return None
        if expression.startswith("file:"):
            variables.append(expression)
            return self._file(expression.removeprefix("file:"), mark, path)
        match = _NAME.fullmatch(expression)
        if match is None:
            remedy = "write ${VAR}, ${VAR:-default} or ${file:/path}; $${ stands for the two characters themselves"
            self.report.error(mark, path, "the expression in ${ } is not understood", remedy)
            return None
        name, default = match[1], match[2]
        variables.append(name)
        value = self.environ.get(name)
        if value is not None and _SECRET_NAME.search(name):
            self.secrets.add(value.strip())
        if default is not None:
            return value or default
        if value is not None:
            return value
        remedy = f"set {name} where the bot runs, or write a default: ${{{name}:-...}}"
        return self._missing(mark, path, f"the environment variable {name} is not set", remedy)

    def _file(self, name: str, mark: Mark, path: Path) -> str | None:
        try:
            data = read_regular(File(name), _MAX_FILE + 1)
            text = data.decode("utf-8").rstrip("\r\n")
        except NotRegularError:
            self.report.error(mark, path, f"{name} is not a regular file", "name a file: a pipe or a device may never end")
            return None
        except OSError as error:
            reason = error.strerror or type(error).__name__
            return self._missing(mark, path, f"the file {name} cannot be read: {reason}", "make it readable for the bot")
        except ValueError:
            self.report.error(mark, path, "${file:} does not name a file of UTF-8 text", "give the path of a text file")
            return None
        if len(data) > _MAX_FILE:
            self.report.error(mark, path, f"the file {name} is too large", f"at most {_MAX_FILE} bytes")
            return None
        self.secrets.add(text.strip())
        return text

    def _missing(self, mark: Mark, path: Path, message: str, remedy: str) -> str | None:
        if path and path[0] in self.lenient:
            self.report.warn(mark, path, f"{message}; it is taken as empty")
            return ""
        self.report.error(mark, path, message, remedy)
        return None


def _matches(pattern: tuple[str, ...], path: Path) -> bool:
    return len(pattern) == len(path) and all(want in ("*", part) for want, part in zip(pattern, path, strict=True))


def _opaque(path: Path) -> bool:
    return any(_matches(pattern, path[: len(pattern)]) for pattern in _OPAQUE)


def _is_empty(node: Node) -> bool:
    return isinstance(node, Scalar) and not node.broken and (node.value is None or str(node.value).strip() == "")


def _keep(entry: Entry, parent: Path) -> Entry | None:
    path = (*parent, entry.key)
    if not isinstance(entry.value, Scalar) or entry.value.value is not None or _opaque(parent):
        return entry
    if any(_matches(pattern, path) for pattern in _KEYED):
        return Entry(entry.key, entry.mark, Map((), entry.mark))
    return None
