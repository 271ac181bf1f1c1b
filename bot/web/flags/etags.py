"""Answers that a client need not be sent twice."""

from aiohttp import web


def known(request: web.BaseRequest, tag: str) -> bool:
    """Whether the client has what this tag stands for already."""
    conditions = request.headers.getall("If-None-Match", [])
    wanted = {part.strip().removeprefix("W/") for condition in conditions for part in condition.split(",")}
    return tag in wanted or "*" in wanted
