"""Facts of the bot itself, as people read them."""

from collections.abc import Mapping

from bot.core.record.fact import Fact
from bot.core.record.itself.configuration_facts import ConfigurationRefused, ConfigurationTaken


def sentence(fact: Fact, names: Mapping[str, str]) -> str:
    """A fact of the configuration; empty for others."""
    match fact.body:
        case ConfigurationTaken() as b:
            more = f" and {b.more} more" if b.more else ""
            return f"The configuration was reloaded. Changed: {', '.join(b.changed)}{more}"
        case ConfigurationRefused():
            return "The new configuration cannot run, so the old one stays in use"
    return ""
