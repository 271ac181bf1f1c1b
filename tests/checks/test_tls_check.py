"""The TLS check against real handshakes with certificates of every kind."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
import trustme

from bot.checks.net.resolve import ThreadResolver
from bot.checks.tls import TlsCheck, TlsProber
from bot.core.model import Fault, Outcome, Sample
from bot.system.clock import ManualClock

NOW = datetime.now(UTC).replace(microsecond=0)
CA = trustme.CA()
STRANGER = trustme.CA()


@asynccontextmanager
async def server(leaf: trustme.LeafCert | None) -> AsyncIterator[int]:
    """A TLS server with this certificate; without one it accepts connections and stays silent. Yields its port."""
    context = None
    if leaf is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        leaf.configure_cert(context)
    open_lines: list[asyncio.StreamWriter] = []
    listener = await asyncio.start_server(lambda reader, writer: open_lines.append(writer), "127.0.0.1", 0, ssl=context)
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()
        for writer in open_lines:
            writer.transport.abort()
        await asyncio.sleep(0)


async def probed(leaf: trustme.LeafCert | None, **changes: object) -> Sample:
    """The sample of a check of a server known as api.example.com. A busy machine makes it inconclusive; then it is repeated."""
    trusting = ssl.create_default_context()
    CA.configure_trust(trusting)
    resolver = ThreadResolver(lambda host: ("127.0.0.1",))
    prober = TlsProber(ManualClock(NOW), ssl_context=trusting, resolver=resolver)
    async with server(leaf) as port:
        for _ in range(5):
            given = {"id": "a.b.cert", "component": "a.b", "host": "api.example.com", "port": port} | changes
            sample = await prober.probe(TlsCheck(**given))  # type: ignore[arg-type]
            if sample.error != "stalled":
                break
    await prober.close()
    resolver.close()
    return sample


def leaf(*names: str, days: float = 90) -> trustme.LeafCert:
    return CA.issue_cert(*(names or ("api.example.com",)), not_after=NOW + timedelta(days=days))


async def test_tls_check_is_ok_when_the_certificate_is_good() -> None:
    """The certificate is trusted, matches the host and lasts long enough; the evidence names it."""
    sample = await probed(leaf("api.example.com", "*.eu.example.com"), names=("a.eu.example.com",))
    assert (Outcome.OK, None, Fault.NONE) == (sample.outcome, sample.error, sample.fault)
    assert sample.reason.startswith("TLSv1.3 handshake after ")
    assert {"dns", "connect", "tls", "total"} == set(sample.phases_ms)
    assert "api.example.com, *.eu.example.com" == sample.evidence["names"]
    assert (NOW + timedelta(days=90)).isoformat() == sample.evidence["expires_at"]
    assert sample.evidence["issuer"].startswith("Testing CA") or sample.evidence["issuer"]


@pytest.mark.parametrize(
    ("days", "left"), [(9.5, "9 days left"), (1.5, "36 hours left"), (1 / 12, "2 hours left"), (1 / 20, "1 hour left")]
)
async def test_tls_check_warns_when_the_certificate_expires_soon(days: float, left: str) -> None:
    """The result is slow with its own error class, not down; the reason gives the remaining time."""
    sample = await probed(leaf(days=days))
    assert (Outcome.SLOW, "tls_expiring", Fault.THEIRS) == (sample.outcome, sample.error, sample.fault)
    assert f"the certificate expires soon ({left}, until " in sample.reason
    assert "expires_at" in sample.evidence


async def test_tls_check_is_ok_when_the_certificate_outlasts_days_left() -> None:
    """The operator sets `days_left`."""
    assert Outcome.OK is (await probed(leaf(days=9), days_left=timedelta(days=7))).outcome


FAILING = [
    ("expired", CA.issue_cert("api.example.com", not_after=NOW - timedelta(days=1)), "tls_expired", Fault.THEIRS),
    ("of an unknown authority", STRANGER.issue_cert("api.example.com"), "tls_untrusted", Fault.UNCLEAR),
    ("for another host", CA.issue_cert("other.example.com"), "tls_wrong_host", Fault.UNCLEAR),
    ("for a wildcard one label too high", CA.issue_cert("*.com.example"), "tls_wrong_host", Fault.UNCLEAR),
]


@pytest.mark.parametrize(("kind", "certificate", "error", "fault"), FAILING, ids=[row[0] for row in FAILING])
async def test_tls_check_fails_when_the_certificate_is_bad(
    kind: str, certificate: trustme.LeafCert, error: str, fault: Fault
) -> None:
    """Each kind of bad certificate has its own error class."""
    sample = await probed(certificate)
    assert (Outcome.FAIL, error, fault) == (sample.outcome, sample.error, sample.fault)


async def test_tls_check_fails_when_an_extra_name_is_missing() -> None:
    """The certificate must cover every listed name; a wildcard covers one label only."""
    names = ("www.example.com", "a.eu.example.com", "a.b.eu.example.com")
    sample = await probed(leaf("api.example.com", "*.eu.example.com"), names=names)
    assert (Outcome.FAIL, "tls_wrong_host") == (sample.outcome, sample.error)
    assert "it is not for www.example.com, a.b.eu.example.com" in sample.reason
    assert "expires_at" in sample.evidence


async def test_tls_check_fails_in_time_when_the_handshake_hangs() -> None:
    """The server accepts the connection and stays silent."""
    sample = await probed(None, deadline=timedelta(seconds=0.3))
    assert (Outcome.FAIL, "tls_timeout") == (sample.outcome, sample.error)
    assert "the TLS handshake did not finish within 300 ms" == sample.reason


async def test_tls_check_fails_when_the_server_does_not_speak_tls() -> None:
    """The server answers the handshake with plain text."""
    listener = await asyncio.start_server(
        lambda reader, writer: writer.write(b"220 mail ready\r\n") or writer.close(), "127.0.0.1", 0
    )
    resolver = ThreadResolver()
    prober = TlsProber(ManualClock(NOW), ssl_context=ssl.create_default_context(), resolver=resolver)
    sample = await prober.probe(TlsCheck("a.b.cert", "a.b", "127.0.0.1", listener.sockets[0].getsockname()[1]))
    listener.close()
    resolver.close()
    assert (Outcome.FAIL, "tls") == (sample.outcome, sample.error)


async def test_tls_check_reports_an_unverified_certificate() -> None:
    """A context that trusts everything proves nothing."""
    blind = ssl.create_default_context()
    blind.check_hostname, blind.verify_mode = False, ssl.CERT_NONE
    resolver = ThreadResolver()
    prober = TlsProber(ManualClock(NOW), ssl_context=blind, resolver=resolver)
    async with server(leaf()) as port:
        sample = await prober.probe(TlsCheck("a.b.cert", "a.b", "127.0.0.1", port))
    resolver.close()
    assert "tls_untrusted" == sample.error
