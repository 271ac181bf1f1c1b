"""The scripted person: Ana acknowledges, approves the first step back, and resolves, by clicking what she sees in Slack."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from bot.core.record.fact import Fact
from bot.core.record.flag_facts import HandBackAsked
from bot.core.record.incident_facts import Declared, ResolveAsked
from bot.core.record.world import World
from bot.demo.settings import FLAG
from bot.sandbox.slack import NotThere, Person, SlackbotSays

THINKS_FOR_S = 1.0
LOOKS_FOR_S = 20.0


class Ana:
    """Uses only what she is shown: facts tell her when to look, the page what to click."""

    def __init__(self, person: Person, say: Callable[[str], None]) -> None:
        self._person = person
        self._say = say
        self._todo: asyncio.Queue[str] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start watching."""
        self._task = asyncio.create_task(self._work(), name="ana")

    async def stop(self) -> None:
        """Stop."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def hears(self, facts: Sequence[Fact], world: World) -> None:
        """React to facts that a person would act on."""
        for fact in facts:
            match fact.body:
                case Declared():
                    self._todo.put_nowait("incident.ack")
                case HandBackAsked():
                    self._todo.put_nowait(f"flag.step_back:{FLAG}")
                case ResolveAsked():
                    self._todo.put_nowait("incident.resolve")

    async def _work(self) -> None:
        while True:
            button = await self._todo.get()
            await asyncio.sleep(THINKS_FOR_S)
            await self._click(button)

    async def _click(self, button: str) -> None:
        """Click as soon as the button appears; its message may still be on its way.

        If somebody else pressed it first, or the bot withdrew it, do nothing.
        """
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOKS_FOR_S):
                    while True:
                        try:
                            return await self._person.clicks(button)
                        except NotThere:
                            await asyncio.sleep(0.2)
        except SlackbotSays as refusal:
            self._say(f"(ana pressed {button} and Slack said: {refusal})")
