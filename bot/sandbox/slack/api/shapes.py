"""Records as the Web API shows them; keys are a subset of those seen in Slack's real replies."""

from bot.sandbox.slack.records import Bookmark, Channel, File, Group, Json, Message, User, View
from bot.sandbox.slack.team import Team


def channel_shape(team: Team, channel: Channel, *, member_count: bool = False) -> Json:
    """A conversation object."""
    if channel.kind == "im":
        return {
            "id": channel.id,
            "created": channel.created,
            "is_archived": channel.is_archived,
            "is_im": True,
            "is_org_shared": False,
            "user": channel.members[0],
            "updated": channel.updated_ms,
        }
    shape: Json = {
        "id": channel.id,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": channel.kind == "public",
        "is_group": channel.kind == "private",
        "is_im": False,
        "is_mpim": channel.kind == "mpim",
        "is_private": channel.is_private,
        "is_archived": channel.is_archived,
        "is_general": channel.is_general,
        "is_shared": False,
        "is_ext_shared": False,
        "is_org_shared": False,
        "created": channel.created,
        "creator": channel.creator,
        "updated": channel.updated_ms,
        "is_member": team.bot_user_id in channel.members,
        "topic": {"value": channel.topic, "creator": channel.topic_by, "last_set": channel.topic_at},
        "purpose": {"value": channel.purpose, "creator": channel.purpose_by, "last_set": channel.purpose_at},
        "previous_names": list(channel.previous_names),
    }
    if member_count:
        shape["num_members"] = len(channel.members)
    return shape


def message_shape(team: Team, message: Message, *, metadata: bool = False, counts: bool = True) -> Json:
    """A message object as history, replies and interactions carry it; `counts` are those of its thread."""
    shape: Json = {"type": "message", "user": message.user, "text": message.text, "ts": message.ts, "team": team.id}
    if message.subtype:
        shape["subtype"] = message.subtype
    if message.bot and not message.subtype:
        shape["bot_id"], shape["app_id"] = team.bot_id, team.app_id
    if message.blocks:
        shape["blocks"] = message.blocks
    if message.attachments:
        shape["attachments"] = message.attachments
    if message.edited_ts:
        shape["edited"] = {"user": message.user, "ts": message.edited_ts}
    if message.files:
        shape["files"] = [file_shape(team, team.files[file_id]) for file_id in message.files]
    if message.reactions:
        shape["reactions"] = [{"name": n, "users": users, "count": len(users)} for n, users in message.reactions.items()]
    if metadata and message.metadata:
        shape["metadata"] = message.metadata
    if message.ts in team.channels[message.channel].pins:
        shape["pinned_to"] = [message.channel]
    return shape | _thread_part(team, message, counts=counts)


def _thread_part(team: Team, message: Message, *, counts: bool) -> Json:
    channel = team.channels[message.channel]
    if message.is_reply and message.thread_ts:
        root = team.message(channel, message.thread_ts)
        return {"thread_ts": message.thread_ts} | ({"parent_user_id": root.user} if root else {})
    replies = team.replies(channel, message.ts)
    if not replies:
        return {}
    if not counts:
        return {"thread_ts": message.ts}
    users = list(dict.fromkeys(reply.user for reply in replies))
    return {
        "thread_ts": message.ts,
        "reply_count": len(replies),
        "reply_users": users,
        "reply_users_count": len(users),
        "latest_reply": replies[-1].ts,
        "subscribed": False,
    }


def permalink_of(team: Team, message: Message) -> str:
    """The address of a message in Slack's own form."""
    link = f"https://{team.settings.team_domain}.slack.com/archives/{message.channel}/p{message.ts.replace('.', '')}"
    return f"{link}?thread_ts={message.thread_ts}&cid={message.channel}" if message.is_reply else link


