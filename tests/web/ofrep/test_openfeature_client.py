"""The official OpenFeature client for Python against the real server: what a downstream service experiences."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from web_house import READ, House, OpenHouse

from bot.core.model import Actor, Level
from bot.core.signals import EngageFlag, StepBack, TimePassed

ANA = Actor.operator("ana")
CHAT = "support-chat.llm"

Ask = Callable[..., Awaitable[Any]]


@contextmanager
def connected(house: House, token: str = READ) -> Iterator[OpenFeatureClient]:
    """A client of one house; blocking, so every call runs in a thread."""
    domain = f"port-{house.port}"
    provider = OFREPProvider(house.url, headers_factory=lambda: {"Authorization": f"Bearer {token}"}, timeout=5.0)
    provider.session.trust_env = False
    api.set_provider(provider, domain)
    try:
        yield api.get_client(domain)
    finally:
        provider.session.close()


@pytest_asyncio.fixture
async def ask(house: House) -> AsyncIterator[Ask]:
    """Asks the house for a flag's details with the client's method for the type of the code default."""
    with connected(house) as client:

        async def details(key: str, default: Any, reader: str | None = "svc-a") -> Any:
            return await asyncio.to_thread(_details, client, key, default, reader)

        yield details


def _details(client: OpenFeatureClient, key: str, default: Any, reader: str | None) -> Any:
    kind = {bool: "boolean", str: "string", int: "integer", float: "float", dict: "object"}[type(default)]
    context = EvaluationContext(reader, {"env": "test"})
    return getattr(client, f"get_{kind}_details")(key, default, context)


@pytest.mark.parametrize(
    ("key", "default", "normal", "fallback"),
    [
        (CHAT, "code default", "anthropic", "openai"),
        ("on", False, True, False),
        ("count", 99, 3, 0),
        ("rate", 9.9, 1.0, 0.5),
        ("route", {"none": 1}, {"provider": "anthropic", "models": ["large", "small"], "spare": None}, {}),
    ],
)
async def test_client_gets_default_and_fallback_of_every_type(
    house: House, ask: Ask, key: str, default: Any, normal: Any, fallback: Any
) -> None:
    """Values arrive in their own type, before and during an engagement, without any error."""
    before = await ask(key, default)
    assert (normal, None, "STATIC") == (before.value, before.error_code, before.reason)
    assert type(default) is type(before.value)
    await house.engine.handle(EngageFlag(ANA, flag=key, reason="provider is down"))
    after = await ask(key, default)
    assert (fallback, None) == (after.value, after.error_code)
    assert ("engaged", 100) == (after.flag_metadata["phase"], after.flag_metadata["percent_on_fallback"])


async def test_client_gets_its_code_default_when_the_flag_is_unknown(ask: Ask) -> None:
    """Not found is said as such, with the reason."""
    found = await ask("nope", "code default")
    assert ("code default", ErrorCode.FLAG_NOT_FOUND) == (found.value, found.error_code)
    assert "no flag is called" in found.error_message


async def test_client_gets_its_code_default_when_the_type_differs(ask: Ask) -> None:
    """Asking a string flag for a boolean is a type mismatch on the client's side."""
    found = await ask(CHAT, False)
    assert (False, ErrorCode.TYPE_MISMATCH) == (found.value, found.error_code)


async def test_client_gets_its_code_default_when_its_token_is_wrong(house: House) -> None:
    """A refused token is an error and no crash."""
    with connected(house, token="wrong") as client:
        found = await asyncio.to_thread(_details, client, CHAT, "code default", "svc-a")
    assert ("code default", ErrorCode.GENERAL) == (found.value, found.error_code)


async def test_client_without_a_name_stays_on_the_fallback_when_split(house: House, ask: Ask) -> None:
    """A reader without a targeting key is on the safe side, and the client understands the reason."""
    await house.engine.handle(EngageFlag(ANA, flag=CHAT, reason="provider is down"))
    await house.engine.handle(StepBack(ANA, flag=CHAT))
    found = await ask(CHAT, "code default", None)
    assert ("openai", "SPLIT", None) == (found.value, found.reason, found.error_code)


async def test_readers_go_back_once_and_never_return_when_the_hand_back_goes_on(house: House, ask: Ask) -> None:
    """From an outage to the end of the hand-back each service changes sides exactly once in each direction."""
    readers = [f"svc-{n}" for n in range(40)]

    async def sides() -> list[str]:
        return [(await ask(CHAT, "code default", reader)).value for reader in readers]

    assert {"anthropic"} == set(await sides())
    await house.verdict("anthropic.api", Level.DOWN)
    await house.engine.handle(EngageFlag(ANA, flag=CHAT, reason="claude is down"))
    assert {"openai"} == set(await sides())
    await house.verdict("anthropic.api", Level.OPERATIONAL, "12 of 12 probes passed")
    assert (await house.engine.handle(StepBack(ANA, flag=CHAT))).ok
    history = [await sides()]
    for _ in range(5):
        house.clock.advance(timedelta(minutes=6))
        await house.engine.handle(TimePassed(Actor.rule("time")))
        history.append(await sides())
    backs = [side.count("anthropic") for side in history]
    assert backs == sorted(backs)
    assert 0 < backs[1] < 40 == backs[-1]
    for path in zip(*history, strict=True):
        assert list(path) == sorted(path, reverse=True), "a reader that went back was sent away again"


async def test_client_keeps_its_side_when_the_bot_restarts(open_house: OpenHouse) -> None:
    """After a restart the same facts give every reader the same side; before they are read there is no answer at all."""
    first = await open_house(read_tokens=(READ,))
    await first.engine.handle(EngageFlag(ANA, flag=CHAT, reason="claude is down"))
    await first.engine.handle(StepBack(ANA, flag=CHAT))
    readers = [f"svc-{n}" for n in range(60)]

    def sides(client: OpenFeatureClient) -> list[tuple[str, Any]]:
        found = [_details(client, CHAT, "code default", reader) for reader in readers]
        return [(details.value, details.error_code) for details in found]

    with connected(first) as client:
        before = await asyncio.to_thread(sides, client)
        assert {("openai", None), ("anthropic", None)} == set(before)
        await first.close()
        second = House(read_tokens=(READ,))
        await second.open(restored=False, port=first.port)
        try:
            early = await asyncio.to_thread(sides, client)
            assert {("code default", ErrorCode.GENERAL)} == set(early)
            second.engine.world = first.engine.world
            second.engine.restore()
            assert before == await asyncio.to_thread(sides, client)
        finally:
            await second.close()
