"""The facts of a flag, each with its effect on the flag's state."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.core.lazy_dataclass import dataclass
from bot.core.model import TARGETING_KEY
from bot.core.record.fact import Body, Fact, OfFlag, Reasoned
from bot.core.record.flag import Engagement, FlagState, Proposal, ReaderCount
from bot.core.scope import scope_of


@dataclass(frozen=True)
class EngageProposed(OfFlag, Reasoned, Body):
    """A rule wants to engage a fallback and asks a person."""

    KIND = "flag.proposed"
    ANNOUNCED = True
    flag: str
    variant: str
    reason: str
    again: bool = False  # proposed before, and now told in another incident

    def pushed(self) -> bool:
        """Customers depend on somebody's answer; phones already rang for it if it was proposed before."""
        return not self.again

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """Wait for a person. Yeses already given to the same proposal in another incident still count."""
        before = state.proposal
        yes = before.yes if before and self.again and before.variant == self.variant else ()
        return replace(state, proposal=Proposal(self.variant, self.reason, fact.at, fact.incident, yes), held="")


@dataclass(frozen=True)
class ProposalDropped(OfFlag, Reasoned, Body):
    """A proposal became obsolete before anybody answered it."""

    KIND = "flag.proposal_dropped"
    ANNOUNCED = True
    flag: str
    reason: str

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """No proposal waits any more."""
        return replace(state, proposal=None)


@dataclass(frozen=True)
class Engaged(OfFlag, Reasoned, Body):
    """Services are sent to a fallback variant."""

    KIND = "flag.engaged"
    ANNOUNCED = True
    flag: str
    engagement: str
    variant: str
    previous: str
    reason: str
    mode: str  # auto | approved | manual
    expires_at: datetime
    because: tuple[str, ...] = ()  # components in trouble at that time
    share: int = 100  # percentage of readers who moved; the others stay on the default
    sticky_by: str = TARGETING_KEY  # decides who falls into a share until the end, whatever is configured later

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """Everybody is on the fallback, or the share that a person set."""
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
    """A rule wanted to switch but held back, with the reason."""

    KIND = "flag.held"
    ANNOUNCED = True
    flag: str
    reason: str
    unserved: bool = False  # what is served now fails, nothing can take over, and no other fact says so

    def pushed(self) -> bool:
        """Customers are not served, and no rule can help."""
        return self.unserved

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """Keep the latest reason."""
        return replace(state, held=self.reason)


@dataclass(frozen=True)
class HoldEnded(OfFlag, Body):
    """The reason for holding back ended; if it comes again, it is told again."""

    KIND = "flag.hold_ended"
    flag: str

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """No reason to hold back any more."""
        return replace(state, held="")


@dataclass(frozen=True)
class HandBackAsked(OfFlag, Reasoned, Body):
    """The default has recovered; the first step back waits for a person."""

    KIND = "flag.hand_back_asked"
    ANNOUNCED = True
    flag: str
    reason: str

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """Ask once, until the share changes."""
        return engaged(state, asked_at=fact.at)


@dataclass(frozen=True)
class HandBackStepped(OfFlag, Reasoned, Body):
    """A share of the traffic, in percent, went back to the default."""

    KIND = "flag.hand_back_stepped"
    ANNOUNCED = True
    flag: str
    share: int
    reason: str
    variant: str = ""  # the fallback that serves the rest
    stay_s: int = 0  # seconds for which running conversations stay where they are; 0 = they move too

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """That share is on the default now."""
        return moved(state, fact, self.share, self.stay_s, stepped_at=fact.at, asked_at=None, share_at=None)


@dataclass(frozen=True)
class ConversationsFollowed(OfFlag, Body):
    """Older conversations had their time and took the step back too."""

    KIND = "flag.conversations_followed"
    flag: str
    share: int  # percentage on the default, even in older conversations

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """Later steps still wait as before."""
        running = state.engagement.running if state.engagement else ()
        return engaged(state, running=tuple(step for step in running if step.share > self.share))


@dataclass(frozen=True)
class HandBackReverted(OfFlag, Reasoned, Body):
    """The default failed again during a hand-back, or after a person set a share: everybody is on the fallback again.

    If no step had been taken, the share that a person set stays (`share`) and only the question is withdrawn.
    """

    KIND = "flag.hand_back_reverted"
    ANNOUNCED = True
    flag: str
    reason: str
    share: int = 0  # percentage that stays on the default

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """Everybody is on the fallback again, or the share that a person had set."""
        kept = state.engagement.share_at if state.engagement and self.share else None
        return moved(state, fact, self.share, stepped_at=None, asked_at=None, share_at=kept)


@dataclass(frozen=True)
class HandBackStopped(OfFlag, Body):
    """Too many customers' requests failed on the default: back one step, which is watched for longer."""

    KIND = "flag.hand_back_stopped"
    ANNOUNCED = True
    flag: str
    share: int  # percentage on the default from now on
    was: int
    requests: int  # on the default since the last step
    failed: int
    hold_s: int  # seconds until the next step is tried
    variant: str = ""  # the fallback that serves the rest

    def pushed(self) -> bool:
        """Customers are affected."""
        return True

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """Keep that share for as long, then try the next step again."""
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
        """No engagement. A pin on a scope ends too: it follows the whole flag."""
        pin = None if scope_of(state.key) else state.pin
        return replace(
            state, engagement=None, proposal=None, released_at=fact.at, changed_at=fact.at, held="", seen=None, pin=pin
        )  # fmt: skip


@dataclass(frozen=True)
class CarriedOver(OfFlag, Body):
    """An incident began with the flag already on a fallback: switched in an earlier incident, or for another reason."""

    KIND = "flag.carried_over"
    flag: str
    variant: str
    began_at: datetime  # when it was switched

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """The flag is told in that incident from now on."""
        return engaged(state, incident=fact.incident)


@dataclass(frozen=True)
class ExpiryReached(OfFlag, Reasoned, Body):
    """The engagement's time was up and it was extended to `expires_at`; people were asked before."""

    KIND = "flag.expiry_reached"
    ANNOUNCED = True
    flag: str
    reason: str
    expires_at: datetime
    asked: bool = False  # whether people were asked before its time was up

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """Extend the engagement."""
        return engaged(state, expires_at=self.expires_at)


@dataclass(frozen=True)
class ReadersSaw(OfFlag, Body):
    """How many holders of a copy of the flags have the last switch, and some that do not."""

    KIND = "flag.readers_saw"
    ANNOUNCED = True
    flag: str
    variant: str  # the variant switched to
    by: int
    of: int
    missing: tuple[str, ...]  # the first few that do not have it
    switched_at: datetime

    def onto(self, state: FlagState, fact: Fact) -> FlagState:
        """Told once as it is, and again when all have it."""
        return replace(state, seen=ReaderCount(self.by, self.of))


def moved(state: FlagState, fact: Fact, share_back: int, stay_s: int = 0, **changes: Any) -> FlagState:
    """Change the share on the fallback; running conversations stay for `stay_s` seconds."""
    if state.engagement is None:
        return state
    running = state.engagement.stepping(share_back, fact.at, stay_s)
    after = engaged(state, share_back=share_back, running=running, **changes)
    return replace(after, changed_at=fact.at, held="", seen=None)


def engaged(state: FlagState, **changes: Any) -> FlagState:
    """The engagement with some fields changed; a flag on its default stays as it is."""
    return replace(state, engagement=replace(state.engagement, **changes)) if state.engagement else state
