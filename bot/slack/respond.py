"""Answers to a `response_url`: over the shared session, without repeats, and with a log line when Slack does not take one."""

from typing import Any

import structlog
from slack_bolt.context.respond.async_respond import AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient
from slack_sdk.webhook.webhook_response import WebhookResponse

from bot.slack.errors import TRANSPORT_ERRORS, unanswered

log = structlog.get_logger(__name__)


class Respond(AsyncRespond):
    """Bolt's `respond`, called the same way with plain dicts. Slack takes five answers within half an hour."""

    def __init__(self, response_url: str | None, web: AsyncWebClient) -> None:
        super().__init__(response_url=response_url, proxy=web.proxy)
        self._session = web.session

    async def __call__(self, text: str | dict[str, Any] = "", blocks: Any = None, **fields: Any) -> WebhookResponse:  # type: ignore[override] # the rest is passed by name
        """Send the answer. Raises ChatError when Slack cannot be reached, ValueError when there is nowhere to answer."""
        if self.response_url is None:
            raise ValueError("this request has no response_url to answer to")
        body = text if isinstance(text, dict) else {"text": text, "blocks": blocks, **fields}
        hook = AsyncWebhookClient(self.response_url, session=self._session, retry_handlers=[])
        hook.proxy = self.proxy  # the SDK has just read the environment instead
        try:
            answer = await hook.send_dict({name: value for name, value in body.items() if value is not None})
        except TRANSPORT_ERRORS as error:
            raise unanswered(error, "response_url") from error
        if answer.status_code != 200:
            log.warning("Slack did not take an answer", status=answer.status_code, why=str(answer.body)[:200])
        return answer
