"""What every part of the bot can do: start, stop, and say how it stands."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack

from bot.web import health


class AppPart:
    """Does nothing and has nothing to say; each part overrides what it needs.

    What a part begins it hands to `_ends`, so that `stop()` ends it also where `start()` failed half way.
    """

    def __init__(self) -> None:
        self._begun = AsyncExitStack()

    async def start(self) -> None:
        """Begin. Raises StartRefused, StoreError or WebError where the bot cannot run like this."""

    async def stop(self) -> None:
        """End what was begun, the last first; may be called after any start."""
        await self._begun.aclose()

    def health(self) -> Mapping[str, health.Part]:
        """What `/healthz` and status show of it."""
        return {}

    def trouble(self) -> str:
        """What people should know; empty when all is well."""
        return ""

    def _ends(self, end: Callable[[], Awaitable[None]]) -> None:
        """Let `stop()` call this, before what was handed over earlier."""
        self._begun.push_async_callback(end)


class PartList(AppPart):
    """Parts as one: started in order, stopped in the reverse order."""

    def __init__(self, *parts: AppPart) -> None:
        super().__init__()
        self._parts = parts

    async def start(self) -> None:
        """Start each; where one fails, those after it are left alone and `stop()` ends it and those before it."""
        for part in self._parts:
            self._ends(part.stop)
            await part.start()

    def health(self) -> Mapping[str, health.Part]:
        """What each says of itself."""
        return {name: standing for part in self._parts for name, standing in part.health().items()}

    def trouble(self) -> str:
        """What each says, one sentence after the other."""
        return " ".join(filter(None, (part.trouble() for part in self._parts)))
