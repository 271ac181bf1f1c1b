"""The Python kit and the event stream: changes arrive at once, with polling where there is no stream."""

import queue
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from understudy_client.events import events

from tests.clients.scripted import ScriptedBot, flag, flags, scripted
from tests.clients.test_kit_provider import SOON_S, connected, until

ANNOUNCED = [{"type": "sse", "endpoint": {"requestUri": "/ofrep/v1/events"}}]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nretry: 3000\n\n"


def saying(value: str, announced: Any = ANNOUNCED) -> bytes:
    return flags(flag(value, "text"), eventStreams=announced)


class Stream:
    """The scripted bot's stream: `say` sends bytes to who listens, and nothing ends it."""

    def __init__(self, bot: ScriptedBot) -> None:
        self.opened = 0
        self._says: queue.Queue[bytes] = queue.Queue()
        bot.events = self._serve

    def say(self, text: bytes) -> None:
        self._says.put(text)

    def _serve(self, connection: Any) -> None:
        connection.wfile.write(HEAD)
        self.opened += 1
        while text := self._says.get():
            connection.wfile.write(text)


@pytest.fixture
def bot() -> Iterator[ScriptedBot]:
    with scripted(saying("one")) as found:
        yield found


def test_change_arrives_at_once_and_polling_takes_over_when_the_stream_ends(bot: ScriptedBot) -> None:
    """With an open stream the kit polls every ten seconds; an event may arrive in pieces."""
    stream = Stream(bot)
    with connected(bot.url, poll_every=0.2) as client:
        until(lambda: stream.opened == 1 and len(bot.asked) == 2)  # at the start, and when the stream was open
        time.sleep(0.5)
        assert 2 == len(bot.asked), "no poll beside an open stream"
        bot.reply = saying("two")
        stream.say(b'id: 7\ndata: {"type": "refetch')
        stream.say(b'Evaluation"}\r\n\r\n')
        until(lambda: client.get_string_value("text", "-") == "two")
        bot.reply = saying("three")
        stream.say(b"")
        until(lambda: client.get_string_value("text", "-") == "three")
        until(lambda: stream.opened == 2)
        stream.say(b"")


def test_stream_on_another_host_is_not_followed(bot: ScriptedBot) -> None:
    """It would receive the token, so the kit polls as without a stream."""
    with scripted(b"") as stranger:
        bot.reply = saying("one", [{"type": "sse", "url": f"{stranger.url}/events"}])
        with connected(bot.url):
            until(lambda: len(bot.asked) > 5)
        assert [] == stranger.asked


def test_shutdown_ends_a_listener_in_the_middle_of_a_read(bot: ScriptedBot) -> None:
    """It would otherwise wait for the next ping."""
    stream = Stream(bot)
    with connected(bot.url):
        until(lambda: stream.opened == 1)
        listener = next(thread for thread in threading.enumerate() if thread.name == "understudy-client-events")
    listener.join(SOON_S)
    assert not listener.is_alive()
    stream.say(b"")


def test_events_are_parsed_by_the_rules_of_the_format() -> None:
    """Comments are skipped, several data lines are one text, and an id stays in effect."""
    lines = [": hi", "", "id: 1", "data: a", "data:b", "", "data: c", "event: message", "", "data: half"]
    assert [("1", "a\nb"), ("1", "c")] == list(events(iter(lines)))
