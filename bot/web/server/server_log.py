"""What the HTTP server itself logs: strangers' mistakes as one line a minute, our own bugs with a traceback."""

import logging
from datetime import timedelta
from typing import Any

import structlog
from aiohttp.http_exceptions import HttpProcessingError

from bot.system.clock import Clock
from bot.system.logs import RateLimitedLog

TOLD_EVERY = timedelta(minutes=1)

log = structlog.get_logger(__name__)
quiet = logging.getLogger(__name__)


class ServerLog:
    """The logger for aiohttp's server, which would log a traceback for each request that is not HTTP.

    What was sent is not repeated: it may contain a token, and arbitrary bytes.
    """

    def __init__(self, clock: Clock) -> None:
        self._rate_limited = RateLimitedLog(clock, TOLD_EVERY)

    def debug(self, message: str, *args: Any, **more: Any) -> None:
        """Routine events, such as clients that disconnect."""
        quiet.debug(message, *args, **more)

    def exception(self, message: str, *args: Any, exc_info: Any = None) -> None:
        """A request failed below the routes."""
        if not isinstance(exc_info, HttpProcessingError):
            log.error("http.failed", what=message, exc_info=exc_info or True)
            return
        held_back = self._rate_limited.may("malformed")
        if held_back is not None:
            peer = str(args[0]) if args else "unknown"
            log.warning("requests that are not HTTP are refused", peer=peer, kind=type(exc_info).__name__, held_back=held_back)

    error = exception
