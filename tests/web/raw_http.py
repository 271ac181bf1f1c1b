"""Raw bytes to a socket, as an attacker would write them and no client library does."""

import asyncio


async def send_raw(port: int, sent: bytes, *, within_s: float = 5.0) -> bytes:
    """Send these bytes and return the whole answer once the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        return await asyncio.wait_for(reader.read(), within_s)
    finally:
        writer.close()


def status_of(answer: bytes) -> int:
    """The status of the first answer; 0 when none came."""
    words = answer.split(b" ", 2)
    return int(words[1]) if answer.startswith(b"HTTP/1.") and len(words) > 1 else 0
