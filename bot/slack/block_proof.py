"""Whether Slack would accept our blocks, by `blocks.validate`, which posts nothing. For `understudy doctor`."""

from collections.abc import Mapping
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.ports import ChatError, Message
from bot.slack.gateway import SlackGateway

REFUSED = frozenset({"invalid_blocks", "invalid_message", "invalid_view"})
MOST_TOLD = 3


async def message_problem(gateway: SlackGateway, message: Message) -> str:
    """What Slack rejects in a message, and where; empty if it would accept it. Raises ChatError if Slack cannot tell."""
    return await _asked(gateway, "message", {"text": message.text, "blocks": list(message.blocks)})


async def view_problem(gateway: SlackGateway, view: Mapping[str, Any]) -> str:
    """The same for a form."""
    return await _asked(gateway, "view", view)


async def _asked(gateway: SlackGateway, kind: str, payload: Mapping[str, Any]) -> str:
    api = gateway.api
    try:
        await api.call(api.web.blocks_validate, **{kind: api.wording.body(payload)})
    except ChatError as error:
        if error.code not in REFUSED:
            raise
        return _told(error)
    return ""


def _told(error: ChatError) -> str:
    """Positions and texts from Slack's own list of errors, at most three."""
    said = error.__cause__.response.get("errors") if isinstance(error.__cause__, SlackApiError) else None
    problems = [one for one in said or [] if isinstance(one, dict)]
    told = [f"{one.get('message') or one.get('code')} at {one.get('pointer')}" for one in problems]
    more = f" and {len(told) - MOST_TOLD} more" if len(told) > MOST_TOLD else ""
    return "; ".join(told[:MOST_TOLD]) + more or str(error)
