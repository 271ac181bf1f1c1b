"""Answers to signals about a flag; see `base`."""

from datetime import datetime

from bot.core.answers.base import Done, Refused
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Actor
from bot.core.policy import Automation


@dataclass(frozen=True, kw_only=True)
class Switched(Done):
    """The flag now serves that variant to that percentage of its readers."""

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
    """That variant is the default: release the flag to go back to it."""

    KIND = "is_default"
    variant: str


@dataclass(frozen=True, kw_only=True)
class NoneBetter(Refused):
    """No fallback would be better, and why."""

    KIND = "none_better"
    reason: str


@dataclass(frozen=True, kw_only=True)
class Unfit(Refused):
    """The component behind that variant is unhealthy, and what is served now is no worse."""

    KIND = "unfit"
    reason: str


@dataclass(frozen=True, kw_only=True)
class NothingWaits(Refused):
    """An old button's question is no longer open; `variant` is what it would have switched to."""

    KIND = "nothing_waits"
    variant: str


@dataclass(frozen=True, kw_only=True)
class YesCounted(Done):
    """A yes was recorded, but more are needed."""

    KIND = "yes_counted"
    variant: str
    given: int
    quorum: int


@dataclass(frozen=True, kw_only=True)
class YesAlready(Refused):
    """That person already said yes, and somebody else must."""

    KIND = "yes_already"
    given: int
    quorum: int


@dataclass(frozen=True, kw_only=True)
class NoApprover(Refused):
    """Only configured approvers may answer, and this person is not one; `named` are ids of people and groups."""

    KIND = "no_approver"
    named: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Rejected(Done):
    """The proposal was rejected; no rule asks again until the default has recovered."""

    KIND = "rejected"
    variant: str


@dataclass(frozen=True, kw_only=True)
class NothingAsked(Refused):
    """No proposal is waiting for an answer."""

    KIND = "nothing_asked"


@dataclass(frozen=True, kw_only=True)
class Released(Done):
    """The flag serves its default again; empty if the flag is no longer configured."""

    KIND = "released"
    default: str


@dataclass(frozen=True, kw_only=True)
class AtDefault(Refused):
    """The flag serves its default, so there is nothing to release."""

    KIND = "at_default"


@dataclass(frozen=True, kw_only=True)
class DefaultUnwell(Refused):
    """The default is unhealthy: use `force` to release anyway."""

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
    """The hand-back is already under way."""

    KIND = "hand_back_runs"
    share: int


@dataclass(frozen=True, kw_only=True)
class HandBackRefused(Refused):
    """The default is unhealthy, so nothing is handed back to it."""

    KIND = "hand_back_refused"
    variant: str
    unwell: str


@dataclass(frozen=True)
class CacheRebuild:
    """The cost of a switch because the new provider has none of the prompts in its cache."""

    component: str  # its display name
    new: float  # dollars per million uncached prompt tokens
    cached: float  # dollars per million cached prompt tokens
    requests: int  # that would have moved in the last ten minutes; 0 = none reported

    @property
    def more_per_thousand(self) -> float:
        """Extra dollars, compared with a full cache, for these requests at a thousand prompt tokens each.

        An upper bound, since some requests share a prompt.
        """
        return self.requests * (self.new - self.cached) / 1_000


@dataclass(frozen=True, kw_only=True)
class Planned(Done):
    """What a switch would do; nothing was changed. `refused` says why it would be refused at present."""

    KIND = "planned"
    serves: str  # now
    share_now: int  # percentage of readers who get that
    variant: str  # after the switch; empty if there is nothing to switch to
    share: int
    default: str
    readers: int
    healths: tuple[str, ...]  # health of the components behind the default and the variant, in words
    refused: Refused | None = None
    hands_off: str = ""  # what stops rules; people may switch anyway
    rebuild: CacheRebuild | None = None  # if the variant's component has a price
    left_out: tuple[str, ...] = ()  # names of sinks that do not follow, because they do not know scopes


@dataclass(frozen=True, kw_only=True)
class TooManyScopes(Refused):
    """The maximum number of this flag's scopes are already switched."""

    KIND = "too_many_scopes"
    most: int


@dataclass(frozen=True, kw_only=True)
class ScopeFollows(Refused):
    """A scope without a fallback of its own follows the whole flag and cannot be pinned separately."""

    KIND = "scope_follows"


@dataclass(frozen=True, kw_only=True)
class NotEngaged(Refused):
    """The flag serves its default, so it has no share, hand-back or end to change."""

    KIND = "not_engaged"


@dataclass(frozen=True, kw_only=True)
class NoShare(Refused):
    """A share is 1 to 100 percent; to take everybody off the fallback, release it."""

    KIND = "no_share"


@dataclass(frozen=True, kw_only=True)
class ShareSet(Done):
    """That percentage of readers is on the fallback now."""

    KIND = "share_set"
    share: int
    variant: str
    default: str


@dataclass(frozen=True, kw_only=True)
class ShareAlready(Refused):
    """That percentage is already set."""

    KIND = "share_already"
    share: int
    variant: str


@dataclass(frozen=True, kw_only=True)
class ShareUnwell(Refused):
    """Those readers would move to an unhealthy side without being better off: use `force`.

    `variant` is the fallback to engage with that share; empty if the share of the current one was to change.
    """

    KIND = "share_unwell"
    share: int
    unwell: str
    variant: str = ""


@dataclass(frozen=True, kw_only=True)
class HandBackHeld(Done):
    """The hand-back stays at its current share."""

    KIND = "hand_back_held"
    share: int  # percentage on the default


@dataclass(frozen=True, kw_only=True)
class HeldAlready(Refused):
    """It is already halted, or a person set its share."""

    KIND = "held_already"
    share: int


@dataclass(frozen=True, kw_only=True)
class NoHandBack(Refused):
    """No hand-back is running that could be halted."""

    KIND = "no_hand_back"


@dataclass(frozen=True, kw_only=True)
class HandBackResumed(Done):
    """Rules continue the hand-back."""

    KIND = "hand_back_resumed"
    share: int


@dataclass(frozen=True, kw_only=True)
class NothingHeld(Refused):
    """No hand-back is halted, and no person set a share."""

    KIND = "nothing_held"


@dataclass(frozen=True, kw_only=True)
class Extended(Done):
    """The engagement ends later."""

    KIND = "extended"
    until: datetime
    now: datetime


@dataclass(frozen=True, kw_only=True)
class TooFar(Refused):
    """The end may be at most this many days ahead."""

    KIND = "too_far"
    most_days: int


@dataclass(frozen=True, kw_only=True)
class ExtendedAlready(Refused):
    """The end that the button showed has already been postponed."""

    KIND = "extended_already"
    until: datetime
    now: datetime


@dataclass(frozen=True, kw_only=True)
class Pinned(Done):
    """Rules leave the flag alone from now on."""

    KIND = "pinned"
    variant: str


@dataclass(frozen=True, kw_only=True)
class PinnedAlready(Refused):
    """Somebody already pinned it."""

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
    """Rules leave all flags alone from now on."""

    KIND = "frozen"


@dataclass(frozen=True, kw_only=True)
class FrozenAlready(Refused):
    """Somebody already froze them."""

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
