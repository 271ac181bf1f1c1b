"""The facts of a flag, each with what it makes of the flag's state."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.core.lazy_dataclass import dataclass
from bot.core.model import TARGETING_KEY
from bot.core.record.fact import Body, Fact, OfFlag, Reasoned
from bot.core.record.flag import Engagement, FlagState, Proposal, Seen
from bot.core.scope import scope_of


@dataclass(frozen=True)
class EngageProposed(OfFlag, Reasoned, Body):
    """A rule would engage a fallback, and asks a person to say so."""

    KIND = "flag.proposed"
    ANNOUNCED = True
    flag: str
    variant: str
    reason: str
    again: bool = False  # proposed before; another incident is now the one that people work on

    def pushed(self) -> bool:
        """Customers wait for somebody's yes; phones rang for it once."""
        return not self.again

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """It waits for a person. Who said yes to the same in another incident need not say it again."""
        before = state.proposal
        yes = before.yes if before and self.again and before.variant == self.variant else ()
        return replace(state, proposal=Proposal(self.variant, self.reason, fact.at, fact.incident, yes), held="")


@dataclass(frozen=True)
class ProposalDropped(OfFlag, Reasoned, Body):
    """A proposal lost its ground before anybody answered it."""

    KIND = "flag.proposal_dropped"
    ANNOUNCED = True
    flag: str
    reason: str

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """Nothing waits any more."""
        return replace(state, proposal=None)


@dataclass(frozen=True)
class Engaged(OfFlag, Reasoned, Body):
    """Downstream services are sent to a fallback variant."""

    KIND = "flag.engaged"
    ANNOUNCED = True
    flag: str
    engagement: str
    variant: str
    previous: str
    reason: str
    mode: str  # auto | approved | manual
    expires_at: datetime
    because: tuple[str, ...] = ()  # components in trouble at that moment
    share: int = 100  # percent of the readers that went there; the others stay on the default
    sticky_by: str = TARGETING_KEY  # by which shares are dealt as long as this lasts, whatever is configured later

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """Everybody is on the fallback, or the share that a person chose."""
        engagement = Engagement(
            id=self.engagement, variant=self.variant, reason=self.reason, mode=self.mode, actor=fact.actor, at=fact.at,
            expires_at=self.expires_at, incident=fact.incident, because=self.because, share_back=100 - self.share,
            share_at=fact.at if self.share < 100 else None, sticky_by=self.sticky_by,
        )  # fmt: skip
        return replace(
            state, engagement=engagement, proposal=None, engagements=state.engagements + 1, changed_at=fact.at, held="",
            seen=None,
        )  # fmt: skip


@dataclass(frozen=True)
class Held(OfFlag, Reasoned, Body):
    """A rule wanted to switch and held still, with the reason."""

    KIND = "flag.held"
    ANNOUNCED = True
    flag: str
    reason: str
    unserved: bool = False  # what is served now fails, so does whatever could take over, and no other fact says so

    def pushed(self) -> bool:
        """Customers are not served, and no rule can help."""
        return self.unserved

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """The last reason is kept."""
        return replace(state, held=self.reason)


@dataclass(frozen=True)
class HoldEnded(OfFlag, Body):
    """What a rule held still for is over; when it comes again it is told again."""

    KIND = "flag.hold_ended"
    flag: str

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """No reason is held any more."""
        return replace(state, held="")


@dataclass(frozen=True)
class HandBackAsked(OfFlag, Reasoned, Body):
    """The default is well again; the first step back waits for a person."""

    KIND = "flag.hand_back_asked"
    ANNOUNCED = True
    flag: str
    reason: str

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """Asked once, until a share moves."""
        return engaged(state, asked_at=fact.at)


@dataclass(frozen=True)
class HandBackStepped(OfFlag, Reasoned, Body):
    """A share of traffic, in percent, went back to the default."""

    KIND = "flag.hand_back_stepped"
    ANNOUNCED = True
    flag: str
    share: int
    reason: str
    variant: str = ""  # where the rest of it still is
    stay_s: int = 0  # seconds for which conversations that run stay where they are; 0 = they go along

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """That share is on the default again."""
        return moved(state, fact, self.share, self.stay_s, stepped_at=fact.at, asked_at=None, share_at=None)


