"""Which addresses checks may reach: every notation that leads inside, and every name that does."""

import asyncio
import socket
from datetime import UTC, datetime, timedelta

import pytest

from bot.checks.http import HttpCheck, HttpProber
from bot.checks.net.address_guard import REMEMBERED, Guard
from bot.checks.net.dial import RefusedAddress, dial
from bot.checks.net.resolve import ThreadResolver, machine_look_up
from bot.checks.net.stopwatch import Stopwatch
from bot.core.model import Fault, Outcome
from bot.system.clock import ManualClock

START = datetime(2030, 1, 7, 9, 0, tzinfo=UTC)

REFUSED = [
    ("127.0.0.1", "loopback"),
    ("::1", "loopback"),
    ("::1%lo", "loopback"),
    ("10.1.2.3", "private"),
    ("172.16.0.1", "private"),
    ("192.168.0.1", "private"),
    ("198.18.0.1", "private"),  # benchmarks
    ("203.0.113.7", "private"),  # documentation
    ("192.0.0.9", "private"),  # of protocols
    ("192.0.0.128", "private"),  # Python 3.11 calls it public
    ("2001:20::1", "private"),  # Python 3.13 calls it public
    ("fd00::1", "private"),
    ("2001:db8::1", "private"),
    ("3fff::1", "reserved"),
    ("169.254.1.1", "link-local"),
    ("fe80::1%eth0", "link-local"),
    ("fec0::1", "not public"),
    ("0.0.0.0", "unspecified"),
    ("::", "unspecified"),
    ("224.0.0.1", "multicast"),
    ("224.0.1.1", "multicast"),
    ("ff0e::1", "multicast"),
    ("240.0.0.1", "reserved"),
    ("255.255.255.255", "reserved"),
    ("192.88.99.1", "reserved"),
    ("4000::1", "reserved"),
    ("100.64.0.1", "shared by a carrier"),
    ("169.254.169.254", "metadata"),
    ("100.100.100.200", "metadata"),
    ("192.0.0.192", "metadata"),
    ("fd00:ec2::254", "metadata"),
    ("fd20:ce::254", "metadata"),
    ("169.254.170.2", "credentials"),
    ("168.63.129.16", "Azure"),
    ("::ffff:127.0.0.1", "leads to 127.0.0.1, which is loopback"),
    ("::ffff:7f00:1", "leads to 127.0.0.1, which is loopback"),
    ("::ffff:a83f:8110", "leads to 168.63.129.16"),
    ("::127.0.0.1", "leads to 127.0.0.1, which is loopback"),
    ("64:ff9b::7f00:1", "leads to 127.0.0.1, which is loopback"),
    ("64:ff9b::a9fe:a9fe", "leads to 169.254.169.254"),
    ("64:ff9b:1::808:808", "reserved"),
    ("2002:7f00:1::", "leads to 127.0.0.1, which is loopback"),
    ("2002:a9fe:a9fe::1", "leads to 169.254.169.254"),
    ("2001:0:7f00:1:0:0:f7f7:f7f7", "leads to 127.0.0.1"),  # Teredo by a server on loopback
    ("2001:0:808:808:0:0:80ff:fffe", "leads to 127.0.0.1"),  # Teredo to a client on loopback
    ("127.1", "is not an address"),
    ("2130706433", "is not an address"),
    ("0x7f.1", "is not an address"),
    ("", "is not an address"),
    ("nonsense", "is not an address"),
]
PUBLIC = ["1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]


@pytest.mark.parametrize(("address", "why"), REFUSED)
def test_guard_says_why_when_an_address_leads_inside(address: str, why: str) -> None:
    """Every notation of an inner address is refused, with the kind of address that it is; the second time as well."""
    guard = Guard()
    first = guard.refuses(address)
    assert first is not None and why in first
    assert first == guard.refuses(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_guard_lets_through_when_the_address_is_public(address: str) -> None:
    """Public addresses pass, in wrappings as well."""
    assert Guard().refuses(address) is None


@pytest.mark.parametrize(
    ("allowed", "address"),
    [
        ("127.0.0.0/8", "::ffff:7f00:1"),
        ("127.0.0.0/8", "64:ff9b::7f00:1"),
        ("fe80::/10", "fe80::1%eth0"),
        ("168.63.129.16", "168.63.129.16"),
        ("fd00:ec2::254/128", "fd00:ec2::254"),
        ("100.64.0.0/10", "100.100.100.200"),
        ("64:ff9b:1::/48", "64:ff9b:1::808:808"),
    ],
)
def test_guard_lets_through_when_the_network_is_listed(allowed: str, address: str) -> None:
    """What the operator lists may be reached, and nothing beside it."""
    guard = Guard([allowed])
    assert guard.refuses(address) is None
    assert guard.refuses("192.168.0.1")


def test_guard_refuses_the_whole_answer_when_one_address_leads_inside() -> None:
    """A name that is half public and half inside is not public."""
    guard = Guard()
    assert guard.refuses_any(["1.1.1.1", "2606:4700::1"]) is None
    assert "10.0.0.7 is private; list its network under allow_private" == guard.refuses_any(["1.1.1.1", "10.0.0.7"])


def test_guard_remembers_no_more_than_it_should_when_addresses_keep_coming() -> None:
    """The memory is bounded, and what is forgotten is judged again."""
    guard = Guard()
    for number in range(REMEMBERED + 10):
        guard.refuses(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert guard.refuses("10.0.0.1")


NUMERIC = ["2130706433", "0x7f000001", "0x7f.1", "127.1", "0177.0.0.1", "localhost"]


@pytest.mark.parametrize("host", NUMERIC)
async def test_dial_refuses_when_the_machine_reads_a_host_as_loopback(host: str) -> None:
    """Hosts are judged by what they resolve to, however they are written."""
    resolver = ThreadResolver()
    with pytest.raises(RefusedAddress, match="loopback"):
        await dial(host, 80, watch=Stopwatch(1), deadline_s=5, resolver=resolver, guard=Guard())
    resolver.close()
    assert {"127.0.0.1", "::1"} >= set(machine_look_up(host))


async def test_dial_refuses_when_a_name_flips_to_loopback() -> None:
    """A name may change between two look-ups; each connection is judged by the addresses that it would use."""
    answers = iter([("127.0.0.1",), ("127.0.0.2",)])
    resolver = ThreadResolver(lambda host: next(answers), ttl_s=0)
    guard = Guard(["127.0.0.1/32"])  # plays the public address
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    line = await dial("flip.example", port, watch=Stopwatch(1), deadline_s=5, resolver=resolver, guard=guard)
    line.close()
    with pytest.raises(RefusedAddress, match=r"127\.0\.0\.2 is loopback"):
        await dial("flip.example", port, watch=Stopwatch(1), deadline_s=5, resolver=resolver, guard=guard)
    server.close()
    resolver.close()


async def test_dial_connects_to_none_when_one_address_of_many_leads_inside() -> None:
    """Not even the good one of a mixed answer is tried."""
    met: list[object] = []
    server = await asyncio.start_server(lambda reader, writer: met.append(writer) or writer.close(), "127.0.0.1", 0)
    resolver = ThreadResolver(lambda host: ("127.0.0.1", "10.0.0.1"))
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(RefusedAddress, match=r"10\.0\.0\.1"):
        await dial("mixed.example", port, watch=Stopwatch(1), deadline_s=5, resolver=resolver, guard=Guard(["127.0.0.1/32"]))
    server.close()
    resolver.close()
    assert [] == met


URLS = [
    ("file:///etc/passwd", "bad_check", Outcome.FAIL),
    ("gopher://127.0.0.1:70/1", "bad_check", Outcome.FAIL),
    ("javascript:alert(1)", "bad_check", Outcome.FAIL),
    ("http://169.254.169.254/latest/meta-data/", "address_refused", Outcome.FAIL),
    ("http://168.63.129.16/", "address_refused", Outcome.FAIL),
    ("http://100.100.100.200/", "address_refused", Outcome.FAIL),
    ("http://2130706433/", "address_refused", Outcome.FAIL),
    ("http://0x7f.1/", "address_refused", Outcome.FAIL),
    ("http://127.1/", "address_refused", Outcome.FAIL),
    ("http://[::ffff:7f00:1]/", "address_refused", Outcome.FAIL),
    ("http://[64:ff9b::7f00:1]/", "address_refused", Outcome.FAIL),
    ("http://[2002:7f00:1::]/", "address_refused", Outcome.FAIL),
    ("http://[fe80::1%25eth0]/", "address_refused", Outcome.FAIL),
]


@pytest.mark.parametrize(("url", "error", "outcome"), URLS)
async def test_http_check_is_not_sent_when_its_address_leads_inside(url: str, error: str, outcome: Outcome) -> None:
    """Whatever somebody writes as a check's address, nothing inside is reached, and it is ours to mend."""
    resolver = ThreadResolver()
    prober = HttpProber(ManualClock(START), resolver=resolver, guard=Guard())
    sample = await prober.probe(HttpCheck("a.b.c", "a.b", url, deadline=timedelta(seconds=5)))
    await prober.close()
    assert (error, Fault.OURS_CONFIG, outcome) == (sample.error, sample.fault, sample.outcome)


LOCATIONS = [
    ("http://127.0.0.2:{port}/", "address_refused"),
    ("http://2130706434:{port}/", "address_refused"),
    ("http://[::ffff:7f00:2]:{port}/", "address_refused"),
    ("http://[64:ff9b::7f00:2]:{port}/", "address_refused"),
    ("//169.254.169.254/latest/meta-data/", "address_refused"),
    ("http://inner.example:{port}/", "address_refused"),
    ("file:///etc/passwd", "redirect_refused"),
    ("gopher://127.0.0.1:{port}/1", "redirect_refused"),
    ("javascript:alert(1)", "redirect_refused"),
]


@pytest.mark.parametrize(("location", "error"), LOCATIONS)
async def test_redirect_is_not_followed_when_it_leads_inside(location: str, error: str) -> None:
    """Each hop is judged again: a public server cannot send a check where its operator may not."""
    asked: list[bytes] = []

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        there = location.format(port=writer.get_extra_info("sockname")[1]).encode()
        writer.write(b"HTTP/1.1 302 Found\r\nlocation: " + there + b"\r\ncontent-length: 0\r\n\r\n")
        writer.close()

    def look_up(host: str) -> tuple[str, ...]:
        return ("127.0.0.2",) if host == "inner.example" else machine_look_up(host)

    server = await asyncio.start_server(meet, "0.0.0.0", 0)
    port = server.sockets[0].getsockname()[1]
    prober = HttpProber(ManualClock(START), resolver=ThreadResolver(look_up), guard=Guard(["127.0.0.1/32"]))  # as if public
    wanted = HttpCheck("a.b.c", "a.b", f"http://127.0.0.1:{port}/", deadline=timedelta(seconds=5), redirects=5)
    sample = await prober.probe(wanted)
    await prober.close()
    server.close()
    assert error == sample.error
    assert 1 == len(asked)


def test_look_up_puts_ipv4_in_front_when_a_name_has_both() -> None:
    """A broken IPv6 route must not look like an outage."""
    families = [socket.AF_INET6 if ":" in address else socket.AF_INET for address in machine_look_up("localhost")]
    assert sorted(families, key=lambda family: family != socket.AF_INET) == families


@pytest.mark.parametrize(
    ("address", "inside"),
    [("10.1.2.3", True), ("::ffff:10.1.2.3", True), ("fe80::1%eth0", True), ("1.1.1.1", False), ("2606:4700::1111", False)],
)
def test_an_address_that_is_let_through_is_known_as_one_of_our_own_network(address: str, inside: bool) -> None:
    """An answer from there proves nothing of our way out."""
    assert inside is Guard(["10.0.0.0/8", "fe80::/10"]).inside(address)


def test_a_public_network_that_is_listed_stays_public() -> None:
    """To list it changes nothing."""
    assert not Guard(["1.1.1.0/24"]).inside("1.1.1.1")
