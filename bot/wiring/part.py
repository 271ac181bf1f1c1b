"""What every part of the bot can do: start, stop, and report its state."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack

from bot.web import health


class AppPart:
    """A part that does nothing and reports nothing; subclasses override what they need.

    Whatever a part starts it registers with `_ends`, so that `stop()` ends it even if `start()` failed halfway.
    """

    def __init__(self) -> None:
        self._begun = AsyncExitStack()

    async def start(self) -> None:
        """Start. Raises StartRefused, StoreError or WebError if the bot cannot run like this."""

    async def stop(self) -> None:
        """Stop what was started, in reverse order; may be called after any start."""
        await self._begun.aclose()

    def health(self) -> Mapping[str, health.Part]:
        """What `/healthz` and status show of it."""
        return {}

    def trouble(self) -> str:
        """What people should know; empty if all is well."""
        return ""

    def _ends(self, end: Callable[[], Awaitable[None]]) -> None:
        """Register a function for `stop()` to call, before those registered earlier."""
        self._begun.push_async_callback(end)


class PartList(AppPart):
    """Parts as one: started in order, stopped in reverse order."""

    def __init__(self, *parts: AppPart) -> None:
        super().__init__()
        self._parts = parts

    async def start(self) -> None:
        """Start each; if one fails, later ones are not started, and `stop()` ends it and the earlier ones."""
        for part in self._parts:
            self._ends(part.stop)
            await part.start()

    def health(self) -> Mapping[str, health.Part]:
        """The reports of all parts."""
        return {name: standing for part in self._parts for name, standing in part.health().items()}

    def trouble(self) -> str:
        """The sentences of all parts, one after the other."""
        return " ".join(filter(None, (part.trouble() for part in self._parts)))
