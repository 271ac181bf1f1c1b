"""Finding channels: direct messages, archived channels, large ones, and none."""

import pytest
from slack_house import QUICK, login

from bot.ports import ChatError, Message, Place
from bot.sandbox.slack import BOT_SCOPES, LocalWorkspace
from bot.slack.gateway import SlackGateway

HUNDREDS = 450


async def test_unknown_channel_id_is_refused_at_the_start(gateway: SlackGateway) -> None:
    """The person who wrote it is still there to fix it, unlike when the first alert fails."""
    with pytest.raises(ChatError) as caught:
        await gateway.find_channel("C0NOWHERE0")

    assert ("channel_not_found", True) == (caught.value.code, caught.value.permanent)


async def test_archived_channel_is_not_found_by_its_name(workspace: LocalWorkspace, gateway: SlackGateway) -> None:
    """It accepts no posts."""
    workspace.add_channel("ops", members=("understudy",))
    workspace.channel("ops").is_archived = True

    with pytest.raises(ChatError) as caught:
        await gateway.find_channel("#ops")

    assert "channel_not_found" == caught.value.code


@pytest.mark.parametrize("also", [(), ("im:read",)])
async def test_direct_messages_are_found_by_their_id(also: tuple[str, ...]) -> None:
    """Nobody joins them, whether or not the bot may look them up."""
    async with LocalWorkspace(scopes=[*BOT_SCOPES, *also]) as workspace:
        gateway = SlackGateway(login(workspace), patience=QUICK)
        at = await gateway.post(Place(workspace.add_user("ana").id), Message("hello"), "k")

        assert at.channel.startswith("D")
        assert at.channel == await gateway.find_channel(at.channel)
        await gateway.close()


async def test_own_archived_channel_is_listed_as_archived(workspace: LocalWorkspace, gateway: SlackGateway) -> None:
    """An incident must not mistake it for the channel that it has just created."""
    made = [await gateway.create_channel(name, False) for name in ("inc-0001", "inc-0002")]
    workspace.channel("inc-0001").is_archived = True

    listed = {one.id: one.is_archived for one in await gateway.own_channels()}
    assert [True, False] == [listed[one.id] for one in made]


async def test_every_member_of_a_large_channel_is_seen(workspace: LocalWorkspace, gateway: SlackGateway) -> None:
    """Slack pages the list; people on a missed page would be invited again and again."""
    people = [workspace.add_user(f"user{n}").id for n in range(HUNDREDS)]
    ops = workspace.add_channel("ops", members=("understudy", *people))

    assert {workspace.bot_user_id, *people} == (await gateway.channel_setup(ops)).members
