"""/api/v1, the changing half: every request becomes one signal, and the engine's answer is returned."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from bot.core import signals as s
from bot.core.decide.incident.naming import TITLE_CHARS
from bot.core.model import Actor, Severity
from bot.core.policy import IncidentPolicy
from bot.core.scope import MOST_CHARS, read_scope, scoped
from bot.outcomes.lately import requests_lately
from bot.verbs.naming import called
from bot.verbs.verb import REASON_CHARS, TEXT_CHARS, Assignment, IncidentVerb, Sender
from bot.web.api.carrying_out import LOGIN, actor_of, carry_out, signal_id
from bot.web.api.reads import NO_STORE, the_flag, the_incident
from bot.web.server.bodies import Fields, read_json
from bot.web.server.errors import Handler, Refusal, answer_json
from bot.web.services import SERVICES, Reload, ReloadRefused

ID_CHARS = 64
MOST_WARNED = 200

_SLACK_USER = re.compile(r"[UW][A-Z0-9]{7,20}")
_INCIDENT = re.compile(r"(?:INC-)?([0-9]{1,9})", re.IGNORECASE)
_NUMBER = re.compile(r"[1-9][0-9]{0,5}")
_SPAN = re.compile(r"[0-9]{1,6}\s*[a-z]+")

NamedAction = Callable[[Fields, str, Actor, str], s.Signal]


async def declare(request: web.Request) -> web.Response:
    """Declare an incident: `{title, components, severity, separate, began, ended}`."""
    fields = Fields(await read_json(request))
    policy = request.app[SERVICES].engine.policy
    signal = s.Declare(
        actor=actor_of(request),
        id=signal_id(request),
        title=fields.text("title", TITLE_CHARS, needed=True),
        components=fields.texts("components", list(policy.components)),
        severity=fields.choice("severity", Severity, default=Severity.SEV2),
        separate=fields.truth("separate"),
        began_at=fields.moment("began"),
        ended_at=fields.moment("ended"),
    )
    fields.done()
    return await carry_out(request, signal)


async def reload(request: web.Request) -> web.Response:
    """Read the configuration again, and load it if it is valid: 202 with the keys that differ, 409 or 422."""
    Fields(await read_json(request)).done()
    again = _reload(request)
    ended = again.state().ended
    try:
        changed = await again.ask(actor_of(request))
    except ReloadRefused as refused:
        raise Refusal(422, refused.sentences[0], remedy=" ".join(refused.sentences[1:]) or "Nothing was changed.") from refused
    data = {"ok": True, "changed": list(changed), "ended": ended}
    return answer_json(data, status=202 if changed else 200, headers=NO_STORE)


async def reload_state(request: web.Request) -> web.Response:
    """The progress of reloads: `ended` grows by one when one finishes; `refused` says why the last could not be used."""
    state = _reload(request).state()
    data = {"under_way": state.under_way, "ended": state.ended, "refused": state.refused}
    return answer_json(data, headers=NO_STORE)


def _reload(request: web.Request) -> Reload:
    again = request.app[SERVICES].reload
    if again is None:
        raise Refusal(
            409, "This bot cannot read its configuration again.", remedy="Only one that `understudy run` started can."
        )
    return again


async def start_drill(request: web.Request) -> web.Response:
    """Start a drill: `{components, for, paging, flag}`; names as in `/health`, a provider means all its components."""
    fields, policy = Fields(await read_json(request)), request.app[SERVICES].engine.policy
    named = fields.names("components", lambda name: [id for one in called(policy, name) for id in one.components])
    lasts = fields.duration("for")
    signal = s.StartDrill(
        actor_of(request), signal_id(request), components=named,
        lasts=s.StartDrill.lasts if lasts is None else lasts, paging=fields.truth("paging"),
        flag=fields.text("flag", REASON_CHARS),
    )  # fmt: skip
    fields.done()
    return await carry_out(request, signal)


async def stop_drill(request: web.Request) -> web.Response:
    """End a drill, and its incident with it."""
    number = (await the_incident(request)).number
    Fields(await read_json(request)).done()
    return await carry_out(request, s.StopDrill(actor_of(request), signal_id(request), incident=number))


def on_incident(verb: IncidentVerb) -> Handler:
    """A handler that turns a request about one incident into a signal."""

    async def handler(request: web.Request) -> web.Response:
        number = (await the_incident(request)).number
        services = request.app[SERVICES]
        fields = IncidentFields(await read_json(request), services.engine.policy.incidents, services.clock.now())
        signal = verb.signal(Sender(actor_of(request), signal_id(request), number), fields)
        if verb.asks and isinstance(signal, s.SetPhase):
            signal = replace(signal, warned=fields.marks("warned"))
        fields.done()
        return await carry_out(request, signal)

    return handler


def on_named(name_of: Callable[[web.Request], str], action: NamedAction) -> Handler:
    """A handler that turns a request about one flag or component into a signal; `name_of` returns which one."""

    async def handler(request: web.Request) -> web.Response:
        name = name_of(request)
        fields = Fields(await read_json(request))
        signal = action(fields, name, actor_of(request), signal_id(request))
        fields.done()
        return await carry_out(request, signal)

    return handler


class IncidentFields(Fields):
    """The fields of a request about one incident."""

    def __init__(self, data: Any, policy: IncidentPolicy, now: datetime) -> None:
        super().__init__(data)
        self._policy = policy
        self._now = now

    def severity(self, name: str) -> Severity:
        return self.choice(name, Severity)

    def span_or(self, name: str, known: Sequence[str], default: timedelta) -> timedelta | str:
        """A duration as in the configuration, or one of the words."""
        return self.one_of(name, known) if self._data.get(name) in known else self.duration(name) or default

    def truth(self, name: str, *, typed: bool = True) -> bool:
        return super().truth(name)

    def marks(self, name: str) -> tuple[str, ...]:
        """What an earlier answer warned of, as it said it; nothing where it is absent."""
        value = self._take(name)
        if value is None:
            return ()
        if not isinstance(value, list) or len(value) > MOST_WARNED or not all(isinstance(one, str) for one in value):
            remedy = f"Send {name} of the answer's data as it came."
            raise Refusal(400, f"{name} is not a list of marks.", field=name, remedy=remedy)
        return tuple(value)

    def kind(self, name: str, known: Sequence[str]) -> str:
        """One of the known words."""
        return self.one_of(name, known)

    def maybe(self, name: str) -> int:
        """Like `other`; 0 if it is missing."""
        return 0 if self._data.get(name) is None else self.other(name, 0)

    def other(self, name: str, mine: int) -> int:
        """A number, or a name such as `INC-7`."""
        value = self._take(name)
        found = _INCIDENT.fullmatch(str(value)) if isinstance(value, int | str) and not isinstance(value, bool) else None
        if found is None:
            raise Refusal(400, f"{name} names no incident.", field=name, remedy=f'Send "{name}": "INC-7".')
        return int(found[1])

    def role(self) -> str:
        """A configured role, or a synonym, in any case."""
        word = self.text("role", ID_CHARS, needed=True)
        role = self._policy.role_meant(word)
        if role is None:
            remedy = f"One of: {', '.join(self._policy.roles)}."
            raise Refusal(400, "role is not one of the known values.", field="role", remedy=remedy)
        return role

    def holder(self, role: str, me: Actor) -> Actor | None:
        """`none`, `me`, a Slack id, or a login name for when Slack is unavailable."""
        return _person("to", self.text("to", ID_CHARS, needed=True), me)

    def number(self, name: str) -> int:
        """A positive whole number, also as text."""
        value = self._take(name)
        text = str(value) if type(value) is int or isinstance(value, str) else ""
        if not _NUMBER.fullmatch(text):
            wrong = "is missing" if value is None else f"is not the number of a {name}"
            raise Refusal(400, f"{name} {wrong}.", field=name, remedy=f'Send "{name}": 3.')
        return int(text)

    def assignment(self, me: Actor) -> Assignment:
        """`text`, `owner` (nobody if missing) and `due`: a duration from now, or a time."""
        text, owner = self.text("text", TEXT_CHARS, needed=True), self.text("owner", ID_CHARS)
        return Assignment(text, _person("owner", owner, me) if owner else None, self._due())

    def receiver(self, me: Actor) -> Actor | None:
        """`owner` again, but the caller if missing."""
        owner = self.text("owner", ID_CHARS)
        return _person("owner", owner, me) if owner else me

    def _due(self) -> datetime | None:
        value = self._data.get("due")
        if isinstance(value, str) and _SPAN.fullmatch(value.strip()):
            span = self.duration("due")
            return self._now + span if span else None
        return self.moment("due")


def _person(field: str, name: str, me: Actor) -> Actor | None:
    if name.lower() in ("none", "me"):
        return me if name.lower() == "me" else None
    if _SLACK_USER.fullmatch(name):
        return Actor.person(name)
    if not LOGIN.fullmatch(name):
        remedy = "Send me, none, a Slack user id (U...) or a login name."
        raise Refusal(400, f"{field} names nobody.", field=field, remedy=remedy)
    return Actor.operator(name)


def _engage(fields: Fields, key: str, actor: Actor, id: str) -> s.Signal:
    return s.EngageFlag(
        actor, id, flag=key, variant=fields.text("variant", REASON_CHARS), hold_for=fields.duration("for"),
        reason=fields.text("reason", REASON_CHARS, needed=True), approves=fields.truth("approves"),
        share=fields.percent("share"), force=fields.truth("force"),
    )  # fmt: skip


def _release(fields: Fields, key: str, actor: Actor, id: str) -> s.Signal:
    reason = fields.text("reason", REASON_CHARS, needed=True)
    return s.ReleaseFlag(actor, id, flag=key, reason=reason, force=fields.truth("force"))


def _reject(fields: Fields, key: str, actor: Actor, id: str) -> s.Signal:
    return s.RejectProposal(actor, id, flag=key, reason=fields.text("reason", REASON_CHARS))


def _step_back(fields: Fields, key: str, actor: Actor, id: str) -> s.Signal:
    return s.StepBack(actor, id, flag=key)


def _rehearse(fields: Fields, key: str, actor: Actor, id: str) -> s.Signal:
    return s.RehearseFlag(actor, id, flag=key)


def _ramp(fields: Fields, key: str, actor: Actor, id: str) -> s.Signal:
    share, reason = fields.percent("share", needed=True), fields.text("reason", REASON_CHARS)
    return s.RampFlag(actor, id, flag=key, share=share, reason=reason, force=fields.truth("force"))


def _hold(fields: Fields, key: str, actor: Actor, id: str) -> s.Signal:
    return s.HoldHandBack(actor, id, flag=key, reason=fields.text("reason", REASON_CHARS))


def _resume(fields: Fields, key: str, actor: Actor, id: str) -> s.Signal:
    return s.ResumeHandBack(actor, id, flag=key)


def _extend(fields: Fields, key: str, actor: Actor, id: str) -> s.Signal:
    lasts = fields.duration("for")
    if lasts is None:
        raise Refusal(400, "for is missing: by how long?", field="for", remedy='Send "for": "2h".')
    return s.ExtendFlag(actor, id, flag=key, lasts=lasts)


def _pin(fields: Fields, key: str, actor: Actor, id: str) -> s.Signal:
    variant, reason = fields.text("variant", REASON_CHARS), fields.text("reason", REASON_CHARS)
    return s.PinFlag(actor, id, flag=key, variant=variant, reason=reason)


def _unpin(fields: Fields, key: str, actor: Actor, id: str) -> s.Signal:
    return s.UnpinFlag(actor, id, flag=key)


async def plan(request: web.Request) -> web.Response:
    """What a switch would do: `{variant, share, scope}`. Changes nothing."""
    key, services = the_flag(request), request.app[SERVICES]
    fields = Fields(await read_json(request))
    signal = s.PlanSwitch(
        actor_of(request), flag=scoped_key(fields, key),
        variant=fields.text("variant", REASON_CHARS), share=fields.percent("share"),
        readers=services.board.readers(key),
        requests=await requests_lately(services.samples.outcomes, key, services.clock.now()),
    )  # fmt: skip
    fields.done()
    return await carry_out(request, signal)


async def freeze(request: web.Request) -> web.Response:
    """Stop rules from moving any flag: `{reason}`."""
    fields = Fields(await read_json(request))
    signal = s.FreezeFlags(actor_of(request), signal_id(request), reason=fields.text("reason", REASON_CHARS))
    fields.done()
    return await carry_out(request, signal)


async def thaw(request: web.Request) -> web.Response:
    """Let rules move flags again: `{reason}`."""
    fields = Fields(await read_json(request))
    signal = s.ThawFlags(actor_of(request), signal_id(request), reason=fields.text("reason", REASON_CHARS))
    fields.done()
    return await carry_out(request, signal)


def _mute(fields: Fields, component: str, actor: Actor, id: str) -> s.Signal:
    lasts = fields.duration("for")
    if lasts is None:
        raise Refusal(400, "for is missing: a mute has an end.", field="for", remedy='Send "for": "2h".')
    return s.Mute(actor, id, component=component, lasts=lasts, reason=fields.text("reason", REASON_CHARS))


def _unmute(fields: Fields, component: str, actor: Actor, id: str) -> s.Signal:
    return s.Unmute(actor, id, component=component)


def _report(fields: Fields, component: str, actor: Actor, id: str) -> s.Signal:
    return s.Reported(actor, id, component=component, text=fields.text("text", TEXT_CHARS, needed=True))


def _scoped(action: NamedAction) -> NamedAction:
    """The same action for the scope of readers in `scope`, if given."""
    return lambda fields, key, actor, id: action(fields, scoped_key(fields, key), actor, id)


def scoped_key(fields: Fields, key: str) -> str:
    """The flag, or the scope of its readers in `scope` (`env=eu`); raises Refusal."""
    text = fields.text("scope", REASON_CHARS)
    scope = read_scope(text) if text else None
    if text and scope is None:
        remedy = f'Send "scope": "env=eu": an attribute and its value, at most {MOST_CHARS} characters without a space.'
        raise Refusal(400, "scope names no part of the readers.", field="scope", remedy=remedy)
    return scoped(key, scope) if scope else key


FLAG_ACTIONS: Mapping[str, NamedAction] = {
    **{
        name: _scoped(action)
        for name, action in (
            ("engage", _engage), ("release", _release), ("step-back", _step_back), ("ramp", _ramp), ("hold", _hold),
            ("resume", _resume), ("extend", _extend), ("pin", _pin), ("unpin", _unpin),
        )
    },
    "reject": _reject, "rehearse": _rehearse,
}  # fmt: skip

COMPONENT_ACTIONS: tuple[tuple[str, str, NamedAction], ...] = (
    ("POST", "mute", _mute),
    ("DELETE", "mute", _unmute),
    ("POST", "report", _report),
)
