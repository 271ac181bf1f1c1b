"""The Web API: who calls, whether they may, how often, with which arguments; then the method's own work.

The order of the checks is Slack's: method, token, scope, rate, arguments.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import web

from bot.sandbox.slack.api.args import Args, arguments_of
from bot.sandbox.slack.api.catalogue import MethodFacts, catalogue
from bot.sandbox.slack.api.limits import Limits
from bot.sandbox.slack.errors import COMMON, RateLimited, SlackError
from bot.sandbox.slack.methods import auth, block_kit, channels, chat, files, marks, membership, people, views
from bot.sandbox.slack.mischief import Mischief, Work
from bot.sandbox.slack.records import Call, Json
from bot.sandbox.slack.team import Team

ANYWHERE = frozenset({"team_id"})  # Bolt's per-request client adds it to every call
NO_TOKEN = frozenset({"api.test"})

Handler = Callable[[Team, Args], Json]

EMITS: Mapping[str, frozenset[str]] = {
    method: frozenset(codes)
    for emits in (
        block_kit.EMITS,
        auth.EMITS,
        channels.EMITS,
        chat.EMITS,
        files.EMITS,
        marks.EMITS,
        membership.EMITS,
        people.EMITS,
        views.EMITS,
    )
    for method, codes in emits.items()
}
"""Every refusal specific to a method, besides the COMMON ones; giving one that is not listed here is a defect."""


@dataclass
class WebApi:
    """The Web API of one workspace."""

    team: Team
    mischief: Mischief
    open_link: Callable[[], str]
    limits: Limits = field(init=False)
    handlers: dict[str, Handler] = field(init=False)

    def __post_init__(self) -> None:
        self.limits = Limits(self.team.settings)
        self.handlers = {
            "api.test": self._api_test,
            "apps.connections.open": lambda team, args: {"url": self.open_link()},
            **block_kit.METHODS,
            **auth.METHODS,
            **chat.methods(self.limits),
            **channels.METHODS,
            **membership.METHODS,
            **marks.METHODS,
            **files.METHODS,
            **people.METHODS,
            **views.METHODS,
        }

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one HTTP request, or misbehave as the faults say."""
        method = request.match_info["method"]
        try:
            values, token = await arguments_of(request)
        except SlackError as refusal:
            return self._refused(method, {}, "unknown", refusal)
        kind = self._token_kind(token)
        work = Work(
            method,
            values,
            run=lambda: self._answer(method, values, kind),
            refuse=lambda refusal: self._refused(method, values, kind, refusal),
            note=lambda error, status: self._record(method, values, kind, error, status),
        )
        return await self.mischief.around(request, work)

    # -- the checks and the work

    def _answer(self, method: str, values: Json, kind: str) -> web.Response:
        try:
            body = self._run(method, values, kind)
        except SlackError as refusal:
            return self._refused(method, values, kind, refusal)
        self._record(method, values, kind, None, 200)
        return web.json_response({"ok": True, **body}, headers=self._headers(method))

    def _run(self, method: str, values: Json, kind: str) -> Json:
        facts = catalogue().get(method)
        handler = self.handlers.get(method)
        if facts is None or handler is None:
            raise SlackError("unknown_method", req_method=method)
        self._check_token(method, kind)
        self._check_scope(facts)
        self.limits.count_call(method, facts.tier)
        _check_arguments(facts, values)
        auth.check_workspace(self.team, method, facts, values)
        try:
            return handler(self.team, Args(values))
        except SlackError as refusal:
            if method != "api.test" and refusal.code not in EMITS.get(method, frozenset()) | COMMON:
                raise LookupError(f"{method} gives {refusal.code}, which is not registered in EMITS") from refusal
            raise

    def _token_kind(self, token: str | None) -> str:
        known = {None: "none", "": "none", self.team.bot_token: "bot", self.team.app_token: "app"}
        return known.get(token, "unknown")

    def _check_token(self, method: str, kind: str) -> None:
        if method in NO_TOKEN:
            return
        if kind == "none":
            raise SlackError("not_authed")
        if kind == "unknown":
            raise SlackError("invalid_auth")
        if (kind == "app") != (method == "apps.connections.open"):
            raise SlackError("not_allowed_token_type")

    def _check_scope(self, facts: MethodFacts) -> None:
        wanted = facts.scopes_any_of
        if wanted and not set(wanted) & set(self.team.scopes):
            raise SlackError("missing_scope", needed=",".join(wanted), provided=",".join(self.team.scopes))

    def _api_test(self, team: Team, args: Args) -> Json:
        if "error" in args:
            raise SlackError(args.text("error"), args=dict(args.values))
        return {"args": dict(args.values)} if args.values else {}

    # -- replies

    def _headers(self, method: str) -> dict[str, str]:
        facts = catalogue().get(method)
        accepted = ",".join(facts.scopes_any_of) if facts else ""
        return {"x-oauth-scopes": ",".join(self.team.scopes), "x-accepted-oauth-scopes": accepted}

    def _refused(self, method: str, values: Json, kind: str, refusal: SlackError) -> web.Response:
        body: Json = {"ok": False, "error": refusal.code, **refusal.extra}
        if refusal.messages:
            body["response_metadata"] = {"messages": refusal.messages}
        status, headers = 200, self._headers(method)
        if isinstance(refusal, RateLimited):
            status, headers["Retry-After"] = 429, str(refusal.retry_after_s)
        self._record(method, values, kind, refusal.code, status)
        return web.json_response(body, status=status, headers=headers)

    def _record(self, method: str, values: Json, kind: str, error: str | None, status: int) -> None:
        self.team.calls.append(Call(method, values, self.team.now(), error is None, error, kind, status))


def _check_arguments(facts: MethodFacts, values: Json) -> None:
    unknown = sorted(set(values) - facts.args - ANYWHERE)
    if unknown:
        raise SlackError("invalid_arguments", *(f"[ERROR] unknown argument: {name}" for name in unknown))
    missing = [name for name in facts.required if values.get(name) is None]
    if missing:
        raise SlackError("invalid_arguments", *(f"[ERROR] missing required field: {name}" for name in missing))
