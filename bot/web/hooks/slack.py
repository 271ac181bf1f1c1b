"""Slack's requests in HTTP mode: commands, buttons, forms and events, all at one address, authenticated by Slack's signature.

No token of ours is needed. Earlier checks still apply: a web page cannot make a browser send anything here. With Socket Mode
this address does not exist.
"""

from aiohttp import web

from bot.ports.signed_requests import Reply, Signature, SignedRequest
from bot.web.api.reads import NO_STORE
from bot.web.server.bodies import read_bytes
from bot.web.server.errors import Refusal
from bot.web.services import SERVICES

SLACK_BYTES = 1024 * 1024  # a full form of ours in three-byte letters, doubly escaped, is a quarter of this

TIMESTAMP_HEADER = "X-Slack-Request-Timestamp"
SIGNATURE_HEADER = "X-Slack-Signature"


async def slack(request: web.Request) -> web.Response:
    """Answer one request from Slack. 401 before reading the body if the headers alone prove that it is not."""
    requests = request.app[SERVICES].slack
    if requests is None:
        raise web.HTTPNotFound
    signature = Signature(_only(request, TIMESTAMP_HEADER), _only(request, SIGNATURE_HEADER))
    if why := requests.distrust(signature):
        raise _unsigned(why)
    body = await read_bytes(request, SLACK_BYTES, unpack=False)
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Refusal(400, "The body is packed.", remedy="Send it as it was signed, without Content-Encoding.")
    retry = (_only(request, "X-Slack-Retry-Num"), _only(request, "X-Slack-Retry-Reason"))
    return _told(await requests.answer(SignedRequest(signature, body, request.content_type, retry)))


def _told(reply: Reply) -> web.Response:
    if reply.status == 401:
        raise _unsigned(reply.body)
    if reply.status == 503:
        raise Refusal(503, reply.body, remedy="Slack sends events again.", headers={"Retry-After": "1"})
    return web.Response(status=reply.status, text=reply.body, content_type=reply.content_type, headers=NO_STORE)


def _unsigned(why: str) -> Refusal:
    remedy = "Requests come from Slack, signed; `slack.signing_secret` must be the app's own (Basic Information)."
    return Refusal(401, f"{why[:1].upper()}{why[1:]}.", remedy=remedy, headers={"WWW-Authenticate": 'Slack realm="events"'})


def _only(request: web.Request, name: str) -> str:
    """The header's value; empty if it occurs twice, since it is unclear which one was signed."""
    values = request.headers.getall(name, [])
    return values[0].strip() if len(values) == 1 else ""
