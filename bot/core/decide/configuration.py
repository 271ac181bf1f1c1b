"""A configuration that was taken over while the bot runs is on record, and people are told what is not as before."""

from bot.core.answers.base import Noted
from bot.core.decide.draft import Draft, Handlers, Step
from bot.core.record.itself.configuration_facts import ConfigurationRefused, ConfigurationTaken
from bot.core.signals import ConfigurationChanged

STREAM = "configuration"
MOST_NAMED = 10


def on_changed(draft: Draft, signal: ConfigurationChanged) -> Step:
    """One line for all of it."""
    if signal.refused:
        draft.add(STREAM, ConfigurationRefused(signal.refused))
    else:
        draft.add(STREAM, ConfigurationTaken(signal.changed[:MOST_NAMED], max(len(signal.changed) - MOST_NAMED, 0)))
    return draft.done(Noted())


HANDLERS: Handlers = {ConfigurationChanged: on_changed}
