"""What is taken out of whole values: tokens that nobody told us of, results of checks, and what a log line may hold."""

from datetime import UTC, datetime

import pytest

from bot.core.model import Outcome, Sample
from bot.system.redaction import HIDDEN, Redactor
from bot.system.secret_forms import LEAST

SECRET = "correct-horse-battery"
AT = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)

# Made up at run time, so that nobody who looks for leaked tokens finds these.
TOKENS = [f"{before}-{'1234567890'}-AbCdEfGh" for before in ("xoxb", "xoxp", "xapp", "sk", "sk-ant")]


def redactor() -> Redactor:
    return Redactor([SECRET])


def sample(reason: str, **evidence: str) -> Sample:
    return Sample("p.c.k", "p.c", AT, Outcome.FAIL, reason=reason, evidence=evidence)


@pytest.mark.parametrize("token", TOKENS)
def test_a_token_goes_without_being_known(token: str) -> None:
    """Somebody pastes that of another app."""
    assert f"it says {HIDDEN} there" == redactor().text(f"it says {token} there")


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("Authorization: Bearer abcdefgh12", f"Authorization: {HIDDEN}"),
        ("bearer abcdefgh12", HIDDEN),
        ("https://ana:hunter22@example.com/x", f"https://{HIDDEN}@example.com/x"),
    ],
)
def test_a_login_goes_without_being_known(said: str, left: str) -> None:
    """Of a header that a vendor echoes, and of an address."""
    assert left == redactor().text(said)


@pytest.mark.parametrize("words", ["a disk-full-error-9", "mail ana@example.com", "the bearer of news", "a foxtrot"])
def test_what_looks_like_a_token_at_a_glance_stays(words: str) -> None:
    """People have to read it."""
    assert words == redactor().text(words)


@pytest.mark.parametrize(("length", "hidden"), [(LEAST - 1, False), (LEAST, True)])
def test_a_secret_that_stands_in_any_text_by_chance_is_none(length: int, hidden: bool) -> None:
    """Of five characters every second log line would be black."""
    secret = "a1B2c3"[:length]
    assert hidden is (HIDDEN in Redactor([secret]).text(f"it is {secret} here"))


def test_a_secret_in_a_reason_is_hidden_beside_evidence_that_is_known_to_hold_none() -> None:
    """The evidence was looked through with an earlier result."""
    redact = redactor()
    redact.sample(sample("HTTP 500", body="sorry"))

    assert sample(f"HTTP 500: {HIDDEN}", body="sorry") == redact.sample(sample(f"HTTP 500: {SECRET}", body="sorry"))


def test_a_secret_in_one_piece_of_evidence_is_hidden_beside_others() -> None:
    """A reason and a piece that are known to hold none do not vouch for the rest."""
    redact = redactor()
    redact.sample(sample("HTTP 500", body="sorry"))
    found = redact.sample(sample("HTTP 500", body="sorry", header=SECRET))

    assert {"body": "sorry", "header": HIDDEN} == found.evidence


def test_a_result_that_holds_no_secret_is_not_copied() -> None:
    """Ten thousand of them come each half minute."""
    redact, result = redactor(), sample("HTTP 500", body="sorry")
    assert result is redact.sample(result)
    assert result is redact.sample(result)


class Odd:
    """Something that a log line may be given."""

    def __str__(self) -> str:
        return f"odd {SECRET}"


@pytest.mark.parametrize(
    ("value", "left"),
    [
        (SECRET, HIDDEN), ([SECRET, 7], [HIDDEN, 7]), ((SECRET,), [HIDDEN]), ({SECRET}, [HIDDEN]),
        (frozenset({SECRET}), [HIDDEN]), ({"at": {SECRET: [SECRET]}}, {"at": {HIDDEN: [HIDDEN]}}), (Odd(), f"odd {HIDDEN}"),
        (None, None), (True, True), (7, 7), (0.5, 0.5),
    ],
)  # fmt: skip
def test_a_value_of_a_log_line_is_cleaned_however_deep(value: object, left: object) -> None:
    """Numbers and the like stay what they are."""
    cleaned = redactor().clean(value)
    assert left == cleaned
    assert type(left) is type(cleaned)
