"""Every type of check by its name in the configuration; the module of that name in this folder implements it."""

from importlib import import_module

from bot.checks.kind import Kind
from bot.config.checks.kinds import CHECK_MODELS

KINDS: dict[str, Kind] = {word: import_module(f"bot.checks.{word}").KIND for word in CHECK_MODELS}
