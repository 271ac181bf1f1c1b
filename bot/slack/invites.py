"""Inviting people and user groups: as many as possible, and one sentence for each that failed."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.ports import ChatError
from bot.slack.client import SlackApi
from bot.slack.errors import REFUSALS

BATCH = 100  # users per call of conversations.invite
USER = re.compile(r"(?:<@)?([UW][A-Z0-9]+)(?:\|[^>]*)?>?")
GROUP = re.compile(r"(?:<!subteam\^)?(S[A-Z0-9]+)(?:\|[^>]*)?>?")

THERE = frozenset({"already_in_channel", "cant_invite_self"})

# Slack's errors about one person; any other concerns the channel or the app, and fails the whole call.
OF_ONE: Mapping[str, str] = {
    "user_not_found": "there is no such person in the workspace",
    "cant_invite": "Slack does not let this person be invited",
    "user_is_restricted": "guests cannot be invited by the app",
    "user_is_ultra_restricted": "guests cannot be invited by the app",
    "ura_max_channels": "this guest is in as many channels as they may be",
    "invitee_cant_see_channel": "this person cannot see the channel",
    "org_user_not_in_team": "this person is not in this workspace",
    "no_external_invite_permission": "this person is outside of the organization",
    "no_user": "this is nobody",
}


async def invite(api: SlackApi, channel: str, wanted: Iterable[str], *, me: str) -> list[str]:
    """Invite people (`U..`, `<@U..>`) and the members of user groups (`S..`, `<!subteam^S..>`).

    Returns one sentence per id that could not be invited; people already there are fine. Raises ChatError.
    """
    people, problems = await people_of(api, wanted)
    people.pop(me, None)
    ids = list(people)
    for first in range(0, len(ids), BATCH):
        problems += await _invite(api, channel, ids[first : first + BATCH])
    return problems


async def people_of(api: SlackApi, wanted: Iterable[str]) -> tuple[dict[str, None], list[str]]:
    """The people behind these ids of users and groups, in order, and a sentence per id that matches nobody."""
    people: dict[str, None] = {}
    problems: list[str] = []
    for id in wanted:
        if user := USER.fullmatch(id):
            people[user[1]] = None
        elif group := GROUP.fullmatch(id):
            try:
                reply = await api.call(api.web.usergroups_users_list, usergroup=group[1])
            except ChatError as error:
                if not error.permanent:
                    raise
                problems.append(f"<!subteam^{group[1]}> is not a group that can be read: {error}")
            else:
                people |= dict.fromkeys(str(user) for user in reply.get("users") or ())
        else:
            problems.append(f"{id} is nobody: write the id of a person (U...) or of a user group (S...)")
    return people, problems


async def _invite(api: SlackApi, channel: str, people: list[str]) -> list[str]:
    try:
        reply = await api.call(api.web.conversations_invite, channel=channel, users=people, force=True)
    except ChatError as error:
        errors = _errors_of(error)
        if not errors and len(people) == 1 and error.code in OF_ONE.keys() | THERE:
            errors = [{"user": people[0], "error": error.code}]
        if not errors or error.code not in OF_ONE.keys() | THERE:
            raise
    else:
        errors = reply.get("errors") or []
    return [_sentence(one) for one in errors if one.get("error") not in THERE]


def _errors_of(error: ChatError) -> list[dict[str, Any]]:
    cause = error.__cause__
    data = getattr(cause.response, "data", None) if isinstance(cause, SlackApiError) else None
    return list(data.get("errors") or ()) if isinstance(data, dict) else []


def _sentence(one: Mapping[str, Any]) -> str:
    user, code = one.get("user"), str(one.get("error"))
    known = REFUSALS.get(code)
    why = OF_ONE.get(code) or (known.sentence if known else code)
    return f"<@{user}> was not invited: {why}" if user else f"somebody was not invited: {why}"
