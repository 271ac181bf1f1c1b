"""From a host name to an open connection: resolved, every address checked, connected, TLS; each step is a phase."""

import asyncio
import socket
import ssl
from collections.abc import Sequence

from bot.checks.judging.exceptions import Failure
from bot.checks.net.address_guard import Guard
from bot.checks.net.certificate import Certificate as Certificate
from bot.checks.net.connection import Line as Line
from bot.checks.net.resolve import Resolver
from bot.checks.net.resumption import Resumption
from bot.checks.net.stopwatch import Stopwatch

ADDRESSES_TRIED = 3


class RefusedAddress(ValueError):  # noqa: N818 # a decision, not a fault
    """The guard does not let checks reach this address; `failure` is its classification."""

    def __init__(self, why_not: str) -> None:
        super().__init__(why_not)
        self.failure = Failure("address_refused", why_not)


async def dial(
    host: str,
    port: int,
    *,
    watch: Stopwatch,
    deadline_s: float,
    resolver: Resolver,
    guard: Guard | None,
    tls: ssl.SSLContext | None = None,
    server_name: str | None = None,
    alpn: Sequence[str] = (),
    resumption: Resumption | None = None,
) -> Line:
    """Open a connection to a host, with TLS if a context is given; `server_name` defaults to the host.

    `alpn` names the protocols to offer; it is set before each handshake, since others who share the context offer different
    ones. Without `resumption`, every handshake is a full one.

    The caller enforces a deadline of `deadline_s` for the whole; here the time is only shared out, so that a dead address
    leaves some for the next ones. Raises RefusedAddress, socket.gaierror, ssl.SSLError or OSError.
    """
    addresses = await judged_addresses(host, port, watch, resolver, guard)
    name = (server_name or host).removesuffix(".")  # certificates do not contain the root's dot
    # A dead address must not use up the time of the next ones; the last one gets all that is left.
    *firsts, last = addresses[:ADDRESSES_TRIED]
    for tried, address in enumerate(firsts):
        try:
            async with asyncio.timeout(deadline_s / (len(firsts) - tried + 2)):
                return await _reach(address, port, watch, tls, name, alpn, resumption)
        except ssl.SSLError:
            raise
        except OSError:  # refused, unreachable or silent; TimeoutError is included
            continue
    return await _reach(last, port, watch, tls, name, alpn, resumption)


async def judged_addresses(host: str, port: int, watch: Stopwatch, resolver: Resolver, guard: Guard | None) -> tuple[str, ...]:
    """A host's addresses, at least one. Raises RefusedAddress if the guard refuses any of them, and socket.gaierror."""
    watch.begin("dns")
    found = await resolver.addresses(host, port)
    watch.end("dns")
    watch.stale_dns = found.stale
    if guard is not None:
        why_not = guard.refuses_any(found.addresses)
        if why_not is not None:
            raise RefusedAddress(why_not)
        watch.inside = any(map(guard.inside, found.addresses))
    if not found.addresses:
        raise socket.gaierror(socket.EAI_NONAME, "the name has no address")
    return found.addresses


async def _reach(
    address: str,
    port: int,
    watch: Stopwatch,
    tls: ssl.SSLContext | None,
    name: str,
    alpn: Sequence[str],
    resumption: Resumption | None,
) -> Line:
    loop = asyncio.get_running_loop()
    line = Line(address, loop)
    watch.begin("connect")
    await loop.create_connection(lambda: line, address, port)
    watch.end("connect")
    if tls is not None:
        watch.begin("tls")
        try:
            await line.shake_hands(tls, name, alpn, resumption.offer(address) if resumption is not None else None)
        except BaseException:
            line.close()
            raise
        watch.end("tls")
    return line
