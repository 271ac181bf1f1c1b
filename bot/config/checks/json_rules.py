"""Comparisons that an answer's JSON must satisfy, parsed and evaluated: `PATH OPERATOR VALUE`, with an RFC 9535 path.

`$.status == 'ok'`, `$.queue.depth < 100`, `len($.data) >= 1`, `$.region exists`.
"""

import json
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import field
from functools import lru_cache
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from bot.core.lazy_dataclass import dataclass

if TYPE_CHECKING:
    import jsonpath  # loaded only for a path: a start without any need not wait for it

NODES_AT_MOST = 10_000
FOUND_CAP = 100
RULE_CAP = 500

OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = MappingProxyType(
    {
        "==": operator.eq,
        "!=": operator.ne,
        ">=": operator.ge,
        "<=": operator.le,
        ">": operator.gt,
        "<": operator.lt,
    }
)
_EXAMPLE = "write it as $.status == 'ok', $.queue.depth < 100, len($.data) >= 1 or $.region exists"
_PIECES = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|==|!=|>=|<=|.""", re.DOTALL)
_DESCENTS = re.compile(r"""'[^']*'|"[^"]*"|(\.\.)""")
_LEN = re.compile(r"len\s*\((.*)\)", re.DOTALL)
_EXISTS = re.compile(r"(.*\S)\s+exists", re.DOTALL)


@dataclass(frozen=True)
class JsonExpectation:
    """One parsed comparison. `operator` is a key of OPERATORS or `exists`; with `of_length` it compares a length."""

    text: str
    path: "jsonpath.JSONPath" = field(compare=False, repr=False)
    operator: str
    value: Any = None
    of_length: bool = False

    def unmet(self, document: Any) -> str | None:
        """What was found instead (foreign text, short), or None if the comparison holds.

        If the path selects several values, it must hold for each; if it selects none, it does not hold.
        """
        import jsonpath

        try:
            found = [match.obj for match in islice(self.path.finditer(document), NODES_AT_MOST)]
        except (jsonpath.JSONPathError, RecursionError):
            return "the path cannot be followed in this answer"
        if self.of_length:
            found = [_length(found, single=self.path.singular_query())]
        if not found:
            return "nothing there"
        if self.operator == "exists":
            return None
        return next((_shown(value) for value in found if not self._holds(value)), None)

    def _holds(self, value: Any) -> bool:
        alike = _kind(value) == _kind(self.value)
        if self.operator in ("==", "!="):
            return (alike and value == self.value) is (self.operator == "==")
        return alike and _kind(value) in ("number", "text") and OPERATORS[self.operator](value, self.value)


def parse_expectation(text: str) -> JsonExpectation:
    """Parse one comparison. Raises ValueError with what is wrong and how to write it."""
    text = text.strip()
    if len(text) > RULE_CAP:
        raise ValueError(f"a comparison has at most {RULE_CAP} characters")
    left, sign, right = _cut(text)
    exists = _EXISTS.fullmatch(text) if not sign else None
    if exists is None and not sign:
        raise ValueError(f"no comparison: {_EXAMPLE}")
    path_text = (exists[1] if exists else left).strip()
    of_length = _LEN.fullmatch(path_text)
    if exists and of_length:
        raise ValueError("a length always exists: compare it with a number, as in len($.data) >= 1")
    value = None if exists else _value(right.strip())
    if of_length and not (isinstance(value, int) and _kind(value) == "number"):
        raise ValueError("a length is compared with a whole number, as in len($.data) >= 1")
    if sign in (">", "<", ">=", "<=") and _kind(value) not in ("number", "text"):
        raise ValueError(f"{sign} compares numbers or texts; for {right.strip()[:50]} write == or !=")
    plain = of_length[1].strip() if of_length else path_text
    if sum(map(bool, _DESCENTS.findall(plain))) > 1:
        raise ValueError("a path descends with .. once at most: twice takes minutes on a large answer")
    path = _path(plain)
    return JsonExpectation(text, path, "exists" if exists else sign, value, bool(of_length))


def _cut(text: str) -> tuple[str, str, str]:
    """Split into path, operator and value; the operator is the first one outside quotes and brackets."""
    depth = 0
    for piece in _PIECES.finditer(text):
        if piece[0] in "[(":
            depth += 1
        elif piece[0] in "])":
            depth -= 1
        elif depth <= 0 and piece[0] in OPERATORS:
            return text[: piece.start()], piece[0], text[piece.end() :]
    return text, "", ""


def _value(text: str) -> Any:
    if len(text) >= 2 and text[0] == text[-1] == "'":
        # RFC 9535 uses single quotes, JSON double ones.
        text = json.dumps(text[1:-1].replace("\\'", "'").replace("\\\\", "\\"))
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{text[:50]!r} is not a value: put texts in single quotes; {_EXAMPLE}") from error
    if isinstance(value, list | dict):
        raise ValueError("only texts, numbers, true, false and null can be compared with; compare the parts one by one")
    return value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")  # Python accepts NaN and Infinity, the standard does not


def _path(text: str) -> "jsonpath.JSONPath":
    import jsonpath

    if not text.startswith("$"):
        raise ValueError(f"a path starts with $: {_EXAMPLE}")
    try:
        path = _environment().compile(text)
    except jsonpath.JSONPathError as error:
        reason = str(error.args[0]) if error.args else "it cannot be read"
        raise ValueError(f"{text[:100]!r} is not a JSON path ({reason}): {_EXAMPLE}") from error
    if not isinstance(path, jsonpath.JSONPath):
        raise ValueError(f"{text[:100]!r} joins paths: write one comparison for each")
    return path


@lru_cache(maxsize=1)
def _environment() -> "jsonpath.JSONPathEnvironment":
    """RFC 9535 and nothing else; its two pattern-matching functions are left out because they have no time limit."""
    import jsonpath

    environment = jsonpath.JSONPathEnvironment(strict=True)
    for name in ("match", "search"):
        environment.function_extensions.pop(name, None)
    return environment


def _length(found: list[Any], *, single: bool) -> int | None:
    if not single:
        return len(found)
    return len(found[0]) if found and isinstance(found[0], list | dict | str) else None


def _kind(value: Any) -> str:
    match value:
        case bool():
            return "switch"
        case int() | float():
            return "number"
        case str():
            return "text"
    return type(value).__name__


def _shown(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)[:FOUND_CAP]
    except (ValueError, RecursionError):
        return "a value that cannot be shown"
