"""Effects on the systems that a flag's variant is written to."""

from bot.core.effects.base import About, Certainty, EffectBody
from bot.core.lazy_dataclass import dataclass


@dataclass(frozen=True)
class FeedSink(EffectBody):
    """Write what the flag serves at that moment to a sink. One lane per sink: orders never overtake, and the newest wins."""

    KIND = "sink.feed"
    CERTAINTY = Certainty.REPEATABLE  # it sends a state, not a change
    flag: str
    sink: str

    def lane(self, about: About) -> str:
        return f"sink/{self.flag}/{self.sink}"

    def slot(self, about: About) -> str:
        return self.lane(about)
