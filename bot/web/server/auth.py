"""Who may read and who may change things over HTTP.

Reading: a token in `server.read_tokens`, for some flags only one in `server.flag_tokens`; over the Unix socket `server.socket`
everybody who can connect; with `server.open_to_loopback` also this machine. Changing: a token in `server.control_tokens`, or
the local token that the bot writes for its own command line. Reporting outcomes: a token in `server.outcome_tokens`, which
allows nothing else, or one for changes. Tokens are always sent in a header, so that no foreign web page can make a browser
send one.
"""

import base64
import binascii
import hmac
from enum import Enum

from aiohttp import web

from bot.flags.audience import EVERYBODY, Audience
from bot.flags.serving import EVENTS
from bot.web.server.connections import Guarded
from bot.web.server.errors import Handler, Refusal
from bot.web.server.immediate import RequestLike
from bot.web.server.origins import is_loopback_address, names_this_machine
from bot.web.services import SERVICES, WebServices

# A request with one of these headers came through a proxy, whatever its source address is.
AUDIENCE = web.RequestKey("audience", Audience)
PROXY_HEADERS = ("Forwarded", "Via", "X-Real-IP", "X-Client-IP", "True-Client-IP", "CF-Connecting-IP")
PROXY_PREFIX = "x-forwarded"


class Access(Enum):
    """The access that a route requires."""

    OPEN = "open"  # anybody: probes by machines, the style sheet
    READ = "read"
    FLAGS = "flags"  # reading flags only
    CONTROL = "control"
    OUTCOMES = "outcomes"


def guard(access: Access, handler: Handler, *, restored: bool = False) -> Handler:
    """`handler` behind this check; with `restored`, it answers only once the state has been restored."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        services = request.app[SERVICES]
        check(request, services, access)
        if restored:
            check_restored(services)
        return await handler(request)

    return guarded


def check(request: web.Request, services: WebServices, access: Access) -> None:
    """Let the request pass or raise a Refusal: 401 without a valid token, 403 if no token of theirs would be enough."""
    match access:
        case Access.READ:
            _may_read(request, services)
        case Access.FLAGS:
            request[AUDIENCE] = reading_flags(request, services)
        case Access.CONTROL:
            _may_control(request, services)
        case Access.OUTCOMES:
            _may_tell_outcomes(request, services)


def check_restored(services: WebServices) -> None:
    """Raise a Refusal 503 while the state is being restored."""
    if not services.board.ready:
        remedy = "Ask again in a second; /readyz says what is missing."
        raise Refusal(503, "The state is still being restored.", remedy=remedy, headers={"Retry-After": "1"})


def reading_flags(request: RequestLike, services: WebServices) -> Audience:
    """The flag reader, by their token; raises a Refusal for others. A browser's ticket gives access to the event stream."""
    token = presented(request)
    found = EVERYBODY
    for known, audience in services.audiences:  # all of them, so that the time taken reveals nothing
        if hmac.compare_digest(token.encode("utf-8", "surrogateescape"), known):
            found = audience
    if found is EVERYBODY and not (request.path == EVENTS and _has_ticket(request, services)):
        _may_read(request, services)
    return found


def _has_ticket(request: RequestLike, services: WebServices) -> bool:
    return _is_one_of(request.query.get("ticket", ""), tuple(audience.ticket for _, audience in services.audiences))


def is_local(request: RequestLike) -> bool:
    """Whether the request comes directly from this machine, not through a proxy or from a foreign web page."""
    return _is_straight(request) and is_loopback_address(request.remote or "")


def came_by_file(request: RequestLike) -> bool:
    """Whether the request comes over the Unix socket, not through a proxy that says so in a header."""
    return isinstance(request.protocol, Guarded) and request.protocol.by_file and _is_straight(request)


def _is_straight(request: RequestLike) -> bool:
    """Whether there is no sign of a proxy. Also checks the address asked, since any name can be made to point at 127.0.0.1."""
    if any(name in request.headers for name in PROXY_HEADERS):
        return False
    if any(name.lower().startswith(PROXY_PREFIX) for name in request.headers):
        return False
    return names_this_machine(request)


