"""Answers that a client need not be sent twice."""

from bot.web.server.at_once import Asking


def known(request: Asking, tag: str) -> bool:
    """Whether the client has what this tag stands for already."""
    conditions = request.headers.getall("If-None-Match", [])
    wanted = {part.strip().removeprefix("W/") for condition in conditions for part in condition.split(",")}
    return tag in wanted or "*" in wanted
