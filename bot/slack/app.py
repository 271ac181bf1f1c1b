"""The Bolt app: knows its identity without asking Slack, handles each request once, and leaves nothing unanswered."""

import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.client import SlackLogin, sdk_logger
from bot.slack.door import delivery_of
from bot.slack.gateway import SlackGateway
from bot.slack.reception import Reception
from bot.slack.respond import Respond
from bot.slack.unanswered import Unanswered

NAME = "understudy"

FirstSight = Callable[[str], Awaitable[bool]]

# Bolt reads these on its own; SLACK_CLIENT_ID with SLACK_CLIENT_SECRET even turns it into an OAuth server that drops the bot
# token. Our configuration is the only source.
BOLTS_ENVIRONMENT = (
    "SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_VERIFICATION_TOKEN", "SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET",
)  # fmt: skip


def build_bolt(
    login: SlackLogin, gateway: SlackGateway, *, first_sight: FirstSight, reception: Reception,
    register: Callable[[AsyncApp], None],
    help_hint: str = "Type `/incident help`, `/fallback help` or `/health`.",
) -> AsyncApp:  # fmt: skip
    """The app that handles requests from socket or HTTP; `gateway` must be started, since its session is shared.

    `register` adds the listeners, before the catch-all ones. `first_sight(id)` is called once per request and says whether it
    is new: Slack repeats what was not acknowledged, sometimes in another envelope, and a repeat may be the only delivery, so
    what counts is whether we have seen it. `reception` decides who may come in. `help_hint` ends answers to unknown requests.
    """
    with _without_environment():
        app = AsyncApp(
            name=NAME,
            logger=sdk_logger(),
            client=_client(login, gateway),
            authorize=_authorize(login, gateway),
            before_authorize=_prepare(gateway),
            signing_secret="",
        )
    app.middleware(reception.hear)
    app.middleware(_once(first_sight))
    app.middleware(reception.admit)
    unanswered = Unanswered(help_hint)
    app.error(unanswered.failed)
    register(app)
    unanswered.listen(app)
    return app


def _client(login: SlackLogin, gateway: SlackGateway) -> AsyncWebClient:
    """The client that Bolt copies for each request. The token comes with the authorization."""
    web = gateway.api.web
    client = AsyncWebClient(base_url=login.api_url, session=web.session, retry_handlers=[], logger=sdk_logger())
    client.proxy = web.proxy
    return client


def _authorize(login: SlackLogin, gateway: SlackGateway) -> Callable[..., Awaitable[AuthorizeResult]]:
    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        """Return a constant. Bolt's own way calls auth.test, and one lost response tells people to reinstall the app."""
        me = await gateway.identity()
        return AuthorizeResult(
            enterprise_id=enterprise_id, team_id=team_id or me.team_id, bot_user_id=me.bot_user_id, bot_id=me.bot_id,
            bot_token=login.bot_token,
        )  # fmt: skip

    return authorize


def _prepare(gateway: SlackGateway) -> Callable[..., Awaitable[Any]]:
    async def prepare(context: AsyncBoltContext, next: Callable[[], Awaitable[Any]]) -> Any:  # the name is Bolt's
        """Give the request our client: our session, our proxy (the SDK would read HTTPS_PROXY again), our slash commands."""
        context["client"] = gateway.api.web
        context["respond"] = Respond(context.response_url, gateway.api, context.user_id)
        return await next()

    return prepare


def _once(first_sight: FirstSight) -> Callable[..., Awaitable[Any]]:
    async def once(context: AsyncBoltContext, next: Callable[[], Awaitable[Any]]) -> Any:  # the name is Bolt's
        id = delivery_of(context)
        if id and not await first_sight(id):
            return BoltResponse(status=200, body="")  # acknowledged, so that Slack stops repeating it
        return await next()

    return once


@contextmanager
def _without_environment() -> Iterator[None]:
    kept = {name: os.environ.pop(name) for name in BOLTS_ENVIRONMENT if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(kept)
