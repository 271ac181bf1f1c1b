"""The phases of one probe, measured by a clock that changes of the wall clock do not affect.

Not the event loop's clock: uvloop's has only whole milliseconds, and does not advance during a callback.
"""

from bot.system.clock import SystemClock

MONOTONIC = SystemClock().monotonic


class Stopwatch:
    """The phases of one probe in domain milliseconds, and what is currently awaited.

    Phases are consecutive spans: `dns`, `connect` (TCP), `tls`, `first_byte` (from sending the request to a complete response
    head) and, if the prober looks for one, `first_token`. `total` is the whole probe with its body. `stale_dns` means that the
    addresses came from the resolver's cache because nobody could be asked, `inside` that the
    address asked is in our own network.
    """

    __slots__ = ("_began", "_scale", "_starts", "inside", "phases_ms", "stale_dns", "waits_for")

    def __init__(self, speed: float) -> None:
        self._scale = 1000 * speed
        self._began = MONOTONIC()
        self._starts: dict[str, float] = {}
        self.waits_for = "dns"
        self.stale_dns = False
        self.inside = False
        self.phases_ms: dict[str, float] = {}

    @property
    def elapsed_s(self) -> float:
        """Real seconds since the start."""
        return MONOTONIC() - self._began

    def begin(self, phase: str) -> None:
        """Start waiting for `phase`; a second address continues the same phase."""
        self.waits_for = phase
        if phase not in self._starts:
            self._starts[phase] = MONOTONIC()

    def end(self, phase: str) -> None:
        """The phase is over."""
        self.phases_ms[phase] = round((MONOTONIC() - self._starts[phase]) * self._scale, 3)

    def stop(self) -> None:
        """The probe is over."""
        self.phases_ms["total"] = round((MONOTONIC() - self._began) * self._scale, 3)
