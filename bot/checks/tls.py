"""The TLS check: whether a server's certificate is trusted, has the right names, and does not expire soon."""

import ssl
from datetime import datetime, timedelta
from typing import Any

from bot.checks.judging.evidence import clean
from bot.checks.judging.exceptions import Failure
from bot.checks.kind import Kind, ProberResources
from bot.checks.net.address_guard import Guard
from bot.checks.net.dial import Certificate, dial
from bot.checks.net.resolve import Resolver
from bot.checks.net.stopwatch import Stopwatch
from bot.checks.run import RunResult, measured
from bot.config.checks import kinds as config
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Sample
from bot.system.clock import Clock

NAME_CAP = 200
NAMES_SHOWN = 10


@dataclass(frozen=True)
class TlsCheck:
    """Whose certificate to check. It must cover `host` and all `names`; valid for less than `days_left` more, it is SLOW."""

    id: str
    component: str
    host: str
    port: int = 443
    days_left: timedelta = timedelta(days=14)
    names: tuple[str, ...] = ()
    every: timedelta = timedelta(seconds=30)
    deadline: timedelta = timedelta(seconds=10)
    under: timedelta | None = None


class TlsProber:
    """Runs TLS checks: one verified handshake each. Context and resolver are shared; the resolver's creator closes it."""

    def __init__(self, clock: Clock, *, ssl_context: ssl.SSLContext, resolver: Resolver, guard: Guard | None = None) -> None:
        self._clock = clock
        self._ssl_context = ssl_context
        self._resolver = resolver
        self._guard = guard

    async def probe(self, check: TlsCheck) -> Sample:
        """Run it once. Any failure is in the sample; only cancellation is raised."""

        async def look(watch: Stopwatch, deadline_s: float) -> RunResult:
            line = await dial(
                check.host, check.port, watch=watch, deadline_s=deadline_s, resolver=self._resolver, guard=self._guard,
                tls=self._ssl_context,
            )  # fmt: skip
            try:
                return _seen(check, line.certificate, line.tls_version or "TLS", self._clock.now())
            finally:
                line.close()

        return await measured(check, self._clock, look)

    async def close(self) -> None:
        """Does nothing: nothing is kept between runs."""


def _seen(check: TlsCheck, certificate: Certificate | None, version: str, now: datetime) -> RunResult:
    if certificate is None:  # the context does not verify, so nothing is known about it
        return RunResult(f"{version} handshake", Failure("tls_untrusted", "certificates are not verified"))
    evidence = {
        "subject": clean(certificate.subject)[:NAME_CAP],
        "issuer": clean(certificate.issuer)[:NAME_CAP],
        "expires_at": certificate.expires_at.isoformat(),
        "names": _shown(certificate.names),
    }
    missing = [name for name in check.names if not any(_is_for(name, pattern) for pattern in certificate.names)]
    left = certificate.expires_at - now
    failure = None
    if missing:
        failure = Failure("tls_wrong_host", f"it is not for {', '.join(missing)}")
    elif left < check.days_left:
        failure = Failure("tls_expiring", f"{_left(left)} left, until {certificate.expires_at:%Y-%m-%d %H:%M} UTC")
    return RunResult(f"{version} handshake", failure, evidence)


def _is_for(name: str, pattern: str) -> bool:
    """Whether a certificate's name covers ours; a star stands for exactly one leading label (RFC 9525 6.3)."""
    name, pattern = name.lower().rstrip("."), pattern.lower().rstrip(".")
    first, _, rest = pattern.partition(".")
    return name == pattern or (first == "*" and "." in rest and name.partition(".")[2] == rest)


def _left(left: timedelta) -> str:
    hours = max(0, int(left.total_seconds() // 3600))
    amount, unit = (hours, "hour") if hours < 48 else (hours // 24, "day")
    return f"{amount} {unit}{'' if amount == 1 else 's'}"


def _shown(names: tuple[str, ...]) -> str:
    shown = ", ".join(clean(name)[:NAME_CAP] for name in names[:NAMES_SHOWN])
    return f"{shown} and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else shown


def _made(model: config.TlsCheck, **common: Any) -> TlsCheck:
    return TlsCheck(**common, host=model.host, port=model.port, days_left=model.days_left, names=model.names, under=model.under)


def _prober(shared: ProberResources) -> TlsProber:
    return TlsProber(shared.clock, ssl_context=shared.tls, resolver=shared.resolver, guard=shared.guard)


KIND = Kind(config.TlsCheck, TlsCheck, _made, _prober)
