"""How the Python kit keeps the last good flags, round by round; time is moved by hand."""

import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from understudy_client.bot import Bot
from understudy_client.cache import CacheFile
from understudy_client.keeper import Keeper, State

from tests.clients.scripted import ScriptedBot, answer, flag, flags, scripted


class Rounds:
    """A keeper without a thread: `look` is one round, `passes` advances the monotonic clock."""

    def __init__(self, bot: ScriptedBot, cache: Path | None = None) -> None:
        self.at = 1000.0
        self.told: list[Any] = []
        file = CacheFile(cache, bot.url) if cache else None
        self.keeper = Keeper(
            lambda: Bot(bot.url, "token-of-mine", "svc"), file, 1.0,
            lambda state, sentence: self.told.append(state), self.told.append, lambda: self.at,
        )  # fmt: skip
        self.keeper.load()
        self.keeper._telling = True  # as after `start`, which has a thread

    def look(self) -> float:
        return self.keeper.look()

    def passes(self, seconds: float) -> None:
        self.at += seconds

    @property
    def value(self) -> Any:
        return self.keeper.held and self.keeper.held.flags.by_key["chat"].plain.value


@pytest.fixture
def bot() -> Iterator[ScriptedBot]:
    with scripted(flags(flag("good"))) as found:
        yield found


def cut(connection: Any) -> None:
    connection.wfile.write(answer("x" * 1000)[:300])


def huge(connection: Any) -> None:
    connection.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    try:
        while True:
            connection.wfile.write(b"x" * 1_000_000)
    except OSError:
        pass  # it was cut off, as it should


def reset(connection: Any) -> None:
    connection.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    connection.connection.close()


BAD = {
    "html": answer("<html>hi</html>", type="text/html"),
    "500": answer("{}", "500 Internal Server Error"),
    "half a body": cut,
    "reset": reset,
    "huge": huge,
    "no HTTP": b"hello\r\n\r\n",
    "another schema": answer('{"features": []}'),
    "another version": answer('{"rules": 2, "flags": []}'),
    "no text": answer(b"\xff\xfe"),
    "a redirect": answer("", "307 Temporary Redirect", Location="http://127.0.0.1:1/"),
    "a 304 out of place": b"HTTP/1.1 304 Not Modified\r\n\r\n",
}


@pytest.mark.parametrize("bad", BAD)
def test_bad_answer_changes_nothing_and_is_logged_once(bot: ScriptedBot, caplog: pytest.LogCaptureFixture, bad: str) -> None:
    """The last good value stays; the log has one line, and another when the trouble is over."""
    rounds = Rounds(bot)
    rounds.look()
    rounds.keeper._etag = ""
    good, bot.reply = bot.reply, BAD[bad]
    with caplog.at_level(logging.INFO, "understudy_client"):
        rounds.look()
        rounds.look()
        assert 1 == len(caplog.records), caplog.text
        bot.reply = good
        rounds.look()
    assert "good" == rounds.value
    assert "flags are read again" == caplog.records[-1].getMessage()


@pytest.mark.parametrize("bad", BAD)
def test_bad_first_answer_leaves_the_code_default(bot: ScriptedBot, bad: str) -> None:
    """The code default is the fallback."""
    bot.reply = BAD[bad]
    rounds = Rounds(bot)
    rounds.look()
    assert (None, State.NOTHING, [State.NOTHING]) == (rounds.keeper.held, rounds.keeper.state, rounds.told)


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
def test_refused_token_is_logged_once_without_the_token(
    bot: ScriptedBot, caplog: pytest.LogCaptureFixture, status: str
) -> None:
    """A revoked token does not move customers back; the log says what to do and contains no secret."""
    rounds = Rounds(bot)
    rounds.look()
    bot.reply = answer('{"errorCode": "GENERAL"}', status)
    for _ in range(3):
        rounds.look()
    assert "good" == rounds.value
    assert 1 == len(caplog.records)
    assert "server.read_tokens" in caplog.text
    assert "token-of-mine" not in caplog.text


def test_unchanged_flags_need_no_body(bot: ScriptedBot) -> None:
    """The ETag is sent back, and a 304 counts as an answer."""
    bot.reply = answer(json.dumps({"flags": [flag("good")]}), ETag='"v1"')
    rounds = Rounds(bot)
    rounds.look()
    bot.reply = b"HTTP/1.1 304 Not Modified\r\n\r\n"
    rounds.passes(10)
    rounds.look()
    assert 'if-none-match: "v1"' in bot.asked[-1].head.lower()
    assert ("good", State.FRESH) == (rounds.value, rounds.keeper.state)


