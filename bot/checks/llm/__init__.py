"""The check that asks a model, and the dialects it speaks."""

from bot.checks.llm.check import KIND

__all__ = ["KIND"]
