"""Effects of an incident: alert and evidence, its channel and what belongs there, card, updates and ending."""

from datetime import datetime

from bot.core.effects.base import About, Certainty, EditInPlace, EffectBody, OfAlert
from bot.core.lazy_dataclass import dataclass


@dataclass(frozen=True)
class PostAlert(OfAlert):
    """Post an incident's alert into the ops channel."""

    KIND = "alert.post"
    CERTAINTY = Certainty.LOOKED_UP
    REPEATED_UNSEEN = True
    URGENT = True
    number: int = 1  # 2 = the repost after the first was deleted

    def key(self, about: About) -> str:
        return super().key(about) if self.number == 1 else f"{about.name}/alert/{self.number}"


@dataclass(frozen=True)
class EditAlert(OfAlert, EditInPlace):
    """Update an incident's alert to the current state."""

    KIND = "alert.edit"
    CERTAINTY = Certainty.REPEATABLE
    PART = "alert"


@dataclass(frozen=True)
class PostEvidence(OfAlert):
    """Reply to an incident's alert with the evidence."""

    KIND = "evidence.post"
    CERTAINTY = Certainty.LOOKED_UP
    number: int = 1  # number of the alert that it is a reply to

    def key(self, about: About) -> str:
        return super().key(about) if self.number == 1 else f"{about.name}/evidence/{self.number}"


@dataclass(frozen=True)
class EditEvidence(OfAlert, EditInPlace):
    """Update the evidence to the current state."""

    KIND = "evidence.edit"
    CERTAINTY = Certainty.REPEATABLE
    PART = "evidence"


# --- the incident's channel


@dataclass(frozen=True)
class OpenChannel(EffectBody):
    """Create the incident's channel, under the name in the ledger."""

    KIND = "channel.open"
    CERTAINTY = Certainty.REPEATABLE  # a name can be used once, and a channel that we created under it is recognized
    again: bool = False  # replace a lost or refused channel; a lost one is taken back if possible


@dataclass(frozen=True)
class SetTopic(EditInPlace):
    """Set the channel's topic. The first, right after the channel is opened, is never superseded."""

    KIND = "channel.topic"
    CERTAINTY = Certainty.REPEATABLE
    PART = "topic"
    first: bool = False

    def key(self, about: About) -> str:
        return EffectBody.key(self, about) if self.first else super().key(about)

    def slot(self, about: About) -> str:
        return "" if self.first else super().slot(about)


@dataclass(frozen=True)
class AddBookmarks(EffectBody):
    """Link the board and the runbooks in the channel's bookmarks."""

    KIND = "channel.bookmarks"
    CERTAINTY = Certainty.REPEATABLE


@dataclass(frozen=True)
class InvitePeople(EffectBody):
    """Invite everybody who belongs in the channel and was not invited before."""

    KIND = "channel.invite"
    CERTAINTY = Certainty.REPEATABLE
    anew: bool = False  # also those who were invited before


@dataclass(frozen=True)
class PostCard(EffectBody):
    """Post the status card."""

    KIND = "card.post"
    CERTAINTY = Certainty.LOOKED_UP
    number: int = 1  # 2 = the repost after the first was deleted

    def key(self, about: About) -> str:
        return super().key(about) if self.number == 1 else f"{about.name}/card/{self.number}"


@dataclass(frozen=True)
class PinCard(EffectBody):
    """Pin the status card."""

    KIND = "card.pin"
    CERTAINTY = Certainty.REPEATABLE
    number: int = 1  # number of the card

    def key(self, about: About) -> str:
        return super().key(about) if self.number == 1 else f"{about.name}/pin/{self.number}"


@dataclass(frozen=True)
class EditCard(EditInPlace):
    """Update the status card to the current state."""

    KIND = "card.edit"
    CERTAINTY = Certainty.REPEATABLE
    PART = "card"


@dataclass(frozen=True)
class PostRunbook(EffectBody):
    """Post the runbooks of the components named by its fact."""

    KIND = "runbook.post"
    CERTAINTY = Certainty.LOOKED_UP


@dataclass(frozen=True)
class PostUpdate(EffectBody):
    """Post an update of an incident: what happened since the previous one."""

    KIND = "update.post"
    CERTAINTY = Certainty.LOOKED_UP
    URGENT = True
    since: datetime
    number: int = 0
    newest_only: bool = False  # while Slack is away only the newest update by the bot is kept; people's updates all wait

    def key(self, about: About) -> str:
        return f"{about.name}/update/{self.number}"

    def slot(self, about: About) -> str:
        return f"update/{about.incident}" if self.newest_only else ""


@dataclass(frozen=True)
class PostSummary(EffectBody):
    """Say how an incident ended."""

    KIND = "summary.post"
    CERTAINTY = Certainty.LOOKED_UP
    REPEATED_UNSEEN = True
    URGENT = True


@dataclass(frozen=True)
class UploadExport(EffectBody):
    """Upload the timeline as a file."""

    KIND = "export.upload"
    CERTAINTY = Certainty.REPEATABLE  # the file's id is stored before it is shared, and sharing twice changes nothing
    format: str
