"""Redaction of whole values: tokens that were never configured, check results, and log fields."""

from datetime import UTC, datetime

import pytest

from bot.core.model import Outcome, Sample
from bot.system.redaction import HIDDEN, Redactor
from bot.system.secret_forms import LEAST

SECRET = "correct-horse-battery"
AT = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)

# Assembled at run time, so that scanners for leaked tokens do not report them.
TOKENS = [f"{before}-{'1234567890'}-AbCdEfGh" for before in ("xoxb", "xoxp", "xapp", "sk", "sk-ant")]


def redactor() -> Redactor:
    return Redactor([SECRET])


def sample(reason: str, **evidence: str) -> Sample:
    return Sample("p.c.k", "p.c", AT, Outcome.FAIL, reason=reason, evidence=evidence)


@pytest.mark.parametrize("token", TOKENS)
def test_unknown_token_is_redacted(token: str) -> None:
    """Somebody may paste a token of another app."""
    assert f"it says {HIDDEN} there" == redactor().text(f"it says {token} there")


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("Authorization: Bearer abcdefgh12", f"Authorization: {HIDDEN}"),
        ("bearer abcdefgh12", HIDDEN),
        ("https://ana:hunter22@example.com/x", f"https://{HIDDEN}@example.com/x"),
    ],
)
def test_unknown_login_is_redacted(text: str, redacted: str) -> None:
    """In a header that a vendor echoes, and in a URL."""
    assert redacted == redactor().text(text)


@pytest.mark.parametrize("text", ["a disk-full-error-9", "mail ana@example.com", "the bearer of news", "a foxtrot"])
def test_ordinary_words_that_resemble_tokens_stay(text: str) -> None:
    """People have to read them."""
    assert text == redactor().text(text)


@pytest.mark.parametrize(("length", "hidden"), [(LEAST - 1, False), (LEAST, True)])
def test_very_short_secret_is_not_redacted(length: int, hidden: bool) -> None:
    """A few characters occur in ordinary text by chance, and would black out every second log line."""
    secret = "a1B2c3"[:length]
    assert hidden is (HIDDEN in Redactor([secret]).text(f"it is {secret} here"))


def test_secret_in_the_reason_is_redacted_when_the_evidence_is_known_to_be_clean() -> None:
    """The same evidence was examined with an earlier result."""
    redact = redactor()
    redact.sample(sample("HTTP 500", body="sorry"))

    assert sample(f"HTTP 500: {HIDDEN}", body="sorry") == redact.sample(sample(f"HTTP 500: {SECRET}", body="sorry"))


def test_secret_in_one_piece_of_evidence_is_redacted_when_the_rest_is_known_to_be_clean() -> None:
    """Clean parts do not vouch for a new one."""
    redact = redactor()
    redact.sample(sample("HTTP 500", body="sorry"))
    found = redact.sample(sample("HTTP 500", body="sorry", header=SECRET))

    assert {"body": "sorry", "header": HIDDEN} == found.evidence


def test_result_without_a_secret_is_not_copied() -> None:
    """There are ten thousand of them each half minute."""
    redact, result = redactor(), sample("HTTP 500", body="sorry")
    assert result is redact.sample(result)
    assert result is redact.sample(result)


class Odd:
    """An object of an unknown type as a log field."""

    def __str__(self) -> str:
        return f"odd {SECRET}"


@pytest.mark.parametrize(
    ("value", "redacted"),
    [
        (SECRET, HIDDEN), ([SECRET, 7], [HIDDEN, 7]), ((SECRET,), [HIDDEN]), ({SECRET}, [HIDDEN]),
        (frozenset({SECRET}), [HIDDEN]), ({"at": {SECRET: [SECRET]}}, {"at": {HIDDEN: [HIDDEN]}}), (Odd(), f"odd {HIDDEN}"),
        (None, None), (True, True), (7, 7), (0.5, 0.5),
    ],
)  # fmt: skip
def test_log_field_is_redacted_at_any_depth(value: object, redacted: object) -> None:
    """Numbers and the like keep their type."""
    cleaned = redactor().clean(value)
    assert redacted == cleaned
    assert type(redacted) is type(cleaned)
