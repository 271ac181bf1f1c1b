"""The facts of a flag that people steer: its share, its hand-back, its end, and whether rules may touch it."""

from dataclasses import replace
from datetime import datetime

from bot.core.lazy_dataclass import dataclass
from bot.core.record.fact import Body, Fact, OfFlag, Reasoned
from bot.core.record.flag import FlagState, Pin
from bot.core.record.flag_facts import engaged, moved


@dataclass(frozen=True)
class ShareSet(OfFlag, Reasoned, Body):
    """A person chose which share of the readers, in percent, is on the fallback."""

    KIND = "flag.share_set"
    ANNOUNCED = True
    flag: str
    share: int  # on the fallback, 1 to 100
    previous: int
    variant: str  # the fallback
    reason: str
    stay_s: int = 0  # seconds for which conversations that run do not go back; 0 = they go along

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """That share, until a person says otherwise or the default fails anew. With everybody on the fallback, no way back
        has begun."""
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
    share: int  # percent on the default
    reason: str

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """Nobody else goes back until a person says so."""
        return engaged(state, share_at=fact.at)


@dataclass(frozen=True)
class HandBackResumed(OfFlag, Body):
    """A person let the hand-back go on from the share where it was."""

    KIND = "flag.hand_back_resumed"
    ANNOUNCED = True
    flag: str
    share: int  # percent on the default

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """This share is watched from now on, as any step is."""
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
        """Asked once about this end."""
        return engaged(state, expiry_asked=self.expires_at)


@dataclass(frozen=True)
class Extended(OfFlag, Body):
    """A person put the end of the engagement off."""

    KIND = "flag.extended"
    ANNOUNCED = True
    flag: str
    expires_at: datetime
    previous: datetime

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """It ends later, and is asked about before."""
        return engaged(state, expires_at=self.expires_at, timed_at=fact.at)


@dataclass(frozen=True)
class Pinned(OfFlag, Reasoned, Body):
    """A person keeps all rules off a flag; it stays on what it serves."""

    KIND = "flag.pinned"
    ANNOUNCED = True
    flag: str
    variant: str  # what it serves
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
        """As its `automation` says."""
        return replace(state, pin=None)


@dataclass(frozen=True)
class SwitchApproved(OfFlag, Body):
    """A person said yes to a proposal that takes more than one yes."""

    KIND = "flag.approved"
    ANNOUNCED = True
    flag: str
    variant: str
    given: int  # with this one
    quorum: int

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """One yes more."""
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
        """Nothing waits, and no rule asks or switches until the default was well."""
        return replace(state, proposal=None, rejected_at=fact.at)


@dataclass(frozen=True)
class AnswerOverdue(OfFlag, Body):
    """Nobody said yes or no to a proposal in time."""

    KIND = "flag.answer_overdue"
    ANNOUNCED = True
    flag: str
    variant: str
    minutes: int  # for which it has waited

    def pushed(self) -> bool:
        """Customers wait for somebody."""
        return True

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """Said once for each proposal."""
        return replace(state, proposal=replace(state.proposal, late_at=fact.at)) if state.proposal else state
