"""What can go wrong with a probe, as data: one class per cause, whose fault it is, and a clause for people."""

import errno
import json
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import httpx

from bot.core.model import Fault, Outcome


@dataclass(frozen=True)
class ErrorClass:
    """One class of failure. `sentence` is a clause that a reason is made of; it holds nothing foreign."""

    fault: Fault
    sentence: str
    outcome: Outcome = Outcome.FAIL


# 5xx, refusals, resets and silence are the provider's to mend. A name that does not resolve, a handshake that fails or packets
# that vanish can as well be our resolver, our clock or our firewall: unclear until the control group has spoken.
ERROR_CLASSES: Mapping[str, ErrorClass] = MappingProxyType(
    {
        "dns": ErrorClass(Fault.UNCLEAR, "the host's name could not be resolved"),
        "connect_refused": ErrorClass(Fault.THEIRS, "the connection was refused"),
        "connect_timeout": ErrorClass(Fault.UNCLEAR, "no connection could be made"),
        "unreachable": ErrorClass(Fault.UNCLEAR, "there is no route to the host"),
        "tls": ErrorClass(Fault.UNCLEAR, "the TLS handshake failed"),
        "reset": ErrorClass(Fault.THEIRS, "the connection was closed before an answer came"),
        "truncated": ErrorClass(Fault.THEIRS, "the answer broke off in the middle"),
        "protocol": ErrorClass(Fault.THEIRS, "what came back was not HTTP"),
        "deadline": ErrorClass(Fault.THEIRS, "no answer"),
        "http_5xx": ErrorClass(Fault.THEIRS, "the provider reports an error of its own"),
        "overloaded": ErrorClass(Fault.THEIRS, "the provider says that it is overloaded"),
        "rate_limited": ErrorClass(Fault.OURS_QUOTA, "we are over our rate limit"),
        "spend_limit": ErrorClass(Fault.OURS_QUOTA, "our spending limit or credit is used up"),
        "auth": ErrorClass(Fault.OURS_KEY, "our key was not accepted"),
        "bad_request": ErrorClass(Fault.OURS_CONFIG, "the provider does not accept what our check asks for"),
        "http_unexpected": ErrorClass(Fault.UNCLEAR, "the check does not expect this status"),
        "body_mismatch": ErrorClass(Fault.UNCLEAR, "the answer does not hold the expected text"),
        "too_large": ErrorClass(
            Fault.UNCLEAR, "the answer is too large to look through for the expected text", Outcome.INCONCLUSIVE
        ),
        "bad_check": ErrorClass(Fault.OURS_CONFIG, "the check cannot be sent as it is configured"),
        "address_refused": ErrorClass(Fault.OURS_CONFIG, "the address is not one that checks may reach", Outcome.INCONCLUSIVE),
        "proxy": ErrorClass(Fault.LOCAL, "a proxy on our side wants credentials"),
        "local": ErrorClass(Fault.LOCAL, "this machine could not open a connection", Outcome.INCONCLUSIVE),
        "stalled": ErrorClass(Fault.LOCAL, "our own process stood still meanwhile, so this says nothing", Outcome.INCONCLUSIVE),
    }
)

OVERLOADED_WORDS = frozenset({"overloaded_error", "server_is_overloaded", "slow_down"})
AUTH_WORDS = frozenset({"authentication_error", "invalid_api_key", "api_key_invalid"})
SPEND_WORDS = frozenset(
    {
        "insufficient_quota",
        "billing_error",
        "enforced_spend_limit_reached",
        "credit_balance_exhausted",
        "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
    }
)
STATUS_CLASSES: Mapping[int, str] = MappingProxyType(
    {
        400: "bad_request",
        401: "auth",
        402: "spend_limit",
        403: "auth",
        404: "bad_request",
        405: "bad_request",
        407: "proxy",
        413: "bad_request",
        422: "bad_request",
        429: "rate_limited",
        529: "overloaded",
    }
)
NO_ROUTE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ENETDOWN})
OUT_OF_MEANS = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL, errno.EACCES, errno.EPERM}
)


@dataclass(frozen=True)
class Failure:
    """A classified failure: a name from ERROR_CLASSES and what is known beyond its sentence (may be empty)."""

    error: str
    detail: str = ""

    @property
    def fault(self) -> Fault:
        """Whose fault failures of this class are."""
        return ERROR_CLASSES[self.error].fault

    @property
    def outcome(self) -> Outcome:
        """FAIL, or INCONCLUSIVE where the failure says nothing of the provider."""
        return ERROR_CLASSES[self.error].outcome

    @property
    def sentence(self) -> str:
        """The class's clause, with the detail in parentheses."""
        clause = ERROR_CLASSES[self.error].sentence
        return f"{clause} ({self.detail})" if self.detail else clause


