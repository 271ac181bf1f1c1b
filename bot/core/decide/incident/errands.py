"""What became of our own effects: where a post stands, which channel was opened, what was given up."""

from bot.core.answers.base import Noted
from bot.core.decide.draft import Draft, Handlers, Step
from bot.core.decide.paging import came_to
from bot.core.decide.phases import refuse_channel
from bot.core.effects import GIVEN_UP, EditInPlace, InvitePeople, OfPage, OpenChannel, PostLine, To
from bot.core.record.incident_facts import ChannelOpened, GivenUp, PeopleInvited, Posted
from bot.core.signals import EffectDone, EffectRefused


def on_effect_done(draft: Draft, signal: EffectDone) -> Step:
    """Keep where a post stands, which channel was opened, and who was invited."""
    number = signal.incident
    if signal.kind is OpenChannel and number is not None:
        if not signal.channel:
            return draft.done(Noted())  # there is no chat that it could be opened in
        draft.add(f"incident/{number}", ChannelOpened(signal.channel, signal.name))
    elif signal.kind is InvitePeople and signal.reached and number is not None:
        draft.add(f"incident/{number}", PeopleInvited(signal.reached))
    elif signal.ts and number is not None:
        draft.add(f"incident/{number}", Posted(signal.kind.KIND, signal.key, signal.channel, signal.ts))
    came_to(draft, signal)
    return draft.done(Noted())


def on_effect_refused(draft: Draft, signal: EffectRefused) -> Step:
    """Say once what did not get through, and where it was meant to go; of a page, paging says it."""
    if signal.incident is None:
        return draft.done(Noted())
    held = draft.incident(signal.incident)
    if signal.kind is OpenChannel:
        refuse_channel(draft, held, signal.reason)
    else:
        fact = draft.add(held.stream, GivenUp(signal.kind.KIND, signal.key, signal.reason))
        if not signal.key.startswith(GIVEN_UP) and not issubclass(signal.kind, OfPage):
            # Said where people look, once; a line about a lost line would go on for ever, and so would one for each edit.
            lost = f"{held.name}/{signal.kind.KIND}" if issubclass(signal.kind, EditInPlace) else signal.key
            draft.send(PostLine(To.OPS, lost), fact)
    came_to(draft, signal)
    return draft.done(Noted())


HANDLERS: Handlers = {EffectDone: on_effect_done, EffectRefused: on_effect_refused}
