"""The rights that the app asks for, each with its reason; the manifest, the preflight and the docs agree on this list."""

from collections.abc import Mapping

SCOPES: Mapping[str, str] = {
    "commands": "people type /health, /incident and /fallback, and press buttons",
    "chat:write": "alerts, hourly updates and status cards are posted and edited",
    "channels:manage": "an incident gets a channel of its own, with a topic and the right people",
    "channels:read": "the alerts channel is found by its name, and our own channels again after a lost answer",
    "channels:join": "the bot joins the alerts channel by itself",
    "channels:history": "after a lost answer the bot looks whether its own message arrived; a message that is pinned is read",
    "reactions:read": "a message with a pushpin on it becomes an entry of the timeline, or one is declared from it by emoji",
    "app_mentions:read": "whoever mentions the bot in a channel is answered",
    "im:history": "whoever writes the bot a direct message is answered; no other direct message is seen",
    "pins:write": "the status card is pinned",
    "bookmarks:read": "a bookmark that is there already is not added again",
    "bookmarks:write": "board, vendor page and runbook stand in the channel's bookmarks",
    "users:read": "guests and people of other organizations are told from full members, who alone may change things",
    "usergroups:read": "the on-call group is invited, and the groups of `people` are known, member by member",
    "files:read": "the bot sees whether a file that it shared has arrived, which Slack does not promise",
    "files:write": "timelines and post-mortems are shared as files",
}

PRIVATE_SCOPES: Mapping[str, str] = {
    "groups:write": "an incident's channel may be private",
    "groups:read": "our own private channels are found again after a lost answer",
    "groups:history": "the same in private channels as channels:history",
}

# What Slack tells the bot of by itself; each needs a scope from above.
EVENTS: Mapping[str, str] = {
    "member_joined_channel": "whoever joins an incident's channel late is told how it stands, seen by them alone",
    "user_change": "somebody who was made a guest or deactivated loses their rights at once",
    "subteam_members_changed": "who joins or leaves a group of `people` gains or loses its level at once",
    "subteam_updated": "a group of `people` that is renamed or disabled is read anew",
    "reaction_added": "a pushpin puts a message into the incident's timeline; incidents.declare_emoji offers to declare",
    "reaction_removed": "the last pushpin that goes takes the message out again",
    "app_home_opened": "the Home tab is drawn for whoever opens it",
    "app_mention": "a question to the bot in a channel is answered in its thread",
    "message.im": "a question in a direct message to the bot is answered there; nothing of it is kept",
    "message.channels": "a message of a timeline that is edited or deleted says so there; no other message is looked at",
}

PRIVATE_EVENTS: Mapping[str, str] = {"message.groups": "the same in private channels"}

APP_SCOPE = "connections:write"  # of the app-level token: it opens the Socket Mode connection and can do nothing else


def expected_scopes(*, private: bool) -> Mapping[str, str]:
    """The scopes that this configuration needs, each with its reason."""
    return {**SCOPES, **PRIVATE_SCOPES} if private else SCOPES


def expected_events(*, private: bool) -> Mapping[str, str]:
    """The events that this configuration needs, each with its reason."""
    return {**EVENTS, **PRIVATE_EVENTS} if private else EVENTS
