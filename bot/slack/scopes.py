"""The rights that the app asks for, each with its reason; the manifest, the preflight and the docs agree on this list."""

from collections.abc import Mapping

SCOPES: Mapping[str, str] = {
    "commands": "people type /health, /incident and /fallback, and press buttons",
    "chat:write": "alerts, hourly updates and status cards are posted and edited",
    "channels:manage": "an incident gets a channel of its own, with a topic and the right people",
    "channels:read": "the alerts channel is found by its name, and our own channels again after a lost answer",
    "channels:join": "the bot joins the alerts channel by itself",
    "channels:history": "after a lost answer the bot looks whether its own message arrived, instead of posting it twice",
    "pins:write": "the status card is pinned",
    "bookmarks:read": "a bookmark that is there already is not added again",
    "bookmarks:write": "board, vendor page and runbook stand in the channel's bookmarks",
    "users:read": "guests and people of other organizations are told from full members, who alone may change things",
    "usergroups:read": "the on-call group is invited, and the commanders' groups are known, member by member",
    "files:read": "the bot sees whether a file that it shared has arrived, which Slack does not promise",
    "files:write": "timelines and post-mortems are shared as files",
}

PRIVATE_SCOPES: Mapping[str, str] = {
    "groups:write": "an incident's channel may be private",
    "groups:read": "our own private channels are found again after a lost answer",
    "groups:history": "after a lost answer the bot looks into a private channel whether its own message arrived",
}

# What Slack tells the bot of by itself; each needs a scope from above.
EVENTS: Mapping[str, str] = {
    "member_joined_channel": "whoever joins an incident's channel late is told how it stands, seen by them alone",
    "user_change": "somebody who was made a guest or deactivated loses their rights at once",
    "subteam_members_changed": "who joins or leaves a commanders' group gains or loses command at once",
    "subteam_updated": "a commanders' group that is renamed or disabled is read anew",
}

APP_SCOPE = "connections:write"  # of the app-level token: it opens the Socket Mode connection and can do nothing else


def expected_scopes(*, private: bool) -> Mapping[str, str]:
    """The scopes that this configuration needs, each with its reason."""
    return {**SCOPES, **PRIVATE_SCOPES} if private else SCOPES
