"""What is put into the systems that a flag's switch reaches."""

from bot.core.effects.base import About, Certainty, EffectBody
from bot.core.lazy_dataclass import dataclass


@dataclass(frozen=True)
class FeedSink(EffectBody):
    """Let a sink have what its flag serves at that moment. Each sink is a lane: the newest order wins, none overtakes."""

    KIND = "sink.feed"
    CERTAINTY = Certainty.REPEATABLE  # it is told a state, not a step
    flag: str
    sink: str

    def lane(self, about: About) -> str:
        return f"sink/{self.flag}/{self.sink}"

    def slot(self, about: About) -> str:
        return self.lane(about)
