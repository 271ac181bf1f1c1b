"""Logs as events with fields, without secrets."""

import logging
import sys
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, TextIO

import structlog

from bot.system.clock import Clock
from bot.system.redaction import Redactor


class RateLimitedLog:
    """Lets through one line of a kind per interval and counts the rest: outsiders must not be able to fill the disk."""

    def __init__(self, clock: Clock, every: timedelta = timedelta(minutes=1)) -> None:
        self._clock = clock
        self._every_s = every.total_seconds()
        self._last: dict[str, float] = {}
        self._held: dict[str, int] = {}

    def may(self, kind: str) -> int | None:
        """If a line may be written now, how many were held back since the last one; None if it may not."""
        now = self._clock.monotonic()
        if kind in self._last and now - self._last[kind] < self._every_s:
            self._held[kind] = self._held.get(kind, 0) + 1
            return None
        self._last[kind] = now
        return self._held.pop(kind, 0)


def configure_logs(
    secrets: Iterable[str] | Redactor, *, level: str = "INFO", stream: TextIO | None = None, pretty: bool = False
) -> None:
    """Send every log, ours and the libraries', as one line of JSON (or readable text) to `stream`, without secrets."""
    redact = secrets if isinstance(secrets, Redactor) else Redactor(secrets)
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    renderer = structlog.dev.ConsoleRenderer(colors=False) if pretty else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    final: list[Any] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=final))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("httpx", "httpcore", "apscheduler", "slack_bolt", "slack_sdk", "aiohttp.access"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))
