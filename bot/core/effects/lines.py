"""What is said in a line: of one fact, to one person, and in the threads of what is no incident."""

from enum import StrEnum

from bot.core.effects.base import About, Certainty, EffectBody, InOps
from bot.core.lazy_dataclass import dataclass

GIVEN_UP = "given-up/"  # how the keys of lines begin that tell what was given up


class To(StrEnum):
    """Where a line about a fact goes."""

    INCIDENT = ""
    OPS = "ops"
    THREAD = "thread"  # under the alert, where a reply wakes whoever follows it, as an edit does not


@dataclass(frozen=True)
class PostLine(EffectBody):
    """Say one fact in a line, with buttons where it asks something."""

    KIND = "fact.post"
    CERTAINTY = Certainty.LOOKED_UP
    to: To = To.INCIDENT
    lost: str = ""  # the key of what was given up, where the line says that; said once

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
    """A direct word to one person."""

    KIND = "tell"
    CERTAINTY = Certainty.BEST_EFFORT  # reading direct messages is a right that we do not ask for
    user: str

    def lane(self, about: About) -> str:
        return f"person/{self.user}"


# --- quiet threads of the ops channel, where there is no incident


@dataclass(frozen=True)
class OpenThread(InOps):
    """Say a fact quietly in the ops channel; what comes of it is said in the thread under it."""

    KIND = "quiet.post"
    CERTAINTY = Certainty.LOOKED_UP
    thread: str = ""

    def key(self, about: About) -> str:
        return self.thread

    @staticmethod
    def of_fact(stream: str, seq: int, what: str = "") -> str:
        """The key of the thread that this fact opens, known before it is written."""
        return f"{what}/{stream}/{seq}" if what else f"{stream}/{seq}"

    @staticmethod
    def of_notice(provider: str, notice: str) -> str:
        """The key of the thread about one notice of a vendor's."""
        return f"quiet/notice/{provider}/{notice}"

    @staticmethod
    def of_flood(provider: str, seq: int) -> str:
        """The key of the thread about a page that says more than anybody reads."""
        return f"quiet/flood/{provider}/{seq}"


@dataclass(frozen=True)
class ReplyInThread(InOps):
    """Say a fact in the thread of another one."""

    KIND = "quiet.reply"
    CERTAINTY = Certainty.LOOKED_UP
    root: str
