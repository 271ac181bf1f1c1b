"""The bot is one list of parts: started in order, stopped in reverse, also if a start fails half way."""

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
    """Records what it is told to do, and can fail at it."""

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
    """A part may rely on those started before it until its own end."""
    book: list[str] = []
    parts = PartList(*(Told(name, book) for name in "abc"))

    await parts.start()
    await parts.stop()

    assert ["start a", "start b", "start c", "end c", "end b", "end a"] == book


async def test_failed_start_stops_the_parts_started_before() -> None:
    """Nothing is left open, and later parts are left alone."""
    book: list[str] = []
    parts = PartList(Told("a", book), Told("b", book, fails="start"), Told("c", book))

    with pytest.raises(OSError, match="b cannot start"):
        await parts.start()
    await parts.stop()

    assert ["start a", "start b", "end b", "end a"] == book


async def test_failure_to_stop_one_part_does_not_keep_others_from_stopping() -> None:
    """The ledger is closed whatever else went wrong."""
    book: list[str] = []
    parts = PartList(Told("a", book), Told("b", book, fails="stop"), Told("c", book))
    await parts.start()

    with pytest.raises(OSError, match="b cannot stop"):
        await parts.stop()

    assert ["end c", "end b", "end a"] == book[3:]


async def test_stopping_twice_is_harmless() -> None:
    """A second request to end finds nothing to do."""
    book: list[str] = []
    parts = PartList(Told("a", book))
    await parts.start()
    await parts.stop()
    await parts.stop()

    assert ["start a", "end a"] == book


def test_only_parts_with_something_to_say_are_shown() -> None:
    """In their order, and as one text for people."""
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


async def test_failed_start_frees_the_data_folder(tmp_path: Path) -> None:
    """The port was taken; a bot on another port can use the folder at once."""
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