def test_value_is_stale_when_the_bot_was_silent_for_three_seconds(bot: ScriptedBot) -> None:
    """A restart of the bot is no trouble; a longer absence is reported, and so is its end."""
    rounds = Rounds(bot)
    rounds.look()
    good, bot.reply = bot.reply, answer("", "503 Service Unavailable")
    rounds.passes(2)
    rounds.look()
    assert State.FRESH is rounds.keeper.state
    rounds.passes(2)
    rounds.look()
    assert (State.OLD, "good") == (rounds.keeper.state, rounds.value)
    bot.reply = good
    rounds.look()
    assert [State.OLD, State.FRESH] == rounds.told


def test_loss_of_a_streaming_bot_is_reported_as_soon(bot: ScriptedBot) -> None:
    """With a stream the kit polls every ten seconds only, but does not wait three times as long."""
    ended = threading.Event()

    def stream(connection: Any) -> None:
        connection.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: hi\n\n")
        ended.wait(10)

    bot.reply = flags(flag("good"), eventStreams=[{"type": "sse", "endpoint": {"requestUri": "/events"}}])
    bot.events = stream
    rounds = Rounds(bot)
    while rounds.look() < 10:
        time.sleep(0.01)
    bot.reply = answer("", "503 Service Unavailable")
    rounds.look()
    rounds.passes(4)
    rounds.look()
    ended.set()
    rounds.keeper.stop()
    assert State.OLD is rounds.keeper.state


def test_change_event_names_the_changed_flags(bot: ScriptedBot) -> None:
    """New, removed or different flags, and no others."""
    bot.reply = flags(flag("a"), flag(1, key="same"), flag(1, key="gone"))
    rounds = Rounds(bot)
    rounds.look()
    bot.reply = flags(flag("b"), flag(1, key="same"), flag(1, key="new"))
    rounds.look()
    assert [["chat", "gone", "new"]] == rounds.told


@pytest.mark.parametrize(
    ("asked", "pause_s"), [("7", 7.0), ("9999", 30.0), ("2026-11-20T12:07:47Z", 1.0), ("-5", 1.0), ("", 1.0)]
)
def test_retry_after_of_the_bot_is_obeyed(bot: ScriptedBot, asked: str, pause_s: float) -> None:
    """In whole seconds and within limits; a date is ignored."""
    bot.reply = answer("{}", "429 Too Many Requests", Retry_After=asked)
    assert pause_s == Rounds(bot).look()


def test_process_that_starts_without_a_bot_uses_the_file(bot: ScriptedBot, tmp_path: Path) -> None:
    """It has the flags of the process before it, marked as cached until the bot answers."""
    Rounds(bot, tmp_path / "flags.json").look()
    good, bot.reply = bot.reply, reset
    later = Rounds(bot, tmp_path / "flags.json")
    later.look()
    assert ("good", True, State.OLD) == (later.value, later.keeper.held and later.keeper.held.from_file, later.keeper.state)
    bot.reply = good
    later.look()
    assert later.keeper.held is not None
    assert (False, State.FRESH) == (later.keeper.held.from_file, later.keeper.state)


def test_bad_file_is_logged_and_ignored(bot: ScriptedBot, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The process starts as if there were no file."""
    file = tmp_path / "flags.json"
    file.write_text("half of a fi")
    file.chmod(0o600)
    rounds = Rounds(bot, file)
    assert rounds.keeper.held is None
    assert "flags.json are not used" in caplog.text


def test_flags_are_served_when_the_disk_is_full(bot: ScriptedBot, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Only saving fails."""
    rounds = Rounds(bot, tmp_path / "gone" / "flags.json")
    rounds.look()
    assert "good" == rounds.value
    assert "could not be saved" in caplog.text


def test_reads_in_a_drill_are_reported_once(bot: ScriptedBot) -> None:
    """Even if the bot was away in between."""
    rounds = Rounds(bot)
    rounds.keeper.note_in_drill("chat", True)
    good, bot.reply = bot.reply, answer("", "500 Oh")
    rounds.look()
    bot.reply = good
    rounds.look()
    rounds.look()
    assert [["chat"], ["chat"], None] == [asked.body.get("drill_fallback") for asked in bot.asked]
