"""What a wish for a rehearsal may come to; see `base`."""

from bot.core.answers.base import Done, Refused
from bot.core.lazy_dataclass import dataclass


@dataclass(frozen=True, kw_only=True)
class RehearsalBegun(Done):
    """These variants are rehearsed now; the result follows."""

    KIND = "rehearsal_begun"
    variants: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class NothingToRehearse(Refused):
    """The flag is not rehearsed: it has no `rehearse`, or no fallback that needs a component."""

    KIND = "nothing_to_rehearse"
    configured: bool


@dataclass(frozen=True, kw_only=True)
class Unrehearsed(Refused):
    """The variant failed its rehearsal, or never had one: switch to it with `force`."""

    KIND = "unrehearsed"
    variant: str
    reason: str