def classify_status(status: int, body: bytes = b"") -> Failure:
    """The class of an HTTP status that a check did not expect, and of what the body says of it.

    The words in the body come first: providers send overload as 429, 503 or 529 and spent credit as 400, 402 or 429.
    Shapes: Anthropic `error.type`, OpenAI `error.type`/`error.code`, Azure and Gemini `error.message`/`error.status`.
    """
    words, message = _error_words(body)
    if words & OVERLOADED_WORDS or (status == 429 and "high demand" in message):
        return Failure("overloaded")
    if 400 <= status < 500 and words & AUTH_WORDS:
        return Failure("auth")
    if 400 <= status < 500 and words & SPEND_WORDS:
        return Failure("spend_limit")
    if status in STATUS_CLASSES:
        return Failure(STATUS_CLASSES[status])
    return Failure("http_5xx" if 500 <= status < 600 else "http_unexpected")


def classify_exception(exc: BaseException) -> Failure:
    """The class of what httpx, the resolver or the socket raised.

    httpx has one ConnectError for four causes, so the chain of causes is walked for the one underneath. Texts of exceptions
    are not passed on: they may quote a header.
    """
    chain = list(_causes(exc))
    for cause in chain:
        found = _by_cause(cause)
        if found is not None:
            return found
    for cause in chain:
        found = _by_httpx(cause)
        if found is not None:
            return found
    return Failure("connect_timeout" if any(isinstance(cause, TimeoutError) for cause in chain) else "reset")


def _by_cause(cause: BaseException) -> Failure | None:
    match cause:
        case socket.gaierror():
            return Failure("dns", str(cause.strerror or ""))
        case ssl.SSLCertVerificationError():
            return Failure("tls", str(getattr(cause, "verify_message", "") or "certificate not trusted"))
        case ssl.SSLError():
            return Failure("tls", str(getattr(cause, "reason", "") or "").replace("_", " ").lower())
        case ConnectionRefusedError():
            return Failure("connect_refused")
        case ConnectionResetError() | BrokenPipeError() | ConnectionAbortedError():
            return Failure("reset")
        case OSError() if cause.errno in NO_ROUTE:
            return Failure("unreachable")
        case OSError() if cause.errno in OUT_OF_MEANS:
            return Failure("local", str(cause.strerror or ""))
    return None


def _by_httpx(cause: BaseException) -> Failure | None:
    match cause:
        case httpx.ConnectTimeout():
            return Failure("connect_timeout")
        case httpx.TimeoutException():
            return Failure("deadline")
        case httpx.RemoteProtocolError():
            return _by_protocol_text(str(cause))
        case httpx.LocalProtocolError() | httpx.UnsupportedProtocol() | httpx.InvalidURL() | ValueError():
            return Failure("bad_check")
        case httpx.NetworkError():
            return Failure("reset")
    return None


def _by_protocol_text(text: str) -> Failure:
    # h11 and httpcore tell these three apart only by their text; tests over real sockets hold the wording.
    if "without sending a response" in text:
        return Failure("reset")
    if "peer closed connection" in text:
        return Failure("truncated")
    return Failure("protocol")


def _causes(exc: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    queue: list[BaseException] = [exc]
    while queue:
        current = queue.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        queue += [cause for cause in (current.__cause__, current.__context__) if cause is not None]
        if isinstance(current, BaseExceptionGroup):
            queue += current.exceptions


def _error_words(body: bytes) -> tuple[frozenset[str], str]:
    """The machine-readable words of an error body, in lower case, and its message."""
    try:
        payload: Any = json.loads(body)
    except (ValueError, RecursionError):
        return frozenset(), ""
    error = payload.get("error") if isinstance(payload, dict) else None
    if not isinstance(error, dict):
        return frozenset(), ""
    raw = [error.get("type"), error.get("code"), error.get("status")]
    details = error.get("details")
    for detail in details if isinstance(details, list) else [details]:
        if isinstance(detail, dict):
            raw += [detail.get("error_code"), detail.get("reason")]
    return frozenset(word.lower() for word in raw if isinstance(word, str)), str(error.get("message", "")).lower()
