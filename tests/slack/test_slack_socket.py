"""The Socket Mode connection recovers by itself, whatever ends it, and reports its state."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from slack_house import BRISK, house, login

from bot.sandbox.slack import LocalWorkspace, Person, SlackbotSays
from bot.slack.preflight import preflight
from bot.slack.scopes import SCOPES


@pytest.fixture
def ana(workspace: LocalWorkspace) -> Person:
    made = workspace.add_user("ana")
    workspace.add_channel("ops", members=(made, "understudy"))
    return made


async def until(true: Callable[[], bool], within_s: float = 4.0) -> None:
    """Wait for an event on a real socket."""
    async with asyncio.timeout(within_s):
        while not true():  # the other side of a socket sends no signal to wait for
            await asyncio.sleep(0.02)


async def is_answered(ana: Person, text: str) -> None:
    """Keep typing until the bot answers, as a person would."""
    async with asyncio.timeout(4.0):
        while True:
            try:
                await ana.types(f"/health {text}")
            except SlackbotSays:
                await asyncio.sleep(0.05)
            else:
                break
    await ana.waits_for(f"heard {text}")


def tickets(workspace: LocalWorkspace) -> int:
    return sum(call.method == "apps.connections.open" for call in workspace.calls)


async def test_command_is_answered_when_connected(workspace: LocalWorkspace, ana: Person) -> None:
    """The ordinary case."""
    async with house(workspace) as home:
        await ana.types("/health claude")

        assert "heard claude" in await ana.waits_for("heard claude")
        assert "connected" == home.watch.state.name
        assert ["claude"] == home.received


async def test_refused_upgrade_is_retried_with_a_new_ticket(workspace: LocalWorkspace, ana: Person) -> None:
    """The refusal uses the ticket up; the SDK alone would offer it for ever."""
    workspace.faults.refuse_upgrades(1)
    async with house(workspace):
        await is_answered(ana, "claude")

        assert 2 == tickets(workspace)


async def test_silent_connection_is_replaced(workspace: LocalWorkspace, ana: Person) -> None:
    """Open but dead: noticed within three pings, reported, and replaced once Slack answers again."""
    async with house(workspace) as home:
        workspace.faults.silent()
        await until(lambda: home.watch.state.name == "deaf")
        deaf = home.watch.state
        workspace.faults.speak()
        await is_answered(ana, "claude")

        assert "says nothing" in deaf.sentence
        assert 1 == len(home.watch.offline_spells)


async def test_aborted_connection_is_replaced(workspace: LocalWorkspace, ana: Person) -> None:
    """A router that drops it costs a second, not an outage."""
    async with house(workspace) as home:
        await workspace.faults.drop_sockets()
        await until(lambda: len(home.watch.offline_spells) == 1)
        await is_answered(ana, "claude")

        spell = home.watch.offline_spells[0]
        assert spell.began_at < spell.ended_at
        assert "the connection broke off" == spell.why


async def test_refresh_by_slack_loses_no_command(workspace: LocalWorkspace, ana: Person) -> None:
    """Slack does it every few hours; it does not count as an outage."""
    async with house(workspace, patience=replace(BRISK, steady_after_s=0.0, spell_from=timedelta(seconds=2))) as home:
        for round in range(3):
            workspace.faults.warn()
            await until(lambda round=round: tickets(workspace) == round + 2 and len(workspace.links.links) == 1)
            await ana.types(f"/health round-{round}")
        await workspace.faults.refresh()
        await is_answered(ana, "last")

        assert ["round-0", "round-1", "round-2", "last"] == home.received
        assert () == home.watch.offline_spells


async def test_start_while_slack_is_down_keeps_trying(workspace: LocalWorkspace, ana: Person) -> None:
    """The start never fails because of Slack; the state gives the reason."""
    await workspace.faults.offline()
    async with house(workspace, wait=False) as home:
        await until(lambda: "cannot be reached" in home.watch.state.sentence)
        before = home.watch.state
        await workspace.faults.online()
        await is_answered(ana, "claude")

        assert "connecting" == before.name
        assert "connected" == home.watch.state.name
        assert 1 == len(home.watch.offline_spells)


async def test_connection_recovers_after_a_slack_outage(workspace: LocalWorkspace, ana: Person) -> None:
    """From the beginning of the outage to its end."""
    async with house(workspace) as home:
        await workspace.faults.offline()
        await until(lambda: home.watch.state.name == "connecting")
        await workspace.faults.online()
        await is_answered(ana, "claude")

        assert 1 == len(home.watch.offline_spells)


async def test_wrong_token_is_reported_and_retried(workspace: LocalWorkspace) -> None:
    """The SDK alone would loop silently."""
    workspace.faults.add("apps.connections.open", "error:invalid_auth", times=2)
    async with house(workspace, wait=False) as home:
        await until(lambda: home.watch.state.name == "refused")
        refused = home.watch.state

        assert "bot_token" in refused.sentence or "app_token" in refused.sentence
        assert await home.watch.connected(4.0)


async def test_rate_limited_ticket_waits_for_retry_after(workspace: LocalWorkspace) -> None:
    """Slack's Retry-After overrides our own pause."""
    workspace.faults.add("apps.connections.open", "429", retry_after=1)
    async with house(workspace, wait=False) as home:
        assert not await home.watch.connected(0.7)
        assert await home.watch.connected(3.0)
        assert 2 == tickets(workspace)


