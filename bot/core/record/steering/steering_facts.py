"""Facts about how people steer a flag: its share, its hand-back, its end, and whether rules may move it."""

from dataclasses import replace
from datetime import datetime

from bot.core.lazy_dataclass import dataclass
from bot.core.record.fact import Body, Fact, OfFlag, Reasoned
from bot.core.record.flag import FlagState, Pin
from bot.core.record.flag_facts import engaged, moved


@dataclass(frozen=True)
class ShareSet(OfFlag, Reasoned, Body):
    """A person set the share of readers on the fallback, in percent."""

    KIND = "flag.share_set"
    ANNOUNCED = True
    flag: str
    share: int  # on the fallback, 1 to 100
    previous: int
    variant: str  # the fallback
    reason: str
    stay_s: int = 0  # seconds for which running conversations stay on the fallback; 0 = they move too

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """Keep that share until a person changes it or the default fails anew.

        With everybody on the fallback, no hand-back has begun.
        """
        if state.engagement is None:
            return state
        began = state.engagement.stepped_at if self.share < 100 else None
        return moved(state, fact, 100 - self.share, self.stay_s, stepped_at=began, asked_at=None, share_at=fact.at)


@dataclass(frozen=True)
class HandBackHeld(OfFlag, Reasoned, Body):
    """A person halted the hand-back where it was."""

    KIND = "flag.hand_back_held"
    ANNOUNCED = True
    flag: str
    share: int  # percentage on the default
    reason: str

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """Nobody else moves until a person says so."""
        return engaged(state, share_at=fact.at)


@dataclass(frozen=True)
class HandBackResumed(OfFlag, Body):
    """A person let the hand-back continue from its current share."""

    KIND = "flag.hand_back_resumed"
    ANNOUNCED = True
    flag: str
    share: int  # percentage on the default

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """This share is watched from now on, like any step."""
        return engaged(state, share_at=None, stepped_at=fact.at, asked_at=None)


@dataclass(frozen=True)
class ExpiryNear(OfFlag, Body):
    """The engagement's time is nearly up; people are asked what to do."""

    KIND = "flag.expiry_near"
    ANNOUNCED = True
    flag: str
    expires_at: datetime
    unwell: str = ""  # what is wrong with the default now

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """People are asked once about this end."""
        return engaged(state, expiry_asked=self.expires_at)


@dataclass(frozen=True)
class Extended(OfFlag, Body):
    """A person postponed the end of the engagement."""

    KIND = "flag.extended"
    ANNOUNCED = True
    flag: str
    expires_at: datetime
    previous: datetime

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """The engagement ends later, and people are asked again before that."""
        return engaged(state, expires_at=self.expires_at, timed_at=fact.at)


@dataclass(frozen=True)
class Pinned(OfFlag, Reasoned, Body):
    """A person stops all rules from moving a flag; it keeps serving its current variant."""

    KIND = "flag.pinned"
    ANNOUNCED = True
    flag: str
    variant: str  # the current variant
    reason: str

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """No rule moves it until it is unpinned; people may."""
        return replace(state, pin=Pin(fact.actor, fact.at, self.reason))


@dataclass(frozen=True)
class Unpinned(OfFlag, Body):
    """Rules may move the flag again."""

    KIND = "flag.unpinned"
    ANNOUNCED = True
    flag: str

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """Rules move it as its `automation` says."""
        return replace(state, pin=None)


@dataclass(frozen=True)
class SwitchApproved(OfFlag, Body):
    """A person said yes to a proposal that takes more than one yes."""

    KIND = "flag.approved"
    ANNOUNCED = True
    flag: str
    variant: str
    given: int  # including this one
    quorum: int

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """Count the yes."""
        proposal = state.proposal
        return replace(state, proposal=replace(proposal, yes=(*proposal.yes, fact.actor))) if proposal else state


@dataclass(frozen=True)
class ProposalRejected(OfFlag, Reasoned, Body):
    """A person said no to a proposal."""

    KIND = "flag.rejected"
    ANNOUNCED = True
    flag: str
    variant: str
    reason: str

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """No proposal waits, and no rule asks or switches until the default has recovered."""
        return replace(state, proposal=None, rejected_at=fact.at)


@dataclass(frozen=True)
class AnswerOverdue(OfFlag, Body):
    """Nobody answered a proposal in time."""

    KIND = "flag.answer_overdue"
    ANNOUNCED = True
    flag: str
    variant: str
    minutes: int  # how long it has been waiting

    def pushed(self) -> bool:
        """Customers wait for somebody's answer."""
        return True

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """Told once per proposal."""
        return replace(state, proposal=replace(state.proposal, late_at=fact.at)) if state.proposal else state
