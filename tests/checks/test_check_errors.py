"""The error classes: which class and side a status, a body, a stream error or an exception belongs to."""

import errno
import itertools
import json
import socket
import ssl
from typing import Any

import httpx
import pytest

from bot.checks.judging.answers import VERBATIM_CAP
from bot.checks.judging.exceptions import CheckError, Failure, classify_error_body, classify_exception, classify_status
from bot.core.model import Fault

HTML = b"<!DOCTYPE html><html><head><title>Sorry</title></head></html>"
THEIRS, KEY, CONFIG, QUOTA = Fault.THEIRS, Fault.OURS_KEY, Fault.OURS_CONFIG, Fault.OURS_QUOTA


def body(**error: Any) -> bytes:
    return json.dumps({"error": error}).encode()


def anthropic(type: str, **more: Any) -> bytes:
    return json.dumps({"type": "error", "error": {"type": type, "message": "m", **more}, "request_id": "req_1"}).encode()


def openai(type: str, code: str | None = None) -> bytes:
    return body(message="m", type=type, param=None, code=code)


def gemini(code: int, status: str, message: str = "m", reason: str = "") -> bytes:
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}] if reason else []
    return body(code=code, message=message, status=status, details=details)


Row = tuple[int, bytes, str, Fault]
STATUSES: dict[str, list[Row]] = {
    "anthropic": [
        (400, anthropic("invalid_request_error"), "bad_request", CONFIG),
        (400, anthropic("invalid_request_error", message="You have reached your specified API usage limits."),
         "spend_limit", QUOTA),
        (400, anthropic("invalid_request_error", message="Your credit balance is too low"), "spend_limit", QUOTA),
        (401, anthropic("authentication_error"), "auth", KEY),
        (402, anthropic("billing_error"), "spend_limit", QUOTA),
        (403, anthropic("permission_error"), "auth", KEY),
        (404, anthropic("not_found_error"), "not_found", CONFIG),
        (413, b"<html><center><h1>413 Request Entity Too Large</h1></center>", "bad_request", CONFIG),
        (413, anthropic("request_too_large"), "bad_request", CONFIG),
        (429, anthropic("rate_limit_error"), "rate_limited", QUOTA),
        (429, anthropic("rate_limit_error", details={"error_code": "enforced_spend_limit_reached"}), "spend_limit", QUOTA),
        (500, anthropic("api_error"), "http_5xx", THEIRS),
        (504, anthropic("timeout_error"), "gateway", THEIRS),
        (529, anthropic("overloaded_error"), "overloaded", THEIRS),
        (529, b"", "overloaded", THEIRS),
    ],
    "openai": [
        (400, openai("invalid_request_error", "context_length_exceeded"), "bad_request", CONFIG),
        (401, openai("invalid_request_error", "invalid_api_key"), "auth", KEY),
        (401, openai("invalid_request_error"), "auth", KEY),
        (403, openai("request_forbidden", "unsupported_country_region_territory"), "auth", KEY),
        (404, openai("invalid_request_error", "model_not_found"), "not_found", CONFIG),
        (429, openai("insufficient_quota", "credit_balance_exhausted"), "spend_limit", QUOTA),
        (429, openai("insufficient_quota", "insufficient_quota"), "spend_limit", QUOTA),
        (429, openai("insufficient_quota", "organization_spend_limit_exceeded"), "spend_limit", QUOTA),
        (429, openai("requests", "project_spend_limit_exceeded"), "spend_limit", QUOTA),
        (429, openai("requests", "organization_usage_limit_exceeded"), "spend_limit", QUOTA),
        (429, openai("requests", "rate_limit_exceeded"), "rate_limited", QUOTA),
        (429, openai("tokens", "rate_limit_exceeded"), "rate_limited", QUOTA),
        (500, openai("server_error"), "http_5xx", THEIRS),
        (503, openai("service_unavailable_error", "server_is_overloaded"), "overloaded", THEIRS),
        (503, openai("service_unavailable_error", "slow_down"), "overloaded", THEIRS),
        (503, openai("service_unavailable_error"), "http_5xx", THEIRS),
    ],
    "azure": [
        (401, body(code="401", message="Access denied due to invalid subscription key"), "auth", KEY),
        (404, body(code="DeploymentNotFound", message="m"), "not_found", CONFIG),
        (429, body(code="429", message="Rate limit is exceeded. Try again in 6 seconds."), "rate_limited", QUOTA),
        (429, body(code="429", message="The service is experiencing high demand now"), "capacity", THEIRS),
        (429, body(code="429", message="Your limit was temporarily adjusted"), "capacity", THEIRS),
        (429, body(code="429", message="anything else"), "rate_limited", QUOTA),
    ],
    "gemini": [
        (400, gemini(400, "INVALID_ARGUMENT", reason="API_KEY_INVALID"), "auth", KEY),
        (400, gemini(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."), "auth", KEY),
        (400, gemini(400, "INVALID_ARGUMENT"), "bad_request", CONFIG),
        (400, gemini(400, "FAILED_PRECONDITION", "User location is not supported"), "bad_request", CONFIG),
        (403, gemini(403, "PERMISSION_DENIED"), "auth", KEY),
        (404, gemini(404, "NOT_FOUND"), "not_found", CONFIG),
        (429, gemini(429, "RESOURCE_EXHAUSTED"), "rate_limited", QUOTA),
        (500, gemini(500, "INTERNAL"), "http_5xx", THEIRS),
        (503, gemini(503, "UNAVAILABLE", "The model is overloaded. Please try again later."), "overloaded", THEIRS),
        (503, gemini(503, "UNAVAILABLE", "try later"), "http_5xx", THEIRS),
        (504, gemini(504, "DEADLINE_EXCEEDED"), "gateway", THEIRS),
        (429, b"[" + gemini(429, "RESOURCE_EXHAUSTED") + b"]", "rate_limited", QUOTA),
    ],
}  # fmt: skip
BEDROCK = [
    (400, "ValidationException", "bad_request", CONFIG),
    (400, "ThrottlingException", "rate_limited", QUOTA),
    (400, "ServiceQuotaExceededException", "rate_limited", QUOTA),
    (403, "AccessDeniedException", "auth", KEY),
    (403, "AccessDenied", "auth", KEY),
    (403, "ExpiredTokenException:http://internal.amazon.com/coral/", "auth", KEY),
    (404, "ResourceNotFoundException", "not_found", CONFIG),
    (408, "ModelTimeoutException", "vendor_timeout", THEIRS),
    (424, "ModelErrorException", "model_error", THEIRS),
    (429, "ThrottlingException", "rate_limited", QUOTA),
    (429, "ModelNotReadyException", "capacity", THEIRS),
    (500, "InternalServerException", "http_5xx", THEIRS),
    (500, "InternalFailure", "http_5xx", THEIRS),
    (503, "ServiceUnavailableException", "http_5xx", THEIRS),
]
PLAIN: list[Row] = [
    (400, b"", "bad_request", CONFIG),
    (401, HTML, "auth", KEY),
    (403, b"", "auth", KEY),
    (404, HTML, "not_found", CONFIG),
    (405, b"", "bad_request", CONFIG),
    (407, b"", "proxy", Fault.LOCAL),
    (407, HTML, "proxy", Fault.LOCAL),
    (410, b"", "not_found", CONFIG),
    (422, b"", "bad_request", CONFIG),
    (429, b"{}", "rate_limited", QUOTA),
    (429, HTML, "rate_limited", QUOTA),
    (500, b"", "http_5xx", THEIRS),
    (500, b'{"error": "plain words"}', "http_5xx", THEIRS),
    (500, body(type="authentication_error"), "http_5xx", THEIRS),
    (502, b"<html>", "gateway", THEIRS),
    (503, HTML, "http_5xx", THEIRS),
    (504, b"", "gateway", THEIRS),
    *[(status, HTML, "gateway", THEIRS) for status in range(520, 525)],
    (301, b"", "http_unexpected", Fault.UNCLEAR),
    (204, b"", "http_unexpected", Fault.UNCLEAR),
    (418, body(type="teapot_error"), "http_unexpected", Fault.UNCLEAR),
    (451, b"[" * 100_000, "http_unexpected", Fault.UNCLEAR),
    (999, b"", "http_unexpected", Fault.UNCLEAR),
    (200, HTML, "html_instead", Fault.UNCLEAR),
    (403, HTML, "challenge", Fault.UNCLEAR),
    (405, HTML, "challenge", Fault.UNCLEAR),
    (503, b"<html><title>Just a moment...</title>", "challenge", Fault.UNCLEAR),
]


@pytest.mark.parametrize(
    ("dialect", "row"), [(dialect, row) for dialect, rows in STATUSES.items() for row in rows] + [(None, row) for row in PLAIN]
)
def test_error_body_is_classified_before_the_status(dialect: str | None, row: Row) -> None:
    """The body's words count before the number, in every dialect, and a 5xx is never our fault."""
    status, said, error, fault = row
    for tongue in (dialect, None):
        failure = classify_status(status, said, {}, tongue)
        assert (error, fault) == (failure.error, failure.fault)


@pytest.mark.parametrize(("status", "type", "error", "fault"), BEDROCK)
def test_bedrock_error_type_is_read_from_header_or_body(status: int, type: str, error: str, fault: Fault) -> None:
    """Bedrock sends its error type in a header, or in the body with a namespace."""
    in_header = classify_status(status, b'{"message":"m"}', httpx.Headers({"x-amzn-ErrorType": type}), "bedrock")
    named = {"__type": f"com.amazon.coral.service#{type}", "message": "m"}
    in_body = classify_status(status, json.dumps(named).encode(), {}, "bedrock")
    assert (error, fault) == (in_header.error, in_header.fault)
    assert error == in_body.error


@pytest.mark.parametrize(
    ("headers", "said", "error"),
    [
        ({"retry-after": "7"}, anthropic("rate_limit_error"), "rate_limited"),
        ({"retry-after": "7"}, body(code="429", message="System is experiencing high demand"), "capacity"),
        ({}, anthropic("rate_limit_error", details={"error_code": "enforced_spend_limit_reached"}), "spend_limit"),
    ],
    ids=["our rate", "their capacity", "our monthly cap, without retry-after"],
)
def test_429_is_theirs_when_they_lack_capacity(headers: dict[str, str], said: bytes, error: str) -> None:
    """Any other 429 is our own rate limit."""
    assert error == classify_status(429, said, headers).error


@pytest.mark.parametrize("headers", [{"cf-mitigated": "challenge"}, {"x-amzn-waf-action": "captcha"}], ids=str)
def test_challenge_is_recognised_by_its_header(headers: dict[str, str]) -> None:
    """Whatever the status, the answer did not come from the provider's API."""
    assert ["challenge"] * 3 == [classify_status(status, b"", headers).error for status in (202, 403, 503)]


STREAM_ERRORS = [
    ({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "overloaded"),
    ({"type": "error", "error": {"type": "api_error", "message": "m"}}, "stream_error"),
    ({"type": "error", "error": {"type": "rate_limit_error", "message": "m"}}, "rate_limited"),
    ({"type": "error", "error": {"type": "invalid_request_error", "message": "m"}}, "bad_request"),
    ({"type": "error", "error": {"type": "timeout_error", "message": "m"}}, "vendor_timeout"),
    ({"error": {"message": "m", "type": "server_error", "code": None}}, "stream_error"),
    ({"type": "response.failed", "response": {"error": {"code": "rate_limit_exceeded", "message": "m"}}}, "rate_limited"),
    ({"type": "response.failed", "response": {"error": {"code": "server_error", "message": "m"}}}, "stream_error"),
    ({"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}, "overloaded"),
    ({"error": {"code": 500, "message": "m"}}, "stream_error"),
    ({"error": {"code": "429", "message": "m"}}, "rate_limited"),
    ({"__type": "modelStreamErrorException", "message": "m"}, "model_error"),
    ({"error": {"type": "brand_new_error"}}, "unexpected_shape"),
    ({"oops": [1, 2]}, "unexpected_shape"),
    ("nonsense", "unexpected_shape"),
    (None, "unexpected_shape"),
]


@pytest.mark.parametrize(("payload", "error"), STREAM_ERRORS, ids=str)
def test_stream_error_is_classified_despite_status_200(payload: Any, error: str) -> None:
    """The error's own words decide, whether it is parsed or still bytes."""
    assert error == classify_error_body(payload).error
    assert error == classify_error_body(json.dumps(payload).encode()).error


def test_unknown_error_body_is_kept_verbatim() -> None:
    """An operator needs to see a new kind of error; it is unclear, complete and length-limited."""
    failure = classify_error_body({"error": {"type": "brand_new_error", "message": "Ünheard-of"}})
    assert (Fault.UNCLEAR, '{"error": {"type": "brand_new_error", "message": "Ünheard-of"}}') == (failure.fault, failure.said)
    assert VERBATIM_CAP == len(classify_error_body(b"?" * 5000).said)


def test_known_provider_error_code_is_kept_as_evidence() -> None:
    """The evidence shows the code; the sentence contains no foreign text."""
    failure = classify_status(529, anthropic("overloaded_error"))
    assert ("overloaded_error", "the provider says that it is overloaded") == (failure.said, failure.sentence)


def test_hostile_error_body_yields_few_short_words() -> None:
    """Thousands of details and endless words cost nothing."""
    many = [{"reason": f"R{n}" * 100, "error_code": ["x"]} for n in range(1_000)]
    failure = classify_status(400, json.dumps({"error": {"details": many, "type": {"a": 1}}}).encode())
    assert "bad_request" == failure.error
    assert len(failure.said) < 1200


def chained(*chain: BaseException) -> BaseException:
    for outer, inner in itertools.pairwise(chain):
        outer.__cause__ = inner
    return chain[0]


def unverified(code: int) -> ssl.SSLCertVerificationError:
    exc = ssl.SSLCertVerificationError("x")
    exc.verify_code = code
    return exc


@pytest.mark.parametrize(
    ("exc", "error"),
    [
        (
            chained(httpx.ConnectError("x"), OSError("all"), socket.gaierror(socket.EAI_NONAME, "Name not known")),
            "dns_nxdomain",
        ),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"), "dns"),
        (chained(httpx.ConnectError("x"), ExceptionGroup("x", [ConnectionRefusedError()])), "connect_refused"),
        (chained(httpx.ConnectError("x"), ssl.SSLCertVerificationError("x")), "tls_untrusted"),
        (unverified(9), "tls_expired"),
        (unverified(10), "tls_expired"),
        (unverified(18), "tls_untrusted"),
        (unverified(62), "tls_wrong_host"),
        (unverified(64), "tls_wrong_host"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), "tls"),
        (chained(httpx.ConnectError("x"), OSError(errno.EHOSTUNREACH, "No route")), "unreachable"),
        (chained(httpx.ConnectError("x"), OSError(errno.EMFILE, "Too many open files")), "local"),
        (httpx.ConnectTimeout("x"), "connect_timeout"),
        (TimeoutError(), "connect_timeout"),
        (chained(httpx.ReadError("x"), ConnectionResetError()), "reset"),
        (httpx.ReadError("x"), "reset"),
        (httpx.ReadTimeout("x"), "deadline"),
        (httpx.ProxyError("403 Forbidden"), "proxy_failed"),
        (httpx.ProxyError("407 Proxy Authentication Required"), "proxy"),
        (httpx.ProxyError("503 Service Unavailable"), "proxy_no_way"),
        (httpx.DecodingError("x"), "bad_encoding"),
        (httpx.RemoteProtocolError("illegal status line"), "protocol"),
        (httpx.RemoteProtocolError("Server disconnected without sending a response."), "closed"),
        (httpx.RemoteProtocolError("peer closed connection without sending complete message body"), "truncated"),
        (httpx.LocalProtocolError("Invalid input ConnectionInputs.RECV_DATA"), "protocol"),
        (httpx.InvalidURL("x"), "bad_check"),
        (chained(httpx.ReadError("x"), CheckError("head_too_large")), "head_too_large"),
    ],
)
def test_exception_is_classified_by_its_cause(exc: BaseException, error: str) -> None:
    """A ConnectError can hide four causes; the chain distinguishes them, and no exception text is quoted."""
    failure = classify_exception(exc)
    assert error == failure.error
    assert "secret" not in failure.sentence


def test_check_error_prints_its_sentence() -> None:
    """Whoever reads it in a log can act on it."""
    exc = CheckError("head_too_large", "over 100 KiB")
    assert "the header of the answer is too large (over 100 KiB)" == str(exc)
    assert Failure("head_too_large", "over 100 KiB") == exc.failure
