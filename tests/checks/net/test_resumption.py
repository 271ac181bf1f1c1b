"""TLS sessions between full handshakes: over real sockets, when one is resumed, and that nothing bad hides behind it."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
import trustme

from bot.checks.http import HttpCheck, HttpProber
from bot.checks.net.resolve import Resolved
from bot.checks.net.resumption import IN_A_ROW, PAUSED_FOR_S, WITHIN_S
from bot.checks.tls import TlsCheck, TlsProber
from bot.core.model import Sample
from bot.system.clock import ManualClock

NOW = datetime.now(UTC).replace(microsecond=0)
CA = trustme.CA()
GOOD, OTHER = CA.issue_cert("api.example.com"), CA.issue_cert("other.example.com")
FULL, RESUMED = "full", "resumed"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
MOVED = b"HTTP/1.1 302 Found\r\nlocation: /there\r\ncontent-length: 0\r\n\r\n"
BROKEN = b"HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n"


class Loopback:
    """Every name is this machine, at the address that is set."""

    def __init__(self) -> None:
        self.address = "127.0.0.1"

    async def addresses(self, host: str, port: int) -> Resolved:
        return Resolved((self.address,))

    def close(self) -> None:
        """Nothing is held."""


class Vendor:
    """A TLS server whose context, and so whose keys for tickets, stays until it is restarted."""

    def __init__(self) -> None:
        self.says = OK
        self.moved = False
        self.hangs_up_on_resumed = False
        self.handshakes: list[str] = []  # as it saw them
        self.port = 0
        self._listener: asyncio.Server | None = None

    async def starts(self, certificate: trustme.LeafCert = GOOD, **settings: object) -> None:
        """Begin to serve, or begin anew with another context."""
        await self.ends()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(self.context)
        for name, value in settings.items():
            setattr(self.context, name, value)
        self._listener = await asyncio.start_server(self._serve, "0.0.0.0", self.port, ssl=self.context)  # 127.0.0.2
        self.port = self._listener.sockets[0].getsockname()[1]

    async def ends(self) -> None:
        """Serve no more."""
        if self._listener is not None:
            self._listener.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        resumed = writer.get_extra_info("ssl_object").session_reused
        self.handshakes.append(RESUMED if resumed else FULL)
        if not (resumed and self.hangs_up_on_resumed):
            head = await reader.read(4096)
            writer.write(MOVED if self.moved and head.startswith(b"GET / ") else self.says)
        writer.close()


class Stand:
    """A check that looks at a vendor, every half minute of a clock that stands still by itself."""

    def __init__(self, vendor: Vendor) -> None:
        self.vendor = vendor
        self.clock = ManualClock(NOW)
        self.resolver = Loopback()
        self.trusting = ssl.create_default_context()
        CA.configure_trust(self.trusting)
        self.prober = HttpProber(self.clock, ssl_context=self.trusting, resolver=self.resolver)
        self.check = self.made()

    def made(self, every_s: float = 30, redirects: int = 0) -> HttpCheck:
        """A check of this vendor."""
        address = f"https://api.example.com:{self.vendor.port}/"
        return HttpCheck("a.b.c", "a.b", address, every=timedelta(seconds=every_s), redirects=redirects)

    async def look(self) -> Sample:
        """Look once; a machine that stood still is asked again."""
        while (sample := await self.prober.probe(self.check)).error == "stalled":
            pass
        return sample

    async def looks(self, times: int) -> list[str]:
        """How so many looks shook hands, each of which went well."""
        samples = [await self.look() for _ in range(times)]
        assert [None] * times == [sample.error for sample in samples]
        return [sample.evidence.get("tls", FULL) for sample in samples]


@asynccontextmanager
async def stand(certificate: trustme.LeafCert = GOOD, **settings: object) -> AsyncIterator[Stand]:
    vendor = Vendor()
    await vendor.starts(certificate, **settings)
    made = Stand(vendor)
    try:
        yield made
    finally:
        await made.prober.close()
        await vendor.ends()


async def test_sample_says_that_its_handshake_was_resumed_when_it_was() -> None:
    """A full one first, then some that resume it, then a full one again; the server saw the same."""
    async with stand() as here:
        expected = [FULL, *[RESUMED] * IN_A_ROW] * 2
        assert expected == await here.looks(len(expected))
        assert expected == here.vendor.handshakes


async def test_sample_has_certificate_and_phases_when_its_handshake_was_resumed() -> None:
    """Nothing that a full one shows is missing."""
    async with stand() as here:
        full, resumed = await here.look(), await here.look()
    assert set(full.phases_ms) == set(resumed.phases_ms)
    assert {**full.evidence, "tls": RESUMED} == resumed.evidence


@pytest.mark.parametrize(("every_s", "resumed"), [(30, 3), (40, 2), (45, 1), (50, 1), (60, 1)])
async def test_full_handshakes_are_no_more_than_two_minutes_apart_when_looks_come_in_their_rhythm(
    every_s: float, resumed: int
) -> None:
    """However seldom a check looks: so long may a bad certificate hide. A look may be a little early."""
    async with stand() as here:
        here.check = here.made(every_s=every_s)
        for _ in range(2):
            for expected in [FULL, *[RESUMED] * resumed]:
                assert [expected] == await here.looks(1)
                here.clock.advance(timedelta(seconds=every_s - 0.01))
        assert [FULL] == await here.looks(1)


async def test_handshake_is_full_when_the_certificate_has_ended() -> None:
    """Nobody oversleeps a certificate's last moment."""
    ends = NOW + timedelta(days=1)
    async with stand(CA.issue_cert("api.example.com", not_after=ends)) as here:
        here.clock.advance(timedelta(days=1) - timedelta(seconds=2))
        assert [FULL, RESUMED] == await here.looks(2)
        here.clock.advance(timedelta(seconds=2))
        assert [FULL] == await here.looks(1)


