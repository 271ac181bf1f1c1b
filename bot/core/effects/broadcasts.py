"""What is told to people who are not in the incident: one message in a channel, kept true, with replies."""

from bot.core.effects.base import About, Certainty, EditInPlace, EffectBody
from bot.core.lazy_dataclass import dataclass


@dataclass(frozen=True)
class InBroadcast(EffectBody):
    """About the broadcast in one channel, as the configuration names it. All of it is done in order."""

    to: str

    def key(self, about: About) -> str:
        return f"{about.name}/broadcast/{self.to}"

    def lane(self, about: About) -> str:
        return f"broadcast/{about.incident}/{self.to}"


@dataclass(frozen=True)
class PostBroadcast(InBroadcast):
    """The one message about an incident."""

    KIND = "broadcast.post"
    CERTAINTY = Certainty.LOOKED_UP


@dataclass(frozen=True)
class EditBroadcast(InBroadcast, EditInPlace):
    """Show it as things are."""

    KIND = "broadcast.edit"
    CERTAINTY = Certainty.REPEATABLE
    PART = "broadcast"

    def key(self, about: About) -> str:
        return f"{super().key(about)}/{about.fact}"

    def slot(self, about: About) -> str:
        return f"broadcast/{about.incident}/{self.to}"


@dataclass(frozen=True)
class ReplyBroadcast(InBroadcast):
    """Say one fact in its thread: a person's update, that it is over, that it was not."""

    KIND = "broadcast.reply"
    CERTAINTY = Certainty.LOOKED_UP

    def key(self, about: About) -> str:
        return f"{super().key(about)}/reply/{about.fact}"