@dataclass(frozen=True)
class ConversationsFollowed(OfFlag, Body):
    """Conversations that ran when a share went back had their time, and took the step too."""

    KIND = "flag.conversations_followed"
    flag: str
    share: int  # in percent, on the default whenever they began

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """Later steps are waited for as before."""
        running = state.engagement.running if state.engagement else ()
        return engaged(state, running=tuple(step for step in running if step.share > self.share))


@dataclass(frozen=True)
class HandBackReverted(OfFlag, Reasoned, Body):
    """The default failed again on the way back, or after a person chose a share: everybody is on the fallback again.

    Where nobody had gone back yet, what a person chose stays (`share`), and only the question is withdrawn.
    """

    KIND = "flag.hand_back_reverted"
    ANNOUNCED = True
    flag: str
    reason: str
    share: int = 0  # percent that stays on the default

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """Everybody is on the fallback again, or everybody whom a person had sent there."""
        kept = state.engagement.share_at if state.engagement and self.share else None
        return moved(state, fact, self.share, stepped_at=None, asked_at=None, share_at=kept)


@dataclass(frozen=True)
class HandBackStopped(OfFlag, Body):
    """Too many requests of customers failed on the default: back to the step before, which is watched for longer."""

    KIND = "flag.hand_back_stopped"
    ANNOUNCED = True
    flag: str
    share: int  # in percent, from now on
    was: int
    requests: int  # on the default since the last step
    failed: int
    hold_s: int  # until the next step is tried, in seconds
    variant: str = ""  # where the rest is

    def pushed(self) -> bool:
        """Customers feel it."""
        return True

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """That share stays for as long; then the next step is tried again."""
        return moved(state, fact, self.share, stepped_at=fact.at, hold_s=self.hold_s)


@dataclass(frozen=True)
class Released(OfFlag, Reasoned, Body):
    """The engagement ended; the default serves everybody."""

    KIND = "flag.released"
    ANNOUNCED = True
    flag: str
    variant: str
    reason: str

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """Nothing is engaged. What kept rules off a part of the readers ends with it: they follow the whole."""
        pin = None if scope_of(state.key) else state.pin
        return replace(
            state, engagement=None, proposal=None, released_at=fact.at, changed_at=fact.at, held="", seen=None, pin=pin
        )  # fmt: skip


@dataclass(frozen=True)
class CarriedOver(OfFlag, Body):
    """An incident found the flag on a fallback already: switched in an earlier one of the outage, or for other reasons."""

    KIND = "flag.carried_over"
    flag: str
    variant: str
    began_at: datetime  # when it was switched to

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """It is told in that incident from here on."""
        return engaged(state, incident=fact.incident)


@dataclass(frozen=True)
class ExpiryReached(OfFlag, Reasoned, Body):
    """The engagement's time ran out and it was kept until `expires_at`; people are asked before that."""

    KIND = "flag.expiry_reached"
    ANNOUNCED = True
    flag: str
    reason: str
    expires_at: datetime
    asked: bool = False  # before its time ran out

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """It is kept for another while."""
        return engaged(state, expires_at=self.expires_at)


@dataclass(frozen=True)
class ReadersSaw(OfFlag, Body):
    """How many of those who keep a copy of the flags have the last switch, and some who do not yet."""

    KIND = "flag.readers_saw"
    ANNOUNCED = True
    flag: str
    variant: str  # what it was switched to
    by: int
    of: int
    missing: tuple[str, ...]  # names of those who do not, the first few
    switched_at: datetime

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """Told once as it is, and once more when all have it."""
        return replace(state, seen=Seen(self.by, self.of))


def moved(state: FlagState, fact: Fact, share_back: int, stay_s: int = 0, **changes: Any) -> FlagState:
    """Another share of traffic is on the fallback than before; conversations that run stay for `stay_s` seconds."""
    if state.engagement is None:
        return state
    running = state.engagement.stepping(share_back, fact.at, stay_s)
    after = engaged(state, share_back=share_back, running=running, **changes)
    return replace(after, changed_at=fact.at, held="", seen=None)


def engaged(state: FlagState, **changes: Any) -> FlagState:
    """The engagement with something changed; nothing of a flag that is on its default."""
    return replace(state, engagement=replace(state.engagement, **changes)) if state.engagement else state
