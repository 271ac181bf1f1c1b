"""Somebody's standing with us, from Slack's own record of them. Pure; in doubt they are an outsider.

Fields: https://docs.slack.dev/reference/objects/user-object. `is_app_user` says nothing about bots and is ignored.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from bot.slack.client import Identity

SLACKBOT = "USLACKBOT"


class Standing(StrEnum):
    """Full members may do what the rules allow; everybody else is an outsider."""

    MEMBER = "full member"
    GUEST = "guest"
    FOREIGN = "of another organization or workspace"
    BOT = "bot"
    DEACTIVATED = "deactivated"
    UNKNOWN = "unknown"  # Slack was asked but did not say

    @property
    def is_member(self) -> bool:
        """Whether this is a full member of the workspace, or of the organization if the app is installed for all of it."""
        return self is Standing.MEMBER


def standing_of(user: Mapping[str, Any], us: Identity) -> Standing:
    """The standing from a user object of users.info."""
    if barred := barred_as(user):
        return barred
    return Standing.MEMBER if _is_of_ours(user, us) else Standing.FOREIGN


def barred_as(user: Mapping[str, Any]) -> Standing | None:
    """What makes somebody an outsider in any workspace; None if nothing does."""
    if user.get("deleted"):
        return Standing.DEACTIVATED
    if user.get("is_bot") or user.get("is_workflow_bot") or user.get("is_connector_bot") or user.get("id") == SLACKBOT:
        return Standing.BOT
    if user.get("is_stranger"):
        return Standing.FOREIGN
    if user.get("is_restricted") or user.get("is_ultra_restricted"):
        return Standing.GUEST
    return None


def _is_of_ours(user: Mapping[str, Any], us: Identity) -> bool:
    """Whether they belong to our workspace, or to our organization if the app is installed for it.

    In Enterprise Grid, `team_id` is only one of the workspaces that a person may be in; the others are in `teams`.
    """
    grid = user.get("enterprise_user")
    grid = grid if isinstance(grid, Mapping) else {}
    organization = grid.get("enterprise_id") or user.get("enterprise_id")
    if us.is_enterprise_install:
        return bool(us.enterprise_id) and organization == us.enterprise_id
    if us.team_id and user.get("team_id") == us.team_id:
        return True
    teams = grid.get("teams")
    same = bool(us.enterprise_id) and organization == us.enterprise_id
    return same and bool(us.team_id) and isinstance(teams, list) and us.team_id in teams
