"""Which addresses checks may reach, judged on the address that is about to be connected to, after its name was resolved."""

import ipaddress
from collections.abc import Iterable

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address


class Guard:
    """Lets public addresses through, and private ones only out of the listed networks (loopback included)."""

    def __init__(self, allow: Iterable[str] = ()) -> None:
        self._allow: tuple[Network, ...] = tuple(ipaddress.ip_network(network) for network in allow)

    def refuses(self, address: str) -> str | None:
        """Why the address may not be reached, or None when it may."""
        try:
            ip = _unwrapped(ipaddress.ip_address(address.partition("%")[0]))
        except ValueError:
            return f"{address} is not an address"
        if any(ip in network for network in self._allow):
            return None
        if ip.is_global and not ip.is_multicast:
            return None
        return f"{ip} is private; list its network under allow_private"


def _unwrapped(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return ip.ipv4_mapped
        if ip in NAT64:
            return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip
