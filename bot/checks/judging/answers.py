"""The error class of a bad answer, from its status, headers and body."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from bot.checks.judging.failure import Failure
from bot.checks.judging.vendor_words import (
    CHALLENGE_HEADERS,
    CHALLENGE_MARKS,
    CHALLENGE_STATUSES,
    PHRASES,
    STATUS_CLASSES,
    STRONG_WORDS,
    WEAK_WORDS,
    by_word,
)
from bot.core.detection.error_classes import ERROR_CLASSES
from bot.core.model import Fault

LOOKED_AT = 16 * 1024  # bytes of a page that are searched for signs of a challenge
WORDS_AT_MOST = 12
DETAILS_AT_MOST = 20
WORD_CAP = 80  # providers' words are at most half this long
MESSAGE_CAP = 2000
VERBATIM_CAP = 600
NO_HEADERS: Mapping[str, str] = {}
_STRONG, _WEAK = by_word(STRONG_WORDS), by_word(WEAK_WORDS)
_RANK = {error: rank for rank, error in enumerate(STRONG_WORDS)}


def classify_status(
    status: int, body: bytes = b"", headers: Mapping[str, str] | None = None, dialect: str | None = None
) -> Failure:
    """The class of an HTTP answer that a check did not expect. `headers` by lower-case name; `dialect` as in `llm` checks.

    Words in the body count first, the status second. A web page instead of data is `challenge` or `html_instead`. Status 5xx
    is never our fault, whatever its body says. A body of unknown shape is kept in `said`.
    """
    headers = headers or NO_HEADERS
    if challenged(status, headers, body):
        return Failure("challenge")
    if 200 <= status < 300 and is_html(headers, body):
        return Failure("html_instead")
    payload = _payload(body)
    words, message = _words(payload, headers), _message(payload)
    said = ", ".join(words)
    error = _strongest(status, words, message, dialect)
    if error is not None:
        return Failure(error, said=said)
    usual = STATUS_CLASSES.get(status)
    if usual is None:
        usual = "http_5xx" if 500 <= status < 600 else "http_unexpected"
    return Failure(usual, said=said)


def classify_error_body(payload: Any, status: int = 200, dialect: str | None = None) -> Failure:
    """The class of an error object without a meaningful status, such as an event in a stream that began with 200.

    `payload` is the parsed object or its bytes. Unknown words give `unexpected_shape`, with all of it in `said`.
    """
    if isinstance(payload, bytes | bytearray | str):
        raw = payload.decode("utf-8", "replace") if isinstance(payload, bytes | bytearray) else payload
        payload = _payload(raw.encode("utf-8", "replace"))
    else:
        raw = ""
    words, message = _words(payload, NO_HEADERS), _message(payload)
    error = _strongest(status, words, message, dialect, any_status=True)
    error = error or next((_WEAK[word] for word in words if word in _WEAK), None) or _by_number(payload)
    if error is None:
        return Failure("unexpected_shape", said=(raw or _verbatim(payload))[:VERBATIM_CAP])
    return Failure(error, said=", ".join(words))


def challenged(status: int, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether a bot protection in front of the provider answered instead of it."""
    if any(headers.get(name, "") in ("challenge", "captcha") for name in CHALLENGE_HEADERS):
        return True
    if status < 400 or status == 404 or not is_html(headers, body):
        return False
    if status in CHALLENGE_STATUSES:
        return True
    start = body[:LOOKED_AT].lower()
    return status in (429, 503) and any(mark in start for mark in CHALLENGE_MARKS)


def is_html(headers: Mapping[str, str], body: bytes) -> bool:
    """Whether this is a web page: by its head, or by its first bytes."""
    if headers.get("content-type", "").lstrip().lower().startswith(("text/html", "application/xhtml")):
        return True
    return body[:64].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<!doctype html", b"<html"))


def _strongest(status: int, words: list[str], message: str, dialect: str | None, any_status: bool = False) -> str | None:
    found = {_STRONG[word] for word in words if word in _STRONG}
    for phrase in PHRASES:
        if phrase.words not in message or (phrase.dialect and dialect not in (None, phrase.dialect)):
            continue
        if any_status or phrase.statuses is None or status in phrase.statuses:
            found.add(phrase.error)
    if status >= 500:
        # In a 5xx page, words about our key or quota are part of the provider's error.
        found = {error for error in found if ERROR_CLASSES[error].fault is Fault.THEIRS}
    return min(found, key=lambda error: _RANK[error], default=None)


def _by_number(payload: Any) -> str | None:
    """The class of a status given as `error.code`, as in Gemini and Azure."""
    error = payload.get("error") if isinstance(payload, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) == 3:
        code = int(code)
    if not isinstance(code, int) or not 400 <= code < 600:
        return None
    return STATUS_CLASSES.get(code) or ("stream_error" if code >= 500 else None)


def _payload(body: bytes) -> Any:
    try:
        payload = json.loads(body) if body[:16].lstrip()[:1] in (b"{", b"[") else None
    except (ValueError, RecursionError):
        return None
    # Gemini's streams without `alt=sse` are arrays, including errors.
    return payload[0] if isinstance(payload, list) and payload else payload


def _words(payload: Any, headers: Mapping[str, str]) -> list[str]:
    """The machine-readable words of an error: normalized, unique, the innermost object's last."""
    raw: list[Any] = [headers.get("x-amzn-errortype", "").partition(":")[0]]
    for source in _objects(payload):
        raw += [source.get(key) for key in ("type", "code", "status", "__type", "reason", "error_code")]
    kept = [_word(word) for word in raw if isinstance(word, str)]
    return [word for word in dict.fromkeys(kept) if word and word not in ("error", "object")][:WORDS_AT_MOST]


def _objects(payload: Any) -> Iterator[dict[str, Any]]:
    if not isinstance(payload, dict):
        return
    yield payload
    error = payload.get("error")
    if not isinstance(error, dict):
        response = payload.get("response")  # OpenAI's Responses: `response.failed` has the error one level down
        error = response.get("error") if isinstance(response, dict) else None
    if not isinstance(error, dict):
        return
    yield error
    details = error.get("details")
    for inner in [error.get("innererror"), *(details[:DETAILS_AT_MOST] if isinstance(details, list) else [details])]:
        if isinstance(inner, dict):
            yield inner


def _word(word: str) -> str:
    return word.strip().rpartition("#")[2].partition(":")[0][:WORD_CAP].lower().removesuffix("exception")


def _message(payload: Any) -> str:
    found: list[Any] = []
    for source in _objects(payload):
        found += [source.get(key) for key in ("message", "Message", "error", "detail")]
    return " ".join(text for text in found if isinstance(text, str))[:MESSAGE_CAP].lower()


def _verbatim(payload: Any) -> str:
    try:
        return json.dumps(payload, ensure_ascii=False, default=repr)
    except (ValueError, RecursionError):
        return ""
