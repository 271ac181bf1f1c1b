"""Ports that open and close as a script says."""

import socket

from aiohttp import web


class Door:
    """One port, reserved while its listener comes and goes."""

    def __init__(self, app: web.Application, host: str) -> None:
        # A hanging answer ends when its client leaves.
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        self._host = host
        self._port = 0
        self._site: web.SockSite | None = None

    @property
    def base(self) -> str:
        """The base URL."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    async def set_up(self) -> None:
        """Take a port and open it."""
        await self._runner.setup()
        await self.open()

    async def open(self) -> None:
        """Listen; does nothing if it already listens."""
        if self._site is not None:
            return
        sock = socket.socket(socket.AF_INET6 if ":" in self._host else socket.AF_INET)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((self._host, self._port))
        except OSError:
            sock.close()
            if self._port == 0:
                raise
            return  # somebody took the port while it was closed; the next round tries again
        self._port = sock.getsockname()[1]
        self._site = web.SockSite(self._runner, sock)
        await self._site.start()

    async def close(self) -> None:
        """Stop listening; the port is kept for next time."""
        if self._site is not None:
            await self._site.stop()
            self._site = None

    async def tear_down(self) -> None:
        """Close for good."""
        self._site = None
        await self._runner.cleanup()
