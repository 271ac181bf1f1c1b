"""The Python kit as a service uses it: through the OpenFeature SDK, with its own threads, over real HTTP."""

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.evaluation_context import EvaluationContext
from openfeature.event import EventDetails, ProviderEvent
from openfeature.exception import ErrorCode
from openfeature.provider import ProviderStatus
from understudy_client import UnderstudyProvider

from tests.clients.scripted import ScriptedBot, answer, flag, flags, scripted

SOON_S = 10.0
DOMAIN = "kit"
KIT = Path(__file__).resolve().parents[2] / "clients" / "python" / "src"
EVERY_TYPE = (
    flag(True, "on"), flag("gpt", "text"), flag(3, "count"), flag(0.5, "rate"),
    flag({"model": "g"}, "route"), flag(["a"], "list"),
)  # fmt: skip


@contextmanager
def connected(url: str, **more: Any) -> Iterator[OpenFeatureClient]:
    """A service that has just started."""
    provider = UnderstudyProvider(url, **{"poll_every": 0.05, "token": "t", **more})
    api.set_provider_and_wait(provider, DOMAIN)
    try:
        yield api.get_client(DOMAIN)
    finally:
        provider.shutdown()


@pytest.fixture
def bot() -> Iterator[ScriptedBot]:
    with scripted(flags(*EVERY_TYPE)) as found:
        yield found


def until(holds: Callable[[], bool]) -> None:
    """Wait for what another thread will do soon."""
    ends = time.monotonic() + SOON_S
    while not holds():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.005)


@pytest.mark.parametrize(
    ("kind", "key", "default", "value"),
    [
        ("boolean", "on", False, True), ("string", "text", "-", "gpt"), ("integer", "count", 0, 3), ("float", "rate", 0.0, 0.5),
        ("float", "count", 0.0, 3.0), ("object", "route", {}, {"model": "g"}), ("object", "list", [], ["a"]),
    ],
)  # fmt: skip
def test_flag_is_read_in_its_type(bot: ScriptedBot, kind: str, key: str, default: Any, value: Any) -> None:
    """With variant, reason and metadata as the bot gave them."""
    with connected(bot.url) as client:
        found = getattr(client, f"get_{kind}_details")(key, default)
    assert (value, type(value), "v", "STATIC", None) == (
        found.value, type(found.value), found.variant, found.reason, found.error_code,
    )  # fmt: skip
    assert {"phase": "normal"} == found.flag_metadata


@pytest.mark.parametrize(
    ("kind", "key", "default"),
    [
        ("boolean", "text", False), ("string", "route", "-"), ("integer", "on", 7), ("integer", "rate", 7),
        ("float", "on", 7.0), ("object", "text", {}),
    ],
)  # fmt: skip
def test_flag_of_another_type_gives_the_code_default_and_says_so(bot: ScriptedBot, kind: str, key: str, default: Any) -> None:
    """As the specification wants it."""
    with connected(bot.url) as client:
        found = getattr(client, f"get_{kind}_details")(key, default)
    assert (default, ErrorCode.TYPE_MISMATCH) == (found.value, found.error_code)


def test_unknown_flag_gives_the_code_default_and_says_so(bot: ScriptedBot) -> None:
    """A misspelt key must be findable."""
    with connected(bot.url) as client:
        found = client.get_string_details("nope", "mine")
    assert ("mine", ErrorCode.FLAG_NOT_FOUND) == (found.value, found.error_code)


def test_service_starts_without_a_bot_and_takes_it_when_it_comes(bot: ScriptedBot) -> None:
    """No exception at the start, the code default until then, and an event each way."""
    good, bot.reply = bot.reply, answer("", "503 Service Unavailable")
    heard: list[ProviderEvent] = []
    with connected(bot.url) as client:
        found = client.get_string_details("text", "fallback")
        assert ("fallback", ErrorCode.PROVIDER_NOT_READY) == (found.value, found.error_code)
        until(lambda: client.get_provider_status() is ProviderStatus.ERROR)
        client.add_handler(ProviderEvent.PROVIDER_READY, lambda _: heard.append(ProviderEvent.PROVIDER_READY))
        bot.reply = good
        until(lambda: client.get_string_value("text", "fallback") == "gpt")
        until(lambda: heard == [ProviderEvent.PROVIDER_READY])


def test_change_is_an_event_with_the_names_of_the_flags(bot: ScriptedBot) -> None:
    """For services that hold on to what they read."""
    heard: list[EventDetails] = []
    with connected(bot.url) as client:
        client.add_handler(ProviderEvent.PROVIDER_CONFIGURATION_CHANGED, heard.append)
        bot.reply = flags(flag("claude", "text"), *(one for one in EVERY_TYPE if one["key"] != "text"))
        until(lambda: bool(heard))
        assert ["text"] == heard[0].flags_changed
        assert "claude" == client.get_string_value("text", "-")


def test_bot_that_hangs_delays_no_read(bot: ScriptedBot) -> None:
    """Ten thousand reads beside a bot that takes connections and says nothing; its last value is served."""
    with connected(bot.url) as client:
        until(lambda: client.get_string_value("text", "-") == "gpt")
        bot.reply = lambda connection: time.sleep(1.5)
        slowest, ends = 0.0, time.monotonic() + 1.0
        while time.monotonic() < ends:
            began = time.perf_counter()
            assert "gpt" == client.get_string_value("text", "-")
            slowest = max(slowest, time.perf_counter() - began)
    assert slowest < 0.25, "longer than a busy machine takes: a read waited for the bot"


