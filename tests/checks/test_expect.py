"""What a check expects of an answer: JSON comparisons, and patterns under a time limit."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.checks.judging.expect import OPENED_AT_MOST, looks_at_body, unmet
from bot.checks.judging.failure import Failure
from bot.config.checks.json_rules import JsonExpectation, parse_expectation

DOCUMENT = {
    "status": "ok",
    "queue": {"depth": 7, "limit": 7.5, "names": ["a", "b"]},
    "data": [{"id": "x", "state": "ok"}, {"id": "y", "state": "bad"}],
    "none": None,
    "on": True,
    "a b": "it's",
}


@pytest.mark.parametrize(
    "text",
    [
        "$.status == 'ok'",
        '$.status == "ok"',
        "  $.status=='ok'  ",
        "$.status != 'down'",
        "$['a b'] == 'it\\'s'",
        "$.queue.depth < 100",
        "$.queue.depth >= 7",
        "$.queue.depth <= 7.0",
        "$.queue.limit > 7",
        "$.queue.depth == 7.0",
        "$.status < 'p'",
        "$.none == null",
        "$.none exists",
        "$.on == true",
        "$.on != 1",
        "len($.queue.names) == 2",
        "len($.data) >= 1",
        "len( $.status ) == 2",
        "len($.data[*]) == 2",
        "$.data[?@.id == 'x'].state == 'ok'",
        "$.data[?@.state != 'bad'] exists",
        "$.data[*].id != 'z'",
        "$..state exists",
    ],
)
def test_comparison_is_met_when_the_document_matches(text: str) -> None:
    """Paths of RFC 9535, lengths, and values in JSON or RFC 9535 notation."""
    assert None is parse_expectation(text).unmet(DOCUMENT)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("$.status == 'down'", '"ok"'),
        ("$.status != 'ok'", '"ok"'),
        ("$.nothing exists", "nothing there"),
        ("$.nothing == null", "nothing there"),
        ("$.nothing != 'x'", "nothing there"),
        ("$.queue.depth > 100", "7"),
        ("$.queue.depth > 'a'", "7"),
        ("$.status > 5", '"ok"'),
        ("$.on == 1", "true"),
        ("$.on > 0", "true"),
        ("$.queue == 'x'", '{"depth": 7, "limit": 7.5, "names": ["a", "b"]}'),
        ("$.data[*].state == 'ok'", '"bad"'),
        ("len($.data) == 3", "2"),
        ("len($.queue.depth) == 1", "null"),
        ("len($.nothing) == 0", "null"),
        ("len($.nothing[*]) > 0", "0"),
    ],
)
def test_unmet_comparison_reports_the_found_value(text: str, found: str) -> None:
    """A path without a value is unmet, types are not mixed, and every value found by the path must match."""
    assert found == parse_expectation(text).unmet(DOCUMENT)


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("", "write it as"),
        ("$.status", "write it as"),
        ("status == 'ok'", "a path starts with $"),
        ("$.status == ok", "put texts in single quotes"),
        ("$.status = 'ok'", "write it as"),
        ("$.status == ", "put texts in single quotes"),
        ("$.data == [1]", "compare the parts one by one"),
        ("$.on > true", "write == or !="),
        ("$.a[ == 1", "write it as"),
        ("$.a..[x] == 1", "is not a JSON path"),
        ("$.a && $.b == 1", "is not a JSON path"),
        ("len($.a) == 'x'", "whole number"),
        ("len($.a) == true", "whole number"),
        ("len($.a) exists", "compare it with a number"),
        ("$.a == NaN", "is not a value"),
        ("$.a == -Infinity", "is not a value"),
        ("$[?match(@.a, 'x')] exists", "is not a JSON path"),
        ("$..[?@..x == 1] exists", "once at most"),
        ("$" + "[0]" * 300 + " exists", "at most 500 characters"),
        ("$" + "[?@" * 150 + " exists", "JSON path"),
    ],
)
def test_invalid_comparison_is_refused(text: str, remedy: str) -> None:
    """The error shows the syntax; regex functions have no time limit and are not supported."""
    with pytest.raises(ValueError) as refused:
        parse_expectation(text)
    assert remedy in str(refused.value)


def test_hostile_document_is_compared_quickly() -> None:
    """Deep nesting fails the check, not the process, and the value shown is short."""
    deep: Any = "x"
    for _ in range(5000):
        deep = {"a": deep}
    assert "the path cannot be followed in this answer" == parse_expectation("$..b exists").unmet(deep)
    assert 100 == len(parse_expectation("$.a == 1").unmet({"a": "y" * 10_000}) or "")


@dataclass(frozen=True)
class Wanted:
    header: Mapping[str, str] = field(default_factory=dict)
    contains: str | None = None
    excludes: str | None = None
    matches: str | None = None
    json: tuple[JsonExpectation, ...] = ()


def wanted(*rules: str, **others: Any) -> Wanted:
    return Wanted(json=tuple(parse_expectation(rule) for rule in rules), **others)


async def met(expected: Wanted, body: bytes | str, whole: bool = True, **headers: str) -> Failure | None:
    said = body.encode() if isinstance(body, str) else body
    return await unmet(expected, {name.replace("_", "-"): value for name, value in headers.items()}, said, whole=whole)


async def test_first_unmet_expectation_is_reported() -> None:
    """Headers come before text, text before JSON; the found value goes to the evidence."""
    expected = wanted("$.a == 1", header={"X-Zone": "^eu"}, contains="a")
    assert Failure("header_mismatch", "there is no X-Zone") == await met(expected, '{"a": 2}')
    assert Failure("header_mismatch", "X-Zone", "X-Zone: us") == await met(expected, '{"a": 2}', x_zone="us")
    assert Failure("body_mismatch") == await met(expected, '{"b": 2}', x_zone="eu")
    assert Failure("json_mismatch", "$.a == 1", "2") == await met(expected, '{"a": 2}', x_zone="eu")
    assert None is await met(expected, '{"a": 1}', x_zone="eu")


@pytest.mark.parametrize(
    ("expected", "error"),
    [
        (Wanted(contains="zzz"), "too_large"),
        (Wanted(matches="z+"), "too_large"),
        (Wanted(excludes="zzz"), None),
        (Wanted(excludes="aaa"), "body_mismatch"),
        (wanted("$.a exists"), "too_large"),
    ],
)
async def test_truncated_body_is_inconclusive(expected: Wanted, error: str | None) -> None:
    """The unread part is not held against the provider; the part that was read is."""
    failure = await met(expected, "aaaa", whole=False)
    assert error == (failure.error if failure else None)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("grüß", "text/plain"),
        ("grüß".encode("latin-1"), "text/plain; charset=ISO-8859-1"),
        ("grüß".encode("utf-16"), 'text/plain; charset="utf-16"'),
        ("grüß", "text/plain; charset=klingon"),
        ("grüß", "text/plain; charset=rot13"),
        ("grüß", "text/plain; charset=\0"),
        ("grüß", "text/plain; charset=punycode"),  # Python knows these, the web does not, and a mebibyte takes minutes
        ("grüß", "text/plain; charset=unicode_escape"),
        (b"gr\xc3\xbc\xc3\x9f\xff", "text/plain; charset=utf-8"),
    ],
)
async def test_text_is_decoded_with_its_charset(body: bytes | str, content_type: str) -> None:
    """An unknown charset is read as UTF-8, and an invalid byte does not lose the text."""
    assert None is await met(Wanted(contains="grüß"), body, content_type=content_type)


async def test_codec_known_only_to_python_is_not_used() -> None:
    """Punycode takes minutes for a mebibyte, and no web page uses it."""
    assert None is await met(Wanted(contains="x-0000"), b"x-0000", content_type="text/plain; charset=punycode")


async def test_json_with_too_many_lists_is_too_large() -> None:
    """Parsing it would block the event loop."""
    expected = Wanted(json=(parse_expectation("len($) >= 1"),))
    most = b"[" + b",".join([b"[]"] * (OPENED_AT_MOST - 1)) + b"]"

    assert None is await met(expected, most)
    found = await met(expected, most[:-1] + b",{}]")
    assert (found is not None, "too_large") == (True, found and found.error)


async def test_slow_pattern_does_not_block_the_loop() -> None:
    """A pattern with exponential backtracking ends within its limit while the loop runs on."""
    loop = asyncio.get_running_loop()
    beats: list[float] = []

    async def beat() -> None:
        while True:
            beats.append(loop.time())
            await asyncio.sleep(0.001)

    heart = asyncio.create_task(beat())
    failure = await met(Wanted(matches="(a+)+$"), "a" * 60_000 + "!")
    heart.cancel()
    assert failure is not None
    assert "pattern_timeout" == failure.error
    assert len(beats) >= 3


async def test_hostile_document_does_not_block_the_loop() -> None:
    """A path over a mebibyte of empty lists takes a second; the loop runs on meanwhile."""
    turns = 0

    async def beat() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.001)

    heart = asyncio.create_task(beat())
    failure = await met(wanted("$..nope == 1"), f"[{'[],' * 60_000}1]")
    assert Failure("json_mismatch", "$..nope == 1", "nothing there") == failure
    heart.cancel()
    assert turns >= 5


@pytest.mark.parametrize("body", ["", "plain", "{", "[" * 100_000, '{"a": "\ud800'.encode("utf-8", "surrogatepass")], ids=repr)
async def test_unreadable_json_has_an_error_class(body: bytes | str) -> None:
    """Any body ends in an error class, never in an exception."""
    assert Failure("not_json") == await met(wanted("$.a exists"), body)


async def test_html_page_is_recognised_when_json_was_expected() -> None:
    """It may be a network's sign-in page, or a provider's error page with a 200."""
    expected = wanted("$.a exists")
    assert Failure("html_instead") == await met(expected, "<!DOCTYPE html><p>sign in")
    assert Failure("html_instead") == await met(expected, "x", content_type="text/html; charset=utf-8")


def test_body_without_expectations_is_not_decoded() -> None:
    """An expected header alone needs no decoding."""
    assert [False, False, True, True] == [
        looks_at_body(Wanted()),
        looks_at_body(Wanted(header={"a": "b"})),
        looks_at_body(Wanted(excludes="x")),
        looks_at_body(wanted("$.a exists")),
    ]


def test_expectations_with_the_same_text_are_equal() -> None:
    """So an unchanged configuration is recognised as unchanged."""
    assert parse_expectation("$.a == 1") == parse_expectation("$.a == 1")
    assert parse_expectation("$.a == 1") != parse_expectation("$.b == 1")