async def test_too_many_connections_cause_backoff(workspace: LocalWorkspace) -> None:
    """A forgotten second copy of the bot must not make it ask for tickets without end."""
    settings = replace(workspace.team.settings, max_sockets=0)
    async with LocalWorkspace(settings=settings) as full, house(full, wait=False) as home:
        await until(lambda: tickets(full) >= 3)

        assert "too many connections" in home.watch.state.sentence
        assert not await home.watch.connected(0.5)
        assert tickets(full) <= 6


async def test_first_connection_uses_the_preflights_ticket(workspace: LocalWorkspace) -> None:
    """The method may be limited to one call a minute."""
    found = await preflight(login(workspace), SCOPES)
    async with house(workspace, ticket=found.ticket):
        assert 1 == tickets(workspace)


async def test_command_is_acknowledged_on_the_next_connection(workspace: LocalWorkspace, ana: Person) -> None:
    """If Slack refreshes the connection while the command is running."""
    begun = asyncio.Event()

    async def slowly(id: str) -> bool:
        begun.set()
        await asyncio.sleep(0.3)
        return True

    async with house(workspace, patience=replace(BRISK, steady_after_s=0.0), first_sight=slowly) as home:
        typing = asyncio.create_task(ana.types("/health claude"))
        await begun.wait()
        await workspace.faults.refresh()
        await typing

        assert ["claude"] == home.received


async def test_stopping_leaves_no_task(workspace: LocalWorkspace) -> None:
    """Also after several connections."""
    before = asyncio.all_tasks()
    async with house(workspace) as home:
        await workspace.faults.drop_sockets()
        await until(lambda: len(home.watch.offline_spells) == 1)
        mine = {task for task in asyncio.all_tasks() - before if "slack_sdk" in repr(task) or "SocketWatch" in repr(task)}
        assert mine

    assert [] == [task for task in mine if not task.done()]


async def test_stopping_is_quick_while_slack_is_silent(workspace: LocalWorkspace) -> None:
    """A server that ignores the closing handshake does not delay us."""
    loop = asyncio.get_running_loop()
    async with house(workspace):
        workspace.faults.silent()
        began = loop.time()

    assert loop.time() - began < 2.0


async def test_message_with_too_many_parts_is_acknowledged_unread(workspace: LocalWorkspace, ana: Person) -> None:
    """Megabytes of empty lists held up every flag read for 400 ms; Slack does not repeat what is acknowledged."""
    async with house(workspace) as home:
        payload = {"type": "block_actions", "message": {"blocks": [[] for _ in range(60_000)]}}
        answer = await workspace.links.deliver("interactive", payload)
        await ana.types("/health claude")
        await ana.waits_for("heard claude")

        assert answer is None
        assert "interactive" == workspace.links.acks[0].type
        assert ["claude"] == home.received


@pytest.mark.parametrize("marks", ["[", '{"a":'])
@pytest.mark.parametrize("deep", [2_000, 15_000])
async def test_message_too_deep_to_read_is_acknowledged(workspace: LocalWorkspace, marks: str, deep: int) -> None:
    """The SDK failed on it with a traceback, and Slack sent it again and again."""
    async with house(workspace):
        answer = await workspace.links.deliver_text("interactive", f'{{"message": {marks * deep}')

        assert answer is None
        assert "interactive" == workspace.links.acks[0].type


async def test_unreadable_messages_are_one_line_in_the_log(
    workspace: LocalWorkspace, capfd: pytest.CaptureFixture[str]
) -> None:
    """A flood of them must not fill the disk."""
    async with house(workspace):
        for _ in range(20):
            await workspace.links.deliver_text("interactive", "[" * 2_000)

    assert 1 == "".join(capfd.readouterr()).count("cannot be read")


async def test_connection_is_kept_after_our_own_loop_was_blocked(workspace: LocalWorkspace, ana: Person) -> None:
    """A paused machine missed the pings itself: Slack is not at fault, and messages on their way are not lost."""
    async with house(workspace) as home:
        time.sleep(4 * BRISK.ping_every_s)  # noqa: ASYNC251 # the hold itself
        await asyncio.sleep(2 * BRISK.ping_every_s)
        await ana.types("/health claude")
        await ana.waits_for("heard claude")

        assert (1, []) == (tickets(workspace), list(home.watch.offline_spells))
