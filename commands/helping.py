"""Help texts, made from the command table."""

from bot.views.texts import help_text

from bot.ports import Message
from commands.table import Word


def help_message(word: Word, prefix: str = "") -> Message:
    """What a slash word can do, with an example a line."""
    mine = f"/{prefix}{word.word[1:]}"
    rows = [(verb.usage.replace(word.word, mine, 1), verb.does) for verb in word.verbs]
    return help_text(f"{mine}: {word.summary}", rows)
