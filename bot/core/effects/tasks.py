"""Effects of tasks."""

from bot.core.effects.base import About, Certainty, EffectBody
from bot.core.lazy_dataclass import dataclass


@dataclass(frozen=True)
class RemindOwner(EffectBody):
    """Message the owner of a due task directly; nothing if it is done or reassigned by then."""

    KIND = "task.remind"
    CERTAINTY = Certainty.BEST_EFFORT  # we do not ask for the permission to read direct messages
    task: int
    user: str

    def lane(self, about: About) -> str:
        return f"person/{self.user}"
