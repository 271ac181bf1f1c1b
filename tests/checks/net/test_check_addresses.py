"""Names to addresses, and which addresses checks may reach."""

import socket

import pytest

from bot.checks.net.address_guard import Guard
from bot.checks.net.resolve import Resolved, ThreadResolver


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "169.254.169.254",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "nonsense",
    ],
)
def test_guard_refuses_when_the_address_is_not_public(address: str) -> None:
    """Loopback, private, link-local and metadata addresses stay out of reach, in every notation."""
    assert Guard().refuses(address)


def test_guard_lets_through_when_the_address_is_public_or_listed() -> None:
    """Public addresses pass; private ones pass out of listed networks."""
    guard = Guard(["10.0.0.0/8", "::1/128"])
    assert [None] * 4 == [guard.refuses(ip) for ip in ("1.1.1.1", "2606:4700:4700::1111", "10.1.2.3", "::1")]
    assert guard.refuses("192.168.0.1")


async def test_resolver_gives_the_address_itself_when_it_is_one() -> None:
    """Nothing is looked up for an address."""
    resolver = ThreadResolver(threads=1)
    assert Resolved(("127.0.0.1",)) == await resolver.addresses("127.0.0.1", 80)
    assert Resolved(("::1",)) == await resolver.addresses("::1", 80)
    resolver.close()


async def test_resolver_puts_ipv4_in_front_when_a_name_has_both() -> None:
    """localhost is known on every machine."""
    resolver = ThreadResolver(threads=1)
    found = await resolver.addresses("localhost", 80)
    resolver.close()
    assert "127.0.0.1" == found.addresses[0]
    assert len(found.addresses) == len(set(found.addresses))


async def test_resolver_raises_when_the_name_cannot_be() -> None:
    """A failure is the resolver's own error; no host can be written so that it is another one."""
    resolver = ThreadResolver(threads=1)
    for host in ("not a name", "x" * 64 + ".example", "nul\0"):
        with pytest.raises(socket.gaierror):
            await resolver.addresses(host, 80)
    resolver.close()
