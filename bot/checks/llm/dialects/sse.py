"""Server-Sent Events as providers stream them (WHATWG HTML, section 9.2), split from bytes. Pure."""

from bot.checks.llm.dialects.shape import Event, parsed
from bot.checks.net.http1 import BadAnswer, LineSplitter

EVENT_CAP = 256 * 1024  # the last event of OpenAI's responses repeats the whole answer


class SseFrames:
    """Splits a stream into events, each with the JSON of its data. BadAnswer `too_large` for an event over 256 KiB.

    More lenient than the standard in one respect: a final event counts even without its empty line.
    """

    __slots__ = ("_data", "_lines", "_name", "_size")

    def __init__(self) -> None:
        self._lines = LineSplitter(EVENT_CAP)
        self._name = ""
        self._data: list[str] = []
        self._size = 0

    def feed(self, data: bytes) -> list[Event]:
        """The events completed by this piece."""
        return [event for line in self._lines.feed(data) for event in self._take(line)]

    def finish(self) -> list[Event]:
        """The last event, if the stream ended without an empty line."""
        return [event for line in (*self._lines.finish(), "") for event in self._take(line)]

    def _take(self, line: str) -> list[Event]:
        if not line:
            return self._dispatch()
        name, _, value = line.removeprefix("\ufeff").partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            self._name = value
        elif name == "data":
            self._size += len(value)
            if self._size > EVENT_CAP:
                raise BadAnswer("too_large")
            self._data.append(value)
        return []  # comments keep the connection open; ids and retry times are not needed here

    def _dispatch(self) -> list[Event]:
        name, lines = self._name, self._data
        self._name, self._data, self._size = "", [], 0
        if not lines:
            return []
        text = "\n".join(lines)
        return [Event(name, text, parsed(text))]
