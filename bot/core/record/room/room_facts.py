"""The facts of an incident in the chat: its channel, its messages there, and what could not be done; each with its fold."""

from dataclasses import replace
from typing import Any

from bot.core.effects import (
    EFFECTS,
    GIVEN_UP,
    InBroadcast,
    OfPage,
    PostAlert,
    PostBroadcast,
    PostCard,
    PostEvidence,
    PostLine,
    ReplyBroadcast,
    first_key,
)
from bot.core.lazy_dataclass import dataclass
from bot.core.record.fact import Body, Fact, Reasoned, Source
from bot.core.record.incident import Incident, Post, Undelivered
from bot.core.record.standing import Piece

MOST_UNDELIVERED = 50  # of one incident; where that many are given up, the newest are what people miss


@dataclass(frozen=True)
class ChannelNamed(Body):
    """A name for the channel was chosen; written before Slack is asked, so that a retry asks for the same one."""

    KIND = "incident.channel_named"
    SOURCE = Source.SLACK
    BOOKKEEPING = True
    name: str
    attempt: int

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """The name that is tried."""
        return _in_room(state, name=self.name, attempt=self.attempt)


@dataclass(frozen=True)
class ChannelOpened(Body):
    """The incident's own channel exists: made for it, or (`converted`) there before."""

    KIND = "incident.channel_opened"
    SOURCE = Source.SLACK
    channel: str
    name: str
    converted: bool = False

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """It may be another one, after one was lost: nobody was invited into that."""
        known = self.channel in (state.room.channel, state.room.former)
        invited = state.room.invited if known else ()
        return _in_room(state, channel=self.channel, name=self.name, refused="", former="", invited=invited)


@dataclass(frozen=True)
class ChannelRefused(Reasoned, Body):
    """The channel could not be made, or was lost; the incident goes on in the alert's thread."""

    KIND = "incident.channel_refused"
    SOURCE = Source.SLACK
    reason: str
    channel: str = ""  # Slack id of the one that was lost; empty where none was made, and in older facts

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """There is none, and why."""
        return _in_room(state, channel="", refused=self.reason, former=self.channel or state.room.former)


@dataclass(frozen=True)
class PeopleInvited(Body):
    """Slack was asked to invite people into the incident's channel; whoever could not be is said, and is not asked anew."""

    KIND = "incident.people_invited"
    SOURCE = Source.SLACK
    BOOKKEEPING = True
    people: tuple[str, ...]  # ids of people and of user groups

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """Each of them once: whoever leaves the channel afterwards means it."""
        return _in_room(state, invited=tuple(dict.fromkeys((*state.room.invited, *self.people))))


@dataclass(frozen=True)
class BroadcastBegun(Body):
    """People in this channel, as the configuration names it, are told of the incident from now on."""

    KIND = "incident.broadcast_begun"
    BOOKKEEPING = True
    channel: str

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """Its message does not stand yet."""
        return replace(state, broadcasts={**state.broadcasts, self.channel: Post()})


@dataclass(frozen=True)
class Posted(Body):
    """A message of ours stands in Slack. `what` is the effect's kind, `key` its unique key."""

    KIND = "incident.posted"
    SOURCE = Source.SLACK
    BOOKKEEPING = True
    what: str
    key: str
    channel: str
    ts: str

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """Alert and card are edited where they stand."""
        if self.what == PostAlert.KIND:
            return _in_room(state, alert=replace(state.room.alert, channel=self.channel, ts=self.ts))
        if self.what == PostCard.KIND:
            return _in_room(state, card=replace(state.room.card, channel=self.channel, ts=self.ts))
        if self.what == PostEvidence.KIND:
            return _in_room(state, evidence=replace(state.room.evidence, channel=self.channel, ts=self.ts))
        to = first_key(self.key).partition("/broadcast/")[2]
        if self.what == PostBroadcast.KIND and to in state.broadcasts:
            return replace(state, broadcasts={**state.broadcasts, to: Post(self.channel, self.ts)})
        return state


@dataclass(frozen=True)
class PostGone(Reasoned, Body):
    """A message of ours was deleted in Slack, or its channel takes nothing more. `again`: it is posted anew."""

    KIND = "incident.post_gone"
    SOURCE = Source.SLACK
    BOOKKEEPING = True
    what: str
    channel: str
    ts: str
    reason: str
    again: bool

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """Alert and card may be posted anew."""
        if self.what == PostAlert.KIND:
            return _in_room(state, alert=_gone(state.room.alert))
        return _in_room(state, card=_gone(state.room.card)) if self.what == PostCard.KIND else state


@dataclass(frozen=True)
class GivenUp(Reasoned, Body):
    """An effect could not be done and will not be tried again."""

    KIND = "incident.effect_given_up"
    SOURCE = Source.SLACK
    BOOKKEEPING = True
    what: str
    key: str
    reason: str
    fields: str = ""  # of the effect, in JSON
    stream: str = ""  # of the fact that it spoke of; empty in older facts, of which no repair is made
    seq: int = 0
    ours: bool = False  # nobody outside refused it: it failed in our own hands

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """A repair orders it anew; until then a broadcast is left alone. Not so pages: paging goes on by itself."""
        if issubclass(kind := EFFECTS.get(self.what, PostLine), InBroadcast):
            to = self.key.partition("/broadcast/")[2]
            left = {channel: replace(post, gone=1) for channel, post in state.broadcasts.items() if _is_of(to, channel)}
            state = replace(state, broadcasts={**state.broadcasts, **left})
            if kind is not ReplyBroadcast:  # the message is made of what is known, its replies are not
                return state
        if not self.stream or self.key.startswith(GIVEN_UP) or issubclass(kind, OfPage):
            return state
        lost = Undelivered(self.what, self.fields, self.stream, self.seq)
        return replace(state, undelivered=(*state.undelivered, lost)[-MOST_UNDELIVERED:])


@dataclass(frozen=True)
class Repaired(Body):
    """A person had made good what was missing in the chat: these pieces were ordered anew."""

    KIND = "incident.repaired"
    pieces: tuple[Piece, ...]

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """What was given up before is ordered again, or out of date."""
        kept = {channel: replace(post, gone=0) for channel, post in state.broadcasts.items()}
        return replace(state, undelivered=(), repairs=state.repairs + 1, broadcasts=kept)


def _in_room(incident: Incident, **changes: Any) -> Incident:
    return replace(incident, room=replace(incident.room, **changes))


def _is_of(key: str, channel: str) -> bool:
    """Whether what stands behind `/broadcast/` in a key is of this channel."""
    return key == channel or key.startswith(f"{channel}/")


def _gone(post: Post) -> Post:
    return replace(post, ts="", gone=post.gone + 1)
