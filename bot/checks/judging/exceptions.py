"""Maps exceptions to error classes. Answers are mapped in `bot.checks.judging.answers`; the table of classes is in core."""

import errno
import socket
import ssl
from collections.abc import Iterator

import httpx

from bot.checks.judging.answers import classify_error_body as classify_error_body
from bot.checks.judging.answers import classify_status as classify_status
from bot.checks.judging.failure import CheckError as CheckError
from bot.checks.judging.failure import Failure as Failure
from bot.core.detection.error_classes import ERROR_CLASSES as ERROR_CLASSES
from bot.core.detection.error_classes import ErrorClass as ErrorClass

NO_ROUTE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ENETDOWN})
OUT_OF_MEANS = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL, errno.EACCES, errno.EPERM}
)
NO_SUCH_NAME = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})

# OpenSSL's X509_V_ERR_* codes (x509_vfy.h). Any other code is `tls_untrusted`, since all of them concern the chain.
VERIFY_CODES = {
    9: "tls_expired",  # CERT_NOT_YET_VALID
    10: "tls_expired",  # CERT_HAS_EXPIRED
    62: "tls_wrong_host",  # HOSTNAME_MISMATCH
    64: "tls_wrong_host",  # IP_ADDRESS_MISMATCH
}


def classify_exception(exc: BaseException) -> Failure:
    """The class of an exception raised by the transport, httpx, the resolver or the socket.

    An exception with a `failure` (CheckError, a refused address) is already classified. httpx uses one ConnectError for four
    causes, so the chain of causes is searched for the real one. Texts of exceptions are not passed on: they may quote a
    header.
    """
    chain = list(_causes(exc))
    for cause in chain:
        known = getattr(cause, "failure", None)
        if isinstance(known, Failure):
            return known
    for read in (_by_cause, _by_httpx):
        for cause in chain:
            found = read(cause)
            if found is not None:
                return found
    return Failure("connect_timeout" if any(isinstance(cause, TimeoutError) for cause in chain) else "reset")


def _by_cause(cause: BaseException) -> Failure | None:
    match cause:
        case socket.gaierror():
            return Failure("dns_nxdomain" if cause.errno in NO_SUCH_NAME else "dns", str(cause.strerror or ""))
        case ssl.SSLCertVerificationError():
            code = VERIFY_CODES.get(getattr(cause, "verify_code", 0), "tls_untrusted")
            return Failure(code, str(getattr(cause, "verify_message", "") or ""))
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
        case httpx.ProxyError():
            return _by_proxy_text(str(cause))
        case httpx.RemoteProtocolError():
            return _by_protocol_text(str(cause))
        case httpx.DecodingError():
            return Failure("bad_encoding")
        case httpx.LocalProtocolError():
            # Our own requests are validated before sending; httpcore raises this for a peer that breaks HTTP/2.
            return Failure("protocol")
        case httpx.UnsupportedProtocol() | httpx.InvalidURL() | ValueError():
            return Failure("bad_check")
        case httpx.NetworkError():
            return Failure("reset")
    return None


def _by_proxy_text(text: str) -> Failure:
    # httpcore's text for the answer to a CONNECT: status and phrase. The phrase is foreign and is not passed on.
    if text.startswith("407"):
        return Failure("proxy")
    return Failure("proxy_no_way" if text.startswith(("502", "503", "504")) else "proxy_failed")


def _by_protocol_text(text: str) -> Failure:
    # h11, h2 and httpcore tell these apart only by their text; tests over real sockets pin the wording.
    if text.startswith("Server disconnected"):
        return Failure("closed")
    if text.startswith(("<StreamReset", "<ConnectionTerminated")):
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
