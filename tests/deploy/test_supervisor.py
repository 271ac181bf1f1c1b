"""What a supervisor that asked for it is told: systemd, or whoever speaks its protocol."""

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.system.supervisor import Supervisor


class Listening:
    """The supervisor's end, at a path or an abstract address."""

    def __init__(self, path: Path) -> None:
        self.path = str(path / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setblocking(False)

    def bound(self, address: str) -> "Listening":
        self.socket.bind(address)
        return self

    def told(self) -> list[str]:
        found = []
        while True:
            try:
                found.append(self.socket.recv(100).decode())
            except BlockingIOError:
                return found


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Listening]:
    made = Listening(tmp_path)
    yield made
    made.socket.close()


@pytest.mark.parametrize(
    ("does", "word"),
    [(Supervisor.ready, "READY=1"), (Supervisor.reloading, "RELOADING=1"), (Supervisor.ending, "STOPPING=1")],
)
def test_each_turn_of_its_life_is_told(listening: Listening, does: Callable[[Supervisor], None], word: str) -> None:
    """The words of sd_notify(3)."""
    listening.bound(listening.path)
    does(Supervisor({"NOTIFY_SOCKET": listening.path}))

    assert [word] == listening.told()


def test_an_abstract_address_is_told(listening: Listening) -> None:
    """A user's own systemd gives one, written with an @."""
    name = f"understudy-test-{os.getpid()}"
    listening.bound(f"\0{name}")
    Supervisor({"NOTIFY_SOCKET": f"@{name}"}).ready()

    assert ["READY=1"] == listening.told()


async def test_signs_of_life_go_on(listening: Listening) -> None:
    """For as long as the event loop takes its turns; without them systemd ends the process and starts it anew."""
    listening.bound(listening.path)
    beating = asyncio.create_task(Supervisor({"NOTIFY_SOCKET": listening.path, "WATCHDOG_USEC": "3000"}).beat())
    listening.socket.setblocking(True)
    told = [(await asyncio.to_thread(listening.socket.recv, 100)).decode() for _ in range(3)]
    beating.cancel()

    assert ["WATCHDOG=1"] * 3 == told


@pytest.mark.parametrize("more", [{}, {"WATCHDOG_USEC": "3000", "WATCHDOG_PID": "1"}])
async def test_nobody_hears_signs_of_life_who_did_not_ask_for_ours(listening: Listening, more: dict[str, str]) -> None:
    """Whoever started us may have asked for those of another process, in whose environment we run."""
    listening.bound(listening.path)
    await Supervisor({"NOTIFY_SOCKET": listening.path, **more}).beat()

    assert [] == listening.told()


async def test_without_a_supervisor_there_are_no_signs_of_life() -> None:
    """The task is over at once."""
    assert None is await Supervisor({"WATCHDOG_USEC": "3000"}).beat()


def test_the_bot_goes_on_where_its_supervisor_does_not_listen(listening: Listening) -> None:
    """It may have been started anew itself; once it listens it is told again."""
    supervisor = Supervisor({"NOTIFY_SOCKET": listening.path})
    supervisor.ready()
    listening.bound(listening.path)
    supervisor.ready()

    assert ["READY=1"] == listening.told()


def test_the_bot_waits_for_no_supervisor_that_does_not_read(listening: Listening) -> None:
    """A socket holds some hundred words, and the loop must not stand still for them."""
    listening.bound(listening.path)
    supervisor = Supervisor({"NOTIFY_SOCKET": listening.path})
    for _ in range(1_000):
        supervisor.ready()

    assert 0 < len(listening.told()) < 1_000
