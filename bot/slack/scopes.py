"""The scopes that the app needs, each with its reason; used by the manifest, the preflight and the docs."""

from collections.abc import Mapping

SCOPES: Mapping[str, str] = {
    "commands": "people type /health, /incident and /fallback, and press buttons",
    "chat:write": "alerts, hourly updates and status cards are posted and edited",
    "channels:manage": "each incident gets its own channel, with a topic and the right people",
    "channels:read": "the bot finds the alerts channel by name, and its own channels after a lost answer",
    "channels:join": "the bot joins the alerts channel by itself",
    "channels:history": "after a lost answer the bot checks whether its message arrived; it reads messages that are pinned",
    "reactions:read": "a pushpin adds a message to the timeline; another emoji declares an incident from it",
    "app_mentions:read": "the bot answers whoever mentions it in a channel",
    "im:history": "the bot answers direct messages to itself; it sees no others",
    "pins:write": "the status card is pinned",
    "bookmarks:read": "a bookmark that already exists is not added again",
    "bookmarks:write": "board, vendor page and runbook are bookmarked in the channel",
    "users:read": "to tell full members from guests and people of other organizations: only full members may change things",
    "usergroups:read": "the on-call group is invited, and the bot knows who is in the groups of `people`",
    "files:read": "the bot sees whether a file it shared has arrived, which Slack does not promise",
    "files:write": "timelines and post-mortems are shared as files",
}

PRIVATE_SCOPES: Mapping[str, str] = {
    "groups:write": "an incident's channel may be private",
    "groups:read": "our own private channels are found again after a lost answer",
    "groups:history": "the same in private channels as channels:history",
}

# The events that Slack sends to the bot; each needs a scope from above.
EVENTS: Mapping[str, str] = {
    "member_joined_channel": "whoever joins an incident's channel late gets a private summary",
    "user_change": "somebody who was made a guest or deactivated loses their rights at once",
    "subteam_members_changed": "people who join or leave a group of `people` gain or lose its rights at once",
    "subteam_updated": "a group of `people` that is renamed or disabled is read again",
    "reaction_added": "a pushpin puts a message into the incident's timeline; incidents.declare_emoji offers to declare",
    "reaction_removed": "removing the last pushpin takes the message out again",
    "app_home_opened": "the Home tab is drawn for whoever opens it",
    "app_mention": "the bot answers a question in a channel in its thread",
    "message.im": "the bot answers a question in a direct message there; it keeps nothing of it",
    "message.channels": "the timeline notes when one of its messages is edited or deleted; other messages are ignored",
}

PRIVATE_EVENTS: Mapping[str, str] = {"message.groups": "the same in private channels"}

APP_SCOPE = "connections:write"  # of the app-level token: it can only open the Socket Mode connection


def expected_scopes(*, private: bool) -> Mapping[str, str]:
    """The scopes that this configuration needs, each with its reason."""
    return {**SCOPES, **PRIVATE_SCOPES} if private else SCOPES


def expected_events(*, private: bool) -> Mapping[str, str]:
    """The events that this configuration needs, each with its reason."""
    return {**EVENTS, **PRIVATE_EVENTS} if private else EVENTS
