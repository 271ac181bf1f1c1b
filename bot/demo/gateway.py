"""What a gateway with a circuit breaker would do for the same customers, for comparison with the flag.

It favours gateways: one fallback that it always knows, no wait between attempts, and after a pause only one customer tries the
primary again.
"""

from collections.abc import Callable

from bot.core.lazy_dataclass import dataclass

FAILS = 3  # in a row, before the primary is left alone for a while

Ask = Callable[[str], bool]  # whether this provider answered
Now = Callable[[], float]  # seconds, on a monotonic clock


@dataclass(frozen=True)
class GatewayResult:
    """The result of one request: whether it was served, how many attempts failed, and how long they took."""

    served: bool
    failed_tries: int
    lost_s: float


class Gateway:
    """Asks `primary`, then `fallback`. After three failures in a row, or one on its return, the primary rests for `pause_s`."""

    def __init__(self, primary: str, fallback: str, pause_s: float, ask: Ask, now: Now) -> None:
        self._primary = primary
        self._fallback = fallback
        self._pause_s = pause_s
        self._ask = ask
        self._now = now
        self._fails = 0
        self._alone_until = 0.0

    def serve(self) -> GatewayResult:
        """Serve one request."""
        tries, lost_s = 0, 0.0
        alone = self._now() < self._alone_until
        for provider in (self._fallback,) if alone else (self._primary, self._fallback):
            began = self._now()
            answered = self._ask(provider)
            if provider == self._primary:
                self._learn(answered)
            if answered:
                return GatewayResult(True, tries, lost_s)
            tries, lost_s = tries + 1, lost_s + self._now() - began
        return GatewayResult(False, tries, lost_s)

    def _learn(self, answered: bool) -> None:
        self._fails = 0 if answered else self._fails + 1
        if self._fails >= FAILS:
            self._fails = FAILS - 1  # one more is enough when it is tried again
            self._alone_until = self._now() + self._pause_s
