"""Answers that a client need not be sent twice: tagged, and left out where it has them."""

import hashlib

from aiohttp import web


def etag(body: bytes) -> str:
    """Of the bytes, since they may depend on the reader; a counter would also start anew with the process."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def unless_known(request: web.Request, body: bytes, tag: str) -> web.Response:
    """JSON with its tag, or a 304 for whoever has it already."""
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if _has(request.headers.getall("If-None-Match", []), tag):
        return web.Response(status=304, headers=headers)
    return web.Response(body=body, content_type="application/json", headers=headers)


def _has(conditions: list[str], tag: str) -> bool:
    wanted = {part.strip().removeprefix("W/") for condition in conditions for part in condition.split(",")}
    return tag in wanted or "*" in wanted
