"""Help texts, generated from the command table."""

from bot.ports import Message
from bot.views.help import help_text
from commands.table import SlashCommand


def help_message(word: SlashCommand, typed: str = "") -> Message:
    """What a slash command can do, one example per line; `typed` is the word as it is named in this workspace."""
    mine = typed or word.word
    rows = [(verb.usage.replace(word.word, mine, 1), verb.does) for verb in word.by_likelihood if not verb.told_at]
    return help_text(f"{mine}: {word.summary}", rows, first=len(word.first))
