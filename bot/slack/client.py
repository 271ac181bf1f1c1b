"""Slack's Web API as we use it: one shared session, a deadline, no retries, and every failure as a ChatError."""

import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import field
from functools import cache
from ipaddress import ip_address
from typing import Any, cast
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.core.lazy_dataclass import dataclass
from bot.ports import ChatError
from bot.ports.performers import check_lease
from bot.slack.errors import TRANSPORT_ERRORS, refused, unanswered
from bot.slack.limits import Tiers
from bot.slack.wording import Wording

TIMEOUT_S = 10.0
PAGE = 200  # of workspaces
SDK_LOGGER = "bot.slack.sdk"
# Methods that concern one workspace. An organization's token must say which; a workspace's token need not.
OF_ONE_WORKSPACE = frozenset(("conversations.create", "conversations.list", "usergroups.users.list", "users.conversations"))
TICKET = re.compile(r"(?<=ticket=)[^&\s'\"]+")


@dataclass(frozen=True)
class SlackLogin:
    """Where Slack is, and our credentials."""

    api_url: str
    bot_token: str = field(repr=False)
    app_token: str = field(repr=False)
    prefix: str = ""  # prefix that the manifest puts on every slash command
    team: str = ""  # the workspace to work in, if the app is installed for a whole organization
    by_http: bool = False  # Slack sends requests to the web server; then there is no socket and no app token


@dataclass(frozen=True)
class Identity:
    """Our bot's identity in Slack."""

    bot_user_id: str
    bot_id: str
    team: str
    team_id: str
    enterprise_id: str = ""
    is_enterprise_install: bool = False  # installed for the whole organization, not for one workspace


class SlackApi:
    """Calls the Web API with one token. Every call raises ChatError."""

    def __init__(
        self, api_url: str, token: str, *, timeout_s: float = TIMEOUT_S, wording: Wording | None = None, team: str = ""
    ) -> None:
        self._team = team
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=timeout_s / 2)
        # The SDK's retry handlers would post again after a dropped connection; only the outbox may decide that.
        self.web = _StrictClient(token=token, base_url=api_url, retry_handlers=[], logger=sdk_logger())
        self.web.proxy = proxy_for(api_url)
        self.wording = self.web.wording = wording or Wording()
        self._tiers = Tiers()
        self._closed = False

    async def start(self) -> None:
        """Open the shared session; calling it twice is harmless. Raises ChatError after `close`."""
        if self._closed:
            raise ChatError("the bot is stopping", code="stopping", permanent=False)
        if self.web.session is None or self.web.session.closed:
            self.web.session = aiohttp.ClientSession(timeout=self._timeout, trace_configs=[_looking_last()])

    async def close(self) -> None:
        """Close the shared session; later calls are refused."""
        self._closed = True
        if self.web.session is not None:
            await self.web.session.close()

    async def call(self, method: Callable[..., Awaitable[AsyncSlackResponse]], **args: Any) -> dict[str, Any]:
        """Await a method of `web` and return its reply. Raises ChatError."""
        return cast(dict[str, Any], (await self.response(method, **args)).data)

    async def response(self, method: Callable[..., Awaitable[AsyncSlackResponse]], **args: Any) -> AsyncSlackResponse:
        """Like `call`, with the reply's headers. Raises ChatError."""
        name = getattr(method, "__name__", "call").replace("_", ".")
        if self._team and name in OF_ONE_WORKSPACE:
            args["team_id"] = self._team
        await self.start()
        await self._tiers.turn(name)
        check_lease()
        try:
            return await method(**args)
        except SlackApiError as error:
            raise refused(error, name) from error
        except TRANSPORT_ERRORS as error:
            raise unanswered(error, name) from error

    async def identify(self) -> Identity:
        """Who the token belongs to. Raises ChatError."""
        return identity_of(await self.call(self.web.auth_test))

    async def workspaces(self) -> dict[str, str]:
        """The organization's workspaces in which the app may work: id to name. Raises ChatError."""
        found: dict[str, str] = {}
        cursor = ""
        while True:
            more = {"cursor": cursor} if cursor else {}
            reply = await self.call(self.web.auth_teams_list, limit=PAGE, **more)
            found |= {str(team.get("id")): str(team.get("name") or "") for team in reply.get("teams") or ()}
            cursor = str((reply.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return found

    async def send(self, url: str, content: bytes) -> None:
        """Send bytes to an upload address from Slack, without a token. Raises ChatError, never an unclear one."""
        await self.start()
        assert self.web.session is not None  # noqa: S101 # start() has just opened it
        try:
            async with self.web.session.post(url, data=content, proxy=self.web.proxy) as answer:
                status = answer.status
        except TRANSPORT_ERRORS as error:
            raise ChatError(f"the upload broke off: {type(error).__name__}", code="upload", permanent=False) from error
        if status != 200:
            raise ChatError(f"Slack answered HTTP {status} to the upload", code="upload", permanent=False)


def _looking_last() -> aiohttp.TraceConfig:
    """The process may be paused while connecting or waiting for a connection; both hooks run just before bytes are written."""
    trace = aiohttp.TraceConfig()
    trace.on_request_headers_sent.append(_look)
    trace.on_request_chunk_sent.append(_look)
    return trace


async def _look(*_: Any) -> None:
    check_lease()


def identity_of(reply: dict[str, Any]) -> Identity:
    """The identity in a reply of auth.test."""
    user, bot, team, team_id, grid = (
        str(reply.get(name) or "") for name in ("user_id", "bot_id", "team", "team_id", "enterprise_id")
    )
    return Identity(user, bot, team, team_id, grid, reply.get("is_enterprise_install") is True)


def proxy_for(url: str) -> str | None:
    """The machine's proxy for this address; None if there is none, if NO_PROXY excludes it, or for this machine itself.

    The SDK uses HTTPS_PROXY for every address, even loopback, and ignores NO_PROXY.
    """
    host = urlsplit(url).hostname or ""
    if _is_here(host) or proxy_bypass(host):
        return None
    return getproxies().get(urlsplit(url).scheme) or None


@cache
def sdk_logger() -> logging.Logger:
    """The logger for SDK and Bolt: warnings only, without tickets and tracebacks of their own reconnecting."""
    logger = logging.getLogger(SDK_LOGGER)
    logger.setLevel(logging.WARNING)
    logger.addFilter(_without_tickets)
    return logger


def _without_tickets(record: logging.LogRecord) -> bool:
    record.msg, record.args = TICKET.sub("[secret]", record.getMessage()), ()
    record.exc_info = record.exc_text = None
    return True


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _StrictClient(AsyncWebClient):
    """The SDK raises AttributeError if an answer is text instead of JSON; here that is an answer without content.

    Slash commands in what it sends get the workspace's prefix.
    """

    wording = Wording()

    async def _request(self, *, http_verb: str, api_url: str, req_args: dict[str, Any]) -> dict[str, Any]:
        if req_args.get("json"):
            req_args = {**req_args, "json": self.wording.body(req_args["json"])}
        answer = await super()._request(http_verb=http_verb, api_url=api_url, req_args=req_args)
        if not isinstance(answer["data"], dict):
            answer["data"] = {}
        return answer
