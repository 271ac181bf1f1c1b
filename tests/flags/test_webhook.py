"""What a webhook's receiver gets, byte for byte where that matters."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.flags.sinks.web import Answer, refusal
from bot.flags.sinks.webhook import message, sign
from bot.ports.sinks import SinkError, Target

NOW = datetime(2026, 3, 20, 12, 43, tzinfo=UTC)
VALUES = {"claude": {"model": "a"}, "gpt": {"model": "b"}}


def target(variant: str = "gpt", share_back: int = 0) -> Target:
    return Target("support-chat.llm", variant, share_back, "claude", VALUES, {"phase": "engaged"})


def said(one: Target) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(message(one, NOW))
    return found


def test_signature_matches_the_specification() -> None:
    """The test vector of Standard Webhooks 1.0, which its libraries use."""
    body = b'{"event_type":"ping","data":{"success":true}}'
    found = sign("whsec_plJ3nmyCDGBKInavdOK15jsl", "msg_loFOjxBNrRLzqYUf", 1731705121, body)

    assert "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=" == found


def test_secret_without_the_prefix_is_used_as_text() -> None:
    """Any text yields a signature that its author can verify."""
    assert sign("correct horse", "m", 1, b"x") != sign("correct horsf", "m", 1, b"x")


@pytest.mark.parametrize(
    ("variant", "share_back", "kind", "shares"),
    [
        ("gpt", 0, "flag.engaged", {"gpt": 100}),
        ("gpt", 25, "flag.handing_back", {"gpt": 75, "claude": 25}),
        ("", 0, "flag.released", {"claude": 100}),
    ],
)
def test_message_is_the_whole_state(variant: str, share_back: int, kind: str, shares: dict[str, int]) -> None:
    """A receiver that missed a message is right again with the next."""
    found = said(target(variant, share_back))

    assert (kind, shares) == (found["type"], found["data"]["shares"])


def test_message_has_the_value_for_services() -> None:
    """So the receiver need not know the configuration."""
    data = said(target())["data"]

    assert ({"model": "b"}, VALUES, "support-chat.llm") == (data["value"], data["values"], data["flag"])


def test_message_matches_its_documentation() -> None:
    """Receivers rely on these names: a renamed field would silently switch nothing."""
    assert {
        "type": "flag.handing_back",
        "timestamp": "2026-03-20T12:43:00+00:00",
        "data": {
            "flag": "support-chat.llm", "variant": "gpt", "value": {"model": "b"}, "default": "claude",
            "shares": {"gpt": 75, "claude": 25}, "values": VALUES, "metadata": {"phase": "engaged"},
        },
    } == said(target("gpt", 25))  # fmt: skip


@pytest.mark.parametrize("secret", ["plJ3nmyCDGBKInavdOK15jsl", "whsec_not base64!"])
def test_secret_that_only_looks_like_base64_is_used_as_text(secret: str) -> None:
    """The key is the bytes of the text as written."""
    key = secret.encode()
    expected = base64.b64encode(hmac.new(key, b"m.1.x", hashlib.sha256).digest()).decode()

    assert f"v1,{expected}" == sign(secret, "m", 1, b"x")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html>502</html>", ""), (b'{"message": "no such\\n environment"}', "no such environment"),
        (b'{"details": "quota"}', "quota"), (b'{"code": 7}', '{"code": 7}'), (b"[1]", "[1]"),
        (b"  plain  words ", "plain words"),
        (b"\xff" + b"x" * 300, "�" + "x" * 199), (b"", ""),
    ],
)  # fmt: skip
def test_error_of_a_sink_is_one_short_line(body: bytes, words: str) -> None:
    """Its message if it sends one; a web page is not quoted."""
    assert words == Answer(500, body).words


@pytest.mark.parametrize(("body", "what"), [(b" <html>", "a web page"), (b"oops", "no JSON"), (b"[" * 100_000, "no JSON")])
def test_answer_that_is_not_json_is_reported(body: bytes, what: str) -> None:
    """Mostly the address is wrong, or a proxy answered."""
    with pytest.raises(SinkError, match=f"it answered {what} instead of a list of flags"):
        Answer(200, body).json("a list of flags")


@pytest.mark.parametrize(
    ("status", "permanent"),
    [(400, True), (401, True), (403, True), (404, True), (405, True), (409, True), (410, True), (422, True)]
    + [(status, False) for status in (408, 429, 500, 502, 503, 504)],
)
def test_error_that_needs_a_person_is_permanent(status: int, permanent: bool) -> None:
    """It is reported at once; other errors may be temporary."""
    assert permanent is refusal(Answer(status, b"")).permanent


def test_refused_token_is_reported() -> None:
    """With the sink's own words, if any."""
    assert "HTTP 401: is the token right and allowed to do this?" == str(refusal(Answer(401, b"")))
    assert "HTTP 403: is the token right and allowed to do this: read only" == str(refusal(Answer(403, b"read only")))
