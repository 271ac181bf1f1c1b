"""TLS sessions of good runs, so that not every handshake must be a full one."""

import math
import ssl
from dataclasses import dataclass
from datetime import datetime

from bot.checks.net.connection import Line
from bot.system.clock import Clock

IN_A_ROW = 3  # resumed handshakes before a full one
WITHIN_S = 120.0  # between full ones; with one run every 30 s both limits agree
EARLY = 0.1  # of an interval: the next run may come this much early
PAUSED_FOR_S = 3600.0
COMPARABLE = "TLSv1.3"  # it takes as many round trips resumed as in full; TLS 1.2 saves one, so latencies would not compare


@dataclass(frozen=True, slots=True)
class _Kept:
    session: ssl.SSLSession
    address: str
    made_at: float
    holds_until: datetime


class Resumption:
    """When the next handshake of a check with its host may resume an earlier one, in domain time.

    It may if the following run, `every_s` later, is still in time for the next full one.

    A session is offered only to its own address, and only while the certificate verified with it is valid. It is lent to one
    run and returned by a good answer, so the handshake after a failure is a full one. A server that rejects its session, or
    fails with it, is not offered one for an hour: it is judged by what every new client experiences.
    """

    __slots__ = ("_clock", "_every_s", "_kept", "_left", "_lent", "_paused_until")

    def __init__(self, clock: Clock, every_s: float) -> None:
        self._clock = clock
        self._every_s = every_s
        self._kept: _Kept | None = None
        self._left = 0  # resumed handshakes left until the next full one
        self._lent = False
        self._paused_until = -math.inf

    def offer(self, address: str) -> ssl.SSLSession | None:
        """The session to start a handshake with; None for a full one."""
        if self._lent:  # and never returned
            self._pause()
        kept = self._kept
        if kept is None or not self._left or kept.address != address or not self._holds(kept):
            return None
        self._left -= 1
        self._lent = True
        return kept.session

    def answered(self, line: Line) -> None:
        """A run over this connection had a good answer; the server has sent its tickets by now."""
        lent, self._lent = self._lent, False
        if line.resumed:
            return
        if lent:
            self._pause()
        certificate = line.certificate
        now = self._clock.monotonic()
        if now < self._paused_until or certificate is None or line.tls_version != COMPARABLE:
            self._kept = None
            return
        session = line.session
        self._kept = _Kept(session, line.address, now, certificate.expires_at) if session is not None else None
        self._left = IN_A_ROW

    def _holds(self, kept: _Kept) -> bool:
        next_at = self._clock.monotonic() + self._every_s * (1 - EARLY)
        return next_at - kept.made_at < WITHIN_S and self._clock.now() < kept.holds_until

    def _pause(self) -> None:
        self._lent = False
        self._kept = None
        self._paused_until = self._clock.monotonic() + PAUSED_FOR_S
