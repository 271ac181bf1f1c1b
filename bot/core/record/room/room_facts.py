"""The facts of an incident in the chat: its channel, its messages, and what failed; each with its effect on the incident."""

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

MOST_UNDELIVERED = 50  # per incident; the newest are kept


@dataclass(frozen=True)
class ChannelNamed(Body):
    """A name for the channel was chosen; recorded before Slack is asked, so that a retry uses the same one."""

    KIND = "incident.channel_named"
    SOURCE = Source.SLACK
    BOOKKEEPING = True
    name: str
    attempt: int

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """The name being tried."""
        return _in_room(state, name=self.name, attempt=self.attempt)


@dataclass(frozen=True)
class ChannelOpened(Body):
    """The incident's own channel exists: created for it, or (`converted`) there already."""

    KIND = "incident.channel_opened"
    SOURCE = Source.SLACK
    channel: str
    name: str
    converted: bool = False

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """It may replace a lost channel: nobody was invited into the new one yet."""
        known = self.channel in (state.room.channel, state.room.former)
        invited = state.room.invited if known else ()
        return _in_room(state, channel=self.channel, name=self.name, refused="", former="", invited=invited)


@dataclass(frozen=True)
class ChannelRefused(Reasoned, Body):
    """The channel could not be created, or was lost; the incident continues in the alert's thread."""

    KIND = "incident.channel_refused"
    SOURCE = Source.SLACK
    reason: str
    channel: str = ""  # Slack id of the lost channel; empty if none was created, and in older facts

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """No channel, and why."""
        return _in_room(state, channel="", refused=self.reason, former=self.channel or state.room.former)


@dataclass(frozen=True)
class PeopleInvited(Body):
    """Slack was asked to invite people into the channel; those who could not be invited are named, and not tried again."""

    KIND = "incident.people_invited"
    SOURCE = Source.SLACK
    BOOKKEEPING = True
    people: tuple[str, ...]  # ids of people and of user groups

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """Invite each of them once: whoever leaves the channel does so on purpose."""
        return _in_room(state, invited=tuple(dict.fromkeys((*state.room.invited, *self.people))))


@dataclass(frozen=True)
class BroadcastBegun(Body):
    """People in this channel, named as configured, are told of the incident from now on."""

    KIND = "incident.broadcast_begun"
    BOOKKEEPING = True
    channel: str

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """Its message is not posted yet."""
        return replace(state, broadcasts={**state.broadcasts, self.channel: Post()})


@dataclass(frozen=True)
class Posted(Body):
    """One of our messages was posted in Slack. `what` is the effect's kind, `key` its unique key."""

    KIND = "incident.posted"
    SOURCE = Source.SLACK
    BOOKKEEPING = True
    what: str
    key: str
    channel: str
    ts: str

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """Remember where the message is, so that it can be edited."""
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
    """One of our messages was deleted in Slack, or its channel cannot be posted to. `again`: it is reposted."""

    KIND = "incident.post_gone"
    SOURCE = Source.SLACK
    BOOKKEEPING = True
    what: str
    channel: str
    ts: str
    reason: str
    again: bool

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """The message may be posted again."""
        if self.what == PostAlert.KIND:
            return _in_room(state, alert=_gone(state.room.alert))
        return _in_room(state, card=_gone(state.room.card)) if self.what == PostCard.KIND else state


@dataclass(frozen=True)
class GivenUp(Reasoned, Body):
    """An effect failed and will not be tried again."""

    KIND = "incident.effect_given_up"
    SOURCE = Source.SLACK
    BOOKKEEPING = True
    what: str
    key: str
    reason: str
    fields: str = ""  # the effect's fields, in JSON
    stream: str = ""  # stream of the fact that caused it; empty in older facts, which cannot be repaired
    seq: int = 0
    ours: bool = False  # the failure was on our side; nobody outside refused it

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """Keep it for a repair; a broadcast is left alone until then. Pages are not kept: paging continues by itself."""
        if issubclass(kind := EFFECTS.get(self.what, PostLine), InBroadcast):
            to = self.key.partition("/broadcast/")[2]
            left = {channel: replace(post, gone=1) for channel, post in state.broadcasts.items() if _is_of(to, channel)}
            state = replace(state, broadcasts={**state.broadcasts, **left})
            if kind is not ReplyBroadcast:  # losing a reply does not stop the broadcast's message
                return state
        if not self.stream or self.key.startswith(GIVEN_UP) or issubclass(kind, OfPage):
            return state
        lost = Undelivered(self.what, self.fields, self.stream, self.seq)
        return replace(state, undelivered=(*state.undelivered, lost)[-MOST_UNDELIVERED:])


@dataclass(frozen=True)
class Repaired(Body):
    """A person fixed what was missing in the chat, and these pieces were ordered again."""

    KIND = "incident.repaired"
    pieces: tuple[Piece, ...]

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """What was given up earlier is now ordered again, or obsolete."""
        kept = {channel: replace(post, gone=0) for channel, post in state.broadcasts.items()}
        return replace(state, undelivered=(), repairs=state.repairs + 1, broadcasts=kept)


def _in_room(incident: Incident, **changes: Any) -> Incident:
    return replace(incident, room=replace(incident.room, **changes))


def _is_of(key: str, channel: str) -> bool:
    """Whether this part of a key, after `/broadcast/`, belongs to this channel."""
    return key == channel or key.startswith(f"{channel}/")


def _gone(post: Post) -> Post:
    return replace(post, ts="", gone=post.gone + 1)
