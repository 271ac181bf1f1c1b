"""What all requests that change something share: who asks, under which key, and how the answer is returned."""

import re
import uuid
from dataclasses import replace

import structlog
from aiohttp import web

from bot.core import signals as s
from bot.core.answers.base import Answer
from bot.core.model import Actor
from bot.engine.batch import done_already
from bot.web.api.reads import NO_STORE
from bot.web.api.shapes import answer_shape
from bot.web.server.bodies import DIGEST, KEY_HEADER
from bot.web.server.errors import Refusal, answer_json
from bot.web.services import SERVICES

LOGIN = re.compile(r"[\w.@+-]{1,64}", re.ASCII)
_KEY = re.compile(r"[\x21-\x7e]{1,200}")

log = structlog.get_logger(__name__)


async def carry_out(request: web.Request, signal: s.Signal) -> web.Response:
    """200 if it was done, now or earlier, 409 if it was refused; either way with the reason.

    Raises Refusal 422 if the caller's key was used with another body.
    """
    engine = request.app[SERVICES].engine
    signal = replace(signal, digest=request.get(DIGEST, ""))
    answer = await engine.handle(signal)
    if signal.digest and not answer.changed:
        answer = await _repeated(request, signal, answer)
    told = log.debug if isinstance(signal, s.Alerted) else log.info  # alerts are many, and recorded as facts anyway
    told("http.control", signal=type(signal).__name__, actor=signal.actor.name, ok=answer.ok, changed=answer.changed)
    return answer_json(answer_shape(answer, engine.policy.incidents.zone), status=200 if answer.ok else 409, headers=NO_STORE)


async def _repeated(request: web.Request, signal: s.Signal, answer: Answer) -> Answer:
    """The answer to a request that changed nothing now; it may have been done earlier, under the same key."""
    known = await request.app[SERVICES].ledger.read(lambda store: store.digest_of(signal.id))
    if not known:  # nothing was done under this key, or only by an earlier version, which kept no digests
        return answer
    if known != signal.digest:
        raise key_reused("Nothing was changed.")
    return done_already(answer)


def key_reused(then: str) -> Refusal:
    """The caller's key belongs to a request with another body."""
    remedy = "Send a key of its own with each request, and the same body with the same key."
    text = f"This Idempotency-Key was used for this request with another body. {then}"
    return Refusal(422, text, field=KEY_HEADER, remedy=remedy)


def actor_of(request: web.Request) -> Actor:
    """The actor, as the caller says: the token proves the right to act, the login only names the person in the timeline."""
    login = request.headers.get("X-Understudy-Actor", "").strip() or "api"
    if not LOGIN.fullmatch(login):
        remedy = "Send a login name: letters, digits and . _ @ + - only, at most 64."
        raise Refusal(400, "X-Understudy-Actor is not a login name.", field="X-Understudy-Actor", remedy=remedy)
    return Actor.operator(login)


def signal_id(request: web.Request) -> str:
    """The id from the caller's Idempotency-Key, which makes repeats harmless; without one, every request counts.

    Includes method and path: a script with one key for a whole run must not be told that its next request was already done.
    """
    key = request.headers.get(KEY_HEADER)
    if key is None:
        return f"api/{uuid.uuid4()}"
    if not _KEY.fullmatch(key.strip()):
        remedy = "Send 1 to 200 visible ASCII characters, such as a UUID."
        raise Refusal(400, "Idempotency-Key is not usable.", field=KEY_HEADER, remedy=remedy)
    return f"api/{key.strip()} {request.method} {request.path}"
