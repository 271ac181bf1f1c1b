"""The one door for signals."""

from typing import Protocol

from bot.core.answers import Answer
from bot.core.model import Policy
from bot.core.signals import Signal
from bot.core.state import World


class Engine(Protocol):
    """The one door for signals, and the committed world that all faces read."""

    policy: Policy

    @property
    def world(self) -> World:
        """The world as committed; immutable, swapped after each commit."""

    async def caught_up(self) -> None:
        """Wait until `world` shows every commit made before this call."""

    async def handle(self, signal: Signal) -> Answer:
        """Decide, commit, answer. Durable when it returns; a repeated signal id changes nothing."""
