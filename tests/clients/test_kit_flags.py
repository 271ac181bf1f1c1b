"""How the Python kit parses the bot's answer, without a network."""

import json
from typing import Any

import pytest
from understudy_client.flags import Flags, NotFlags, bucket, parse

from bot.flags.evaluate import bucket as bucket_of_the_bot
from tests.clients.scripted import flag


def received(*items: Any, **more: Any) -> Flags:
    return parse(json.dumps({"rules": 1, "flags": list(items), **more}))


@pytest.mark.parametrize("reader", ["user-1", "", "ü", "日本", "\ud800", "a:b", "x" * 5_000])
def test_reader_is_in_the_bots_bucket(reader: str) -> None:
    """Another bucket would switch the provider in the middle of a conversation."""
    assert bucket_of_the_bot("chat#1", reader) == bucket("chat#1", reader)


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "null", "<html>", '{"flags": {}}', '{"flags": [7]}', '{"flags": [{"value": 1}]}',
        '{"flags": [{"key": 7, "value": 1}]}', '{"flags": [{"key": "a"}]}', '{"flags": [{"key": "a", "value": null}]}',
        '{"flags": [{"key": "a", "value": NaN}]}', '{"flags": [{"key": "a", "value": 1, "variant": 7}]}',
        '{"flags": [{"key": "a", "value": 1, "metadata": 7}]}', '{"rules": 2, "flags": []}', '{"rules": {}, "flags": []}',
        '{"flags": [{"key": "a", "value": 1, "split": 7}]}', '{"flags": [{"key": "a", "value": 1, "split": {"seed": "s"}}]}',
        '{"flags": [{"key": "a", "value": 1, "split": {"seed": "s", "below": true, "value": 2}}]}',
        '{"flags": [{"key": "a", "value": 1, "split": {"seed": "s", "below": 5}}]}',
        '{"flags": [{"key": "a", "value": 1, "split": {"seed": "s", "below": 5, "value": 2, "by": 7}}]}',
        '{"flags": [{"key": "a", "value": 1, "split": {"seed": "s", "below": 5, "value": 2, "later": 7}}]}',
        '{"flags": [{"key": "a", "value": 1, "split": {"seed": "s", "below": 5, "value": 2, "later": [7]}}]}',
        '{"flags": [{"key": "a", "value": 1, "split": {"seed": "s", "below": 5, "value": 2, "later": [{"since": 1}]}}]}',
        '{"flags": [{"key": "a", "value": 1, "drill": {}}]}', "[" * 100_000, '{"flags": [' + "9" * 5_000 + "]}",
    ],
)  # fmt: skip
def test_malformed_answer_is_refused_as_a_whole(text: str) -> None:
    """Half of an answer would be half an outage."""
    with pytest.raises(NotFlags):
        parse(text)


def test_unknown_fields_are_ignored() -> None:
    """A newer bot may send new fields, other kinds of streams, or metadata of other types."""
    found = received(
        flag(1, colour="red", metadata={"a": 1, "b": None, "c": [1]}),
        eventStreams=[{"type": "carrier-pigeon"}, 7, {"type": "sse", "endpoint": {"requestUri": "/events"}}],
    )
    assert {"a": 1} == found.by_key["chat"].plain.metadata
    assert ["/events"] == [stream.address for stream in found.streams]


def test_flag_that_the_server_could_not_evaluate_keeps_its_last_answer() -> None:
    """An error about a flag is no reason to forget its value."""
    before = received(flag("good"))
    after = parse(json.dumps({"flags": [{"key": "chat", "errorCode": "GENERAL"}]}), before.by_key)
    assert "good" == after.by_key["chat"].plain.value


def test_changing_a_returned_value_does_not_change_the_flag() -> None:
    """The next reader gets the flag's own value."""
    answer = received(flag({"model": "c"})).by_key["chat"].plain
    answer.fresh()["model"] = "mine"
    assert {"model": "c"} == answer.fresh()
