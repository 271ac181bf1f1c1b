"""A configuration change while the bot runs is recorded, and people are told what changed."""

from bot.core.answers.base import Noted
from bot.core.decide.draft import Draft, Handlers, Step
from bot.core.record.itself.configuration_facts import ConfigurationRefused, ConfigurationTaken
from bot.core.signals import ConfigurationChanged

STREAM = "configuration"
MOST_NAMED = 10


def on_changed(draft: Draft, signal: ConfigurationChanged) -> Step:
    """Record and tell the whole change as one line."""
    if signal.refused:
        draft.add(STREAM, ConfigurationRefused(signal.refused))
    else:
        draft.add(STREAM, ConfigurationTaken(signal.changed[:MOST_NAMED], max(len(signal.changed) - MOST_NAMED, 0)))
    return draft.done(Noted())


HANDLERS: Handlers = {ConfigurationChanged: on_changed}
