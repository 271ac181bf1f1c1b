"""The DNS check: whether a name has the right record, according to one name server or the machine's own."""

import asyncio
import ipaddress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from bot.checks.judging.evidence import clean
from bot.checks.judging.exceptions import CheckError, Failure
from bot.checks.kind import Kind, ProberResources
from bot.checks.net.address_guard import Guard
from bot.checks.net.dial import RefusedAddress
from bot.checks.net.stopwatch import Stopwatch
from bot.checks.run import RunResult, measured
from bot.config.checks import kinds as config
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Sample
from bot.system.clock import Clock

if TYPE_CHECKING:
    import dns.asyncresolver  # loaded on first use: a start without DNS checks need not wait for it
    import dns.resolver

RECORDS = ("A", "AAAA", "CNAME", "MX", "NS", "TXT")
TRY_AT_MOST_S = 2.0  # for one packet to one server; then it is sent again, as stub resolvers do
TRIES = 3
SHOWN = 5
ANSWER_CAP = 200


@dataclass(frozen=True)
class DnsCheck:
    """Which record to ask for. With `expect`, one of these values must be in it; without, any answer is good.

    Values are written as in zone files: `192.0.2.1`, `mail.example.com`, `10 mail.example.com` (MX), a TXT's strings joined.
    Case and trailing dots of names are ignored. `server` is an address, with a port unless it is 53 (`192.0.2.53:5353`,
    `[2001:db8::53]:5353`); if None, the machine's own name servers are asked.
    """

    id: str
    component: str
    host: str
    record: str = "A"
    expect: tuple[str, ...] = ()
    server: str | None = None
    every: timedelta = timedelta(seconds=30)
    deadline: timedelta = timedelta(seconds=10)
    under: timedelta | None = None


class DnsProber:
    """Runs DNS checks without any cache of ours. The guard judges a configured server; the machine's own are exempt."""

    def __init__(self, clock: Clock, *, guard: Guard | None = None) -> None:
        self._clock = clock
        self._guard = guard

    async def probe(self, check: DnsCheck) -> Sample:
        """Run it once. Any failure is in the sample; only cancellation is raised."""

        async def look(watch: Stopwatch, deadline_s: float) -> RunResult:
            resolver = self._resolver(check.server)
            resolver.timeout = min(TRY_AT_MOST_S, deadline_s / TRIES)
            watch.begin("dns")
            try:
                answers = await _ask(resolver, check, deadline_s)
            finally:
                watch.end("dns")
            watch.inside = self._is_ours(check.server)
            return _seen(check, answers)

        return await measured(check, self._clock, look)

    async def close(self) -> None:
        """Does nothing: nothing is kept between runs."""

    def _is_ours(self, server: str | None) -> bool:
        """Whether our own network answers: this machine's resolver may know the name from before."""
        return server is None or (self._guard is not None and self._guard.inside(_parted(server)[0]))

    def _resolver(self, server: str | None) -> "dns.asyncresolver.Resolver":
        import dns.asyncresolver
        import dns.resolver

        if server is None:
            try:
                return dns.asyncresolver.Resolver()
            except dns.resolver.NoResolverConfiguration as exc:
                raise CheckError("local", "this machine names no name server") from exc
        address, port = _parted(server)
        why_not = self._guard.refuses(address) if self._guard is not None else None
        if why_not is not None:
            raise RefusedAddress(why_not)
        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = [address], port
        return resolver


async def _ask(resolver: "dns.asyncresolver.Resolver", check: DnsCheck, deadline_s: float) -> tuple[str, ...]:
    """The record's values; empty if the name exists without such a record. Raises CheckError."""
    import dns.exception
    import dns.name
    import dns.resolver

    try:
        name = dns.name.from_text(check.host)
    except dns.exception.DNSException as exc:
        raise CheckError("bad_check", "the host is not a name") from exc
    while True:
        try:
            answer = await resolver.resolve(name, check.record, raise_on_no_answer=False, lifetime=deadline_s * 2)
        except dns.resolver.LifetimeTimeout:
            # Our own deadline is half of this, on the loop's clock; dnspython uses the wall clock, which was just set.
            await asyncio.sleep(0)
        except dns.resolver.NXDOMAIN as exc:
            raise CheckError("dns_nxdomain") from exc
        except dns.resolver.NoNameservers as exc:
            raise CheckError("dns", _why_none_answered(exc)) from exc
        except dns.exception.DNSException as exc:  # such as a name too long once completed, or a circular chain of CNAMEs
            raise CheckError("dns", clean(exc.msg or type(exc).__name__)[:ANSWER_CAP]) from exc
        else:
            return tuple(_text(check.record, one) for one in answer.rrset or ())


def _seen(check: DnsCheck, answers: tuple[str, ...]) -> RunResult:
    did = f"{len(answers)} {check.record} record{'' if len(answers) == 1 else 's'}"
    evidence = {"answers": ", ".join(clean(answer)[:ANSWER_CAP] for answer in answers[:SHOWN])} if answers else {}
    if not answers:
        return RunResult(did, Failure("dns_mismatch", f"the name exists without a record {check.record}"), evidence)
    came = {_plain(check.record, answer) for answer in answers}
    if check.expect and not came & {_plain(check.record, value) for value in check.expect}:
        return RunResult(did, Failure("dns_mismatch"), evidence)
    return RunResult(did, None, evidence)


def _text(record: str, rdata: Any) -> str:
    match record:
        case "TXT":
            return b"".join(rdata.strings).decode("utf-8", "replace")
        case "MX":
            return f"{rdata.preference} {rdata.exchange.to_text(omit_final_dot=True)}"
        case "CNAME" | "NS":
            return str(rdata.target.to_text(omit_final_dot=True))
    return str(rdata.to_text())


def _plain(record: str, value: str) -> str:
    """The canonical form in which values are compared."""
    if record == "TXT":
        return value
    value = " ".join(value.lower().split()).rstrip(".")
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        return value


def _why_none_answered(exc: "dns.resolver.NoNameservers") -> str:
    """SERVFAIL, REFUSED and the like by name; a server that is unreachable or does not speak DNS, in words."""
    import dns.rcode

    for _, _, _, error, response in reversed(exc.kwargs.get("errors", [])):
        if response is not None:
            return dns.rcode.to_text(response.rcode())
        if isinstance(error, OSError):
            return "the name server could not be reached"
        return "the name server's answer could not be read"
    return "no name server is left to ask"


def _parted(server: str) -> tuple[str, int]:
    host, port = server, "53"
    if server.startswith("["):
        host, _, rest = server[1:].partition("]")
        port = rest.removeprefix(":") or "53"
    elif server.count(":") == 1:
        host, _, port = server.partition(":")
    try:
        address = str(ipaddress.ip_address(host))
    except ValueError:
        address = ""
    if not address or not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise CheckError("bad_check", "the name server is not an address, such as 192.0.2.53 or 192.0.2.53:5353")
    return address, int(port)


def _made(model: config.DnsCheck, **common: Any) -> DnsCheck:
    return DnsCheck(**common, host=model.host, record=model.record, expect=model.expect, server=model.server)


def _prober(shared: ProberResources) -> DnsProber:
    return DnsProber(shared.clock, guard=shared.guard)


KIND = Kind(config.DnsCheck, DnsCheck, _made, _prober)
