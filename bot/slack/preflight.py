"""A check of Slack before the start: are the tokens right, is anything missing, does Slack answer at all?

The SDK would silently retry a wrong app token for ever, so it is tried here once, with a clear result.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.ports import ChatError
from bot.slack.client import Identity, SlackApi, SlackLogin, identity_of
from bot.slack.scopes import APP_SCOPE

KINDS = {
    "xoxb-": "a bot token",
    "xapp-": "an app-level token",
    "xoxp-": "a user token",
    "xoxe-": "a refresh token",
    "xoxe.": "a rotating token",
    "xoxc-": "a browser session token",
}
WHERE = {
    "bot_token": ("xoxb-", "api.slack.com/apps, OAuth & Permissions, Bot User OAuth Token"),
    "app_token": ("xapp-", f"api.slack.com/apps, Basic Information, App-Level Tokens (with the scope {APP_SCOPE})"),
}

MOST_LISTED = 20  # workspaces

# Slack's codes for a token that will never work; other errors may pass.
TOKEN_REFUSED = frozenset(
    ("not_authed", "invalid_auth", "token_revoked", "token_expired", "account_inactive", "not_allowed_token_type")
)


@dataclass(frozen=True)
class Problem:
    """An obstacle, and what to do about it."""

    what: str
    remedy: str  # empty if only time helps

    def __str__(self) -> str:
        return f"{self.what}: {self.remedy}" if self.remedy else self.what


def unanswered(error: ChatError) -> Problem:
    """Slack gave no usable answer; the error's text is a complete sentence."""
    words = str(error)
    return Problem(words[:1].upper() + words[1:], "")


@dataclass(frozen=True)
class Preflight:
    """The result. `refused`: nothing works until a token is changed. `unreachable`: Slack did not answer."""

    ok: bool
    refused: bool
    unreachable: bool
    problems: tuple[Problem, ...]
    identity: Identity | None
    scopes: frozenset[str]
    workspace: str = ""  # of an organization: the name of the workspace chosen by `slack.team`
    ticket: str = field(default="", repr=False)  # an opened Socket Mode address, valid for one connection within a minute

    @property
    def usable(self) -> bool:
        """Whether the bot can post: a missing scope may cost one feature, but not all."""
        return self.identity is not None and not self.refused and not self.unreachable

    @property
    def bot_user_id(self) -> str:
        return self.identity.bot_user_id if self.identity else ""

    @property
    def bot_id(self) -> str:
        return self.identity.bot_id if self.identity else ""

    @property
    def team(self) -> str:
        return self.identity.team if self.identity else ""

    @property
    def team_id(self) -> str:
        return self.identity.team_id if self.identity else ""


async def preflight(login: SlackLogin, expected: Mapping[str, str], *, timeout_s: float = 10.0) -> Preflight:
    """Try each token once (HTTP mode has one); compare scopes with the expected ones (scope -> reason). Never raises."""
    look = _Look()
    api = SlackApi(login.api_url, login.bot_token, timeout_s=timeout_s)
    try:
        if look.has_kind("bot_token", login.bot_token):
            await _try_bot_token(look, api, expected)
        if look.identity:
            await _check_workspace(look, api, look.identity, login.team)
        if not login.by_http and look.has_kind("app_token", login.app_token) and not look.unreachable:
            await _try_app_token(look, api, login.app_token)
    finally:
        await api.close()
    return Preflight(
        ok=not look.problems, refused=look.refused, unreachable=look.unreachable, problems=tuple(look.problems),
        identity=look.identity, scopes=look.scopes, ticket=look.ticket, workspace=look.workspace,
    )  # fmt: skip


@dataclass
class _Look:
    """What was found so far."""

    problems: list[Problem] = field(default_factory=list)
    refused: bool = False
    unreachable: bool = False
    identity: Identity | None = None
    scopes: frozenset[str] = frozenset()
    ticket: str = ""
    workspace: str = ""

    def has_kind(self, name: str, token: str) -> bool:
        """Whether a token is of the right kind; people paste the other one."""
        prefix, where = WHERE[name]
        if token.startswith(prefix):
            return True
        self.refused = True
        kind = next((kind for start, kind in KINDS.items() if token.startswith(start)), "")
        if not token:
            what = f"slack.{name} is empty"
        elif kind:
            what = f"slack.{name} holds {kind}"
        else:
            what = f"slack.{name} does not look like a token of Slack's"
        self.problems.append(Problem(what, f"put in the one that begins with {prefix}: {where}"))
        return False

    def failed(self, name: str, error: ChatError) -> None:
        """A call with this token failed."""
        if error.code in TOKEN_REFUSED:
            self.refused = True
            prefix, where = WHERE[name]
            what = f"Slack does not take slack.{name} ({error.code})"
            self.problems.append(Problem(what, f"copy the token that begins with {prefix} anew: {where}"))
        elif error.permanent:
            self.refused = True
            self.problems.append(Problem(f"slack.{name} does not do", str(error)))
        else:
            self.unreachable = True
            self.problems.append(unanswered(error))


async def _try_bot_token(look: _Look, api: SlackApi, expected: Mapping[str, str]) -> None:
    try:
        reply = await api.response(api.web.auth_test)
    except ChatError as error:
        look.failed("bot_token", error)
        return
    look.identity = identity_of(reply.data if isinstance(reply.data, dict) else {})
    header = reply.headers.get("x-oauth-scopes")
    if header is None:
        return  # a server that does not report our scopes; the calls will show
    look.scopes = frozenset(scope.strip() for scope in str(header).split(",") if scope.strip())
    look.problems += [
        Problem(
            f"the app lacks the scope {scope} ({reason})",
            "create the app anew from the manifest, or add the scope under OAuth & Permissions and reinstall the app",
        )
        for scope, reason in expected.items()
        if scope not in look.scopes
    ]


async def _check_workspace(look: _Look, api: SlackApi, us: Identity, team: str) -> None:
    """An app installed for an organization works in one of its workspaces, named by `slack.team`."""
    if not us.is_enterprise_install:
        if team and team != us.team_id:
            what = f"slack.team is {team}, and the app is installed in {us.team_id} ({us.team}) alone"
            look.problems.append(Problem(what, "leave slack.team out; it is for an app of a whole organization"))
        return
    try:
        there = await api.workspaces()
    except ChatError as error:
        look.unreachable = look.unreachable or not error.permanent
        look.problems.append(Problem("the organization's workspaces cannot be listed", str(error)))
        return
    look.workspace = there.get(team, "")
    if team in there:
        return
    what = f"slack.team is {team}, where the app may not work" if team else "slack.team is empty"
    known = ", ".join(f"{id} ({name})" for id, name in list(there.items())[:MOST_LISTED])
    more = f" and {len(there) - MOST_LISTED} more" if len(there) > MOST_LISTED else ""
    remedy = f"set it to the workspace in which channels are made: {known}{more}"
    none = "an administrator of the organization has to add the app to a workspace first"
    look.problems.append(Problem(f"{what}, and the app is installed for the organization {us.team}", remedy if there else none))


async def _try_app_token(look: _Look, api: SlackApi, token: str) -> None:
    try:
        look.ticket = str((await api.call(api.web.apps_connections_open, app_token=token))["url"])
    except ChatError as error:
        if error.code == "missing_scope":
            look.refused = True
            where = WHERE["app_token"][1]
            look.problems.append(Problem(f"slack.app_token lacks the scope {APP_SCOPE}", f"make a new one: {where}"))
        elif error.code != "ratelimited":  # a rate limit proves that the token is known; the socket tries again later
            look.failed("app_token", error)
