"""The few slash commands that Slack itself understands: /invite, /join, /leave, /topic and /archive."""

import re

from bot.sandbox.slack.errors import SlackbotSays
from bot.sandbox.slack.records import Channel, User
from bot.sandbox.slack.team import Team

NAMES = re.compile(r"[@#]?([a-z0-9._-]+)")


def run_builtin(team: Team, user: User, channel: Channel, text: str) -> bool:
    """Do what a built-in command asks; False when it is none of them. Raises SlackbotSays in Slack's own words."""
    command, _, rest = text.strip().partition(" ")
    match command:
        case "/invite":
            for name in NAMES.findall(rest):
                _invite(team, user, channel, name)
        case "/join":
            target = _channel(team, rest.strip())
            if user.id not in target.members:
                team.join(target, user.id)
        case "/leave":
            team.part(channel, user.id)
        case "/topic":
            channel.topic, channel.topic_by, channel.topic_at = rest[:250], user.id, team.now()
            team.system_line(channel, user.id, "channel_topic", f"set the channel topic: {channel.topic}")
        case "/archive":
            if channel.is_general:
                raise SlackbotSays("You can't archive the #general channel.")
            team.system_line(channel, user.id, "channel_archive", "archived the channel")
            channel.is_archived = True
            if team.bot_user_id in channel.members:
                channel.members.remove(team.bot_user_id)
        case _:
            return False
    team.changed()
    return True


def _invite(team: Team, user: User, channel: Channel, name: str) -> None:
    try:
        guest = team.user_named(name)
    except KeyError:
        raise SlackbotSays(f'User "{name}" not found.') from None
    if guest.id in channel.members:
        raise SlackbotSays(f"{guest.name} is already in this channel.")
    team.join(channel, guest.id, inviter=user.id)


def _channel(team: Team, name: str) -> Channel:
    try:
        channel = team.channel_named(name)
    except KeyError:
        raise SlackbotSays(f"The channel {name} does not exist.") from None
    if channel.is_private or channel.is_archived:
        raise SlackbotSays(f"You cannot join {name}.")
    return channel
