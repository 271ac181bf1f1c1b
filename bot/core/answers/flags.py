"""What a signal about a flag may come to; see `base`."""

from datetime import datetime

from bot.core.answers.base import Done, Refused
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Actor
from bot.core.policy import Automation


@dataclass(frozen=True, kw_only=True)
class Switched(Done):
    """The flag serves that variant now, to that percent of its readers."""

    KIND = "switched"
    variant: str
    share: int = 100


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
class YesCounted(Done):
    """A yes was written down, and more are needed."""

    KIND = "yes_counted"
    variant: str
    given: int
    quorum: int


@dataclass(frozen=True, kw_only=True)
class YesAlready(Refused):
    """Whoever says yes said so before, and somebody else has to."""

    KIND = "yes_already"
    given: int
    quorum: int


@dataclass(frozen=True, kw_only=True)
class NoApprover(Refused):
    """The configuration names who may answer, and they are not among them; `named` are ids of people and groups."""

    KIND = "no_approver"
    named: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Rejected(Done):
    """The proposal is off, until the default was well."""

    KIND = "rejected"
    variant: str


@dataclass(frozen=True, kw_only=True)
class NothingAsked(Refused):
    """No proposal waits for an answer."""

    KIND = "nothing_asked"


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


@dataclass(frozen=True)
class CacheRebuild:
    """What a switch costs because the provider that takes over has none of the prompts in its cache."""

    component: str  # its name
    new: float  # dollars for a million tokens of prompt
    cached: float  # the same, once they are in its cache
    requests: int  # that would have moved in the last ten minutes; 0 = nobody told of any

    @property
    def more_per_thousand(self) -> float:
        """Dollars more than with a full cache for these requests, at a thousand tokens of prompt each: at most, since some
        share a prompt."""
        return self.requests * (self.new - self.cached) / 1_000


@dataclass(frozen=True, kw_only=True)
class Planned(Done):
    """What a switch would do; nothing was changed. `refused` says why it would not be done as things are."""

    KIND = "planned"
    serves: str  # now
    share_now: int  # percent of the readers who get that
    variant: str  # then; empty where there is none to switch to
    share: int
    default: str
    readers: int
    healths: tuple[str, ...]  # how the components behind the default and the variant are, in words
    refused: Refused | None = None
    hands_off: str = ""  # what keeps rules off; people may all the same
    rebuild: CacheRebuild | None = None  # where the variant's component has a price
    left_out: tuple[str, ...] = ()  # names of sinks that do not follow, since it is for a part of the readers


@dataclass(frozen=True, kw_only=True)
class TooManyScopes(Refused):
    """So many parts of the flag's readers are switched already."""

    KIND = "too_many_scopes"
    most: int


@dataclass(frozen=True, kw_only=True)
class ScopeFollows(Refused):
    """A part that is not on a fallback of its own follows the whole, and cannot be pinned apart from it."""

    KIND = "scope_follows"


@dataclass(frozen=True, kw_only=True)
class NotEngaged(Refused):
    """The flag serves its default, so there is no share, no hand-back and no end to change."""

    KIND = "not_engaged"


@dataclass(frozen=True, kw_only=True)
class NoShare(Refused):
    """A share is 1 to 100 percent; none on the fallback is to release it."""

    KIND = "no_share"


@dataclass(frozen=True, kw_only=True)
class ShareSet(Done):
    """That percent of the readers is on the fallback now."""

    KIND = "share_set"
    share: int
    variant: str
    default: str


@dataclass(frozen=True, kw_only=True)
class ShareAlready(Refused):
    """That percent is there already."""

    KIND = "share_already"
    share: int
    variant: str


@dataclass(frozen=True, kw_only=True)
class ShareUnwell(Refused):
    """Where those readers would go is not well, and where they are is no worse: set it with `force`.

    `variant` is the fallback that somebody would engage for that share; empty where they set the share of the one that is.
    """

    KIND = "share_unwell"
    share: int
    unwell: str
    variant: str = ""


@dataclass(frozen=True, kw_only=True)
class HandBackHeld(Done):
    """The hand-back stays where it is."""

    KIND = "hand_back_held"
    share: int  # percent on the default


@dataclass(frozen=True, kw_only=True)
class HeldAlready(Refused):
    """It was halted already, or its share is a person's."""

    KIND = "held_already"
    share: int


@dataclass(frozen=True, kw_only=True)
class NoHandBack(Refused):
    """No hand-back runs that could be halted."""

    KIND = "no_hand_back"


@dataclass(frozen=True, kw_only=True)
class HandBackResumed(Done):
    """The hand-back goes on by rule."""

    KIND = "hand_back_resumed"
    share: int


@dataclass(frozen=True, kw_only=True)
class NothingHeld(Refused):
    """No hand-back was halted, and no share is a person's."""

    KIND = "nothing_held"


@dataclass(frozen=True, kw_only=True)
class Extended(Done):
    """The engagement ends later."""

    KIND = "extended"
    until: datetime
    now: datetime


@dataclass(frozen=True, kw_only=True)
class TooFar(Refused):
    """An end may lie at most so many days ahead."""

    KIND = "too_far"
    most_days: int


@dataclass(frozen=True, kw_only=True)
class ExtendedAlready(Refused):
    """The end that a button asked about was put off meanwhile."""

    KIND = "extended_already"
    until: datetime
    now: datetime


@dataclass(frozen=True, kw_only=True)
class Pinned(Done):
    """No rule touches the flag any more."""

    KIND = "pinned"
    variant: str


@dataclass(frozen=True, kw_only=True)
class PinnedAlready(Refused):
    """Somebody pinned it before."""

    KIND = "pinned_already"
    by: Actor


@dataclass(frozen=True, kw_only=True)
class Unpinned(Done):
    """Rules may move it again."""

    KIND = "unpinned"
    automation: Automation


@dataclass(frozen=True, kw_only=True)
class NotPinned(Refused):
    """It is not pinned."""

    KIND = "not_pinned"


@dataclass(frozen=True, kw_only=True)
class Frozen(Done):
    """No rule moves any flag any more."""

    KIND = "frozen"


@dataclass(frozen=True, kw_only=True)
class FrozenAlready(Refused):
    """Somebody froze them before."""

    KIND = "frozen_already"
    by: Actor


@dataclass(frozen=True, kw_only=True)
class Thawed(Done):
    """Rules move flags again."""

    KIND = "thawed"


@dataclass(frozen=True, kw_only=True)
class NotFrozen(Refused):
    """Nothing is frozen."""

    KIND = "not_frozen"
