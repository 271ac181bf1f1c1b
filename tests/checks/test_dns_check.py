"""The DNS check against a real name server, over UDP and TCP."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import cast

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from bot.checks.dns import DnsCheck, DnsProber
from bot.checks.net.address_guard import Guard
from bot.core.model import Fault, Outcome, Sample
from bot.system.clock import ManualClock

START = datetime(2030, 1, 7, 9, 0, tzinfo=UTC)
ZONE = {
    ("api.example.", "A"): ["192.0.2.1", "192.0.2.2"],
    ("api.example.", "AAAA"): ["2001:db8::1"],
    ("example.", "MX"): ["10 Mail.example.", "20 backup.example."],
    ("example.", "NS"): ["ns1.example."],
    ("example.", "TXT"): ['"v=spf1 " "-all"', '"<!channel> `x`"'],
    ("www.example.", "CNAME"): ["API.example."],
    ("long.example.", "TXT"): [f'"{"x" * 200}{number}"' for number in range(30)],
}


@dataclass
class NameServer(asyncio.DatagramProtocol):
    """Answers from ZONE; with `rcode` every answer fails, with `silent` there is none, with `junk` it is noise."""

    rcode: int | None = None
    silent: bool = False
    junk: bool = False
    over_tcp: int = 0
    lost: int = 0  # this many packets are dropped first
    seen: list[str] = field(default_factory=list)
    transport: asyncio.DatagramTransport | None = None
    port: int = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        assert self.transport is not None
        if self.silent or self.lost:
            self.lost -= 1
            return
        wire = self.answer(data)
        if len(wire) > 512:
            short = dns.message.make_response(dns.message.from_wire(data))
            short.flags |= dns.flags.TC
            wire = short.to_wire()
        self.transport.sendto(b"\x00" * 5 if self.junk else wire, addr)

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.over_tcp += 1
        size = int.from_bytes(await reader.readexactly(2), "big")
        wire = self.answer(await reader.readexactly(size))
        writer.write(len(wire).to_bytes(2, "big") + wire)
        await writer.drain()
        writer.close()

    def answer(self, data: bytes) -> bytes:
        query = dns.message.from_wire(data)
        question = query.question[0]
        name, kind = question.name.to_text().lower(), dns.rdatatype.to_text(question.rdtype)
        self.seen.append(f"{name} {kind}")
        response = dns.message.make_response(query)
        if self.rcode is not None:
            response.set_rcode(dns.rcode.Rcode.make(self.rcode))
        elif name not in {known for known, _ in ZONE}:
            response.set_rcode(dns.rcode.NXDOMAIN)
        elif (name, kind) in ZONE:
            response.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *ZONE[name, kind]))
        return response.to_wire(max_size=65535)


@asynccontextmanager
async def name_server(**behaviour: object) -> AsyncIterator[NameServer]:
    """A name server on loopback, on one port for both protocols."""
    there = NameServer(**behaviour)  # type: ignore[arg-type]
    tcp = await asyncio.start_server(there.meet, "127.0.0.1", 0)
    there.port = tcp.sockets[0].getsockname()[1]
    udp, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: there, ("127.0.0.1", there.port))
    try:
        yield there
    finally:
        tcp.close()
        udp.close()
        await asyncio.sleep(0)


async def asked(there: NameServer, host: str, record: str = "A", *expect: str, **changes: object) -> Sample:
    prober = DnsProber(ManualClock(START), guard=Guard(["127.0.0.0/8"]))
    given = {"server": f"127.0.0.1:{there.port}", "deadline": timedelta(seconds=2)} | changes
    for _ in range(5):
        sample = await prober.probe(DnsCheck("d.n.s", "d.n", host, record, expect, **given))  # type: ignore[arg-type]
        if sample.error != "stalled":
            break
    await prober.close()
    return sample


GOOD = [
    ("api.example", "A", ()),
    ("api.example", "A", ("198.51.100.1", "192.0.2.2")),
    ("API.Example.", "A", ("192.0.2.1",)),
    ("api.example", "AAAA", ("2001:0DB8:0::1",)),
    ("example", "MX", ("10 mail.EXAMPLE.",)),
    ("example", "NS", ("NS1.example",)),
    ("example", "TXT", ("v=spf1 -all",)),
    ("www.example", "CNAME", ("api.example.",)),
]


@pytest.mark.parametrize(("host", "record", "expect"), GOOD)
async def test_dns_check_is_ok_when_an_expected_record_arrives(host: str, record: str, expect: tuple[str, ...]) -> None:
    """A single expected value is enough, in any spelling of its name."""
    async with name_server() as there:
        sample = await asked(there, host, record, *expect)
    assert (Outcome.OK, None, Fault.NONE) == (sample.outcome, sample.error, sample.fault), sample.reason
    assert {"dns", "total"} == set(sample.phases_ms)
    assert f" {record} record" in sample.reason
    assert [f"{host.lower().rstrip('.')}. {record}"] == there.seen


MISMATCHES = [
    ("api.example", "A", ("192.0.2.9",), "2 A records"),
    ("example", "MX", ("20 mail.example",), "2 MX records"),
    ("example", "TXT", ("V=SPF1 -ALL",), "2 TXT records"),
    ("api.example", "MX", (), "the name exists without a record MX"),
]


@pytest.mark.parametrize(("host", "record", "expect", "words"), MISMATCHES)
async def test_dns_check_fails_when_no_expected_record_arrives(
    host: str, record: str, expect: tuple[str, ...], words: str
) -> None:
    """A wrong answer is their fault; its values are in the evidence, escaped, and not in the reason."""
    async with name_server() as there:
        sample = await asked(there, host, record, *expect)
    assert (Outcome.FAIL, "dns_mismatch", Fault.THEIRS) == (sample.outcome, sample.error, sample.fault)
    assert words in sample.reason
    assert "channel" not in sample.reason


async def test_dns_check_fails_when_the_name_does_not_exist() -> None:
    """NXDOMAIN is an answer, and their fault."""
    async with name_server() as there:
        sample = await asked(there, "nothing.example")
    assert (Outcome.FAIL, "dns_nxdomain", Fault.THEIRS) == (sample.outcome, sample.error, sample.fault)


@pytest.mark.parametrize(("rcode", "word"), [(dns.rcode.SERVFAIL, "SERVFAIL"), (dns.rcode.REFUSED, "REFUSED")])
async def test_dns_check_fails_when_the_server_cannot_answer(rcode: int, word: str) -> None:
    """The server failure is named, and the side is still unclear."""
    async with name_server(rcode=int(rcode)) as there:
        sample = await asked(there, "api.example")
    assert (Outcome.FAIL, "dns", Fault.UNCLEAR) == (sample.outcome, sample.error, sample.fault)
    assert word in sample.reason


@pytest.mark.parametrize("behaviour", [{"silent": True}, {"junk": True}])
async def test_dns_check_fails_in_time_without_a_valid_answer(behaviour: dict[str, object]) -> None:
    """Silence and noise both end at the deadline."""
    async with name_server(**behaviour) as there:
        sample = await asked(there, "api.example", deadline=timedelta(seconds=0.3))
    assert (Outcome.FAIL, Fault.UNCLEAR) == (sample.outcome, sample.fault)
    assert sample.error in ("dns_timeout", "dns")
    assert sample.phases_ms["total"] < 1000


async def test_dns_check_retries_a_lost_packet() -> None:
    """A single lost packet is no outage."""
    async with name_server(lost=1) as there:
        sample = await asked(there, "api.example", deadline=timedelta(seconds=1.5))
    assert Outcome.OK is sample.outcome


async def test_dns_check_uses_tcp_when_the_answer_is_truncated() -> None:
    """The whole answer is fetched; the evidence stays short."""
    async with name_server() as there:
        sample = await asked(there, "long.example", "TXT", "x" * 200 + "29")
    assert Outcome.OK is sample.outcome
    assert 1 == there.over_tcp
    assert len(sample.evidence["answers"]) < 1100


async def test_dns_check_is_inconclusive_when_the_server_is_blocked() -> None:
    """The address guard applies to a configured name server as to every address."""
    sample = await DnsProber(ManualClock(START), guard=Guard()).probe(
        DnsCheck("d.n.s", "d.n", "api.example", server="169.254.169.253:53")
    )
    assert (Outcome.FAIL, "address_refused", Fault.OURS_CONFIG) == (sample.outcome, sample.error, sample.fault)


@pytest.mark.parametrize(
    ("host", "server"),
    [
        ("api.example", "ns1.example"),
        ("api.example", "127.0.0.1:0"),
        ("api.example", "127.0.0.1:http"),
        ("api.example", "127.0.0.1:99999"),
        ("api.example", "https://1.1.1.1/dns-query"),
        ("x" * 64 + ".example", "127.0.0.1"),
        ("a..example", "127.0.0.1"),
    ],
)
async def test_dns_check_fails_as_ours_when_the_query_is_invalid(host: str, server: str) -> None:
    """A query that cannot be sent is our mistake."""
    sample = await DnsProber(ManualClock(START)).probe(DnsCheck("d.n.s", "d.n", host, server=server))
    assert ("bad_check", Fault.OURS_CONFIG) == (sample.error, sample.fault)


async def test_dns_check_fails_when_tcp_is_refused_after_truncation() -> None:
    """The server truncates its answer and then accepts no TCP connection."""
    async with name_server() as there:
        there.meet = None  # type: ignore[assignment,method-assign]
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            udp, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: there, taken.getsockname())
            there.port = taken.getsockname()[1]
            sample = await asked(there, "long.example", "TXT")
            udp.close()
    assert (Outcome.FAIL, "dns") == (sample.outcome, sample.error)
    assert "the name server could not be reached" in sample.reason
