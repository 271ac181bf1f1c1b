"""Single lines: about one fact, to one person, or in threads outside incidents."""

from enum import StrEnum

from bot.core.effects.base import About, Certainty, EffectBody, InOps
from bot.core.lazy_dataclass import dataclass

GIVEN_UP = "given-up/"  # prefix of keys for lines about effects that were given up


class To(StrEnum):
    """Where a line about a fact goes."""

    INCIDENT = ""
    OPS = "ops"
    THREAD = "thread"  # reply to the alert, which notifies its followers, as an edit does not


@dataclass(frozen=True)
class PostLine(EffectBody):
    """Post one fact as a line, with buttons if it asks something."""

    KIND = "fact.post"
    CERTAINTY = Certainty.LOOKED_UP
    to: To = To.INCIDENT
    lost: str = ""  # key of the effect that was given up, if the line is about that; said once

    def key(self, about: About) -> str:
        if self.to is To.THREAD:
            return f"{about.fact}/push"
        return f"{GIVEN_UP}{self.lost}" if self.lost else f"{about.fact}/line"

    def lane(self, about: About) -> str:
        match self.to:
            case To.OPS:
                return "ops"
            case To.THREAD:
                return f"alert/{about.incident}"
        return super().lane(about)


@dataclass(frozen=True)
class PostRefusal(InOps):
    """Tell the ops channel why there is no incident channel, and what to do."""

    KIND = "refusal.post"
    CERTAINTY = Certainty.LOOKED_UP


@dataclass(frozen=True)
class TellPerson(EffectBody):
    """Send a direct message to one person."""

    KIND = "tell"
    CERTAINTY = Certainty.BEST_EFFORT  # we do not ask for the permission to read direct messages
    user: str

    def lane(self, about: About) -> str:
        return f"person/{self.user}"


# --- quiet threads of the ops channel, outside incidents


@dataclass(frozen=True)
class OpenThread(InOps):
    """Post a fact quietly in the ops channel; what follows is posted in its thread."""

    KIND = "quiet.post"
    CERTAINTY = Certainty.LOOKED_UP
    thread: str = ""

    def key(self, about: About) -> str:
        return self.thread

    @staticmethod
    def of_fact(stream: str, seq: int, what: str = "") -> str:
        """The key of the thread that this fact opens, known before the fact is written."""
        return f"{what}/{stream}/{seq}" if what else f"{stream}/{seq}"

    @staticmethod
    def of_notice(provider: str, notice: str) -> str:
        """The key of the thread about one of a vendor's notices."""
        return f"quiet/notice/{provider}/{notice}"

    @staticmethod
    def of_flood(provider: str, seq: int) -> str:
        """The key of the thread about a page that posts more than anybody reads."""
        return f"quiet/flood/{provider}/{seq}"


@dataclass(frozen=True)
class ReplyInThread(InOps):
    """Post a fact in the thread of another one."""

    KIND = "quiet.reply"
    CERTAINTY = Certainty.LOOKED_UP
    root: str
