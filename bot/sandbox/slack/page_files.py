"""Serves the web page of the workspace."""

from importlib.resources import files
from importlib.resources.abc import Traversable

from aiohttp import web

TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".json": "application/json",
}
NO_PAGE = "This is the local Slack workspace. Its page is not installed; the API is at /api/."


def add_page_routes(app: web.Application) -> None:
    """`/` is the page, `/page/{file}` its files."""
    app.router.add_get("/", _index)
    app.router.add_get("/page/{file}", _part)


async def _index(request: web.Request) -> web.Response:
    index = _folder().joinpath("index.html")
    if not index.is_file():
        return web.Response(text=NO_PAGE)
    return _sent(index)


async def _part(request: web.Request) -> web.Response:
    name = request.match_info["file"]
    part = _folder().joinpath(name)
    if "/" in name or "\\" in name or name.startswith(".") or not part.is_file():
        raise web.HTTPNotFound
    return _sent(part)


def _folder() -> Traversable:
    return files("bot.sandbox.slack").joinpath("page")


def _sent(part: Traversable) -> web.Response:
    suffix = "." + part.name.rpartition(".")[2]
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    kind = TYPES.get(suffix, "application/octet-stream")
    charset = "utf-8" if kind.startswith("text/") else None
    return web.Response(body=part.read_bytes(), content_type=kind, charset=charset, headers=headers)
