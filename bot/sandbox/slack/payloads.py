"""What the app receives: slash commands, interactions and events, with the keys of Slack's real payloads."""

from typing import Any

from bot.sandbox.slack.api.shapes import message_shape, view_shape
from bot.sandbox.slack.records import Channel, Json, Message, User, View
from bot.sandbox.slack.team import Team

VERIFICATION_TOKEN = "legacy-verification-token"  # noqa: S105 - Slack still sends the field, nobody may trust it


def slash_command(team: Team, user: User, channel: Channel, command: str, text: str, response_url: str) -> Json:
    """A slash command; Slack hides the names of private places."""
    shown = {"public": channel.name, "private": "privategroup", "im": "directmessage", "mpim": channel.name}
    grid = team.settings.enterprise_id
    enterprise = {"enterprise_id": grid, "enterprise_name": team.settings.team_name} if grid else {}
    return enterprise | {
        "token": VERIFICATION_TOKEN,
        "team_id": _workspace(team, user),
        "team_domain": team.settings.team_domain,
        "channel_id": channel.id,
        "channel_name": shown[channel.kind],
        "user_id": user.id,
        "user_name": user.name,
        "command": command,
        "text": text,
        "api_app_id": team.app_id,
        "is_enterprise_install": str(team.settings.org_install).lower(),
        "response_url": response_url,
        "trigger_id": team.new_trigger(user.id),
    }


def message_action(team: Team, user: User, message: Message, action: Json, response_url: str) -> Json:
    """A click in a message. An ephemeral one is not in the payload: the app cannot read it back."""
    channel = team.channels[message.channel]
    container: Json = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": message.ephemeral_to is not None,
    }
    if message.is_reply:
        container["thread_ts"] = message.thread_ts
    payload = _interaction(team, user, "block_actions") | {
        "container": container,
        "trigger_id": team.new_trigger(user.id),
        "channel": {"id": channel.id, "name": channel.name},
        "state": {"values": message.values},
        "response_url": response_url,
        "actions": [action],
    }
    if message.ephemeral_to is None:
        payload["message"] = message_shape(team, message, metadata=True)
    return payload


def view_action(team: Team, user: User, view: View, action: Json) -> Json:
    """A click or a choice in a modal or on the Home tab."""
    return _interaction(team, user, "block_actions") | {
        "container": {"type": "view", "view_id": view.id},
        "trigger_id": team.new_trigger(user.id, view.id),
        "view": view_shape(team, view),
        "actions": [action],
    }


def view_submission(team: Team, user: User, view: View) -> Json:
    return _interaction(team, user, "view_submission") | {
        "trigger_id": team.new_trigger(user.id, view.id),
        "view": view_shape(team, view),
    }


def view_closed(team: Team, user: User, view: View, *, is_cleared: bool) -> Json:
    return _interaction(team, user, "view_closed") | {"view": view_shape(team, view), "is_cleared": is_cleared}


def message_shortcut(team: Team, user: User, message: Message, callback_id: str, response_url: str) -> Json:
    channel = team.channels[message.channel]
    payload = _interaction(team, user, "message_action")
    # Only this payload has no app, and only the person's short name.
    del payload["api_app_id"], payload["user"]["username"]
    return payload | {
        "callback_id": callback_id,
        "action_ts": team.new_ts(),
        "trigger_id": team.new_trigger(user.id),
        "response_url": response_url,
        "message_ts": message.ts,
        "channel": {"id": channel.id, "name": channel.name},
        "message": message_shape(team, message),
    }


def global_shortcut(team: Team, user: User, callback_id: str) -> Json:
    return _interaction(team, user, "shortcut") | {
        "callback_id": callback_id,
        "action_ts": team.new_ts(),
        "trigger_id": team.new_trigger(user.id),
    }


def event_callback(team: Team, event: Json, event_id: str) -> Json:
    """The outer envelope of an event; `event_id` stays the same over retries."""
    # A `user_change` comes without the timestamp that all other events have.
    inner = event if event["type"] == "user_change" else {"event_ts": team.new_ts()} | event
    grid, org = team.settings.enterprise_id, team.settings.org_install
    authorization: dict[str, Any] = {
        "enterprise_id": grid or None,
        "team_id": None if org else team.id,
        "user_id": team.bot_user_id,
        "is_bot": True,
        "is_enterprise_install": team.settings.org_install,
    }
    who = team.users.get(str(event.get("user")))
    return ({"enterprise_id": grid} if grid else {}) | {
        "token": VERIFICATION_TOKEN,
        "team_id": _workspace(team, who) if who else team.id,
        "api_app_id": team.app_id,
        "event": inner,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": team.now(),
        "authorizations": [authorization],
        "is_ext_shared_channel": False,
        "event_context": f"4-{event_id}",
    }


def _workspace(team: Team, user: User) -> str:
    """The workspace that somebody works from: an app of the whole organization hears from each of its workspaces."""
    return (team.settings.org_install and user.team_id) or team.id


def _interaction(team: Team, user: User, kind: str) -> Json:
    grid = team.settings.enterprise_id
    return {
        "type": kind,
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id or team.id},
        "api_app_id": team.app_id,
        "token": VERIFICATION_TOKEN,
        "team": {"id": _workspace(team, user), "domain": team.settings.team_domain},
        "enterprise": {"id": grid, "name": team.settings.team_name} if grid else None,
        "is_enterprise_install": team.settings.org_install,
    }
