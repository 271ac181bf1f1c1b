"""What a signal about a flag may come to; see `base`."""

from bot.core.answers.base import Done, Refused
from bot.core.lazy_dataclass import dataclass


@dataclass(frozen=True, kw_only=True)
class Switched(Done):
    """The flag serves that variant now."""

    KIND = "switched"
    variant: str


@dataclass(frozen=True, kw_only=True)
class ServesAlready(Refused):
    """The flag serves that variant already."""

    KIND = "serves_already"
    variant: str


@dataclass(frozen=True, kw_only=True)
class NoVariant(Refused):
    """The flag has no such variant."""

    KIND = "no_variant"
    variant: str
    known: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class IsDefault(Refused):
    """That variant is the default: one goes back to it by releasing."""

    KIND = "is_default"
    variant: str


@dataclass(frozen=True, kw_only=True)
class NoneBetter(Refused):
    """No fallback would be better, and why."""

    KIND = "none_better"
    reason: str


@dataclass(frozen=True, kw_only=True)
class Unfit(Refused):
    """What that variant needs is not well, and what is served now is no worse."""

    KIND = "unfit"
    reason: str


@dataclass(frozen=True, kw_only=True)
class NothingWaits(Refused):
    """The question that an old button answers is no longer asked; `variant` is what it would have switched to."""

    KIND = "nothing_waits"
    variant: str


@dataclass(frozen=True, kw_only=True)
class Released(Done):
    """The flag serves its default again; empty where the configuration does not know the flag any more."""

    KIND = "released"
    default: str


@dataclass(frozen=True, kw_only=True)
class AtDefault(Refused):
    """The flag serves its default, so there is nothing to release."""

    KIND = "at_default"


@dataclass(frozen=True, kw_only=True)
class DefaultUnwell(Refused):
    """The default is not well: release it with `force`."""

    KIND = "default_unwell"
    unwell: str


@dataclass(frozen=True, kw_only=True)
class HandBackBegun(Done):
    """The first share went back to the default."""

    KIND = "hand_back_begun"


@dataclass(frozen=True, kw_only=True)
class NothingToHandBack(Refused):
    """The flag serves its default."""

    KIND = "nothing_to_hand_back"


@dataclass(frozen=True, kw_only=True)
class HandBackRuns(Refused):
    """The hand-back is under way."""

    KIND = "hand_back_runs"
    share: int


@dataclass(frozen=True, kw_only=True)
class HandBackRefused(Refused):
    """The default is not well, so nothing is handed back to it."""

    KIND = "hand_back_refused"
    variant: str
    unwell: str
