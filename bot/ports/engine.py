"""The single entry for signals."""

from collections.abc import Collection
from typing import Protocol

from bot.core.answers.base import Answer
from bot.core.policy import Policy
from bot.core.record.world import World
from bot.core.signals import Signal


class Engine(Protocol):
    """The single entry for signals, and the committed world that all faces read."""

    policy: Policy

    @property
    def world(self) -> World:
        """The committed world; immutable, replaced after each commit. Does not contain incidents that ended long ago."""

    async def world_with(self, incidents: Collection[int]) -> World:
        """The world plus these incidents, however old; numbers that were never declared are ignored."""

    async def caught_up(self) -> None:
        """Wait until `world` shows every commit made before this call."""

    async def handle(self, signal: Signal) -> Answer:
        """Decide, commit, answer. Durable when it returns; a repeated signal id changes nothing."""
