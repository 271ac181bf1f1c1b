"""What no client library sends: bytes, as an attacker writes them to a socket."""

import asyncio


async def send_raw(port: int, sent: bytes, *, within_s: float = 5.0) -> bytes:
    """Send these bytes and return everything that is answered until the server closes."""
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
