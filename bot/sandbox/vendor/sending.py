"""How replies are sent: whole, in part, haltingly, or not at all."""

import asyncio
import socket
import struct

from aiohttp import web

from bot.sandbox.vendor.call import Reply

PING_EVERY_S = 0.05


def reset(request: web.Request) -> web.StreamResponse:
    """Break the connection with a TCP reset."""
    if request.transport is not None:
        sock = request.transport.get_extra_info("socket")
        # With a lingering time of zero, closing sends RST instead of FIN.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    return web.Response()


async def send(request: web.Request, reply: Reply) -> web.StreamResponse:
    """The whole reply."""
    if not reply.streamed:
        return web.Response(status=reply.status, headers=dict(reply.headers), body=b"".join(reply.parts))
    response = await _opened(request, reply)
    for part in reply.parts:
        await response.write(part)
    await response.write_eof()
    return response


async def send_half(request: web.Request, reply: Reply) -> web.StreamResponse:
    """Send half: a stream ends early but cleanly; a body with a length breaks off."""
    if reply.streamed:
        half = Reply(reply.status, reply.parts[: len(reply.parts) // 2], reply.headers, streamed=True)
        return await send(request, half)
    body = b"".join(reply.parts)
    response = web.StreamResponse(status=reply.status, headers=dict(reply.headers) | {"content-length": str(len(body))})
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


async def send_slowly(request: web.Request, reply: Reply, wait_s: float) -> web.StreamResponse:
    """Send the head and the beginning of a stream at once, and its first words after `wait_s` real seconds."""
    response = await _opened(request, reply)
    for number, part in enumerate(reply.parts):
        if number == reply.begins:
            await asyncio.sleep(wait_s)
        await response.write(part)
    await response.write_eof()
    return response


async def send_pings(request: web.Request, reply: Reply, stopping: asyncio.Event) -> web.StreamResponse:
    """Send the beginning of a stream, and then nothing but what keeps it open."""
    response = await _opened(request, reply)
    for part in reply.parts[: reply.begins]:
        await response.write(part)
    while not stopping.is_set():
        await response.write(reply.ping)
        await asyncio.sleep(PING_EVERY_S)
    return response


async def _opened(request: web.Request, reply: Reply) -> web.StreamResponse:
    response = web.StreamResponse(status=reply.status, headers=dict(reply.headers))
    await response.prepare(request)
    return response
