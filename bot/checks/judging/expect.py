"""What a check expects of an answer's headers, text and JSON, and the first thing that is not so.

JSON comparisons are written as `PATH OPERATOR VALUE`, with an RFC 9535 path: `$.status == 'ok'`, `$.queue.depth < 100`,
`len($.data) >= 1`, `$.region exists`.
"""

import asyncio
import codecs
import json
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from types import MappingProxyType
from typing import Any, Protocol

import jsonpath
import regex

from bot.checks.judging.answers import is_html
from bot.checks.judging.failure import Failure

PATTERN_S = 0.05  # for one pattern on one answer
AT_ONCE_S = 0.003  # what needs longer goes on in a thread, so that the loop does not stand still
AT_ONCE_BYTES = 16 * 1024  # JSON that is longer goes to a thread for the same reason
NODES_AT_MOST = 10_000
OPENED_AT_MOST = 100_000  # lists and objects in one answer; json.loads lets nobody else run, and takes 200 ms for 350,000
# What Python decodes besides charsets of the web: a mebibyte of Punycode would hold the interpreter for minutes.
NO_CHARSETS = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"})
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
    """One comparison, parsed. `operator` is a key of OPERATORS or `exists`; with `of_length` a length is compared."""

    text: str
    path: jsonpath.JSONPath = field(compare=False, repr=False)
    operator: str
    value: Any = None
    of_length: bool = False

    def unmet(self, document: Any) -> str | None:
        """What was found in place of what is expected (foreign text, short), or None when it is met.

        Where the path leads to several values, each of them must meet it; where it leads nowhere, it is not met.
        """
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
    """Parse one comparison. ValueError says what is wrong with it and how to write it."""
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


@lru_cache(maxsize=20_000)  # one for each check; the library's own cache holds 500
def pattern(text: str) -> "regex.Pattern[str]":
    """A compiled regular expression; raises regex.error."""
    return regex.compile(text)


class Expects(Protocol):
    """What an answer with a good status must be like. Patterns are searched for, not matched whole."""

    @property
    def header(self) -> Mapping[str, str]:
        """Patterns by name of header."""

    @property
    def contains(self) -> str | None:
        """Text that must occur in the body."""

    @property
    def excludes(self) -> str | None:
        """Text that must not."""

    @property
    def matches(self) -> str | None:
        """Pattern that must occur in the body."""

    @property
    def json(self) -> tuple[JsonExpectation, ...]:
        """Comparisons that the body's JSON must meet."""


def looks_at_body(expected: Expects) -> bool:
    """Whether anything is expected of the body."""
    return bool(expected.contains or expected.excludes or expected.matches or expected.json)


async def unmet(expected: Expects, headers: Mapping[str, str], body: bytes, *, whole: bool) -> Failure | None:
    """The first expectation that an answer does not meet, headers first. `whole` is False where the body was cut."""
    for name, wanted in expected.header.items():
        value = headers.get(name.lower())
        if value is None:
            return Failure("header_mismatch", f"there is no {name}")
        if (found := await _search(wanted, value)) is not True:
            return Failure("pattern_timeout") if found is None else Failure("header_mismatch", name, said=f"{name}: {value}")
    if not looks_at_body(expected):
        return None
    if expected.json and is_html(headers, body):
        return Failure("html_instead")
    missing = await _unmet_text(expected, _text(headers, body))
    if missing is not None:
        behind_the_cut = missing.error == "body_mismatch" and not missing.said and not whole
        return Failure("too_large") if behind_the_cut else missing
    if expected.json and not whole:
        return Failure("too_large")
    if expected.json and len(body) > AT_ONCE_BYTES:  # a mebibyte that is made to hurt takes seconds
        return await asyncio.to_thread(_unmet_json, expected.json, body)
    if expected.json:
        return _unmet_json(expected.json, body)
    # What must not occur can still stand behind the cut; that is not held against an answer that is otherwise as it should be.
    return None


async def _unmet_text(expected: Expects, text: str) -> Failure | None:
    if expected.excludes is not None and expected.excludes in text:
        return Failure("body_mismatch", "it holds text that it should not", said=expected.excludes)
    if expected.contains is not None and expected.contains not in text:
        return Failure("body_mismatch")
    if expected.matches is not None:
        found = await _search(expected.matches, text)
        if found is not True:
            return Failure("pattern_timeout" if found is None else "body_mismatch")
    return None


def _unmet_json(expected: tuple[JsonExpectation, ...], body: bytes) -> Failure | None:
    if body.count(b"[") + body.count(b"{") > OPENED_AT_MOST:
        return Failure("too_large", "it holds more lists and objects than are read")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return Failure("not_json")
    for rule in expected:
        found = rule.unmet(document)
        if found is not None:
            return Failure("json_mismatch", rule.text, said=found)
    return None


async def _search(wanted: str, text: str) -> bool | None:
    """Whether the pattern occurs; None when that cannot be said in time."""
    compiled = pattern(wanted)
    try:
        return compiled.search(text, timeout=AT_ONCE_S) is not None
    except TimeoutError:
        pass  # a slow pattern, or a long text
    try:
        return await asyncio.to_thread(lambda: compiled.search(text, timeout=PATTERN_S, concurrent=True) is not None)
    except TimeoutError:
        return None


def _text(headers: Mapping[str, str], body: bytes) -> str:
    charset = headers.get("content-type", "").lower().partition("charset=")[2].partition(";")[0].strip(" \"'")
    try:
        codec = codecs.lookup(charset or "utf-8").name
        return body.decode("utf-8" if codec in NO_CHARSETS else codec, "replace")
    except (LookupError, ValueError):  # a charset that nobody knows, or one that is no charset
        return body.decode("utf-8", "replace")


def _cut(text: str) -> tuple[str, str, str]:
    """The path, the operator and the value; the operator is the first one outside quotes and brackets."""
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
        # RFC 9535 writes texts in single quotes, JSON in double ones.
        text = json.dumps(text[1:-1].replace("\\'", "'").replace("\\\\", "\\"))
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{text[:50]!r} is not a value: put texts in single quotes; {_EXAMPLE}") from error
    if isinstance(value, list | dict):
        raise ValueError("only texts, numbers, true, false and null can be compared with; compare the parts one by one")
    return value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")  # Python reads NaN and Infinity, the standard does not know them


def _path(text: str) -> jsonpath.JSONPath:
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
def _environment() -> jsonpath.JSONPathEnvironment:
    """RFC 9535 and no more; its two functions that match patterns are left out, because they know no time limit."""
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
