"""What a sample shows of an answer: short, harmless, and without the secrets of our own request."""

import html
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from urllib.parse import quote

import httpx

from bot.checks.judging.failure import Failure
from bot.core.model import Fault
from bot.system.redaction import HIDDEN

BODY_CAP = 64 * 1024
EXCERPT_CAP = 200
VERBATIM_CAP = 600  # if nobody knows how to interpret it
SAID_CAP = 200
REQUEST_ID_CAP = 100
# Seconds or a date (RFC 9110, 10.2.3); nothing else is kept, since other text would be truncated in the middle.
RETRY_AFTER = re.compile(r"[0-9]{1,10}|[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT")
LOCATION_CAP = 200
SECRET_AT_LEAST = 6  # shorter values would blank out ordinary words
REQUEST_IDS = ("request-id", "x-request-id", "apim-request-id", "x-amzn-requestid", "cf-ray")
PLAIN_HEADERS = frozenset(
    {"accept", "accept-encoding", "anthropic-version", "connection", "content-type", "host", "user-agent"}
)


def evidence_of(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    secrets: tuple[str, ...],
    *,
    failed: bool,
    failure: Failure | None = None,
) -> dict[str, str]:
    """`status`, `request_id` and `retry_after` if the answer has them, and an `excerpt` of a failed answer's body.

    With the `failure`, what the provider `said` is included, and an unknown error is kept at greater length.
    """
    evidence = {"status": str(status)}
    for name in REQUEST_IDS:
        if name in headers:
            evidence["request_id"] = clean(headers[name], secrets)[:REQUEST_ID_CAP]
            break
    if not failed:
        return evidence
    if "retry-after" in headers:
        evidence["retry_after"] = headers["retry-after"] if RETRY_AFTER.fullmatch(headers["retry-after"]) else "unreadable"
    if 300 <= status < 400 and "location" in headers:
        evidence["location"] = clean(headers["location"], secrets)[:LOCATION_CAP]
    if failure is not None and failure.said:
        evidence["said"] = clean(failure.said, secrets)[:SAID_CAP]
    # Clean before cutting, so that the cut cannot leave half a secret behind.
    cap = VERBATIM_CAP if failure is not None and failure.fault is Fault.UNCLEAR else EXCERPT_CAP
    excerpt = clean(body.decode("utf-8", "replace"), secrets)[:cap]
    if excerpt:
        evidence["excerpt"] = excerpt
    return evidence


def secrets_of(url: str, headers: Mapping[str, str], *more: str) -> tuple[str, ...]:
    """What must not appear in evidence: values of request headers and of the query, longest first.

    Whole and word by word, and in forms in which servers echo them: lower case, escaped for a URL, JSON or HTML.
    """
    values = [value for name, value in headers.items() if name.lower() not in PLAIN_HEADERS]
    parsed = httpx.URL(url)
    values += [value for _, value in parsed.params.multi_items()] + [parsed.password, *more]
    values += [part.partition("=")[2] for part in parsed.query.decode("ascii").split("&")]
    parts = {part for value in values for part in (value, *value.split()) if len(part) >= SECRET_AT_LEAST}
    written = {form for part in parts for form in _forms(part)}
    return tuple(sorted(written, key=lambda part: (-len(part), part)))


def those_in(known: Iterable[str], url: str, body: bytes | None) -> tuple[str, ...]:
    """Those of all known secrets that a request carries in its path or body."""
    sent = f"{url}\n{(body or b'').decode('utf-8', 'replace')}"
    return tuple(secret for secret in known if any(form in sent for form in _forms(secret)))


def _forms(secret: str) -> set[str]:
    pieces = {
        secret, quote(secret), quote(secret, safe=""), html.escape(secret), json.dumps(secret)[1:-1], secret.replace("/", "\\/")
    }  # fmt: skip
    return pieces | {piece.lower() for piece in pieces}


def clean(text: str, secrets: tuple[str, ...] = ()) -> str:
    """Foreign text on one line, without control or direction characters, and with echoed secrets blanked out."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    if not (text.isascii() and text.isprintable()):
        text = "".join(" " if unicodedata.category(char)[0] == "C" else char for char in text)
    return " ".join(text.split())
