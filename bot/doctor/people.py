"""What `understudy doctor` says about people in the configuration: whether Slack's record allows what they should do."""

from collections.abc import AsyncIterator, Sequence

from bot.doctor.rights import Remark
from bot.ports import ChatError
from bot.slack.gateway import SlackGateway
from bot.slack.invites import GROUP, USER
from bot.slack.standing import Standing, standing_of

MOST = 50  # people per list to look up; Slack answers about a hundred such questions a minute


# What each list in `people` allows.
DOES = {"viewers": "ask", "responders": "help", "commanders": "command", "admins": "look after the bot"}


async def look_at_list(gateway: SlackGateway, level: str, ids: Sequence[str]) -> AsyncIterator[Remark]:
    """Whether the people in a list really have its level: unknown ids do not, and guests stay guests.

    `level` is a key of `people`: viewers, responders, commanders or admins.
    """
    does = DOES[level]
    found: dict[str, str] = {}
    for id in ids:
        if user := USER.fullmatch(id):
            found.setdefault(user[1], "")
        elif group := GROUP.fullmatch(id):
            try:
                members = await gateway.members_of(group[1])
            except ChatError as error:
                yield "bad", f"the members of the group {group[1]} cannot be read: {error}"
                continue
            if not members:
                yield "bad", f"the group {group[1]} has no members, so it lets nobody {does}"
            for member in members:
                found.setdefault(member, f" (of the group {group[1]})")
        else:
            yield "bad", f"{id[:40]} is not the ID of a person (U...) or a user group (S...), so it lets nobody {does}"
    good = 0
    for user_id, through in list(found.items())[:MOST]:
        if refused := await _refused(gateway, user_id, level):
            yield "bad", f"{user_id}{through} {refused}"
        else:
            good += 1
    if good:
        more = f"; {len(found) - MOST} more were not looked up" if len(found) > MOST else ""
        yield "good", f"{good} of {min(len(found), MOST)} {level} are full members{more}"


async def _refused(gateway: SlackGateway, user: str, level: str) -> str:
    """Why Slack's record does not give somebody this level; empty if it does."""
    does = DOES[level]
    try:
        standing = standing_of(await gateway.user_info(user), await gateway.identity())
    except ChatError as error:
        return f"cannot be looked up: {error}"
    match standing:
        case Standing.MEMBER:
            return ""
        case Standing.FOREIGN:
            return f"belongs to another organization or workspace, and may not {does} here"
        case Standing.DEACTIVATED:
            return f"is deactivated, and may not {does}: take them out of people.{level} or of the group"
    return f"is a {standing.value}, and a {standing.value} may not {does}: only full members may"
