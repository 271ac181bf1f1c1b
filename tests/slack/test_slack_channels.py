"""What stands where channels are looked for: direct messages, archived ones, large ones, and none."""

import pytest
from slack_house import QUICK, login

from bot.ports import ChatError, Message, Place
from bot.sandbox.slack import BOT_SCOPES, LocalWorkspace
from bot.slack.gateway import SlackGateway

HUNDREDS = 450


async def test_an_id_that_no_channel_has_is_refused(gateway: SlackGateway) -> None:
    """At the start, where whoever wrote it is there to mend it; not when the first alert goes nowhere."""
    with pytest.raises(ChatError) as caught:
        await gateway.find_channel("C0NOWHERE0")

    assert ("channel_not_found", True) == (caught.value.code, caught.value.permanent)


async def test_an_archived_channel_is_not_found_by_its_name(workspace: LocalWorkspace, gateway: SlackGateway) -> None:
    """It takes no posts."""
    workspace.add_channel("ops", members=("understudy",))
    workspace.channel("ops").is_archived = True

    with pytest.raises(ChatError) as caught:
        await gateway.find_channel("#ops")

    assert "channel_not_found" == caught.value.code


@pytest.mark.parametrize("also", [(), ("im:read",)])
async def test_direct_messages_are_found_by_their_id(also: tuple[str, ...]) -> None:
    """Nobody joins those, whether or not we may look at them."""
    async with LocalWorkspace(scopes=[*BOT_SCOPES, *also]) as workspace:
        gateway = SlackGateway(login(workspace), patience=QUICK)
        at = await gateway.post(Place(workspace.add_user("ana").id), Message("hello"), "k")

        assert at.channel.startswith("D")
        assert at.channel == await gateway.find_channel(at.channel)
        await gateway.close()


async def test_an_archived_channel_of_ours_is_listed_as_one(workspace: LocalWorkspace, gateway: SlackGateway) -> None:
    """An incident does not take it for its own that was made just now."""
    made = [await gateway.create_channel(name, False) for name in ("inc-0001", "inc-0002")]
    workspace.channel("inc-0001").is_archived = True

    listed = {one.id: one.is_archived for one in await gateway.own_channels()}
    assert [True, False] == [listed[one.id] for one in made]


async def test_everybody_in_a_large_channel_is_seen(workspace: LocalWorkspace, gateway: SlackGateway) -> None:
    """Slack tells them by the page; who is on none would be invited again and again."""
    people = [workspace.add_user(f"user{n}").id for n in range(HUNDREDS)]
    ops = workspace.add_channel("ops", members=("understudy", *people))

    assert {workspace.bot_user_id, *people} == (await gateway.channel_setup(ops)).members
