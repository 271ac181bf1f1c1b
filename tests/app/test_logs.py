"""Logs are JSON events, and no secret passes through them, however it is wrapped."""

import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from bot.system.logs import configure_logs
from bot.system.redaction import HIDDEN, Redactor

SECRET = st.text(st.characters(codec="utf-8", exclude_characters="[]"), min_size=6, max_size=30).filter(
    lambda text: text not in HIDDEN and text.strip() == text
)
WORDS = st.text(max_size=20)


def wrapped(secret: str) -> st.SearchStrategy[Any]:
    """The secret somewhere in a value as programs log it: in strings, keys, lists, objects and exceptions."""
    text = st.tuples(WORDS, WORDS).map(lambda around: f"{around[0]}{secret}{around[1]}")
    leaf = st.one_of(text, st.none(), st.integers(), st.booleans(), text.map(ValueError), text.map(Stranger))
    return st.recursive(
        leaf,
        lambda inner: st.lists(inner, max_size=3) | st.tuples(inner) | st.dictionaries(text | WORDS, inner, max_size=3),
        max_leaves=8,
    )


class Stranger:
    """An object of an unknown class, whose text appears in a log."""

    def __init__(self, words: str) -> None:
        self.words = words

    def __str__(self) -> str:
        return f"<Stranger {self.words}>"


def flat(value: Any) -> Iterator[str]:
    """Every string in a cleaned value."""
    if isinstance(value, dict):
        for key, entry in value.items():
            yield from flat(key)
            yield from flat(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from flat(entry)
    elif isinstance(value, str):
        yield value


@given(st.data(), SECRET)
def test_known_secret_is_removed_everywhere(data: st.DataObject, secret: str) -> None:
    """From keys, values, exceptions and objects at any depth."""
    cleaned = Redactor([secret])(None, "info", {"event": "x", "value": data.draw(wrapped(secret))})

    assert [] == [text for text in flat(cleaned) if secret in text]
    json.dumps(cleaned)


@given(st.lists(SECRET, min_size=2, max_size=4, unique=True), WORDS)
def test_longer_secret_is_removed_first(secrets: list[str], words: str) -> None:
    """A URL that contains another secret, its password, leaves nothing behind."""
    long = "".join(secrets)
    cleaned = Redactor([*secrets, long]).text(f"{words} {long}")

    assert long not in cleaned
    assert cleaned.startswith(Redactor(secrets).text(f"{words} ")) or HIDDEN in cleaned


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60), st.lists(SECRET, max_size=2))
def test_cleaning_twice_changes_nothing_more(text: str, secrets: list[str]) -> None:
    """The marks of removed secrets stay, and so does the rest."""
    redact = Redactor(secrets)
    once = redact.text(text)

    assert once == redact.text(once) or any(secret in HIDDEN + once for secret in secrets)


@pytest.mark.parametrize(
    "token",
    [
        "xoxb-1234567890-abcdef", "xoxp-1-2-3", "xoxc-12345-browser", "xoxe.xoxb-1-abcdef", "xapp-1-A1-222-abc",
        "sk-ant-api03-abcdefgh", "sk-proj-12345678", "Bearer abcdefgh12345", "bearer   eyJhbGciOi.J9.x-y_z==",
    ],
)  # fmt: skip
def test_unknown_token_is_recognised_by_its_form(token: str) -> None:
    """A person pasted it, or a vendor sent it."""
    cleaned = Redactor([]).text(f"they sent {token}, and more")

    assert f"they sent {HIDDEN}, and more" == cleaned


def test_login_in_a_url_is_removed() -> None:
    """Proxies and pagers have passwords in their URLs."""
    assert f"via http://{HIDDEN}@proxy:3128/x" == Redactor([]).text("via http://ana:pass@proxy:3128/x")
    assert f"redis://{HIDDEN}@cache" == Redactor([]).text("redis://:onlypass@cache")


@pytest.mark.parametrize(
    "text",
    [
        "a disk-full-error on task-runner-7", "risk-assessment pending", "http://127.0.0.1:8080/ofrep/v1", "ana@example.com",
        "the bearer of news", "xoxo-love", "INC-1 is SEV2 since 12:40 UTC",
    ],
)  # fmt: skip
def test_ordinary_words_stay(text: str) -> None:
    """People must be able to read what went wrong."""
    assert text == Redactor([]).text(text)


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Logs as the bot has them; the process's own settings are restored afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logs(["canary-1234"], stream=stream)
    yield stream
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def test_every_log_line_is_one_clean_event(logged: io.StringIO) -> None:
    """Ours and those of libraries, with arguments and with tracebacks."""
    structlog.get_logger("ours").info("canary-1234 in the event", key="canary-1234", deep={"canary-1234": ["canary-1234"]})
    logging.getLogger("theirs").warning("a %s of %r", "canary-1234", {"k": "canary-1234"})
    try:
        raise ValueError("canary-1234 in an exception")
    except ValueError:
        structlog.get_logger("ours").exception("it failed")
        logging.getLogger("theirs").exception("it failed there")
        logging.getLogger("theirs").error("the same", exc_info=sys.exc_info(), stack_info=True)
    lines = [json.loads(line) for line in logged.getvalue().splitlines()]

    assert 5 == len(lines)
    assert "canary-1234" not in logged.getvalue()
    assert all({"event", "level", "logger", "timestamp"} <= line.keys() for line in lines)
    assert 3 == sum("Traceback" in json.dumps(line) for line in lines)


def test_noisy_libraries_log_only_warnings(logged: io.StringIO) -> None:
    """Their INFO lines contain addresses and nothing that operators need; at level ERROR, errors only."""
    logging.getLogger("httpx").info("HTTP Request: GET https://example.com")
    logging.getLogger("httpx").warning("something")
    configure_logs([], level="ERROR", stream=logged)
    logging.getLogger("httpx").warning("too little")

    assert ["something"] == [json.loads(line)["event"] for line in logged.getvalue().splitlines()]
