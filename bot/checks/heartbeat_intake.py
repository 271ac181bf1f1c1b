"""Where signs of life come in: finds the check that is meant, sees that the sender may, and lets the sign count at once."""

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

BEATS_AT_ONCE = 2  # a quick job's start and its end
BEATS_PER_S = 1.0

ARRIVING: dict[str, SignKind] = {"success": "ok", "start": "start", "fail": "fail"}


class SignsOfLife:
    """Takes signs for the heartbeat checks that there are, and hands each on as a sample from our own `vantage`.

    `tell` passes it on to the other replicas, whose `heard` takes it: who runs the check need not be who was asked. They
    `count` it and write nothing down. `redact` takes out of a job's words what must not be kept.
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
            self._by_name[short] = None if short in self._by_name else check  # two of one short name: neither has it
        self._by_name |= {check.id: check for check in checks}
        self._paces = {check.id: TokenBucket(BEATS_PER_S, BEATS_AT_ONCE) for check in checks}

    def admit(self, name: str, token: str, *, open: bool = True) -> Admission:
        """Whether a sign may be taken for the check of that id or unique short name; a permit for one counts at once.

        With `open` False a check without a token takes none either.
        """
        check = self._by_name.get(name)
        if check is None:
            return Admission.UNKNOWN
        if check.token and not hmac.compare_digest(check.token.encode(), token.encode("utf-8", "surrogateescape")):
            return Admission.DENIED
        if not check.token and not open:
            return Admission.CLOSED
        return Admission.OK if self._paces[check.id].take(self._clock.monotonic()) else Admission.TOO_MANY

    async def sign(self, name: str, kind: str, exit_code: int | None, note: str) -> None:
        """Take a sign that was admitted. `kind` is `success`, `start` or `fail`; raises ValueError for another one."""
        check = self._by_name.get(name)
        if check is None or kind not in ARRIVING:
            raise ValueError(f"no check, or not a kind of sign: {name[:100]!r}, {kind!r}")
        sign = self._register.beat(check.id, ARRIVING[kind], exit_code, self._redact(note))
        self._tell({"check": check.id, "sign": encode(sign)})
        await self._hand_on(self._sample(check, sign))

    async def heard(self, body: Any) -> None:
        """Another replica took a sign, and told this of it. One that was long on its way counts with the next look.

        It may be told twice, where the ledger's answer to the first time got lost, and counts once.
        """
        check, sign = self._by_name.get(body["check"]), decode(Sign, body["sign"])
        ago = self._register.told(check.id, sign) if check is not None else None
        if check is not None and ago is not None and ago <= check.look_every:
            await self._count(self._sample(check, sign))

    def _sample(self, check: HeartbeatCheck, sign: Sign) -> Sample:
        return replace(sample_of(check, sign), vantage=self._vantage)