async def test_reads_in_asyncio_leave_the_loop_alone(bot: ScriptedBot) -> None:
    """The official client freezes the loop for the whole of each request."""
    bot.reply = lambda connection: time.sleep(1.5)
    with connected(bot.url) as client:
        began = time.perf_counter()
        await asyncio.gather(*(client.get_string_value_async("text", "-") for _ in range(100)))
        assert time.perf_counter() - began < 0.5


def test_many_threads_read_at_once(bot: ScriptedBot) -> None:
    """While the flag changes under them each gets one of the two values, whole."""
    values = ({"model": "one", "name": "one"}, {"model": "two", "name": "two"})
    bot.reply = flags(flag(values[0], "route"))
    seen: list[Any] = []
    with connected(bot.url, poll_every=0.01) as client:

        def read() -> None:
            ends = time.monotonic() + 0.5
            while time.monotonic() < ends:
                seen.append(client.get_object_value("route", {}))

        threads = [threading.Thread(target=read) for _ in range(8)]
        for thread in threads:
            thread.start()
        for number in range(20):
            bot.reply = flags(flag(values[number % 2], "route"))
            time.sleep(0.02)
        for thread in threads:
            thread.join()
    assert [] == [value for value in seen if value not in values]


def test_shutdown_leaves_no_thread(bot: ScriptedBot) -> None:
    """And a service that was shut down may still read what was known last."""
    with connected(bot.url) as client:
        pass
    assert [] == [thread.name for thread in threading.enumerate() if thread.name.startswith("understudy-client")]
    assert "gpt" == client.get_string_value("text", "-")


def test_forked_worker_follows_on_its_own(bot: ScriptedBot, tmp_path: Path) -> None:
    """As under gunicorn --preload: the child reads at once what its parent knew, and follows changes from its first read on."""
    script = tmp_path / "service.py"
    script.write_text(
        """
import os, sys, time
from openfeature import api
from understudy_client import UnderstudyProvider

api.set_provider_and_wait(UnderstudyProvider(sys.argv[1], poll_every=0.05))
client = api.get_client()
if os.fork() == 0:
    print(client.get_string_value("text", "-"), flush=True)
    while (value := client.get_string_value("text", "-")) == "gpt":
        time.sleep(0.01)
    print(value, flush=True)
    os._exit(0)
os.wait()
api.shutdown()
"""
    )
    with subprocess.Popen(
        [sys.executable, str(script), bot.url], stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": str(KIT)}
    ) as service:
        assert service.stdout
        assert "gpt\n" == service.stdout.readline()
        bot.reply = flags(flag("claude", "text"))
        assert "claude\n" == service.stdout.readline()
        assert 0 == service.wait(SOON_S)
    names = {asked.body["context"]["targetingKey"] for asked in bot.asked}
    assert 2 == len(names), "parent and child are two readers"


def test_process_ends_by_itself_with_the_provider_running(bot: ScriptedBot) -> None:
    """A script that forgets to shut down is not held."""
    code = (
        "import sys; from openfeature import api; from understudy_client import UnderstudyProvider; "
        "api.set_provider_and_wait(UnderstudyProvider(sys.argv[1])); print(api.get_client().get_string_value('text', '-'))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, bot.url], capture_output=True, text=True, timeout=SOON_S, env={"PYTHONPATH": str(KIT)}
    )
    assert (0, "gpt\n", "") == (ended.returncode, ended.stdout, ended.stderr)


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:8080", "ftp://bot", "http://", "http://user:secret@bot:8080", "http://bot:8080/?token=secret"]
)
def test_address_that_is_none_is_refused_at_once(url: str) -> None:
    """With a sentence that does not repeat a secret."""
    with pytest.raises(ValueError, match="address must") as refused:
        UnderstudyProvider(url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("poll_every", [0, -1, float("nan"), float("inf")])
def test_interval_that_is_none_is_refused_at_once(poll_every: float) -> None:
    """Zero would ask without a pause."""
    with pytest.raises(ValueError, match="poll_every"):
        UnderstudyProvider("http://bot", poll_every=poll_every)


def test_reader_is_on_the_side_that_the_bot_would_give(bot: ScriptedBot) -> None:
    """By its targeting key; without one on the fallback; in the scope of a drill on the drill's."""
    bot.reply = flags(
        flag("gpt", "text", reason="SPLIT", split={"seed": "e#1", "below": 5000, "variant": "claude", "value": "claude"},
             drill={"variant": "cache", "value": "cache", "metadata": {"drill": True}}),
    )  # fmt: skip
    with connected(bot.url) as client:
        sides = {client.get_string_value("text", "-", EvaluationContext(f"user-{n}")) for n in range(50)}
        nameless = client.get_string_details("text", "-")
        drilled = client.get_string_details("text", "-", EvaluationContext("user-1", {"understudy_drill": True}))
    assert {"claude", "gpt"} == sides
    assert ("gpt", "SPLIT") == (nameless.value, nameless.reason)
    assert ("cache", "TARGETING_MATCH", True) == (drilled.value, drilled.reason, drilled.flag_metadata["drill"])
