"""The alerts channel over a real gateway: when it counts as lost, and where alerts go instead."""

from datetime import UTC, datetime

import pytest

from bot.delivery.ops_channel import OpsChannel
from bot.ports import ChatError, Message
from bot.sandbox.slack import LocalWorkspace
from bot.slack.gateway import SlackGateway
from bot.system.clock import ManualClock

NOW = datetime(2026, 3, 20, 3, 0, tzinfo=UTC)
ALERT = Message("Claude is down")


@pytest.fixture(autouse=True)
def backup(workspace: LocalWorkspace) -> str:
    """Both channels exist; return the id of the second."""
    workspace.add_channel("ops")
    return workspace.add_channel("ops-backup")


@pytest.fixture
def lost() -> list[str]:
    return []


def channel_of(gateway: SlackGateway, lost: list[str], second: str = "#ops-backup") -> OpsChannel:
    return OpsChannel(gateway, ManualClock(NOW), "#ops", second, lost.append)


def archive(workspace: LocalWorkspace) -> None:
    workspace.channel("ops").is_archived = True


def texts(workspace: LocalWorkspace, channel: str) -> list[str]:
    return [message.text for message in workspace.channel(channel).messages if message.text == ALERT.text]


async def test_refused_post_does_not_mean_a_lost_channel(
    workspace: LocalWorkspace, gateway: SlackGateway, lost: list[str]
) -> None:
    """Slack refuses one post for another reason: it must not go elsewhere unnoticed, and nobody is paged."""
    alerts = channel_of(gateway, lost)
    workspace.faults.add("chat.postMessage", "error:restricted_action", times=9)
    with pytest.raises(ChatError) as refused:
        await alerts.post(ALERT, "k")

    assert ("restricted_action", "", [], []) == (refused.value.code, alerts.trouble, lost, texts(workspace, "ops-backup"))


async def test_lost_channel_without_a_second_is_the_error(
    workspace: LocalWorkspace, gateway: SlackGateway, lost: list[str]
) -> None:
    """The outbox then notifies people in other ways, with the first channel's reason."""
    alerts = channel_of(gateway, lost, second="")
    await alerts.look()
    archive(workspace)
    with pytest.raises(ChatError) as refused:
        await alerts.post(ALERT, "k")

    assert "is_archived" == refused.value.code
    assert "alerts go out by notify: only" in alerts.trouble
    assert [alerts.trouble] == lost


async def test_post_in_the_second_channel_is_found_again(
    workspace: LocalWorkspace, gateway: SlackGateway, lost: list[str]
) -> None:
    """Its reply got lost, but it is not posted a second time."""
    alerts = channel_of(gateway, lost)
    await alerts.look()
    archive(workspace)
    posted = await alerts.post(ALERT, "k")

    assert posted == await alerts.find_post("k", NOW.replace(year=2020))


async def test_files_go_where_the_alerts_go(
    workspace: LocalWorkspace, gateway: SlackGateway, lost: list[str], backup: str
) -> None:
    """And return once the first channel accepts posts again."""
    alerts, ops = channel_of(gateway, lost), workspace.channel("ops")
    places = [(await alerts.place()).channel]
    ops.is_archived = True
    await alerts.post(ALERT, "k")
    places.append((await alerts.place()).channel)
    ops.is_archived = False
    await alerts.post(ALERT, "k2")
    places.append((await alerts.place()).channel)

    assert [ops.id, backup, ops.id] == places


async def test_lost_channel_counts_as_found_once_it_accepts_a_post(
    workspace: LocalWorkspace, gateway: SlackGateway, lost: list[str]
) -> None:
    """Looking it up is not enough, and a channel that was never lost is not found."""
    found: list[str] = []
    alerts = OpsChannel(gateway, ManualClock(NOW), "#ops", "#ops-backup", lost.append, lambda: found.append("found"))
    seen = []
    for key, archived in (("k", False), ("k2", True), ("k3", False), ("k4", False)):
        workspace.channel("ops").is_archived = archived
        await alerts.look()
        looked = len(found)
        await alerts.post(ALERT, key)
        seen.append((looked, len(found)))

    assert [(0, 0), (0, 0), (0, 1), (1, 1)] == seen


@pytest.mark.parametrize("code", ["not_in_channel", "channel_not_found"])
async def test_removal_from_a_private_channel_is_a_loss(
    workspace: LocalWorkspace, gateway: SlackGateway, lost: list[str], code: str
) -> None:
    """The bot can neither look it up nor rejoin: alerts go to the second channel after one more try, until it is back."""
    ops = workspace.add_channel("sre-only", private=True, members=("understudy",))
    alerts = OpsChannel(gateway, ManualClock(NOW), ops, "#ops-backup", lost.append)
    await alerts.post(ALERT, "k")
    workspace.faults.add("chat.postMessage", f"error:{code}", times=3, match=lambda args: args["channel"] == ops)
    with pytest.raises(ChatError) as again:
        await alerts.post(ALERT, "k2")
    for key in ("k2", "k3", "k4"):
        await alerts.post(ALERT, key)

    assert (False, 1) == (again.value.permanent, len(lost))
    assert [2, 2] == [len(texts(workspace, channel)) for channel in ("ops-backup", "sre-only")]
    assert "" == alerts.trouble
