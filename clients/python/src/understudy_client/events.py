"""Listens to the bot's stream of events, so that a change is read at once instead of at the next poll."""

import json
import logging
import random
import threading
from collections.abc import Callable, Iterator

import urllib3
from urllib3.exceptions import HTTPError

from understudy_client.bot import Bot, BotError
from understudy_client.flags import Stream

log = logging.getLogger("understudy_client")

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
MOST_LINE = 64 * 1024


class Listener:
    """One stream, opened again whenever it ends. `on_change` is called for every change, and after every opening and end."""

    def __init__(self, bot: Bot, stream: Stream, on_change: Callable[[], None]) -> None:
        self.stream = stream
        self.connected = False
        self._bot, self._on_change = bot, on_change
        self._last_event = ""
        self._ended = threading.Event()
        self._response: urllib3.BaseHTTPResponse | None = None
        self._thread = threading.Thread(target=self._loop, name="understudy-client-events", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it, also in the middle of a read."""
        self._ended.set()
        response = self._response
        if response is not None:
            try:
                response.shutdown()
            except (OSError, ValueError, RuntimeError):
                pass  # it ended by itself

    def _loop(self) -> None:
        pause_s = FIRST_PAUSE_S
        while not self._ended.is_set():
            try:
                if self._follow():
                    pause_s = FIRST_PAUSE_S
            except (BotError, HTTPError, OSError) as error:
                log.debug("the stream of events ended: %s", error)
            except Exception:  # the root of our thread: polling goes on without us
                log.exception("listening for changes failed on our side")
            if self.connected:
                self.connected = False
                self._on_change()  # what we missed is read at once, and polled for from now on
            self._ended.wait(pause_s * random.uniform(0.5, 1.0))  # noqa: S311 # so that not all come back at once
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
        self._bot.close()

    def _follow(self) -> bool:
        """Read until it ends; whether it was ever open."""
        response = self._bot.stream(self.stream, self._last_event)
        self._response = response
        try:
            if self._ended.is_set():
                return False
            self.connected = True
            self._on_change()
            for id, data in events(_lines(response)):
                self._last_event = id or self._last_event
                if _asks_to_refetch(data):
                    self._on_change()
            return True
        finally:
            self._response = None
            response.close()


def events(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    """The events of a stream as (id, data), by the rules of server-sent events as far as we use them."""
    id, data = "", list[str]()
    for line in lines:
        if not line:
            if data:
                yield id, "\n".join(data)
            data = []
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            data.append(value)
        elif name == "id":
            id = value


def _lines(response: urllib3.BaseHTTPResponse) -> Iterator[str]:
    rest = b""
    while piece := response.read1(8192):
        *lines, rest = (rest + piece).replace(b"\r\n", b"\n").split(b"\n")
        if len(rest) > MOST_LINE:
            raise BotError("an event is too long")
        for line in lines:
            yield line.decode("utf-8", "replace")


def _asks_to_refetch(data: str) -> bool:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.get("type") == "refetchEvaluation"