def _may_read(request: RequestLike, services: WebServices) -> None:
    token = presented(request)
    if _is_one_of(token, tuple(one.token for one in services.flag_tokens)):
        raise Refusal(403, "This token may only read flags.", remedy="Send one of server.read_tokens.")
    every = (*services.read_tokens, *services.control_tokens, services.local_token)
    if _is_one_of(token, every):
        return
    if came_by_file(request) or (services.open_to_loopback and is_local(request)):
        return
    challenge = {"WWW-Authenticate": 'Basic realm="Understudy"' if request.path == "/" else 'Bearer realm="Understudy"'}
    if token:
        raise Refusal(401, "This token is not known here.", remedy="Send one of server.read_tokens.", headers=challenge)
    if any((*services.read_tokens, *services.control_tokens)):
        remedy = "Send one of server.read_tokens as `Authorization: Bearer ...` or `X-API-Key`."
        raise Refusal(401, "Reading needs a token.", remedy=remedy, headers=challenge)
    if services.open_to_loopback:
        remedy = "Ask from the machine itself (http://127.0.0.1, no proxy), or set server.read_tokens and send one as Bearer."
        raise Refusal(403, "Only this machine may read: no read tokens are configured.", remedy=remedy)
    remedy = (
        "Set server.read_tokens and send one as Bearer, or, for readers on this machine, server.socket or "
        "server.open_to_loopback where no proxy stands in front. The `understudy` command on the bot's machine may read always."
    )
    raise Refusal(403, "Reading needs a token, and no read tokens are configured.", remedy=remedy)


def _may_control(request: web.Request, services: WebServices) -> None:
    token = bearer(request)
    if _is_one_of(token, (*services.control_tokens, services.local_token)):
        return
    if not any(services.control_tokens):
        remedy = "Set server.control_tokens and restart, or use the `understudy` command on the bot's machine, or Slack."
        raise Refusal(403, "Changing things over HTTP is off: no control tokens are configured.", remedy=remedy)
    if _is_one_of(token, (*services.read_tokens, *(one.token for one in services.flag_tokens))):
        raise Refusal(403, "This token may only read.", remedy="Send one of server.control_tokens.")
    remedy = "Send one of server.control_tokens as `Authorization: Bearer ...`."
    text = "This token is not known here." if token else "Changing things needs a token."
    raise Refusal(401, text, remedy=remedy, headers={"WWW-Authenticate": 'Bearer realm="Understudy"'})


def _may_tell_outcomes(request: web.Request, services: WebServices) -> None:
    token = presented(request)
    if _is_one_of(token, (*services.outcome_tokens, *services.control_tokens, services.local_token)):
        return
    if not any((*services.outcome_tokens, *services.control_tokens)):
        remedy = "Set server.outcome_tokens and restart."
        raise Refusal(403, "Outcomes are not taken: no tokens for them are configured.", remedy=remedy)
    if _is_one_of(token, (*services.read_tokens, *(one.token for one in services.flag_tokens))):
        raise Refusal(403, "This token may only read.", remedy="Send one of server.outcome_tokens.")
    remedy = "Send one of server.outcome_tokens as `Authorization: Bearer ...` or `X-API-Key`."
    text = "This token is not known here." if token else "Telling outcomes needs a token."
    raise Refusal(401, text, remedy=remedy, headers={"WWW-Authenticate": 'Bearer realm="Understudy"'})


def presented(request: RequestLike) -> str:
    """The token for reading or reporting; on the board also as the password that a browser asks for."""
    token = bearer(request) or request.headers.get("X-API-Key", "").strip()
    if token or request.path != "/":
        return token
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(rest.strip(), validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def bearer(request: RequestLike) -> str:
    """The token in `Authorization: Bearer ...`; empty if there is none."""
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    return rest.strip() if scheme.lower() == "bearer" else ""


def _is_one_of(token: str, known: tuple[str, ...]) -> bool:
    """Compare with all of them, so that the time taken reveals nothing. An empty token is never accepted."""
    given = token.encode("utf-8", "surrogateescape")
    hits = [hmac.compare_digest(given, one.encode()) for one in known if one]
    return any(hits)
