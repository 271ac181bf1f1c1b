"""Answers that need not be sent again."""

from bot.web.server.immediate import RequestLike


def known(request: RequestLike, tag: str) -> bool:
    """Whether the client already has what this tag stands for."""
    conditions = request.headers.getall("If-None-Match", [])
    wanted = {part.strip().removeprefix("W/") for condition in conditions for part in condition.split(",")}
    return tag in wanted or "*" in wanted
