"""The results of our own effects: where a post is, which channel was opened, what was given up."""

import json

from bot.core.answers.base import Noted
from bot.core.decide.draft import Draft, Handlers, Step
from bot.core.decide.incident.repair import on_channel_again, on_channel_refused_again
from bot.core.decide.paging import came_to
from bot.core.decide.phases import refuse_channel
from bot.core.effects import GIVEN_UP, EditInPlace, InBroadcast, InvitePeople, OfPage, OpenChannel, PostLine, To, encode_effect
from bot.core.record.room.room_facts import (
    ChannelOpened,
    GivenUp,
    PeopleInvited,
    Posted,
)
from bot.core.signals import EffectDone, EffectRefused


def on_effect_done(draft: Draft, signal: EffectDone) -> Step:
    """Record where a post is, which channel was opened, and who was invited."""
    number = signal.incident
    if signal.kind is OpenChannel and number is not None:
        if not signal.channel:
            return draft.done(Noted())  # there is no chat to open it in
        opened = draft.add(f"incident/{number}", ChannelOpened(signal.channel, signal.name))
        if _again(signal):
            on_channel_again(draft, number, opened)
    elif signal.kind is InvitePeople and signal.reached and number is not None:
        draft.add(f"incident/{number}", PeopleInvited(signal.reached))
    elif signal.ts and number is not None:
        draft.add(f"incident/{number}", Posted(signal.kind.KIND, signal.key, signal.channel, signal.ts))
    came_to(draft, signal)
    return draft.done(Noted())


def on_effect_refused(draft: Draft, signal: EffectRefused) -> Step:
    """Say once what was not delivered, and where it was meant to go; paging reports on pages itself."""
    if signal.incident is None:
        return draft.done(Noted())
    held = draft.incident(signal.incident)
    if signal.kind is OpenChannel:
        refused = refuse_channel(draft, held, signal.reason)
        if _again(signal):
            on_channel_refused_again(draft, held.number, refused)
    else:
        fields = json.dumps(encode_effect(signal.body)) if signal.body else ""
        given_up = GivenUp(signal.kind.KIND, signal.key, signal.reason, fields, signal.stream, signal.seq, signal.ours)
        fact = draft.add(held.stream, given_up)
        if not signal.key.startswith(GIVEN_UP) and not issubclass(signal.kind, OfPage):
            # Said once, where people look: a line about each lost line would never end, and one about each lost edit would
            # flood.
            lost = f"{held.name}/{signal.kind.KIND}" if issubclass(signal.kind, EditInPlace) else signal.key
            if isinstance(signal.body, InBroadcast):
                lost = f"{held.name}/broadcast/{signal.body.to}"  # once per channel, whatever it refused
            draft.send(PostLine(To.OPS, lost), fact)
    came_to(draft, signal)
    return draft.done(Noted())


def _again(signal: EffectDone | EffectRefused) -> bool:
    return isinstance(signal.body, OpenChannel) and signal.body.again


HANDLERS: Handlers = {EffectDone: on_effect_done, EffectRefused: on_effect_refused}
