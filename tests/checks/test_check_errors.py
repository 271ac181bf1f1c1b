"""The taxonomy: which class a status, a body or an exception belongs to, and whose fault that is."""

import errno
import itertools
import json
import socket
import ssl
from typing import Any

import httpx
import pytest

from bot.checks.errors import ERROR_CLASSES, classify_exception, classify_status
from bot.core.model import Fault, Outcome


def body(**error: Any) -> bytes:
    return json.dumps({"error": error}).encode()


@pytest.mark.parametrize(
    ("status", "said", "error"),
    [
        (500, b"", "http_5xx"),
        (502, b"<html>", "http_5xx"),
        (504, body(type="timeout_error"), "http_5xx"),
        (529, b"", "overloaded"),
        (529, body(type="overloaded_error"), "overloaded"),
        (503, body(type="service_unavailable_error", code="server_is_overloaded"), "overloaded"),
        (503, body(code=503, status="UNAVAILABLE", message="try later"), "http_5xx"),
        (429, body(type="rate_limit_error"), "rate_limited"),
        (429, body(code="429", message="The service is experiencing high demand now"), "overloaded"),
        (429, body(type="insufficient_quota", code="credit_balance_exhausted"), "spend_limit"),
        (429, body(type="rate_limit_error", details={"error_code": "enforced_spend_limit_reached"}), "spend_limit"),
        (402, body(type="billing_error"), "spend_limit"),
        (401, body(type="authentication_error"), "auth"),
        (403, b"", "auth"),
        (400, body(status="INVALID_ARGUMENT", details=[{"reason": "API_KEY_INVALID"}]), "auth"),
        (400, body(type="invalid_request_error"), "bad_request"),
        (404, b"", "bad_request"),
        (413, b"<html>too large", "bad_request"),
        (422, b"", "bad_request"),
        (407, b"", "proxy"),
        (301, b"", "http_unexpected"),
        (204, b"", "http_unexpected"),
        (451, b"[" * 100_000, "http_unexpected"),
        (500, b'{"error": "plain words"}', "http_5xx"),
    ],
)
def test_status_has_its_class_when_the_provider_explains_itself(status: int, said: bytes, error: str) -> None:
    """The words in the body come before the number."""
    assert error == classify_status(status, said).error


def chained(*chain: BaseException) -> BaseException:
    for outer, inner in itertools.pairwise(chain):
        outer.__cause__ = inner
    return chain[0]


@pytest.mark.parametrize(
    ("exc", "error"),
    [
        (chained(httpx.ConnectError("x"), OSError("all failed"), socket.gaierror(-2, "Name not known")), "dns"),
        (chained(httpx.ConnectError("x"), ExceptionGroup("x", [ConnectionRefusedError()])), "connect_refused"),
        (chained(httpx.ConnectError("x"), ssl.SSLCertVerificationError("x")), "tls"),
        (chained(httpx.ConnectError("x"), OSError(errno.EHOSTUNREACH, "No route")), "unreachable"),
        (chained(httpx.ConnectError("x"), OSError(errno.EMFILE, "Too many open files")), "local"),
        (httpx.ConnectTimeout("x"), "connect_timeout"),
        (TimeoutError(), "connect_timeout"),
        (chained(httpx.ReadError("x"), ConnectionResetError()), "reset"),
        (httpx.ReadError("x"), "reset"),
        (httpx.ReadTimeout("x"), "deadline"),
        (httpx.RemoteProtocolError("illegal status line"), "protocol"),
        (httpx.LocalProtocolError("Illegal header value b'sk-secret'"), "bad_check"),
        (httpx.InvalidURL("x"), "bad_check"),
    ],
)
def test_exception_has_its_class_when_the_cause_is_underneath(exc: BaseException, error: str) -> None:
    """One ConnectError hides four causes; the chain tells them apart, and quotes nothing."""
    failure = classify_exception(exc)
    assert error == failure.error
    assert "secret" not in failure.sentence


def test_every_class_has_a_fault_and_a_sentence_when_it_is_listed() -> None:
    """A reason can be made of any class, and what is inconclusive is never the provider's fault."""
    for row in ERROR_CLASSES.values():
        assert row.sentence
        assert row.fault is not Fault.NONE
        assert row.outcome is Outcome.FAIL or row.fault is not Fault.THEIRS