async def test_bad_certificate_is_noticed_when_it_comes_between_full_handshakes() -> None:
    """A server that goes on with its sessions hides the new certificate for so many looks, and no longer."""
    async with stand() as here:
        await here.look()
        OTHER.configure_cert(here.vendor.context)
        samples = [await here.look() for _ in range(IN_A_ROW + 1)]
    assert [None] * IN_A_ROW + ["tls_wrong_host"] == [sample.error for sample in samples]


async def test_bad_certificate_is_noticed_at_once_when_the_server_was_restarted() -> None:
    """It does not know the session any more, so the handshake is a full one, and verified."""
    async with stand() as here:
        await here.look()
        await here.vendor.starts(OTHER)
        assert "tls_wrong_host" == (await here.look()).error


async def test_handshake_falls_back_to_a_full_one_when_the_server_refuses_the_session() -> None:
    """The look is as good as any; no session is offered for an hour, since keeping one costs, too."""
    async with stand() as here:
        await here.looks(2)
        await here.vendor.starts()
        assert [FULL] * 6 == await here.looks(6)
        here.clock.advance(timedelta(seconds=PAUSED_FOR_S))
        assert [FULL, RESUMED] == await here.looks(2)


async def test_one_look_fails_when_the_server_fails_with_sessions() -> None:
    """What only we would run into, because we resume, is not held against a provider again and again."""
    async with stand() as here:
        await here.look()
        here.vendor.hangs_up_on_resumed = True
        assert "closed" == (await here.look()).error
        assert [FULL] * 6 == await here.looks(6)


async def test_handshake_is_full_when_the_look_before_it_failed() -> None:
    """What follows trouble is verified anew."""
    async with stand() as here:
        await here.looks(2)
        here.vendor.says = BROKEN
        await here.look()
        here.vendor.says = OK
        assert [FULL] == await here.looks(1)


async def test_handshake_is_full_when_the_name_leads_to_another_address() -> None:
    """A session is for the address that it is from."""
    async with stand() as here:
        await here.look()
        here.resolver.address = "127.0.0.2"
        assert [FULL, RESUMED] == await here.looks(2)


@pytest.mark.parametrize(
    "settings", [{"maximum_version": ssl.TLSVersion.TLSv1_2}, {"num_tickets": 0}], ids=["TLS 1.2", "no tickets"]
)
async def test_handshakes_are_full_when_the_server_has_no_comparable_sessions(settings: dict[str, object]) -> None:
    """With TLS 1.2 a resumed one saves a round trip, and would look quicker than it is."""
    async with stand(**settings) as here:
        assert [FULL] * 3 == await here.looks(3)


async def test_handshakes_are_full_when_a_check_looks_seldom() -> None:
    """Each of its sessions would be too old when the next look comes."""
    async with stand() as here:
        here.check = here.made(every_s=WITHIN_S / 2 + 1)
        assert [FULL] * 3 == await here.looks(3)


async def test_handshakes_are_full_when_a_redirect_is_followed() -> None:
    """The session of another place never comes to the first one."""
    async with stand() as here:
        here.check = here.made(redirects=1)
        here.vendor.moved = True
        assert [FULL] * 3 == await here.looks(3)
    assert [FULL] * 6 == here.vendor.handshakes


async def test_tls_check_shakes_hands_in_full_and_to_the_end_when_it_looks() -> None:
    """It is there for the certificate; and the server's log has no handshakes that were broken off."""
    async with stand() as here:
        prober = TlsProber(here.clock, ssl_context=here.trusting, resolver=here.resolver)
        for _ in range(3):
            sample = await prober.probe(TlsCheck("a.b.cert", "a.b", "api.example.com", here.vendor.port))
            assert sample.error in (None, "stalled")
        async with asyncio.timeout(5):
            while len(here.vendor.handshakes) < 3:
                await asyncio.sleep(0.001)
    assert [FULL] * 3 == here.vendor.handshakes
