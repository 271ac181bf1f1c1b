"""Receives jobs' reports: finds the check, verifies that the sender may report, and counts the report at once."""

import hmac
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import Any

from bot.checks.heartbeat import HeartbeatCheck, Heartbeats, Sign, SignKind, sample_of
from bot.core.codec import decode, encode
from bot.core.model import Sample
from bot.ports import Admission
from bot.system.clock import Clock
from bot.system.token_bucket import TokenBucket

BEATS_AT_ONCE = 2  # a short job's start and end
BEATS_PER_S = 1.0

ARRIVING: dict[str, SignKind] = {"success": "ok", "start": "start", "fail": "fail"}


class HeartbeatIntake:
    """Receives reports for the known heartbeat checks, and passes each on as a sample from our own `vantage`.

    `tell` sends it to the other replicas, whose `heard` receives it: the replica that was asked need not be the one that runs
    the check. They `count` it without storing it. `redact` removes secrets from a job's text.
    """

    def __init__(
        self,
        checks: Iterable[HeartbeatCheck],
        register: Heartbeats,
        clock: Clock,
        hand_on: Callable[[Sample], Awaitable[None]],
        vantage: str = "local",
        tell: Callable[[Any], None] = lambda _: None,
        count: Callable[[Sample], Awaitable[None]] | None = None,
        redact: Callable[[str], str] = str,
    ) -> None:
        self._tell = tell
        self._count = count or hand_on
        self._redact = redact
        self._vantage = vantage
        self._register = register
        self._clock = clock
        self._hand_on = hand_on
        checks = tuple(checks)
        self._by_name: dict[str, HeartbeatCheck | None] = {}
        for check in checks:
            short = check.id.removeprefix(f"{check.component}.")
            self._by_name[short] = None if short in self._by_name else check  # if two share a short name, neither gets it
        self._by_name |= {check.id: check for check in checks}
        self._paces = {check.id: TokenBucket(BEATS_PER_S, BEATS_AT_ONCE) for check in checks}

    def admit(self, name: str, token: str, *, open: bool = True) -> Admission:
        """Whether to accept a report for the check with that id or unique short name; grants one permit at once.

        With `open` False, a check without a token accepts none.
        """
        check = self._by_name.get(name)
        if check is None:
            return Admission.UNKNOWN
        if check.token and not hmac.compare_digest(check.token.encode(), token.encode("utf-8", "surrogateescape")):
            return Admission.DENIED
        if not check.token and not open:
            return Admission.CLOSED
        return Admission.OK if self._paces[check.id].take(self._clock.monotonic()) else Admission.TOO_MANY

    async def record(self, name: str, kind: str, exit_code: int | None, note: str, run: str = "") -> None:
        """Record an admitted report. `kind` is `success`, `start` or `fail`; raises ValueError for any other.

        What a `run` reports counts once, whichever replica is asked.
        """
        check = self._by_name.get(name)
        if check is None or kind not in ARRIVING:
            raise ValueError(f"no check, or not a kind of sign: {name[:100]!r}, {kind!r}")
        sign = self._register.beat(check.id, ARRIVING[kind], exit_code, self._redact(note), self._redact(run))
        if sign is None:
            return
        self._tell({"check": check.id, "sign": encode(sign)})
        await self._hand_on(self._sample(check, sign))

    async def heard(self, body: Any) -> None:
        """Another replica received a report and told us. One that was delayed on its way counts at the next run.

        It may be told twice, if the ledger's first response was lost, but counts once.
        """
        check, sign = self._by_name.get(body["check"]), decode(Sign, body["sign"])
        ago = self._register.told(check.id, sign) if check is not None else None
        if check is not None and ago is not None and ago <= check.look_every:
            await self._count(self._sample(check, sign))

    def _sample(self, check: HeartbeatCheck, sign: Sign) -> Sample:
        return replace(sample_of(check, sign), vantage=self._vantage)
