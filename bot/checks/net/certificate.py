"""A server's certificate, read from the handshake of a probe that was made anyway."""

import ssl
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from bot.core.lazy_dataclass import dataclass

KEPT = 4096


@dataclass(frozen=True)
class Certificate:
    """A server's verified certificate: common names, the names it is for, and when it expires."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    expires_at: datetime


def certificate_of(tls: ssl.SSLObject) -> Certificate | None:
    """The certificate of a handshake, or None if the context does not verify: then Python does not read it."""
    return None if tls.context.verify_mode is ssl.CERT_NONE else _certificate(_Shown(tls))


class _Shown:
    """A handshake's certificate as a cache key: equal if the certificates are, whatever the connection."""

    __slots__ = ("_der", "_tls")

    def __init__(self, tls: ssl.SSLObject) -> None:
        self._der = tls.getpeercert(binary_form=True)
        self._tls: ssl.SSLObject | None = tls

    def __hash__(self) -> int:
        return hash(self._der)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Shown) and self._der == other._der

    def fields(self) -> dict[str, Any]:
        """The parsed certificate; then the connection is released."""
        tls, self._tls = self._tls, None
        return dict(tls.getpeercert() or {}) if tls is not None else {}


@lru_cache(maxsize=KEPT)  # parsing costs more than an HTTP exchange, and servers keep a certificate for months
def _certificate(shown: _Shown) -> Certificate | None:
    fields = shown.fields()
    if not fields:
        return None
    alternatives = fields.get("subjectAltName", ())
    return Certificate(
        subject=_common_name(fields.get("subject", ())),
        issuer=_common_name(fields.get("issuer", ())),
        names=tuple(str(value) for kind, value in alternatives if kind in ("DNS", "IP Address")),
        expires_at=datetime.fromtimestamp(ssl.cert_time_to_seconds(str(fields["notAfter"])), UTC),
    )


def _common_name(relative: Any) -> str:
    """The commonName of a distinguished name, or its last part."""
    parts = {str(key): str(value) for row in relative for key, value in row}
    return parts.get("commonName") or parts.get("organizationName") or next(reversed(parts.values()), "")
