"""Finding what a call names, with Slack's refusals when it does not exist or is not for this app."""

from bot.sandbox.slack.api.args import Args
from bot.sandbox.slack.api.catalogue import catalogue
from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.records import Channel, Json, Message
from bot.sandbox.slack.team import Team

SCOPE_PREFIX = {"public": "channels:", "private": "groups:", "im": "im:", "mpim": "mpim:"}


def require_scope(team: Team, method: str, kind: str) -> None:
    """The scope of a conversations.* method depends on the kind of conversation. Raises missing_scope."""
    wanted = [scope for scope in catalogue()[method].scopes_any_of if scope.startswith(SCOPE_PREFIX[kind])]
    if wanted and not set(wanted) & set(team.scopes):
        raise SlackError("missing_scope", needed=",".join(wanted), provided=",".join(team.scopes))


def channel_of(team: Team, args: Args, *, method: str = "", arg: str = "channel") -> Channel:
    """The channel that the call names, if the app may know of it; `method` adds the check of its scope.

    Raises channel_not_found, also for private channels that the app is not in: it cannot tell that they exist.
    """
    channel = team.channels.get(args.text(arg))
    if channel is None or (channel.is_private and team.bot_user_id not in channel.members):
        raise SlackError("channel_not_found")
    if method:
        require_scope(team, method, channel.kind)
    return channel


def must_be_member(team: Team, channel: Channel, *, code: str = "not_in_channel") -> None:
    if team.bot_user_id not in channel.members:
        raise SlackError(code)


def must_be_open(channel: Channel, *, code: str = "is_archived") -> None:
    if channel.is_archived:
        raise SlackError(code)


def message_of(team: Team, channel: Channel, ts: str) -> Message:
    """The message with that ts in the channel. Raises message_not_found."""
    message = team.message(channel, ts)
    if message is None:
        raise SlackError("message_not_found")
    return message


def page_of(
    args: Args,
    items: list[Json],
    *,
    default: int,
    most: int,
    limit_code: str = "invalid_limit",
) -> tuple[list[Json], str]:
    """One page of a cursored list and the cursor of the next ("" at the end). Raises invalid_cursor and `limit_code`."""
    limit = args.number("limit", default)
    if not 1 <= limit <= most:
        raise SlackError(limit_code)
    start, cursor = 0, args.text("cursor")
    if cursor:
        head, _, number = cursor.partition(":")
        if head != "next" or not number.isdigit() or int(number) >= max(1, len(items)):
            raise SlackError("invalid_cursor")
        start = int(number)
    end = start + limit
    return items[start:end], f"next:{end}" if end < len(items) else ""
