"""A web server that says the same few bytes to everybody: what this machine and aiohttp take before any flag is looked at."""

import asyncio

import uvloop
from aiohttp import web


async def _serve() -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        await request.read()
        return web.Response(body=b'{"key": "few.0", "value": true}', content_type="application/json")

    server = await asyncio.get_running_loop().create_server(web.Server(answer, access_log=None), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve())
