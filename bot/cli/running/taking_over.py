"""Loads another configuration into a running bot: read, validated, and used by a new bot that replaces the previous one.

Everything important is in the ledger, and flags are served throughout: this is a restart that readers of flags do not notice.
A configuration that is invalid, or that cannot be used, changes nothing.
"""

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import structlog

from bot.app import App
from bot.config.changes import changed_keys
from bot.config.load import Loaded, load
from bot.config.reading.errors import ConfigErrors
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Actor
from bot.core.signals import ConfigurationChanged
from bot.ports import StoreError
from bot.system.logs import configure_logs
from bot.web.app import WebError
from bot.web.services import ReloadRefused, ReloadState
from bot.wiring.parts import Parts, StartRefused
from bot.wiring.plan import plan

log = structlog.get_logger(__name__)

BY_SIGNAL = Actor.operator("SIGHUP")


@dataclass(frozen=True)
class NextConfig:
    """A valid configuration waiting to be used."""

    loaded: Loaded
    changed: tuple[str, ...]
    by: Actor


class Reloading:
    """Reads the configuration again on request, and replaces one bot by another."""

    def __init__(
        self, path: Path, loaded: Loaded, build: Callable[..., App], parts: Parts, log_level: str = "INFO"
    ) -> None:  # fmt: skip
        self._path = path
        self._loaded = loaded
        self._build = build
        self._parts = replace(parts, reload=self)
        self._log_level = log_level
        self._next: NextConfig | None = None
        self._asked = asyncio.Event()
        self._reading = asyncio.Lock()
        self._beside = set[asyncio.Task[None]]()
        self._ended, self._refused = 0, ""

    def first(self) -> App:
        """The bot with the initial configuration. From now on its secrets are kept out of logs."""
        app = self._build(self._loaded, parts=self._parts)
        configure_logs(app.redactor, level=self._log_level)
        return app

    async def ask(self, by: Actor) -> tuple[str, ...]:
        """Read and validate; returns the keys that will differ, none if nothing changed. Raises ReloadRefused."""
        async with self._reading:
            if self._next is not None:
                raise ReloadRefused("A new configuration is being taken over.", "Ask again in a second.")
            try:
                loaded = await asyncio.to_thread(load, self._path, os.environ)
                plan(loaded)
            except ConfigErrors as error:
                raise ReloadRefused(*(str(one) for one in error.errors)) from error
            except StartRefused as refusal:
                raise ReloadRefused(str(refusal)) from refusal
            changed = changed_keys(self._loaded.config, loaded.config)
            if "data" in changed:
                raise ReloadRefused("data names another folder.", "Restart the bot: it cannot change its ledger while it runs.")
            if "store" in changed:
                raise ReloadRefused(
                    "store names another database.", "Restart the bot: it cannot change its ledger while it runs."
                )
            if changed:
                self._next = NextConfig(loaded, changed, by)
                self._asked.set()
            return changed

    def state(self) -> ReloadState:
        """The progress of reloads."""
        return ReloadState(self._next is not None, self._ended, self._refused)

    async def wanted(self, ended: asyncio.Event) -> bool:
        """Wait until a reload is requested, also by SIGHUP; False if the end came first."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._on_signal)
        waiting = [asyncio.create_task(event.wait()) for event in (ended, self._asked)]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            return not ended.is_set()
        finally:
            for task in waiting:
                task.cancel()

    async def take_over(self, app: App) -> App:
        """The bot to run from here on: with the new configuration, or if that cannot be used, with the previous one.

        Raises what a start raises if even the previous one cannot be used.
        """
        following = self._next
        assert following is not None  # noqa: S101 # `wanted` has returned True
        parts = replace(self._parts, taken_over=app.hand_over())
        await app.stop()
        try:
            taken = await self._begun(following.loaded, parts)
        except (StartRefused, StoreError, WebError) as error:
            self._refused = str(error)
            log.error("the new configuration failed to start; the previous one continues", why=str(error))
            taken = await self._begun(self._loaded, parts)
            await _tell(taken, ConfigurationChanged(following.by, changed=following.changed, refused=str(error)))
        else:
            self._refused = ""
            self._loaded = following.loaded
            configure_logs(taken.redactor, level=self._log_level)
            await _tell(taken, ConfigurationChanged(following.by, changed=following.changed))
            log.info("configuration reloaded", changed=list(following.changed), by=following.by.name)
        self._next = None
        self._ended += 1
        self._asked.clear()
        return taken

    async def _begun(self, loaded: Loaded, parts: Parts) -> App:
        app = self._build(loaded, parts=parts)
        try:
            await app.start()
        except BaseException:
            await app.stop()
            raise
        return app

    def _on_signal(self) -> None:
        task = asyncio.create_task(self._ask_by_signal(), name="configuration after SIGHUP")
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    async def _ask_by_signal(self) -> None:
        try:
            if not await self.ask(BY_SIGNAL):
                log.info("the configuration has not changed")
        except ReloadRefused as refused:
            for sentence in refused.sentences:
                log.error("the configuration was not reloaded", why=sentence)


async def _tell(app: App, signal: ConfigurationChanged) -> None:
    try:
        await app.engine.handle(signal)
    except StoreError as error:  # whoever monitors the ledger reports it
        log.warning("the reload could not be recorded in the ledger", why=str(error))
