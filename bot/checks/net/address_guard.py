"""Which addresses checks may reach, decided on the address to connect to, after its name was resolved."""

import ipaddress
from collections.abc import Iterable
from types import MappingProxyType

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

REMEMBERED = 20_000
COMPATIBLE = ipaddress.ip_network("::/96")  # RFC 4291 2.5.5.1, without :: and ::1
NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052; 64:ff9b:1::/48 (RFC 8215) is not public at all
UNICAST = ipaddress.ip_network("2000::/3")  # everything that IANA assigns to the public; the rest is special or unassigned
CARRIER = ipaddress.ip_network("100.64.0.0/10")  # RFC 6598
RELAY = ipaddress.ip_network("192.88.99.0/24")  # RFC 7526, formerly the relay to 6to4
DOCUMENTATION = ipaddress.ip_network("3fff::/20")  # RFC 9637, newer than Python's list
PROTOCOLS = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "2001::/23")))  # RFC 6890; Python versions differ on them
# Addresses at which clouds serve every machine inside, credentials included. One of them looks public.
METADATA = MappingProxyType(
    {
        ipaddress.ip_address("168.63.129.16"): "Azure's platform service",
        ipaddress.ip_address("169.254.169.254"): "a cloud's metadata service",
        ipaddress.ip_address("169.254.170.2"): "a container's credentials service",
        ipaddress.ip_address("169.254.170.23"): "a container's credentials service",
        ipaddress.ip_address("100.100.100.200"): "a cloud's metadata service",
        ipaddress.ip_address("192.0.0.192"): "a cloud's metadata service",
        ipaddress.ip_address("fd00:ec2::254"): "a cloud's metadata service",
        ipaddress.ip_address("fd00:ec2::23"): "a container's credentials service",
        ipaddress.ip_address("fd20:ce::254"): "a cloud's metadata service",
    }
)


class Guard:
    """Allows public addresses, and others only in the listed networks (including loopback).

    An address that embeds another one (IPv4-mapped, IPv4-compatible, 6to4, Teredo, NAT64) leads there, so the embedded one is
    judged too. A scope (`fe80::1%eth0`) is ignored.
    """

    def __init__(self, allow: Iterable[str] = ()) -> None:
        self._allow: tuple[Network, ...] = tuple(ipaddress.ip_network(network) for network in allow)
        self._judged: dict[str, str | None] = {}
        self._inside: dict[str, bool] = {}

    def refuses(self, address: str) -> str | None:
        """Why the address may not be reached, or None if it may. Cached, since every probe asks."""
        try:
            return self._judged[address]
        except KeyError:
            if len(self._judged) >= REMEMBERED:
                self._judged.clear()
            self._judged[address] = why_not = self._judge(address)
            return why_not

    def refuses_any(self, addresses: Iterable[str]) -> str | None:
        """Why one of a name's addresses may not be reached, or None if all may: one internal address refuses the name."""
        for address in addresses:
            if (why_not := self.refuses(address)) is not None:
                return why_not
        return None

    def inside(self, address: str) -> bool:
        """Whether an address that may be reached is none of the public ones: it is part of our own network."""
        if not self._allow:
            return False
        if address not in self._inside:
            if len(self._inside) >= REMEMBERED:
                self._inside.clear()
            ip = ipaddress.ip_address(address.partition("%")[0])
            self._inside[address] = any(_not_public(inner) for inner in _carried(ip))
        return self._inside[address]

    def _judge(self, address: str) -> str | None:
        try:
            ip = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return f"{address[:100]!r} is not an address"
        for inner in _carried(ip):
            kind = None if any(inner in network for network in self._allow) else _not_public(inner)
            if kind is not None:
                way = f"{ip} leads to {inner}, which" if inner != ip else f"{ip}"
                return f"{way} is {kind}; list its network under allow_private"
        return None


def _carried(ip: Address) -> tuple[Address, ...]:
    """Where connecting to the address may lead: to itself, to the embedded address, or to both for Teredo."""
    if isinstance(ip, ipaddress.IPv4Address):
        return (ip,)
    if ip.ipv4_mapped is not None:
        return (ip.ipv4_mapped,)
    if ip in NAT64 or (ip in COMPATIBLE and int(ip) > 1):
        return (ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF),)
    if ip.sixtofour is not None:
        return (ip.sixtofour,)  # without itself: 3.11 calls all of 2002::/16 public, and 3.13 none of it
    if ip.teredo is not None:
        return (*ip.teredo, ip)
    return (ip,)


def _not_public(ip: Address) -> str | None:
    """Why an address is not public, as a word for people; None if it is."""
    if ip in METADATA:
        return METADATA[ip]
    kinds = (
        (ip.is_unspecified, "unspecified"),
        (ip.is_loopback, "loopback"),
        (ip.is_link_local, "link-local"),
        (ip.is_multicast, "multicast"),
        (ip in CARRIER, "shared by a carrier"),
        (ip.is_reserved or ip in RELAY or ip in DOCUMENTATION, "reserved"),
        (ip.is_private or any(ip in network for network in PROTOCOLS), "private"),
        (not ip.is_global or (ip.version == 6 and ip not in UNICAST), "not public"),
    )
    return next((word for applies, word in kinds if applies), None)
