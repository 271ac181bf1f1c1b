"""Invitations of one person, which Slack refuses as a whole, and groups that Slack does not return."""

import pytest

from bot.ports import ChatError
from bot.sandbox.slack import LocalWorkspace
from bot.slack.gateway import SlackGateway

NOBODY = "U0NOBODY00"


@pytest.fixture
def ops(workspace: LocalWorkspace) -> str:
    return workspace.add_channel("ops", members=("understudy",))


@pytest.mark.parametrize("named", [True, False])
async def test_person_who_cannot_be_invited_is_reported(
    workspace: LocalWorkspace, gateway: SlackGateway, ops: str, named: bool
) -> None:
    """Slack skips one of several, but refuses a call for one alone, with or without naming the person."""
    if not named:
        workspace.faults.add("conversations.invite", "error:user_not_found")

    assert [f"<@{NOBODY}> was not invited: there is no such person in the workspace"] == await gateway.invite(ops, [NOBODY])


@pytest.mark.parametrize("named", [True, False])
async def test_inviting_a_member_again_is_no_error(
    workspace: LocalWorkspace, gateway: SlackGateway, ops: str, named: bool
) -> None:
    """A person who acknowledges twice is invited twice."""
    ana = workspace.add_user("ana").id
    await gateway.invite(ops, [ana])
    if not named:
        workspace.faults.add("conversations.invite", "error:already_in_channel")

    assert [] == await gateway.invite(ops, [ana])


async def test_each_person_is_reported_if_none_could_be_invited(
    workspace: LocalWorkspace, gateway: SlackGateway, ops: str
) -> None:
    """Slack then refuses the whole call and names them; existing members are still no error."""
    ana = workspace.add_user("ana").id
    await gateway.invite(ops, [ana])

    said = await gateway.invite(ops, [NOBODY, ana, "U0NOBODY01"])

    assert [f"<@{NOBODY}>", "<@U0NOBODY01>"] == [sentence.partition(" was not invited: ")[0] for sentence in said]


@pytest.mark.parametrize("people", [1, 2])
async def test_missing_permission_is_not_reported_about_a_person(
    workspace: LocalWorkspace, gateway: SlackGateway, ops: str, people: int
) -> None:
    """The outbox reports it to everybody instead."""
    workspace.faults.add("conversations.invite", "error:missing_scope")

    with pytest.raises(ChatError) as caught:
        await gateway.invite(ops, [workspace.add_user(f"user{n}").id for n in range(people)])

    assert "missing_scope" == caught.value.code


async def test_nobody_is_named_if_slack_does_not_say_who_was_refused(
    workspace: LocalWorkspace, gateway: SlackGateway, ops: str
) -> None:
    """It may be any of them."""
    workspace.faults.add("conversations.invite", "error:user_not_found")

    with pytest.raises(ChatError) as caught:
        await gateway.invite(ops, [NOBODY, workspace.add_user("ana").id])

    assert "user_not_found" == caught.value.code


async def test_temporarily_unreadable_group_is_retried(workspace: LocalWorkspace, gateway: SlackGateway, ops: str) -> None:
    """Otherwise the people on call would be missing, and the report would say that the group does not exist."""
    oncall = workspace.add_group("oncall", "On call", [workspace.add_user("ana")])
    workspace.faults.add("usergroups.users.list", "error:service_unavailable")

    with pytest.raises(ChatError) as caught:
        await gateway.invite(ops, [oncall])

    assert not caught.value.permanent


async def test_deleted_group_is_named_as_slack_shows_it(gateway: SlackGateway, ops: str) -> None:
    """Only by its mention, whatever was configured."""
    [problem] = await gateway.invite(ops, ["<!subteam^S07GONE000|@oncall>"])

    assert problem.startswith("<!subteam^S07GONE000> is not a group that can be read: ")
