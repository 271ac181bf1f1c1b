"""`understudy run` ends when it is asked to, also when its loop is busy with something that never ends."""

import asyncio
import signal
import sys

import pytest

from bot.cli.shutdown import END_WITHIN_S
from bot.watch.watchdog import REPORT_WITHIN_S

BOT = """
import asyncio, signal, time, uvloop
signal.alarm(60)  # whoever started it may be killed before they can kill it
from bot.cli.shutdown import STUCK_EXIT, Shutdown, leave
from bot.system.clock import SystemClock
from bot.watch.lag import LoopLag
from bot.watch.watchdog import Watchdog

async def main():
    ending = Shutdown(within_s=0.5)
    ending.listen()
    watchdog = Watchdog(
        SystemClock(), ask=lambda: lag.ask(), on_stall=lambda stall: None, on_gone=leave, gone_after_s={gone}
    )
    lag = LoopLag(SystemClock(), watchdog.turn)
    lag.start()
    watchdog.start()
    print("ready", flush=True)
    {busy}
    await ending.asked.wait()
    {slow}
    lag.stop()
    watchdog.stop()
    ending.over()
    {after}
    print("in order", flush=True)

with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
    runner.run(main())
"""
SPINS = "while True: pass"


async def ended(
    *, busy: str = "", slow: str = "", after: str = "", gone: float = 30.0, by: signal.Signals | None = signal.SIGTERM
) -> tuple[int, str]:
    """Exit status and output of a bot that is busy in this way and then asked to end."""
    code = BOT.format(busy=busy or "pass", slow=slow or "pass", after=after or "pass", gone=gone)
    bot = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    assert bot.stdout is not None
    try:
        async with asyncio.timeout(20):
            first = await bot.stdout.readline()
            if by is not None:
                bot.send_signal(by)
            rest, _ = await bot.communicate()
    finally:
        if bot.returncode is None:
            bot.kill()
        await bot.wait()
    assert bot.returncode is not None
    return bot.returncode, (first + rest).decode()


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
async def test_an_idle_bot_ends_in_order(by: signal.Signals) -> None:
    """The signal reaches a loop that sleeps."""
    status, said = await ended(by=by)

    assert (0, True) == (status, said.endswith("in order\n"))


async def test_a_bot_whose_loop_spins_ends_when_it_is_asked_to() -> None:
    """The supervisor need not kill it; the log says where it was stuck."""
    status, said = await ended(busy=SPINS)

    assert 70 == status
    assert "ending took too long" in said
    assert "main" in said


async def test_a_bot_that_cannot_finish_ends_all_the_same() -> None:
    """Something under way takes longer than whoever ends us would wait."""
    status, said = await ended(slow="await asyncio.sleep(60)")

    assert (70, False) == (status, "in order" in said)


async def test_a_bot_whose_loop_is_gone_ends_by_itself() -> None:
    """A supervisor that only sees exit statuses starts it anew."""
    status, said = await ended(busy=SPINS, gone=0.5, by=None)

    assert (70, True) == (status, "the event loop is gone" in said)


async def test_a_bot_that_gave_everything_back_is_not_hurried() -> None:
    """What its interpreter still does takes as long as it takes."""
    status, said = await ended(after="await asyncio.sleep(1)")

    assert (0, True) == (status, said.endswith("in order\n"))


def test_the_last_words_are_said_before_a_supervisor_kills() -> None:
    """Docker and most others wait for ten seconds."""
    assert END_WITHIN_S + REPORT_WITHIN_S < 10
