"""The one door for signals."""

from collections.abc import Collection
from typing import Protocol

from bot.core.answers.base import Answer
from bot.core.policy import Policy
from bot.core.record.world import World
from bot.core.signals import Signal


class Engine(Protocol):
    """The one door for signals, and the committed world that all faces read."""

    policy: Policy

    @property
    def world(self) -> World:
        """The world as committed; immutable, swapped after each commit. Incidents that are long over are not in it."""

    async def world_with(self, incidents: Collection[int]) -> World:
        """The world with these incidents in it too, however long they are over; none that was never declared."""

    async def caught_up(self) -> None:
        """Wait until `world` shows every commit made before this call."""

    async def handle(self, signal: Signal) -> Answer:
        """Decide, commit, answer. Durable when it returns; a repeated signal id changes nothing."""
