"""The bot is one list of parts: started in order, stopped in reverse, also when a start fails half way."""

import socket
from pathlib import Path

import pytest

from bot.app import build
from bot.config.load import load
from bot.sandbox.chat import FakeChat
from bot.web.app import WebError
from bot.web.health import Part
from bot.wiring.part import AppPart, PartList
from bot.wiring.parts import Parts


class Told(AppPart):
    """Writes down what it is told to do, and can fail at it."""

    def __init__(self, name: str, book: list[str], *, fails: str = "", health: str = "", trouble: str = "") -> None:
        super().__init__()
        self._name, self._book, self._fails = name, book, fails
        self._health, self._trouble = health, trouble

    async def start(self) -> None:
        self._ends(self._end)
        self._book.append(f"start {self._name}")
        if self._fails == "start":
            raise OSError(f"{self._name} cannot start")

    async def _end(self) -> None:
        self._book.append(f"end {self._name}")
        if self._fails == "stop":
            raise OSError(f"{self._name} cannot stop")

    def health(self) -> dict[str, Part]:
        return {self._health: Part(True, "well", None, "")} if self._health else {}

    def trouble(self) -> str:
        return self._trouble


async def test_parts_start_in_order_and_stop_in_reverse() -> None:
    """What is started later may lean on what was started before, until its own end."""
    book: list[str] = []
    parts = PartList(*(Told(name, book) for name in "abc"))

    await parts.start()
    await parts.stop()

    assert ["start a", "start b", "start c", "end c", "end b", "end a"] == book


async def test_a_start_that_fails_half_way_is_ended_with_what_was_started_before_it() -> None:
    """Nothing is left open, and what comes after it is left alone."""
    book: list[str] = []
    parts = PartList(Told("a", book), Told("b", book, fails="start"), Told("c", book))

    with pytest.raises(OSError, match="b cannot start"):
        await parts.start()
    await parts.stop()

    assert ["start a", "start b", "end b", "end a"] == book


async def test_a_part_that_fails_to_stop_keeps_no_other_from_stopping() -> None:
    """The ledger is closed whatever else went wrong at the end."""
    book: list[str] = []
    parts = PartList(Told("a", book), Told("b", book, fails="stop"), Told("c", book))
    await parts.start()

    with pytest.raises(OSError, match="b cannot stop"):
        await parts.stop()

    assert ["end c", "end b", "end a"] == book[3:]


async def test_stopping_twice_ends_nothing_twice() -> None:
    """A second request to end finds nothing to do."""
    book: list[str] = []
    parts = PartList(Told("a", book))
    await parts.start()
    await parts.stop()
    await parts.stop()

    assert ["start a", "end a"] == book


def test_parts_with_nothing_to_say_are_not_shown() -> None:
    """Status lists who has something to say, in their order, and people read one text."""
    parts = PartList(
        Told("a", [], health="ledger", trouble="The disk is full."), Told("b", []), Told("c", [], trouble="Slack is away.")
    )

    assert ["ledger"] == list(parts.health())
    assert "The disk is full. Slack is away." == parts.trouble()


CONFIG = """
slack: {{bot_token: xoxb-test, app_token: xapp-test}}
server: {{listen: "127.0.0.1:{port}"}}
control_group: []
providers: {{acme: {{components: {{api: {{checks: [{{type: http, url: "https://acme.example/up"}}]}}}}}}}}
"""


async def test_a_bot_that_could_not_start_leaves_the_folder_to_the_next_one(tmp_path: Path) -> None:
    """The port was another's: the data folder is free again at once, for a bot on another port."""
    config = tmp_path / "understudy.yaml"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config.write_text(CONFIG.format(port=taken.getsockname()[1]), encoding="utf-8")
        first = build(load(config, {}), data=tmp_path / "data")
        with pytest.raises(WebError):
            await first.start()
        await first.stop()

    chat = FakeChat(first.clock)
    second = build(load(config, {}), data=tmp_path / "data", listen=("127.0.0.1", 0), parts=Parts(chat=chat))
    try:
        await second.start()
        assert second.health().ready
    finally:
        await second.stop()
