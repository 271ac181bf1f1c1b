"""Inviting one alone, whom Slack refuses as a whole call, and groups that Slack does not tell."""

import pytest

from bot.ports import ChatError
from bot.sandbox.slack import LocalWorkspace
from bot.slack.gateway import SlackGateway

NOBODY = "U0NOBODY00"


@pytest.fixture
def ops(workspace: LocalWorkspace) -> str:
    return workspace.add_channel("ops", members=("understudy",))


@pytest.mark.parametrize("named", [True, False])
async def test_one_who_cannot_be_invited_is_said(
    workspace: LocalWorkspace, gateway: SlackGateway, ops: str, named: bool
) -> None:
    """Slack passes over one of several, and refuses the call for one alone, whether or not it says whom it means."""
    if not named:
        workspace.faults.add("conversations.invite", "error:user_not_found")

    assert [f"<@{NOBODY}> was not invited: there is no such person in the workspace"] == await gateway.invite(ops, [NOBODY])


@pytest.mark.parametrize("named", [True, False])
async def test_one_who_is_there_already_is_fine(
    workspace: LocalWorkspace, gateway: SlackGateway, ops: str, named: bool
) -> None:
    """Whoever acknowledges twice is invited twice."""
    ana = workspace.add_user("ana").id
    await gateway.invite(ops, [ana])
    if not named:
        workspace.faults.add("conversations.invite", "error:already_in_channel")

    assert [] == await gateway.invite(ops, [ana])


async def test_each_is_said_where_nobody_could_be_invited(workspace: LocalWorkspace, gateway: SlackGateway, ops: str) -> None:
    """Slack refuses the call as a whole then, and says who it was; who is there already is fine as ever."""
    ana = workspace.add_user("ana").id
    await gateway.invite(ops, [ana])

    said = await gateway.invite(ops, [NOBODY, ana, "U0NOBODY01"])

    assert [f"<@{NOBODY}>", "<@U0NOBODY01>"] == [sentence.partition(" was not invited: ")[0] for sentence in said]


@pytest.mark.parametrize("people", [1, 2])
async def test_what_the_app_may_not_is_no_matter_of_a_person(
    workspace: LocalWorkspace, gateway: SlackGateway, ops: str, people: int
) -> None:
    """The outbox says so to everybody, instead of a sentence about somebody."""
    workspace.faults.add("conversations.invite", "error:missing_scope")

    with pytest.raises(ChatError) as caught:
        await gateway.invite(ops, [workspace.add_user(f"user{n}").id for n in range(people)])

    assert "missing_scope" == caught.value.code


async def test_nobody_is_accused_where_slack_does_not_say_who_it_was(
    workspace: LocalWorkspace, gateway: SlackGateway, ops: str
) -> None:
    """It may be any of them."""
    workspace.faults.add("conversations.invite", "error:user_not_found")

    with pytest.raises(ChatError) as caught:
        await gateway.invite(ops, [NOBODY, workspace.add_user("ana").id])

    assert "user_not_found" == caught.value.code


async def test_a_group_that_slack_does_not_tell_just_now_is_asked_for_again(
    workspace: LocalWorkspace, gateway: SlackGateway, ops: str
) -> None:
    """The outbox tries later; else the people on call would not come, and a sentence would say that there is no such group."""
    oncall = workspace.add_group("oncall", "On call", [workspace.add_user("ana")])
    workspace.faults.add("usergroups.users.list", "error:service_unavailable")

    with pytest.raises(ChatError) as caught:
        await gateway.invite(ops, [oncall])

    assert not caught.value.permanent


async def test_a_group_that_is_gone_is_named_as_slack_shows_it(gateway: SlackGateway, ops: str) -> None:
    """With the mention alone, whatever was written."""
    [problem] = await gateway.invite(ops, ["<!subteam^S07GONE000|@oncall>"])

    assert problem.startswith("<!subteam^S07GONE000> is not a group that can be read: ")
