"""A classified failure: every problem of a probe becomes one of these."""

from bot.core.detection.error_classes import ERROR_CLASSES
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Fault, Outcome


@dataclass(frozen=True)
class Failure:
    """A name from ERROR_CLASSES, and what is known beyond its sentence (`detail` may be empty).

    `said` holds the provider's own word for it (`overloaded_error`), or the content of an unknown shape: foreign text, only
    for evidence, which cleans it.
    """

    error: str
    detail: str = ""
    said: str = ""

    @property
    def fault(self) -> Fault:
        """Whose fault failures of this class are."""
        return ERROR_CLASSES[self.error].fault

    @property
    def outcome(self) -> Outcome:
        """FAIL, or INCONCLUSIVE if the failure says nothing about the provider."""
        return ERROR_CLASSES[self.error].outcome

    @property
    def sentence(self) -> str:
        """The class's clause, with the detail in parentheses."""
        clause = ERROR_CLASSES[self.error].sentence
        return f"{clause} ({self.detail})" if self.detail else clause


class CheckError(Exception):
    """A probe failed, and the code that raised this knows the class; `failure` is its classification."""

    def __init__(self, error: str, detail: str = "") -> None:
        self.failure = Failure(error, detail)
        super().__init__(self.failure.sentence)
