"""Tells systemd how the process is, where it was started by a unit of `Type=notify`: one datagram to `NOTIFY_SOCKET`.

Elsewhere nothing is said to anybody.
"""

import asyncio
import os
import socket
from collections.abc import Mapping

import structlog

log = structlog.get_logger(__name__)


class Supervisor:
    """Whoever `environ` says watches this process."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = f"\0{address[1:]}" if address.startswith("@") else address  # an abstract one
        waits_s = int(environ.get("WATCHDOG_USEC", "0")) / 1e6
        self._every_s = waits_s / 3 if environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid()) else 0.0

    def ready(self) -> None:
        """It is started, or has taken over another configuration."""
        self._tell("READY=1")

    def reloading(self) -> None:
        """It takes over another configuration; `ready` says when that is done."""
        self._tell("RELOADING=1")

    def ending(self) -> None:
        """It was asked to end, and does."""
        self._tell("STOPPING=1")

    async def beat(self) -> None:
        """Give a sign of life from the event loop, as often as is asked for; for ever, or not at all."""
        while self._address and self._every_s:
            self._tell("WATCHDOG=1")
            await asyncio.sleep(self._every_s)

    def _tell(self, state: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
                out.setblocking(False)
                out.sendto(state.encode(), self._address)
        except OSError as error:
            log.warning("the supervisor could not be told", state=state, error=str(error))
