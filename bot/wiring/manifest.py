"""The Slack app manifest, generated from the command table and the scopes; `manifest.yml` is its default form."""

import re
from typing import Any

from bot.slack.scopes import expected_events, expected_scopes
from commands.table import SHORTCUTS, words


def manifest_for(
    prefix: str = "", *, private: bool = False, request_url: str = "", organization: bool = False
) -> dict[str, Any]:
    """The manifest as data; with a `request_url` for HTTP mode, or for a whole `organization`.

    Raises ValueError for a prefix that Slack would refuse.
    """
    if prefix and not re.fullmatch(r"[a-z0-9_-]{1,16}", prefix):
        raise ValueError(f"{prefix!r} cannot begin a slash command: at most 16 of a-z, 0-9, - and _")
    scopes = list(expected_scopes(private=private))
    url = {"url": request_url} if request_url else {}
    asked = {"request_url": request_url} if request_url else {}
    offered = {"message_menu_options_url": request_url} if request_url else {}
    commands = [
        {"command": word, "description": description, "usage_hint": hint, "should_escape": True} | url
        for word, description, hint in words(prefix)
    ]
    shortcuts = [
        {
            "name": one.name, "type": "message" if one.of_message else "global", "callback_id": one.callback,
            "description": one.does,
        }
        for one in SHORTCUTS
    ]  # fmt: skip
    return {
        "display_information": {
            "name": "Understudy",
            "description": "Watches the AI providers you depend on, runs the incident, switches services to a fallback",
            "background_color": "#1f2a44",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "understudy", "always_online": True},
            "shortcuts": shortcuts,
            "slash_commands": commands,
        },
        "oauth_config": {"scopes": {"bot": scopes}},
        "settings": {
            "event_subscriptions": {**asked, "bot_events": list(expected_events(private=private))},
            "interactivity": {"is_enabled": True, **asked, **offered},
            "org_deploy_enabled": organization,
            "socket_mode_enabled": not request_url,
            "token_rotation_enabled": False,
        },
    }
