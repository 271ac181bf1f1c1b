"""Where a redirect leads, and what is sent along. Pure: each hop is resolved and guarded like any address."""

from collections.abc import Mapping
from dataclasses import field

import httpx

from bot.checks.judging.evidence import PLAIN_HEADERS
from bot.checks.judging.failure import Failure
from bot.core.lazy_dataclass import dataclass

REDIRECTS = frozenset({301, 302, 303, 307, 308})
SAME_METHOD = frozenset({307, 308})  # the others turn a POST into a GET, as in browsers (RFC 9110, 15.4)
ABOUT_A_BODY = frozenset({"content-type", "content-encoding", "content-language"})
URL_CAP = 8192
PORTS = 65536


@dataclass(frozen=True)
class Hop:
    """One request of a chain. Headers and body are not in the repr: they contain keys."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)


def next_hop(hop: Hop, status: int, location: str) -> Hop | Failure:
    """The request that a redirect asks for, or why it is not followed.

    A different scheme, host or port gets only harmless headers and no body; https is never left for http.
    """
    try:
        here = httpx.URL(hop.url)
        there = here.join(location[:URL_CAP]).copy_with(fragment=None)
    except (httpx.InvalidURL, ValueError):
        return Failure("redirect_refused", "it leads to no address")
    if there.scheme not in ("http", "https") or not there.host or not 0 < (there.port or 80) < PORTS:
        return Failure("redirect_refused", "it leads to no http(s) address")
    if here.scheme == "https" and there.scheme == "http":
        return Failure("redirect_refused", "it leads from https to http")
    if there.userinfo:
        return Failure("redirect_refused", "it brings credentials of its own")
    method, headers, body = hop.method, hop.headers, hop.body
    if status not in SAME_METHOD and method not in ("GET", "HEAD"):
        method, body = "GET", None
        headers = {name: value for name, value in headers.items() if name.lower() not in ABOUT_A_BODY}
    if _origin(here) != _origin(there):
        if body is not None:
            return Failure("redirect_refused", "it would carry the request's body to another host")
        headers = {name: value for name, value in headers.items() if name.lower() in PLAIN_HEADERS and name.lower() != "host"}
    return Hop(method, str(there), headers, body)


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    return url.scheme, url.host, url.port or (443 if url.scheme == "https" else 80)
