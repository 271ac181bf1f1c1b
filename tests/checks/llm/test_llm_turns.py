"""A model's stream, however it is made, leaves the loop to others between its pieces."""

import asyncio
from collections.abc import AsyncIterator

import httpx

from bot.checks.llm.dialects.openai import DIALECT
from bot.checks.llm.stream import listen
from bot.checks.llm.transcript import Transcript
from bot.checks.net.stopwatch import Stopwatch


async def test_tiny_events_that_wait_in_the_socket_let_others_have_their_turn() -> None:
    """Half a mebibyte of them, read in one go, held up every flag read for a third of a second."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def waiting() -> AsyncIterator[bytes]:
        yield b"data:1\n\n" * 65_536

    waits = asyncio.create_task(others())
    await asyncio.sleep(0)
    await listen(Transcript(DIALECT), httpx.Response(200, content=waiting()), Stopwatch(1.0))
    waits.cancel()
    await asyncio.gather(waits, return_exceptions=True)

    assert turns > 50
