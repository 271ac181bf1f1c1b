"""Hooks for jobs' reports (heartbeats) and for alerts of other monitors."""

import asyncio
import hashlib
import re

from aiohttp import web

from bot.core.decide.alerting.corroboration import STATES
from bot.core.model import AlertState
from bot.core.signals import Alerted
from bot.ports import Admission
from bot.views.text import clean
from bot.web.api.carrying_out import actor_of, carry_out, signal_id
from bot.web.api.reads import NO_STORE, the_component
from bot.web.server.auth import bearer
from bot.web.server.bodies import KEY_HEADER, UNREADABLE, Fields, read_json
from bot.web.server.errors import Refusal
from bot.web.server.origins import is_loopback_address, names_this_machine
from bot.web.server.packing import UnknownEncoding, pieces
from bot.web.services import ALERTS_PER_S, SERVICES

HEARTBEAT = "/hooks/heartbeat/{name}"
ALERT = "/hooks/alert/{component}"
SOURCE_CHARS, KEY_CHARS, TITLE_CHARS = 64, 200, 300
NOTE_BYTES = 10 * 1024
NOTE_WITHIN_S = 2.0
NOTE_CHARS = 200

_RUN = re.compile(r"[A-Za-z0-9._:-]{1,64}", re.ASCII)
_EXIT_CODE = re.compile(r"[0-9]{1,3}", re.ASCII)


async def heartbeat(request: web.Request) -> web.Response:
    """A job's report: `{name}` alone means success; or `{name}/start`, `{name}/fail`, or an exit code, where 0 is success."""
    name = request.match_info["name"]
    kind, exit_code = _told(request.match_info.get("what", ""))
    token = bearer(request) or request.query.get("token", "")
    signs = request.app[SERVICES].hooks.signs
    admission = signs.admit(name, token, open=_may_do_without_token(request)) if signs else Admission.UNKNOWN
    if signs is None or admission is not Admission.OK:
        raise _not_admitted(admission, name, token)
    run = _run(request)
    await signs.record(name, kind, exit_code, await _note(request), run)
    return web.Response(text="OK", headers=NO_STORE)


def _run(request: web.Request) -> str:
    """What the job calls this run of it: `?rid=`, as healthchecks.io has it. A key that it sends instead is kept as a hash."""
    rid, key = request.query.get("rid", ""), request.headers.get(KEY_HEADER, "")
    if not rid and key:
        return f"key-{hashlib.sha256(key.encode('utf-8', 'surrogateescape')).hexdigest()[:12]}"
    if rid and not _RUN.fullmatch(rid):
        remedy = "Send up to 64 letters, digits and . _ : - such as a UUID."
        raise Refusal(400, "rid names no run of the job.", field="rid", remedy=remedy)
    return rid


def _may_do_without_token(request: web.Request) -> bool:
    """False for a browser on this machine that was tricked by a false name; see `origins`."""
    return names_this_machine(request) or not is_loopback_address(request.remote or "")


def _not_admitted(admission: Admission, name: str, token: str) -> Refusal:
    match admission:
        case Admission.DENIED:
            text = "This heartbeat needs its token." if not token else "This is not the token of this heartbeat."
            remedy = "Send the check's `token` as `Authorization: Bearer ...` or as ?token=."
            return Refusal(401, text, field="token", remedy=remedy, headers={"WWW-Authenticate": 'Bearer realm="Understudy"'})
        case Admission.CLOSED:
            text = "A heartbeat without a token is taken under this machine's own names only (localhost, 127.0.0.1)."
            return Refusal(403, text, field="token", remedy="Give the check a `token` and send it.")
        case Admission.TOO_MANY:
            text = "Signs of life come too fast: at most one a second for each check. This one was not counted."
            return Refusal(429, text, remedy="Send it again in a second.", headers={"Retry-After": "1"})
    remedy = "Use the full id of a heartbeat check (provider.component.name), or its name where that is unique."
    return Refusal(404, f"There is no heartbeat {name[:100]!r}.", field="name", remedy=remedy)


async def alert(request: web.Request) -> web.Response:
    """An alert that another monitor fired or resolved: `{state, key, source?, title?}`; `key` is unique within its source."""
    component, actor = the_component(request), actor_of(request)
    fields = Fields(await read_json(request))
    state = AlertState(fields.one_of("state", STATES))
    source = fields.text("source", SOURCE_CHARS) or actor.name
    key, title = fields.text("key", KEY_CHARS, needed=True), fields.text("title", TITLE_CHARS)
    fields.done()
    services = request.app[SERVICES]
    if not services.hooks.pace.take(source, services.clock.monotonic()):
        text = f"Alerts come too fast: at most {ALERTS_PER_S} a second of one source. This one was not taken."
        raise Refusal(429, text, remedy="Send it again in a second.", headers={"Retry-After": "1"})
    id = signal_id(request)
    return await carry_out(request, Alerted(actor, id, source=source, key=key, component=component, state=state, title=title))


def _told(what: str) -> tuple[str, int | None]:
    if what in ("", "start", "fail"):
        return what or "success", None
    code = int(what) if _EXIT_CODE.fullmatch(what) else 256
    if code > 255:
        remedy = "End the path with /start, /fail or an exit code from 0 to 255, or with the name for success."
        raise Refusal(400, f"{what[:40]!r} is not a sign of life.", field="what", remedy=remedy)
    return ("fail" if code else "success"), code


async def _note(request: web.Request) -> str:
    """The body's text as far as it can be read: the report counts whatever it says, so this never refuses it."""
    found = bytearray()
    try:
        async with asyncio.timeout(NOTE_WITHIN_S):
            async for chunk in pieces(request):
                found += chunk
                if len(found) >= NOTE_BYTES:
                    break
    except TimeoutError:
        found += b" ..."  # a body that arrives too slowly is cut off
    except (UnknownEncoding, *UNREADABLE):
        found = bytearray(b"(its words could not be read)")
    # Clean before cutting, so that the cut cannot leave half a secret; keep the end, which is where errors are.
    words = " ".join(clean(found[:NOTE_BYTES].decode("utf-8", "replace")).split())
    return words if len(words) <= NOTE_CHARS else f"…{words[1 - NOTE_CHARS :]}"
