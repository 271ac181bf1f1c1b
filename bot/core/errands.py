"""What became of our own effects: where a post stands, which channel was opened, what was given up."""

from bot.core import facts as f
from bot.core.draft import Draft, Handlers, Step
from bot.core.effects import Do
from bot.core.incident import refuse_channel
from bot.core.signals import EffectDone, EffectRefused

EDITS = frozenset({Do.ALERT_EDIT, Do.CARD_EDIT, Do.CHANNEL_TOPIC})  # made anew with every change


def on_effect_done(draft: Draft, signal: EffectDone) -> Step:
    """Keep where a post stands, and which channel was opened."""
    number = signal.incident
    if signal.kind is Do.CHANNEL_OPEN and number is not None:
        draft.add(f"incident/{number}", f.ChannelOpened(signal.channel, signal.name))
    elif signal.ts and number is not None:
        draft.add(f"incident/{number}", f.Posted(signal.kind.value, signal.key, signal.channel, signal.ts))
    return draft.done("noted")


def on_effect_refused(draft: Draft, signal: EffectRefused) -> Step:
    """Say once what did not get through, and where it was meant to go."""
    if signal.incident is None:
        return draft.done("nothing to note it in")
    held = draft.incident(signal.incident)
    if signal.kind is Do.CHANNEL_OPEN:
        refuse_channel(draft, held, signal.reason)
    else:
        fact = draft.add(held.stream, f.GivenUp(signal.kind.value, signal.key, signal.reason))
        if not signal.key.startswith("given-up/"):
            # Said where people look, once; a line about a lost line would go on for ever, and so would one for each edit.
            what = f"{held.name}/{signal.kind.value}" if signal.kind in EDITS else signal.key
            draft.send(Do.FACT_POST, "ops", fact, key=f"given-up/{what}", args={"to": "ops"})
    return draft.done("noted")


HANDLERS: Handlers = {EffectDone: on_effect_done, EffectRefused: on_effect_refused}
