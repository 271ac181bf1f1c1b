"""Trace files: what is read, and what is said of those that cannot be."""

from datetime import UTC, datetime

import pytest

from bot.backtest.traces import TraceError, read_trace
from bot.core.model import Fault, Outcome, Sample

MOMENT = datetime(2026, 3, 20, 12, 40, 30, tzinfo=UTC)
HEAD = "time,check,outcome,latency\n"
NO_OUTCOME = "is not an outcome; write ok, slow, fail, inconclusive or an HTTP status"
NO_TIME = "is not a time; write 2026-03-20T12:40:30Z or seconds since 1970"


def test_csv_and_json_lines_say_the_same() -> None:
    """Columns in any order, times with any offset or in seconds; the looks come in the order of time."""
    csv = (
        "check,time,outcome,latency\n"
        "anthropic.api.models,2026-03-20T13:41:00+01:00,503,40\n"
        "\n"
        "anthropic.api.models,1774010430,ok,812.5\n"
    )
    lines = (
        '{"time": 1774010430, "check": "anthropic.api.models", "outcome": "OK", "latency": 812.5}\r\n'
        '{"time": "2026-03-20T12:41:00Z", "check": "anthropic.api.models", "outcome": 503, "latency": 40}\n'
    )
    good = Sample("anthropic.api.models", "anthropic.api", MOMENT, Outcome.OK, phases_ms={"total": 812.5})

    assert good == read_trace(csv, "t.csv")[0]
    assert read_trace(csv, "t.csv") == read_trace("\ufeff" + lines, "t.jsonl")


@pytest.mark.parametrize(("outcome", "error"), [("503", "http_5xx"), ("404", None), ("fail", None), ("ok", None)])
def test_a_server_error_is_of_that_class(outcome: str, error: str | None) -> None:
    """So that a replay judges it as it would have been live."""
    assert error == read_trace(f"{HEAD}1774010430,shop,{outcome},\n", "t.csv")[0].error


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        ("ok", (Outcome.OK, Fault.NONE, "")),
        ("slow", (Outcome.SLOW, Fault.UNCLEAR, "")),
        ("FAIL", (Outcome.FAIL, Fault.UNCLEAR, "")),
        ("inconclusive", (Outcome.INCONCLUSIVE, Fault.NONE, "")),
        ("204", (Outcome.OK, Fault.NONE, "")),
        ("404", (Outcome.FAIL, Fault.UNCLEAR, "HTTP 404")),
        ("529", (Outcome.FAIL, Fault.THEIRS, "HTTP 529")),
    ],
)
def test_outcomes_are_words_or_statuses(outcome: str, expected: tuple[Outcome, Fault, str]) -> None:
    """The four words, or what an HTTP server answered."""
    (sample,) = read_trace(f"{HEAD}1774010430,shop,{outcome},\n", "t.csv")

    assert expected == (sample.outcome, sample.fault, sample.reason)
    assert ("shop", {}) == (sample.component, dict(sample.phases_ms))


def test_more_columns_tell_more() -> None:
    """Component, error, reason and vantage as they are written, commas and all."""
    text = 'time,check,outcome,component,error,reason,vantage\n1774010430,c,fail,a.b,reset,"cut, early",berlin\n'
    (sample,) = read_trace(text, "t.csv")

    assert ("a.b", "reset", "cut, early", "berlin") == (sample.component, sample.error, sample.reason, sample.vantage)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "t: there is no run in it; write a line for each, after a header time,check,outcome,latency"),
        (HEAD, "t: there is no run in it; write a line for each, after a header time,check,outcome,latency"),
        ("time,check\n1,a\n", "t:1: the header has no column 'outcome'; needed: time, check, outcome"),
        (f"{HEAD}1774010430,a,ok\n", "t:2: 3 cells under a header of 4"),
        (f"{HEAD}1774010430,a,maybe,1\n", f"t:2: 'maybe' {NO_OUTCOME}"),
        (f"{HEAD}1774010430,a,99,1\n", f"t:2: '99' {NO_OUTCOME}"),
        (f"{HEAD}1774010430,a,ok,nan\n", "t:2: 'nan' is not a latency; write milliseconds, at most a day of them"),
        (f"{HEAD}1774010430,a,ok,-1\n", "t:2: '-1' is not a latency; write milliseconds, at most a day of them"),
        (f"{HEAD}1774010430,,ok,1\n", "t:2: the check has no name"),
        (f"{HEAD}yesterday,a,ok,1\n", f"t:2: 'yesterday' {NO_TIME}"),
        (f"{HEAD}1774010430000,a,ok,1\n", f"t:2: '1774010430000' {NO_TIME}"),
        (f"{HEAD}nan,a,ok,1\n", f"t:2: 'nan' {NO_TIME}"),
        (
            f"{HEAD}2026-03-20 12:40:30,a,ok,1\n",
            "t:2: '2026-03-20 12:40:30' has no offset, so it means another moment everywhere; "
            "write 2026-03-20T12:40:30Z or seconds since 1970",
        ),
        ("time,check,outcome,outcome\n1,a,ok,fail\n", "t:1: the header has two columns 'outcome'; keep one of them"),
        ('\n[{"time": 1774010430}]', "t:1: JSON, but one list; write one object a line"),
        (f'{HEAD}1774010430,"a,ok,1\n', "t:2: not CSV (unexpected end of data)"),
        ('{"time": 1, "check": "a"}', "t:1: there is no 'outcome'; needed: time, check, outcome"),
        ('{"time": 1774010430, "check": 7, "outcome": "ok"}', "t:1: check must be text, not 7"),
        (
            '{"time": true, "check": "a", "outcome": "ok"}',
            "t:1: 'True' is not a time; write 2026-03-20T12:40:30Z or seconds since 1970",
        ),
        ('{"time": 1774010430, "check": "a", "outcome": "ok"}\n[1]', "t:2: not an object; write one object a line"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(text: str, expected: str) -> None:
    """File, line, what is wrong, and what to write instead."""
    with pytest.raises(TraceError) as caught:
        read_trace(text, "t")

    assert expected == str(caught.value)


def test_faults_are_those_of_the_class_where_one_is_told() -> None:
    """A key of ours that was refused then is no outage now; a class that nobody knows is as unclear as none."""
    text = "time,check,outcome,error\n1774010430,c,fail,auth\n1774010440,c,fail,overloaded\n1774010450,c,fail,odd\n"

    assert [Fault.OURS_KEY, Fault.THEIRS, Fault.UNCLEAR] == [sample.fault for sample in read_trace(text, "t")]


def test_names_are_inert_however_they_are_written() -> None:
    """Control characters, characters that turn the line round, and halves of characters come to a space."""
    (sample,) = read_trace('{"time": 1774010430, "check": "a\\u001b[31m\\ud800.b\\u202e", "outcome": "ok"}', "t")

    assert "a [31m .b" == sample.check


@pytest.mark.parametrize("text", ["{", "{" * 100_000, '{"time": 1e999, "check": "a", "outcome": "ok"}'])
def test_what_is_no_json_is_one_sentence(text: str) -> None:
    """However odd it is."""
    with pytest.raises(TraceError, match=r"^t:1: "):
        read_trace(text, "t")
