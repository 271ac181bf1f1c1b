"""Signatures between Understudies: who is trusted, and why the others are not."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.vantage.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, distrust, sign

NOW = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
SECRET, BODY = "shared-between-two", b'{"v": 1}'


def judged(*, secret: str = SECRET, body: bytes = BODY, now: datetime = NOW, **changes: str) -> str:
    """Sign at NOW, change some headers on the way, and ask the receiver."""
    sent = {**sign(SECRET, BODY, NOW), **{name.replace("_", "-"): value for name, value in changes.items()}}
    return distrust(secret, sent[TIMESTAMP_HEADER], sent[SIGNATURE_HEADER], body, now)


def test_message_is_trusted_when_it_is_fresh_and_signed() -> None:
    """Both sides share the secret and agree on the time, more or less."""
    assert "" == judged()
    assert "" == judged(now=NOW + timedelta(minutes=5))
    assert "" == judged(now=NOW - timedelta(minutes=5))


def test_signature_is_the_documented_one() -> None:
    """HMAC-SHA256 over `timestamp.body`: whoever writes a client from the docs gets the same; worked out with OpenSSL."""
    expected = {
        TIMESTAMP_HEADER: "1774008000",
        SIGNATURE_HEADER: "v1=a2cfc3f1d28a1bf0bdab8d9d303879bd94375f69bc68f0ca3965fabdfb5bce01",
    }
    assert expected == sign(SECRET, BODY, NOW)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"body": BODY + b" "}, "not signed with the secret"),
        ({"secret": "another"}, "not signed with the secret"),
        ({"secret": ""}, "not signed with the secret"),
        ({"x_understudy_timestamp": "1774008001"}, "not signed with the secret"),
        ({"now": NOW + timedelta(minutes=5, seconds=1)}, "more than 5 minutes behind"),
        ({"now": NOW - timedelta(minutes=5, seconds=1)}, "more than 5 minutes ahead"),
        ({"x_understudy_timestamp": ""}, "It is not signed"),
        ({"x_understudy_signature": ""}, "It is not signed"),
        ({"x_understudy_signature": "v1=" + "0" * 64}, "not signed with the secret"),
        ({"x_understudy_signature": "v0=" + "0" * 64}, "not v1="),
        ({"x_understudy_signature": "v1=" + "é" * 64}, "not v1="),
        ({"x_understudy_signature": "v1=" + "0" * 63}, "not v1="),
        ({"x_understudy_signature": "v1=" + "0" * 64 + "\n"}, "not v1="),
        *(({"x_understudy_timestamp": text}, "not a time") for text in ("abc", "-5", "1.5", "9" * 400, "１７７４", "1e9", " ")),
    ],
)  # fmt: skip
def test_message_is_distrusted_with_a_reason(changes: dict[str, object], why: str) -> None:
    """Whatever was changed on the way, the reason says it and nothing is raised."""
    assert why in judged(**changes)  # type: ignore[arg-type] # a table of keyword arguments


def test_nothing_is_signed_with_an_empty_secret() -> None:
    """A peer whose secret is missing is off; signing for it is a mistake of ours."""
    with pytest.raises(ValueError, match="empty secret"):
        sign("", BODY, NOW)
