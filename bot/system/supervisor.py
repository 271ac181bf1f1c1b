"""Reports the process's state to systemd, if started by a unit with `Type=notify`: one datagram to `NOTIFY_SOCKET`.

Elsewhere it does nothing.
"""

import asyncio
import os
import socket
from collections.abc import Mapping

import structlog

log = structlog.get_logger(__name__)


class Supervisor:
    """The supervisor that `environ` names, if any."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = f"\0{address[1:]}" if address.startswith("@") else address  # an abstract socket
        waits_s = int(environ.get("WATCHDOG_USEC", "0")) / 1e6
        self._every_s = waits_s / 3 if environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid()) else 0.0

    def ready(self) -> None:
        """The process has started, or has loaded another configuration."""
        self._tell("READY=1")

    def reloading(self) -> None:
        """It is loading another configuration; `ready` follows."""
        self._tell("RELOADING=1")

    def ending(self) -> None:
        """It is shutting down, as requested."""
        self._tell("STOPPING=1")

    async def beat(self) -> None:
        """Send watchdog heartbeats from the event loop at the requested interval; returns at once if none are requested."""
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
            log.warning("the supervisor could not be notified", state=state, error=str(error))
