"""What a sample shows of an answer: short, inert, and free of what our own request held."""

import unicodedata
from collections.abc import Mapping

import httpx

BODY_CAP = 64 * 1024
EXCERPT_CAP = 200
REQUEST_ID_CAP = 100
RETRY_AFTER_CAP = 40
SECRET_AT_LEAST = 6  # shorter values would blank out ordinary words
REQUEST_IDS = ("request-id", "x-request-id", "apim-request-id", "x-amzn-requestid", "cf-ray")
PLAIN_HEADERS = frozenset(
    {"accept", "accept-encoding", "anthropic-version", "connection", "content-type", "host", "user-agent"}
)


def evidence_of(status: int, headers: httpx.Headers, body: bytes, secrets: tuple[str, ...], *, failed: bool) -> dict[str, str]:
    """`status`, `request_id` and `retry_after` where the answer has them, and an `excerpt` of a failure's body."""
    evidence = {"status": str(status)}
    request_id = next((headers[name] for name in REQUEST_IDS if name in headers), "")
    if request_id:
        evidence["request_id"] = clean(request_id, secrets)[:REQUEST_ID_CAP]
    if "retry-after" in headers:
        evidence["retry_after"] = clean(headers["retry-after"], secrets)[:RETRY_AFTER_CAP]
    if failed:
        # Cleaned before it is cut, so that the cut cannot leave half a secret behind.
        excerpt = clean(body.decode("utf-8", "replace"), secrets)[:EXCERPT_CAP]
        if excerpt:
            evidence["excerpt"] = excerpt
    return evidence


def secrets_of(url: str, headers: Mapping[str, str]) -> tuple[str, ...]:
    """What must not come back in evidence: values of request headers and of the query, whole and by word, longest first."""
    values = [value for name, value in headers.items() if name.lower() not in PLAIN_HEADERS]
    parsed = httpx.URL(url)
    values += [value for _, value in parsed.params.multi_items()] + [parsed.password]
    parts = {part for value in values for part in (value, *value.split())}
    return tuple(sorted((part for part in parts if len(part) >= SECRET_AT_LEAST), key=lambda part: (-len(part), part)))


def clean(text: str, secrets: tuple[str, ...] = ()) -> str:
    """Foreign text on one line, without control or direction characters; a provider that echoes our key is blanked out."""
    for secret in secrets:
        text = text.replace(secret, "[redacted]")
    shown = "".join(" " if unicodedata.category(char)[0] == "C" else char for char in text)
    return " ".join(shown.split())
