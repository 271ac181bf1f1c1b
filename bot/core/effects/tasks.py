"""What is done for tasks."""

from bot.core.effects.base import About, Certainty, EffectBody
from bot.core.lazy_dataclass import dataclass


@dataclass(frozen=True)
class RemindOwner(EffectBody):
    """A direct message to whoever has a task that is due; nothing where it is done or somebody else's by then."""

    KIND = "task.remind"
    CERTAINTY = Certainty.BEST_EFFORT  # reading direct messages is a right that we do not ask for
    task: int
    user: str

    def lane(self, about: About) -> str:
        return f"person/{self.user}"
