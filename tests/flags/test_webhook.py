"""What a webhook's receiver gets, to the byte where that matters."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.flags.sinks.webhook import message, sign
from bot.ports.sinks import Target

NOW = datetime(2026, 3, 20, 12, 43, tzinfo=UTC)
VALUES = {"claude": {"model": "a"}, "gpt": {"model": "b"}}


def target(variant: str = "gpt", share_back: int = 0) -> Target:
    return Target("support-chat.llm", variant, share_back, "claude", VALUES, {"phase": "engaged"})


def said(one: Target) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(message(one, NOW))
    return found


def test_signature_is_that_of_the_specification() -> None:
    """The vector of Standard Webhooks 1.0, which its libraries test with."""
    body = b'{"event_type":"ping","data":{"success":true}}'
    found = sign("whsec_plJ3nmyCDGBKInavdOK15jsl", "msg_loFOjxBNrRLzqYUf", 1731705121, body)

    assert "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=" == found


def test_secret_without_the_prefix_is_taken_as_it_is() -> None:
    """Whoever wrote any text gets a signature that they can check with it."""
    assert sign("correct horse", "m", 1, b"x") != sign("correct horsf", "m", 1, b"x")


@pytest.mark.parametrize(
    ("variant", "share_back", "kind", "shares"),
    [
        ("gpt", 0, "flag.engaged", {"gpt": 100}),
        ("gpt", 25, "flag.handing_back", {"gpt": 75, "claude": 25}),
        ("", 0, "flag.released", {"claude": 100}),
    ],
)
def test_message_says_what_everybody_should_get(variant: str, share_back: int, kind: str, shares: dict[str, int]) -> None:
    """A state: whoever missed one message is right again with the next."""
    found = said(target(variant, share_back))

    assert (kind, shares) == (found["type"], found["data"]["shares"])


def test_message_has_the_value_that_services_get() -> None:
    """So that a receiver need not know the configuration."""
    data = said(target())["data"]

    assert ({"model": "b"}, VALUES, "support-chat.llm") == (data["value"], data["values"], data["flag"])
