"""Which web pages may make a browser send us requests: only our own pages, and links to the board.

A page elsewhere can make any browser inside the network send us requests. Browsers say where a request comes from
(`Sec-Fetch-Site`, or `Origin` in older ones), and pages cannot change that; programs send neither header. A page whose name is
made to point at this machine (DNS rebinding) looks like ours to the browser, but its name gives it away.
"""

import ipaddress
from typing import NamedTuple
from urllib.parse import urlsplit

from aiohttp import web

from bot.web.server.errors import OFREP, Handler, Refusal
from bot.web.server.immediate import RequestLike
from bot.web.services import SERVICES

OUR_OWN = frozenset({"same-origin", "none"})  # a page of ours; typed in, or from a bookmark
LINKED = frozenset({"/"})  # what a link elsewhere may open as a page: it shows things and changes nothing
STANDARD_PORTS = {"http": 80, "https": 443}
MORE_THAN_A_HOST = frozenset("/?#@\\")


class HostPort(NamedTuple):
    """A host and port as in an address; port 0 is the default port."""

    host: str
    port: int


NOWHERE = HostPort("", -1)  # unreadable: neither a page nor a machine of ours


PAGE = web.RequestKey("page", str)


@web.middleware
async def refuse_foreign_pages(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse requests that another site's page caused, on every route, before anything is looked up or changed.

    Pages in the configuration may read flags; then `request[PAGE]` is their origin.
    """
    origin = request.headers.get("Origin", "").lower()
    if request.path.startswith(OFREP) and origin in request.app[SERVICES].browsers:
        request[PAGE] = origin
    elif is_from_foreign_page(request):
        remedy = "Open the address itself, or ask from a program: nothing here is made for the pages of other sites."
        raise Refusal(403, "This request comes from the page of another site.", remedy=remedy)
    return await handler(request)


def is_from_foreign_page(request: web.Request) -> bool:
    """Whether the browser says that a page other than ours caused the request."""
    said = request.headers.getall("Sec-Fetch-Site", [])
    if said:
        return any(site.strip().lower() not in OUR_OWN for site in said) and not _is_link(request)
    return any(not _is_ours(origin, request) for origin in request.headers.getall("Origin", []))


def names_this_machine(request: RequestLike) -> bool:
    """Whether the request was sent to a loopback name or address, by both its target and its Host header.

    Names below `.localhost` do not count: not every resolver keeps them on the machine.
    """
    return all(is_loopback_name(place.host) for place in _asked(request))


def is_loopback_name(host: str) -> bool:
    """Whether this is `localhost` or a loopback address."""
    return host == "localhost" or is_loopback_address(host)


def is_loopback_address(address: str) -> bool:
    """Whether this is an address that stays on the machine."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_loopback


def _is_link(request: web.Request) -> bool:
    """Whether somebody followed a link to a page that may be linked to; frames and scripts do not qualify."""
    asks_for = (request.headers.get("Sec-Fetch-Mode"), request.headers.get("Sec-Fetch-Dest"))
    return request.method == "GET" and asks_for == ("navigate", "document") and request.path in LINKED


def _is_ours(origin: str, request: web.Request) -> bool:
    """Whether the page has the same address as the request; another port is another program."""
    scheme = origin.partition(":")[0].lower()
    page = _place(origin, scheme)
    return scheme in STANDARD_PORTS and page != NOWHERE and all(page == _named(where, scheme) for where in _addresses(request))


def _asked(request: RequestLike) -> list[HostPort]:
    return [_named(where) for where in _addresses(request)]


def _addresses(request: RequestLike) -> list[str]:
    """Every address that the request claims to be sent to: Host, and the target if it contains a host.

    Very old programs send neither; browsers always do.
    """
    head, names_a_host, rest = request.raw_path.partition("://")
    named = [rest.partition("/")[0].partition("?")[0]] if names_a_host and head.isalpha() else []
    return [*named, *request.headers.getall("Host", [])] or ["localhost"]


def _named(where: str, scheme: str = "http") -> HostPort:
    """A host and a port and nothing else: in `evil.example#@localhost` parsers disagree on which host is meant."""
    return NOWHERE if MORE_THAN_A_HOST & set(where) else _place(f"//{where}", scheme)


def _place(url: str, scheme: str) -> HostPort:
    try:
        found = urlsplit(url)
        host, port = found.hostname or "", found.port
    except ValueError:
        return NOWHERE
    return HostPort(host, 0 if port in (None, STANDARD_PORTS.get(scheme)) else int(port or 0))
