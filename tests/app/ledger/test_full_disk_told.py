"""A full disk is told in the alerts channel, unasked, also by a bot without `notify:`: once, and once when it is over."""

import asyncio
import signal

from tests.app.conftest import Pager
from tests.app.ledger.test_full_disk import ROOM, a_full_bot, make_room
from tests.cli.deployment import Deployment

FULL = "Nothing is being recorded: the disk is full"
AGAIN = "Everything is recorded again"


def told(deployment: Deployment, words: str) -> list[str]:
    """The messages of the alerts channel with these words."""
    workspace = deployment.workspace
    shown = [workspace.shows(message) for message in workspace.messages("ops")]
    return [message for message in shown if words in message]


async def hears(deployment: Deployment, words: str) -> str:
    """The first message of the alerts channel with these words."""
    async with asyncio.timeout(40):
        while not (found := told(deployment, words)):
            await asyncio.sleep(0.05)
    return found[0]


async def test_the_alerts_channel_is_told_unasked_that_the_disk_is_full(deployment: Deployment) -> None:
    """Without `notify:` this is the only word: nothing is written, flags stay, what to do; and, once, that it is over."""
    bot = await a_full_bot(deployment)
    first = await hears(deployment, FULL)
    make_room(bot)
    await hears(deployment, AGAIN)

    assert "support-chat.llm on claude" in first
    assert "Free disk space where Understudy runs" in first
    assert (1, 1) == (len(told(deployment, "Nothing was recorded from")), len(told(deployment, AGAIN)))
    assert [] == told(deployment, FULL)
    assert "Traceback" not in bot.output


async def test_an_outage_on_a_full_disk_is_told_in_the_alerts_channel(deployment: Deployment) -> None:
    """No incident can open for it, so this is the alert."""
    await a_full_bot(deployment)
    deployment.vendor.answers = {"anthropic.api": 502}
    alert = await hears(deployment, "Claude API is down")

    assert "no incident can open: the disk is full" in alert
    assert "support-chat.llm stays on claude" in alert
    assert "HTTP 502" in alert


async def test_the_alerts_channel_and_notify_are_both_told(deployment: Deployment, pager: Pager) -> None:
    """Whoever is called on the other way is no reason to leave the channel without a word."""
    await a_full_bot(deployment, deployment.settings(notify=[pager.url]))

    assert "the disk is full" in (await pager.hears("cannot write its ledger"))["message"]
    assert "the disk is full" in await hears(deployment, FULL)


async def test_a_restart_on_the_same_full_disk_tells_it_once(deployment: Deployment) -> None:
    """Whatever restarts the bot over and over must not fill the channel; and its end is told all the same."""
    bot = await a_full_bot(deployment)
    deployment.vendor.answers = {"anthropic.api": 502}
    await hears(deployment, "Claude API is down")
    await bot.ends(signal.SIGKILL)
    bot = await deployment.bot(most_bytes=ROOM // 4)  # less than SQLite needs to open a file for writing
    await bot.says('/anthropic", "event": "the alerts channel already has this post')
    on_the_same_disk = [len(told(deployment, words)) for words in (FULL, "Claude API is down, and no incident")]
    make_room(bot)
    await hears(deployment, AGAIN)

    assert [1, 1] == on_the_same_disk
    assert [1, 1] == [len(told(deployment, words)) for words in ("Nothing was recorded from", "What still fails has an")]


async def test_a_red_post_does_not_outlive_a_failure_that_ended_during_a_restart(deployment: Deployment) -> None:
    """No process saw the provider recover; the channel must not stay in the belief that it is down."""
    bot = await a_full_bot(deployment)
    deployment.vendor.answers = {"anthropic.api": 502}
    await hears(deployment, "Claude API is down")
    await bot.ends(signal.SIGKILL)
    deployment.vendor.answers = {}
    await deployment.bot(most_bytes=ROOM // 4)  # less than SQLite needs to open a file for writing
    await hears(deployment, "Nothing of Claude fails any more")

    assert [] == told(deployment, "Claude API is down, and no incident")


async def test_the_end_is_told_also_when_the_bot_is_started_anew_for_it(deployment: Deployment) -> None:
    """Room is made and the bot restarted: the channel must not stay in the belief that nothing is written."""
    bot = await a_full_bot(deployment)
    await hears(deployment, FULL)
    await bot.ends(signal.SIGKILL)
    bot = await deployment.ready_bot()
    await hears(deployment, AGAIN)

    assert [1, 1] == [len(told(deployment, words)) for words in ("Nothing was recorded from", AGAIN)]
