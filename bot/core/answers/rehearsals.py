"""Answers to a request for a rehearsal; see `base`."""

from bot.core.answers.base import Done, Refused
from bot.core.lazy_dataclass import dataclass


@dataclass(frozen=True, kw_only=True)
class RehearsalBegun(Done):
    """These variants are being rehearsed; the results follow."""

    KIND = "rehearsal_begun"
    variants: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class NothingToRehearse(Refused):
    """The flag is not rehearsed: it has no `rehearse`, or no fallback that needs a component."""

    KIND = "nothing_to_rehearse"
    configured: bool


@dataclass(frozen=True, kw_only=True)
class Unrehearsed(Refused):
    """The variant failed its rehearsal or was never rehearsed: use `force` to switch to it.

    `approves`: it was a yes to a proposal, and must be sent as one again to count as one.
    """

    KIND = "unrehearsed"
    variant: str
    reason: str
    approves: bool = False
