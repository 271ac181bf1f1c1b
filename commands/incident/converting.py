"""`/incident convert`: whether the current channel can become an incident's, and how the bot joins it."""

from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.lazy_dataclass import dataclass
from commands.parsing.parse import Misunderstood

DIRECT = "A direct message is not a place for an incident. Type it in a channel, or `/incident declare` here."
GENERAL = "This channel is for everybody. `/incident declare TITLE` makes one for the incident."
ALERTS = "This is where alerts come in. `/incident declare TITLE` makes a channel for the incident."
INVITE = (
    "I am not in this channel, and I cannot join a private one by myself. Type `/invite @understudy` here, then this again."
)
NO_RIGHT = (
    "I lack the rights for private channels. Whoever runs me can add them (`understudy manifest --private`); until then "
    "`/incident declare TITLE` makes a channel."
)
NOT_LET = "I cannot join this channel ({code}). Type `/invite @understudy` here, then this again."


@dataclass(frozen=True)
class ExistingChannel:
    """A channel that the bot is in."""

    id: str
    name: str


async def entered(client: AsyncWebClient, channel: str, alerts: str) -> ExistingChannel:
    """The channel, with the bot in it. Raises Misunderstood, with what to do instead, if it cannot become an incident's."""
    if channel.startswith("D"):
        raise Misunderstood(DIRECT)
    found = await _info(client, channel)
    name = str(found.get("name") or "")
    if found.get("is_im") or found.get("is_mpim"):
        raise Misunderstood(DIRECT)
    if alerts in (channel, f"#{name}", name):
        raise Misunderstood(ALERTS)
    if found.get("is_general"):
        raise Misunderstood(GENERAL)
    if not found.get("is_member"):
        if found.get("is_private"):
            raise Misunderstood(INVITE)
        await _join(client, channel)
    return ExistingChannel(channel, name)


async def _info(client: AsyncWebClient, channel: str) -> dict[str, Any]:
    try:
        found = (await client.conversations_info(channel=channel)).get("channel")
    except SlackApiError as refusal:
        match refusal.response.get("error"):
            case "channel_not_found":  # Slack hides private channels from non-members
                raise Misunderstood(INVITE) from None
            case "missing_scope":
                raise Misunderstood(NO_RIGHT) from None
        raise
    return found if isinstance(found, dict) else {}


async def _join(client: AsyncWebClient, channel: str) -> None:
    try:
        await client.conversations_join(channel=channel)
    except SlackApiError as refusal:
        raise Misunderstood(NOT_LET.format(code=refusal.response.get("error"))) from None
