"""Messages for people outside the incident: one per channel, kept up to date, with replies."""

from bot.core.effects.base import About, Certainty, EditInPlace, EffectBody
from bot.core.lazy_dataclass import dataclass


@dataclass(frozen=True)
class InBroadcast(EffectBody):
    """Part of the broadcast in one channel, named as configured. All of it is sent in order."""

    to: str

    def key(self, about: About) -> str:
        return f"{about.name}/broadcast/{self.to}"

    def lane(self, about: About) -> str:
        return f"broadcast/{about.incident}/{self.to}"


@dataclass(frozen=True)
class PostBroadcast(InBroadcast):
    """Post the message about an incident."""

    KIND = "broadcast.post"
    CERTAINTY = Certainty.LOOKED_UP


@dataclass(frozen=True)
class EditBroadcast(InBroadcast, EditInPlace):
    """Update it to the current state."""

    KIND = "broadcast.edit"
    CERTAINTY = Certainty.REPEATABLE
    PART = "broadcast"

    def key(self, about: About) -> str:
        return f"{super().key(about)}/{about.fact}"

    def slot(self, about: About) -> str:
        return f"broadcast/{about.incident}/{self.to}"


@dataclass(frozen=True)
class ReplyBroadcast(InBroadcast):
    """Post a fact in its thread: a person's update, that the incident is over, or that it was not."""

    KIND = "broadcast.reply"
    CERTAINTY = Certainty.LOOKED_UP

    def key(self, about: About) -> str:
        return f"{super().key(about)}/reply/{about.fact}"
