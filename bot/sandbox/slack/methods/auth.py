"""auth.*, and the rule that a call of an app installed for an organization names a workspace."""

from bot.sandbox.slack.api.args import Args
from bot.sandbox.slack.api.catalogue import MethodFacts
from bot.sandbox.slack.api.lookups import page_of
from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.records import Json
from bot.sandbox.slack.team import Team

# These belong to one workspace: with an organization's token they require `team_id` (docs.slack.dev, at each).
OF_ONE_WORKSPACE = frozenset((
    "conversations.create", "conversations.list", "usergroups.list", "usergroups.users.list", "users.conversations",
    "users.list",
))  # fmt: skip


def test(team: Team, args: Args) -> Json:
    """Whose token it is. An organization's token has the organization's id in place of the workspace's, too."""
    grid, org = team.settings.enterprise_id, team.settings.org_install
    return ({"enterprise_id": grid} if grid else {}) | {
        "url": f"https://{team.settings.team_domain}{'.enterprise' if org else ''}.slack.com/",
        "team": team.settings.team_name,
        "user": team.users[team.bot_user_id].name,
        "team_id": grid if org else team.id,
        "user_id": team.bot_user_id,
        "bot_id": team.bot_id,
        "is_enterprise_install": org,
    }


def teams_list(team: Team, args: Args) -> Json:
    """The workspaces that the app may work in."""
    shapes: list[Json] = [{"id": id, "name": name} for id, name in team.workspaces.items()]
    page, cursor = page_of(args, shapes, default=100, most=1000)
    return {"teams": page, "response_metadata": {"next_cursor": cursor}}


def check_workspace(team: Team, method: str, facts: MethodFacts, values: Json) -> None:
    """Require that a call with an organization's token names its workspace where needed, one that the app may work in.

    Raises missing_argument (invalid_arguments where Slack does not list that) and team_access_not_granted.
    """
    if not team.settings.org_install or method not in OF_ONE_WORKSPACE:
        return
    named = values.get("team_id")
    if not named:
        code = "missing_argument" if "missing_argument" in facts.errors else "invalid_arguments"
        raise SlackError(code, "[ERROR] missing required field: team_id")
    if named not in team.workspaces:
        raise SlackError("team_access_not_granted")
    if named != team.id:
        raise LookupError(f"{named} is another workspace than the one that is simulated here")


METHODS = {"auth.test": test, "auth.teams.list": teams_list}

EMITS = {"auth.teams.list": ("invalid_cursor", "invalid_limit")}
