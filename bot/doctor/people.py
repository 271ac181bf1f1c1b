"""What `understudy doctor` says of people: who may command, whether Slack agrees, and what outsiders may see."""

from collections.abc import AsyncIterator, Sequence

from bot.config.models import PeopleConfig
from bot.ports import ChatError
from bot.slack.gateway import SlackGateway
from bot.slack.invites import GROUP, USER
from bot.slack.standing import Standing, standing_of

MOST = 50  # commanders who are looked up; Slack answers about a hundred such questions a minute

Said = tuple[str, str]  # `good`, `note` (works, but know this) or `bad` (will not work), and the sentence

EVERYBODY = "people.commanders is empty: EVERY full member of the workspace may run incidents, switch flags and mute"
READERS = (
    "people.external is read: guests, people of other organizations and bots who can use the slash words see components, "
    "incidents with their timelines, and flags; they change nothing"
)


def who_may(people: PeopleConfig) -> list[Said]:
    """What the configuration opens to many."""
    return [
        ("note", words) for holds, words in ((not people.commanders, EVERYBODY), (people.external == "read", READERS)) if holds
    ]


async def look_at_commanders(gateway: SlackGateway, ids: Sequence[str]) -> AsyncIterator[Said]:
    """Whether those who are configured may command: an id that is nobody's does not, and a guest stays a guest."""
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
                yield "bad", f"the group {group[1]} has no members, so it lets nobody command"
            for member in members:
                found.setdefault(member, f" (of the group {group[1]})")
        else:
            yield "bad", f"{id[:40]} is no id of a person (U...) or of a user group (S...), so it lets nobody command"
    good = 0
    for user_id, through in list(found.items())[:MOST]:
        if refused := await _refused(gateway, user_id):
            yield "bad", f"{user_id}{through} {refused}"
        else:
            good += 1
    if good:
        more = f"; {len(found) - MOST} more were not looked up" if len(found) > MOST else ""
        yield "good", f"{good} of {min(len(found), MOST)} commanders are full members{more}"


async def _refused(gateway: SlackGateway, user: str) -> str:
    """Why Slack's record of somebody does not let them command; empty where it does."""
    try:
        standing = standing_of(await gateway.user_info(user), await gateway.identity())
    except ChatError as error:
        return f"cannot be looked up: {error}"
    match standing:
        case Standing.MEMBER:
            return ""
        case Standing.FOREIGN:
            return "belongs to another organization or workspace, and may not command here"
        case Standing.DEACTIVATED:
            return "is deactivated, and may not command: take them out of people.commanders or of the group"
    return f"is a {standing.value}, and a {standing.value} may not command: only full members may"
