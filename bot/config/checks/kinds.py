"""The checks that a component may have, one model per type, told apart by `type`. Long models have files of their own.

Here are the checks below HTTP (a connection, a certificate, a name) and the one that waits for reports of a job. How a type is
run is implemented in the module of the same name in `bot/checks/`.
"""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, SecretStr

from bot.config.checks.base import CheckBase
from bot.config.checks.http import HttpCheck
from bot.config.checks.llm import LlmCheck
from bot.config.scalars import Every, Host, NameServer, Port, PositiveSpan, Secret, Span, Text

CONTROL = "control"  # the component that holds the controls; no provider may have this name


class TcpCheck(CheckBase):
    """One TCP connection."""

    type: Literal["tcp"] = Field(default="tcp", description="`tcp`")
    host: Host = Field(description="Host name or address.")
    port: Port = Field(description="Port, 1 to 65535.")
    under: PositiveSpan | None = Field(default=None, description="A connection that takes longer than this counts as slow.")

    @property
    def slow_over(self) -> timedelta | None:
        """Its own limit."""
        return self.under

    @property
    def target(self) -> str:
        """Host and port."""
        return _host_port(self.host, self.port)


class TlsCheck(CheckBase):
    """One TLS handshake, with the certificate verified."""

    type: Literal["tls"] = Field(default="tls", description="`tls`")
    host: Host = Field(description="Host name, for which the certificate must be valid.")
    port: Port = Field(default=443, description="Port, 1 to 65535.")
    days_left: Span = Field(
        default=timedelta(days=14),
        description="A certificate that expires sooner than this counts as slow, as an early warning.",
    )
    names: tuple[Text, ...] = Field(default=(), description="Further names for which the certificate must be valid.")
    under: PositiveSpan | None = Field(default=None, description="A handshake that takes longer than this counts as slow.")

    @property
    def slow_over(self) -> timedelta | None:
        """Its own limit."""
        return self.under

    @property
    def target(self) -> str:
        """Host and port."""
        return _host_port(self.host, self.port)


class DnsCheck(CheckBase):
    """One look-up of a name."""

    type: Literal["dns"] = Field(default="dns", description="`dns`")
    host: Host = Field(description="Name to look up.")
    record: Literal["A", "AAAA", "CNAME", "MX", "NS", "TXT"] = Field(
        default="A", description="Kind of record: `A`, `AAAA`, `CNAME`, `MX`, `NS` or `TXT`."
    )
    expect: tuple[Text, ...] = Field(
        default=(), description="Accepted answers, at least one of which must come; any answer when empty."
    )
    server: NameServer | None = Field(
        default=None, description="Name server to ask, an address; the machine's own when not given."
    )

    @property
    def target(self) -> str:
        """The name to look up."""
        return self.host


class HeartbeatCheck(CheckBase):
    """Something else must report regularly; its silence is the failure."""

    type: Literal["heartbeat"] = Field(default="heartbeat", description="`heartbeat`")
    every: Every = Field(default=timedelta(seconds=60), description="How often a heartbeat is due, 100ms to 1d.")
    grace: Span = Field(default=timedelta(seconds=60), description="How late it may be.")
    token: Secret = Field(
        default=SecretStr(""), description="Bearer token that the sender must send; none needed when not given."
    )

    def secrets(self) -> tuple[SecretStr, ...]:
        """The token that a sender must show."""
        return (self.token,)


def _host_port(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


Check = Annotated[HttpCheck | LlmCheck | TcpCheck | TlsCheck | DnsCheck | HeartbeatCheck, Field(discriminator="type")]

CHECK_MODELS: dict[str, type[CheckBase]] = {
    "http": HttpCheck,
    "llm": LlmCheck,
    "tcp": TcpCheck,
    "tls": TlsCheck,
    "dns": DnsCheck,
    "heartbeat": HeartbeatCheck,
}
