"""Answers to one person: to the `response_url` over the shared session, without retries; else in a direct message."""

from typing import Any

import structlog
from slack_bolt.context.respond.async_respond import AsyncRespond
from slack_sdk.webhook.async_client import AsyncWebhookClient
from slack_sdk.webhook.webhook_response import WebhookResponse

from bot.slack.client import SlackApi
from bot.slack.errors import TRANSPORT_ERRORS, unanswered

log = structlog.get_logger(__name__)


class Respond(AsyncRespond):
    """Bolt's `respond`, called the same way with plain dicts. Slack accepts five answers within half an hour.

    Actions in a form or on the Home tab have no `response_url`: then `user` is answered in a direct message.
    """

    def __init__(self, response_url: str | None, api: SlackApi, user: str | None = None) -> None:
        super().__init__(response_url=response_url, proxy=api.web.proxy)
        self._api = api
        self._user = user

    async def __call__(self, text: str | dict[str, Any] = "", blocks: Any = None, **fields: Any) -> WebhookResponse:  # type: ignore[override] # the rest is passed by name
        """Send the answer. Raises ChatError if Slack cannot be reached, ValueError if there is nobody to answer."""
        body = text if isinstance(text, dict) else {"text": text, "blocks": blocks, **fields}
        body = self._api.wording.body({name: value for name, value in body.items() if value is not None})
        if not self.response_url:
            return await self._directly(body)
        hook = AsyncWebhookClient(self.response_url, session=self._api.web.session, retry_handlers=[])
        hook.proxy = self.proxy  # the SDK has just read the environment instead
        try:
            answer = await hook.send_dict(body)
        except TRANSPORT_ERRORS as error:
            raise unanswered(error, "response_url") from error
        if answer.status_code != 200:
            log.warning("Slack did not accept an answer", status=answer.status_code, why=str(answer.body)[:200])
        return answer

    async def _directly(self, body: dict[str, Any]) -> WebhookResponse:
        if not self._user:
            raise ValueError("this request has no response_url to answer to, and names nobody")
        if not body.get("replace_original"):  # in a direct message there is nothing to replace
            message = {name: body[name] for name in ("text", "blocks") if name in body}
            await self._api.call(self._api.web.chat_postMessage, channel=self._user, **message)
        return WebhookResponse(url="", status_code=200, body="ok", headers={})
