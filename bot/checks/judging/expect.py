"""What a check expects of an answer's headers, text and JSON, and the first expectation that is not met."""

import asyncio
import codecs
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from bot.checks.judging.answers import is_html
from bot.checks.judging.failure import Failure
from bot.config.checks.json_rules import JsonExpectation

if TYPE_CHECKING:
    import regex  # loaded by the configuration, if it has a pattern

PATTERN_S = 0.05  # the time limit for one pattern on one answer
AT_ONCE_S = 0.003  # slower searches continue in a thread, so that the loop is not blocked
AT_ONCE_BYTES = 16 * 1024  # longer JSON is parsed in a thread for the same reason
OPENED_AT_MOST = 100_000  # lists and objects in one answer: json.loads holds the interpreter, for 200 ms at 350,000
# Python codecs that are not charsets of the web: a mebibyte of Punycode would block the interpreter for minutes.
NO_CHARSETS = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"})


@lru_cache(maxsize=20_000)  # one per check; the library's own cache holds 500
def pattern(text: str) -> "regex.Pattern[str]":
    """A compiled regular expression; raises regex.error."""
    import regex

    return regex.compile(text)


class Expects(Protocol):
    """What an answer with a good status must satisfy. Patterns are searched, not matched as a whole."""

    @property
    def header(self) -> Mapping[str, str]:
        """Patterns by header name."""

    @property
    def contains(self) -> str | None:
        """Text that must occur in the body."""

    @property
    def excludes(self) -> str | None:
        """Text that must not occur in the body."""

    @property
    def matches(self) -> str | None:
        """A pattern that must occur in the body."""

    @property
    def json(self) -> tuple[JsonExpectation, ...]:
        """Comparisons that the body's JSON must satisfy."""


def looks_at_body(expected: Expects) -> bool:
    """Whether anything is expected of the body."""
    return bool(expected.contains or expected.excludes or expected.matches or expected.json)


async def unmet(expected: Expects, headers: Mapping[str, str], body: bytes, *, whole: bool) -> Failure | None:
    """The first expectation that an answer does not meet, headers first. `whole` is False if the body was truncated."""
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
    if expected.json and len(body) > AT_ONCE_BYTES:  # a crafted mebibyte takes seconds
        return await asyncio.to_thread(_unmet_json, expected.json, body)
    if expected.json:
        return _unmet_json(expected.json, body)
    # Forbidden text may follow after the cut; an otherwise good answer gets the benefit of the doubt.
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
    """Whether the pattern occurs; None if that takes too long to find out."""
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
    except (LookupError, ValueError):  # an unknown charset, or a codec that is not one
        return body.decode("utf-8", "replace")
