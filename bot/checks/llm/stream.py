"""Reads a model's answer off the wire: a stream up to its end mark, or a body up to a size limit."""

import asyncio
from collections.abc import AsyncIterator

import httpx

from bot.checks.judging.exceptions import Failure
from bot.checks.llm.transcript import Transcript
from bot.checks.net.stopwatch import Stopwatch

PIECE = 8 * 1024  # bytes per read; that is up to 1,000 tiny events, or about 10 ms
USAGE_WITHIN_S = 1.0  # real time to wait for the usage after a complete answer


async def listen(transcript: Transcript, response: httpx.Response, watch: Stopwatch) -> Failure | None:
    """Read the stream to its end mark or its end; returns what is wrong with its bytes, if anything. Raises network errors."""
    frames = transcript.dialect.frames()
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(None) as afterword:
            async for data in _pieces(response):
                transcript.keep(data)
                for event in frames.feed(data):
                    transcript.take(event, watch.elapsed_s)
                if transcript.last or transcript.error is not None:
                    return None
                if transcript.text_at is not None:
                    watch.begin("body")
                if transcript.complete and afterword.when() is None:
                    afterword.reschedule(loop.time() + USAGE_WITHIN_S)
            for event in frames.finish():
                transcript.take(event, watch.elapsed_s)
    except TimeoutError:
        if not (afterword.expired() and transcript.complete):
            raise
    except ConnectionError:
        if not transcript.known:
            raise
    except httpx.RemoteProtocolError as exc:
        failure = getattr(exc, "failure", None)
        if transcript.complete:
            return None
        if not isinstance(failure, Failure) or failure.error not in ("truncated", "too_large", "unexpected_shape"):
            raise
        return Failure("stream_truncated" if failure.error == "truncated" else "unexpected_shape")
    return None


async def _pieces(response: httpx.Response) -> AsyncIterator[bytes]:
    """The stream in small pieces: a socket may hold half a mebibyte of tiny events, and other tasks must run in between."""
    async for data in response.aiter_bytes():
        yield data[:PIECE]
        for start in range(PIECE, len(data), PIECE):
            await asyncio.sleep(0)
            yield data[start : start + PIECE]


async def read(response: httpx.Response, cap: int, *, whole: bool = True) -> bytes:
    """A body of up to `cap` bytes. Unless it must be `whole`, one that breaks off is returned as it is: enough for an error."""
    body = bytearray()
    try:
        async for data in response.aiter_bytes():
            body += data
            if len(body) >= cap:
                break
    except (httpx.RemoteProtocolError, ConnectionError):
        if whole:
            raise
    return bytes(body[:cap])