def user_shape(team: Team, user: User) -> Json:
    """A user object. Slack shows little of a deactivated user; an Enterprise Grid adds a part of its own."""
    home = user.team_id or team.id
    if user.deleted:
        return {
            "id": user.id,
            "team_id": home,
            "name": user.name,
            "deleted": True,
            "is_bot": user.is_bot,
            "is_app_user": False,
            "updated": user.updated,
            "profile": {"real_name": user.real_name, "display_name": user.name, "team": home},
        }
    shape: Json = {
        "id": user.id,
        "team_id": home,
        "name": user.name,
        "real_name": user.real_name,
        "deleted": False,
        "color": user.color,
        "tz": user.tz,
        "tz_label": "Coordinated Universal Time",
        "tz_offset": 0,
        "is_admin": False,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": bool(user.guest),  # Slack sets both for a guest of a single channel
        "is_ultra_restricted": user.guest == "single",
        "is_bot": user.is_bot,
        "is_app_user": False,
        "updated": user.updated,
        "profile": {"real_name": user.real_name, "display_name": user.name, "team": home},
    }
    if user.workflow_bot:
        shape["is_workflow_bot"] = True
    if user.stranger:
        shape["is_stranger"] = True
    if user.enterprise_id:
        shape["enterprise_user"] = {
            "id": f"W{user.id[1:]}",
            "enterprise_id": user.enterprise_id,
            "enterprise_name": team.settings.team_name,
            "is_admin": False,
            "is_owner": False,
            "is_primary_owner": False,
            "teams": list(user.workspaces),
        }
    return shape


def bookmark_shape(team: Team, bookmark: Bookmark) -> Json:
    """A bookmark object."""
    return {
        "id": bookmark.id,
        "channel_id": bookmark.channel,
        "title": bookmark.title,
        "link": bookmark.link,
        "emoji": bookmark.emoji,
        "type": "link",
        "entity_id": None,
        "date_created": bookmark.created,
        "date_updated": bookmark.updated,
        "rank": "U",
        "last_updated_by_user_id": bookmark.by,
        "last_updated_by_team_id": team.id,
        "shortcut_id": None,
        "app_id": None,
    }


def group_shape(team: Team, group: Group, *, users: bool, counts: bool) -> Json:
    """A user group object."""
    shape: Json = {
        "id": group.id,
        "team_id": team.id,
        "is_usergroup": True,
        "is_subteam": True,
        "name": group.name,
        "description": "",
        "handle": group.handle,
        "is_external": False,
        "date_create": group.created,
        "date_update": group.created,
        "date_delete": 0,
        "prefs": {"channels": [], "groups": []},
    }
    if users:
        shape["users"] = list(group.members)
    if counts:
        shape["user_count"] = len(group.members)
    return shape


def file_shape(team: Team, file: File) -> Json:
    """A file object; `shares` is empty until the message has appeared."""
    public = {c: [share] for c, share in file.shares.items() if team.channels[c].kind == "public"}
    private = {c: [share] for c, share in file.shares.items() if team.channels[c].kind != "public"}
    shares = ({"public": public} if public else {}) | ({"private": private} if private else {})
    return {
        "id": file.id,
        "created": file.created,
        "timestamp": file.created,
        "name": file.name,
        "title": file.title,
        "mimetype": file.mimetype,
        "filetype": file.name.rpartition(".")[2] or "text",
        "size": file.length,
        "user": team.bot_user_id,
        "mode": "hosted",
        "is_public": bool(public),
        "url_private": f"{team.base_url}/ui/file/{file.id}",
        "url_private_download": f"{team.base_url}/ui/file/{file.id}",
        "permalink": f"{team.base_url}/ui/file/{file.id}",
        "shares": shares,
        "channels": list(public),
        "groups": list(private),
        "ims": [],
    }


def view_shape(team: Team, view: View) -> Json:
    """A view object."""
    body = view.body
    shape: Json = {
        "id": view.id,
        "team_id": team.id,
        "type": body["type"],
        "blocks": body["blocks"],
        "private_metadata": body.get("private_metadata", ""),
        "callback_id": body.get("callback_id", ""),
        "external_id": body.get("external_id", ""),
        "state": {"values": view.values},
        "hash": view.hash,
        "clear_on_close": body.get("clear_on_close", False),
        "notify_on_close": body.get("notify_on_close", False),
        "root_view_id": view.root_id,
        "previous_view_id": view.previous_id,
        "app_id": team.app_id,
        "app_installed_team_id": team.id,
        "bot_id": team.bot_id,
    }
    if body["type"] == "modal":
        shape |= {"title": body["title"], "submit": body.get("submit"), "close": body.get("close")}
    return shape
