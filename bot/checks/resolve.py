"""Names to addresses, in threads of its own.

asyncio's default pool has a handful of threads; twenty dead names that block getaddrinfo for 5 s each starve every healthy
check behind them. So checks resolve in a wide pool that nothing else uses.
"""

import asyncio
import ipaddress
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

THREADS = 64  # 20 dead names among 50 healthy checks: no healthy one waited


class Resolver(Protocol):
    """Turns a host into addresses."""

    async def addresses(self, host: str, port: int) -> list[str]:
        """At least one address, the ones to try first in front; raises socket.gaierror."""

    def close(self) -> None:
        """Give back what is held, without waiting for names that hang."""


class ThreadResolver:
    """The machine's own resolver (getaddrinfo), IPv4 first, so that a broken IPv6 route does not look like an outage."""

    def __init__(self, threads: int = THREADS) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="resolve")

    async def addresses(self, host: str, port: int) -> list[str]:
        try:
            return [str(ipaddress.ip_address(host))]
        except ValueError:
            pass  # a name, then
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._pool, _look_up, host, port)
        found.sort(key=lambda item: item[0] != socket.AF_INET)
        return list(dict.fromkeys(address for _, address in found))

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str, port: int) -> list[tuple[int, str]]:
    rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, str(address[0])) for family, _, _, _, address in rows]
